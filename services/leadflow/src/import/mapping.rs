//! Which column means what: guessed, from a saved mapping, or as the command line says.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use leadflow_platform::vars::Vars;
use leadflow_proto::activity::v1::Source;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    field::{Field, Kind},
    guess::{self, normal},
};

/// Other words for what a file writes, by field: `country: {Deutschland: DE}`.
pub(crate) type Values<F = Field> = BTreeMap<F, BTreeMap<String, String>>;

/// All that one kind of file has in common, as YAML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(serialize = "F: Ord + Serialize", deserialize = "F: Ord + DeserializeOwned"))]
pub(crate) struct Saved<F: Ord = Field> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<Kind>,
    /// The field of each column.
    pub(crate) columns: BTreeMap<String, F>,
    #[serde(default = "Values::new", skip_serializing_if = "Values::is_empty")]
    pub(crate) values: Values<F>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time_zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) delimiter: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encoding: Option<String>,
}

impl<F: Ord> Default for Saved<F> {
    fn default() -> Self {
        Self {
            kind: None,
            columns: BTreeMap::new(),
            values: Values::new(),
            time_zone: None,
            time_format: None,
            delimiter: None,
            encoding: None,
        }
    }
}

impl<F: Ord + Serialize + DeserializeOwned> Saved<F> {
    /// The saved mapping of a name, or in a file.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub(crate) fn read(name: &str, vars: &Vars) -> Result<Self> {
        let path = path_of(name, vars)?;
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("there is no mapping {}: save one with --save-mapping", path.display()))?;
        serde_saphyr::from_str(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
    }

    /// Saves the mapping under a name, or in a file. Returns where.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, name: &str, vars: &Vars) -> Result<PathBuf> {
        let path = path_of(name, vars)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let text = serde_saphyr::to_string(self).context("a mapping without YAML")?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

/// A name stands for a file among the user's settings; what looks like a file is one.
fn path_of(name: &str, vars: &Vars) -> Result<PathBuf> {
    let is_file = name.contains('/') || [".yaml", ".yml"].iter().any(|end| name.ends_with(end));
    if is_file {
        return Ok(PathBuf::from(name));
    }
    let plain = !name.is_empty() && name.chars().all(|symbol| symbol.is_ascii_alphanumeric() || "-_".contains(symbol));
    if !plain {
        bail!(
            "`{name}` is no name of a mapping: use letters, digits, hyphens and underscores, or a file such as expo.yaml"
        );
    }
    let settings = vars.get("XDG_CONFIG_HOME").map(PathBuf::from);
    let settings = settings.or_else(|| vars.get("HOME").map(|home| Path::new(home).join(".config")));
    let settings = settings.context("neither HOME nor XDG_CONFIG_HOME is set: give the mapping as a file")?;
    Ok(settings.join("leadflow/mappings").join(format!("{name}.yaml")))
}

/// The field of each column of a file.
///
/// # Errors
/// When a mapping names a column that is not there, two columns say the same thing, or nothing says who it was or when.
pub(crate) fn columns(
    header: &[String],
    saved: &Saved,
    said: &[(String, Field)],
    kind: Kind,
    source: &Source,
) -> Result<Vec<Field>> {
    let given = given(header, saved.columns.iter().chain(said.iter().map(|(column, field)| (column, field))))?;
    let mut seen = BTreeSet::new();
    for field in given.iter().flatten() {
        if !field.is_joined() && !seen.insert(field) {
            bail!("two columns are mapped to `{field}`: keep one");
        }
        if field.is_of_calls() && kind != Kind::Calls {
            bail!("`{field}` is of telephone calls: add --kind calls");
        }
        if field.is_of_matching() {
            bail!("`{field}` only tells people apart in `leadflow match`: contact keeps none, so map it to ignore");
        }
    }
    let columns = guess::columns(header, given, kind, source);
    check(header, &columns, kind)?;
    Ok(columns)
}

/// The field of each column of a file that says who somebody is, and nothing of what they did.
///
/// # Errors
/// When a column that is named is not there, or none may name anybody.
pub(crate) fn of_people(header: &[String], said: &[(String, Field)]) -> Result<Vec<Field>> {
    let mut given = given(header, said.iter().map(|(column, field)| (column, field)))?;
    let mut taken: BTreeSet<Field> = given.iter().flatten().cloned().collect();
    for (head, given) in header.iter().zip(&mut given).filter(|(_, given)| given.is_none()) {
        *given = guess::of_matching(head).filter(|field| taken.insert(field.clone()));
    }
    let columns = guess::columns(header, given, Kind::Scans, &Source::default());
    if !columns.iter().any(Field::names) {
        bail!(
            "no column names anybody. The first line is {}. Say which with --map COLUMN=FIELD: given_name, family_name, \
             full_name, company, email, phone, domain or external_id; and what tells them apart: birth_date, \
             person_number, street, city, postal_code, region, country",
            quoted(header)
        );
    }
    Ok(columns)
}

fn quoted(header: &[String]) -> String {
    header.iter().map(|head| format!("`{head}`")).collect::<Vec<_>>().join(", ")
}

fn given<'a>(header: &[String], said: impl Iterator<Item = (&'a String, &'a Field)>) -> Result<Vec<Option<Field>>> {
    let mut given = vec![None; header.len()];
    for (column, field) in said {
        given[find(header, column)?] = Some(field.clone());
    }
    Ok(given)
}

/// The column of this name; blanks, signs and capitals do not matter where only one fits.
pub(super) fn find(header: &[String], column: &str) -> Result<usize> {
    let exact: Vec<_> = (0..header.len()).filter(|&index| header[index] == column).collect();
    let alike: Vec<_> = (0..header.len()).filter(|&index| normal(&header[index]) == normal(column)).collect();
    match if exact.is_empty() { alike } else { exact }[..] {
        [one] => Ok(one),
        [] => bail!("the file has no column `{column}`; it has {}", quoted(header)),
        _ => bail!("the file has several columns `{column}`: give them different heads"),
    }
}

fn check(header: &[String], columns: &[Field], kind: Kind) -> Result<()> {
    let missing = if !columns.iter().any(Field::identifies) {
        "who it was: email, phone, company, domain, external_id or anonymous_id"
    } else if !columns.contains(&Field::OccurTime) {
        "when it was: occur_time"
    } else if kind == Kind::Calls && !columns.contains(&Field::Disposition) {
        "how a call ended: disposition"
    } else {
        return Ok(());
    };
    let hint = if header.iter().any(|head| head.contains('@')) {
        " (it looks like data: a header line is needed)"
    } else {
        ""
    };
    bail!("no column says {missing}. The first line is {}{hint}. Say which with --map COLUMN=FIELD", quoted(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(heads: &[&str]) -> Vec<String> {
        heads.iter().map(|head| (*head).to_owned()).collect()
    }

    fn said(pairs: &[(&str, &str)]) -> Vec<(String, Field)> {
        pairs.iter().map(|(column, field)| ((*column).to_owned(), field.parse().unwrap())).collect()
    }

    fn mapped(heads: &[&str], saved: &Saved, pairs: &[(&str, &str)], kind: Kind) -> Result<String, String> {
        let columns = columns(&header(heads), saved, &said(pairs), kind, &Source::default());
        let shown = |columns: Vec<Field>| columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        columns.map(shown).map_err(|error| error.to_string())
    }

    fn plain(heads: &[&str], pairs: &[(&str, &str)]) -> Result<String, String> {
        mapped(heads, &Saved::default(), pairs, Kind::Scans)
    }

    #[test]
    fn what_is_said_counts_more_than_what_was_saved_and_that_more_than_a_guess() {
        let saved =
            Saved { columns: said(&[("A", "email"), ("B", "company")]).into_iter().collect(), ..Saved::default() };
        let shown =
            mapped(&["A", "B", "Time", "City"], &saved, &[("b", "domain"), ("City", "attribute.city")], Kind::Scans);
        assert_eq!(shown.as_deref(), Ok("email domain occur_time attribute.city"));
        assert_eq!(plain(&["Email", "Mail", "Date"], &[("Mail", "email")]).as_deref(), Ok("ignore email occur_time"));
    }

    #[test]
    fn a_header_that_is_none_is_refused_with_what_it_has() {
        let error = plain(&["anna@example.com", "2026-11-24"], &[]).unwrap_err();
        assert!(error.contains("who it was") && error.contains("looks like data"), "{error}");
        let error = plain(&["Email", "Booth"], &[]).unwrap_err();
        assert!(error.contains("occur_time") && error.contains("`Booth`"), "{error}");
        let error = mapped(&["Phone", "Date"], &Saved::default(), &[], Kind::Calls).unwrap_err();
        assert!(error.contains("disposition"), "{error}");
    }

    #[test]
    fn a_mapping_must_fit_the_file() {
        let error = plain(&["Email", "Date"], &[("E-Mail 2", "phone")]).unwrap_err();
        assert!(error.contains("no column `E-Mail 2`") && error.contains("`Email`, `Date`"), "{error}");
        let error = plain(&["A", "B"], &[("A", "email"), ("B", "email")]).unwrap_err();
        assert!(error.contains("two columns"), "{error}");
        let error = plain(&["A", "a", "Date"], &[("A ", "email")]).unwrap_err();
        assert!(error.contains("several columns"), "{error}");
        let error = plain(&["Email", "Date", "D"], &[("D", "birth_date")]).unwrap_err();
        assert!(error.contains("leadflow match"), "{error}");
        let error = plain(&["Email", "Date", "D"], &[("D", "disposition")]).unwrap_err();
        assert!(error.contains("--kind calls"), "{error}");
    }

    #[test]
    fn a_saved_mapping_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let vars = Vars::default().with("XDG_CONFIG_HOME", folder.path().display().to_string());
        let country = BTreeMap::from([("Deutschland".to_owned(), "DE".to_owned())]);
        let saved = Saved {
            kind: Some(Kind::Calls),
            columns: said(&[("E-Mail: privat", "email"), ("Anruf", "ignore"), ("B", "answer.budget")])
                .into_iter()
                .collect(),
            values: Values::from([(Field::Identity("country"), country)]),
            time_zone: Some("Europe/Berlin".into()),
            delimiter: Some(";".into()),
            ..Saved::default()
        };
        let path = saved.write("expo-reader", &vars).unwrap();
        assert_eq!(path, folder.path().join("leadflow/mappings/expo-reader.yaml"));
        assert_eq!(Saved::<Field>::read("expo-reader", &vars).unwrap(), saved);
        assert_eq!(Saved::<Field>::read(&path.display().to_string(), &Vars::default()).unwrap(), saved);
    }

    #[test]
    fn a_mapping_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bad.yaml");
        let name = file.display().to_string();
        assert!(Saved::<Field>::read(&name, &Vars::default()).unwrap_err().to_string().contains("--save-mapping"));
        std::fs::write(&file, "columns: {A: emial}\n").unwrap();
        let error = Saved::<Field>::read(&name, &Vars::default()).unwrap_err().to_string();
        assert!(error.contains("emial"), "{error}");
        assert!(Saved::<Field>::default().write("a b", &Vars::default().with("HOME", "/nonexistent")).is_err());
    }
}
