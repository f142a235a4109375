//! Configuration as code: YAML files, several documents each, flat with a `kind`.

mod kinds;
pub(crate) mod model;
mod profile_field;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use leadflow_proto::{
    activity::v1 as activity, contact::v1 as contact, routing::v1 as routing, scoring::v1 as scoring,
};
use serde::de::DeserializeOwned;

/// What all files together say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) categories: Vec<activity::ProductCategory>,
    pub(crate) sources: Vec<activity::Source>,
    pub(crate) model: Option<scoring::ScoringModel>,
    pub(crate) territories: Vec<routing::Territory>,
    pub(crate) reps: Vec<routing::Rep>,
    pub(crate) pools: Vec<routing::Pool>,
    pub(crate) accounts: Vec<contact::Account>,
    pub(crate) profile_fields: Vec<contact::ProfileField>,
    /// Where each resource stands, to name it when it is there twice.
    seen: BTreeMap<(String, String), String>,
}

#[derive(serde::Deserialize)]
struct Head {
    kind: Option<String>,
}

const KINDS: &str = "Account, Pool, ProductCategory, ProfileField, Rep, ScoringModel, Source, Territory";

impl Manifest {
    /// Reads files, and the YAML files in folders.
    ///
    /// # Errors
    /// What is wrong, with file, document and line.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self> {
        let mut manifest = Self::default();
        for path in paths {
            for file in files(path)? {
                let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
                manifest.add(&file.display().to_string(), &text)?;
            }
        }
        if manifest.seen.is_empty() {
            bail!("there is nothing to apply: no document with a `kind` in the files given");
        }
        Ok(manifest)
    }

    /// Adds the documents of one file.
    pub(crate) fn add(&mut self, file: &str, text: &str) -> Result<()> {
        for (number, (line, document)) in documents(text).into_iter().enumerate() {
            let place = format!("{file}, document {}", number + 1);
            self.add_document(&place, line, &document)?;
        }
        Ok(())
    }

    fn add_document(&mut self, place: &str, line: usize, text: &str) -> Result<()> {
        let head: Head = parse(place, line, text)?;
        let Some(kind) = head.kind else { bail!("{place}: `kind` is missing; known are {KINDS}") };
        let name = match kind.as_str() {
            "ProductCategory" => keep(&mut self.categories, kinds::category(parse(place, line, text)?), |it| &it.name),
            "Source" => keep(&mut self.sources, kinds::source(parse(place, line, text)?), |it| &it.name),
            "Territory" => keep(&mut self.territories, kinds::territory(parse(place, line, text)?), |it| &it.name),
            "Rep" => keep(&mut self.reps, kinds::rep(parse(place, line, text)?), |it| &it.name),
            "Pool" => keep(&mut self.pools, kinds::pool(parse(place, line, text)?), |it| &it.name),
            "Account" => keep(&mut self.accounts, kinds::account(parse(place, line, text)?), |it| &it.reference),
            "ProfileField" => {
                let field = profile_field::profile_field(parse(place, line, text)?);
                let name = format!("{}.{}", field.subject().as_str_name(), field.name);
                self.profile_fields.push(field);
                name
            }
            "ScoringModel" => {
                self.model = Some(model::scoring_model(parse(place, line, text)?).with_context(|| place.to_owned())?);
                String::new()
            }
            other => bail!("{place}: there is no kind `{other}`; known are {KINDS}"),
        };
        if let Some(other) = self.seen.insert((kind.clone(), name.clone()), place.to_owned()) {
            bail!("{place}: {kind} `{name}` is also in {other}");
        }
        Ok(())
    }
}

fn keep<T>(all: &mut Vec<T>, one: T, name: impl Fn(&T) -> &String) -> String {
    let name = name(&one).clone();
    all.push(one);
    name
}

fn parse<T: DeserializeOwned>(place: &str, first_line: usize, text: &str) -> Result<T> {
    // Empty lines in front keep the line numbers of the file.
    let padded = format!("{}{text}", "\n".repeat(first_line));
    serde_saphyr::from_str(&padded).map_err(|error| anyhow::anyhow!("{place}: {error}"))
}

/// The documents of a file, each with the number of lines before it. Empty ones are left out.
fn documents(text: &str) -> Vec<(usize, String)> {
    let mut found = vec![(0, String::new())];
    for (number, line) in text.lines().enumerate() {
        if line.trim_end() == "---" {
            found.push((number + 1, String::new()));
        } else if let Some((_, document)) = found.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    let says_something =
        |text: &str| text.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    found.retain(|(_, document)| says_something(document));
    found
}

fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found: Vec<_> = std::fs::read_dir(path)
        .with_context(|| format!("cannot read {}", path.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"))
        .collect();
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        format!("{:#}", Manifest::default().add("x.yaml", text).expect_err(text))
    }

    #[test]
    fn documents_of_one_file_are_read_in_turn() {
        let mut manifest = Manifest::default();
        let text = "# a comment\n---\nkind: ProductCategory\nname: hplc\n---\nkind: Rep\nname: anna\nrole: field\n";
        manifest.add("x.yaml", text).unwrap();
        assert_eq!((manifest.categories.len(), manifest.reps.len()), (1, 1));
        assert!(manifest.reps[0].active, "a rep is active unless said otherwise");
    }

    #[test]
    fn an_error_names_file_document_line_and_field() {
        let error = refused("kind: ProductCategory\nname: hplc\n---\nkind: Rep\nname: anna\nrole: feild\n");
        assert!(error.starts_with("x.yaml, document 2: "), "{error}");
        assert!(error.contains("feild") && error.contains('6'), "{error}");
        let error = refused("kind: Rep\nname: anna\nrole: field\ncolour: red\n");
        assert!(error.contains("colour"), "{error}");
    }

    #[test]
    fn a_source_may_ask_for_a_confirmation_within_a_time_span() {
        let read = |confirmation: &str| {
            let mut manifest = Manifest::default();
            let source = "kind: Source\nname: x\ndefault_activity_type: form_submitted\ndefault_channel: web\n";
            manifest.add("x.yaml", &format!("{source}consent: {{basis: consent{confirmation}}}\n"))?;
            anyhow::Ok(manifest.sources.remove(0).consent.and_then(|it| it.confirmation))
        };
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read(", confirmation: {}").unwrap().unwrap().within, None);
        let three_days = read(", confirmation: {within: 3d}").unwrap().unwrap().within.unwrap();
        assert_eq!(three_days.seconds, 3 * 86_400);
        assert!(
            format!("{:#}", read(", confirmation: {within: soon}").unwrap_err()).contains("`soon` is no time span")
        );
    }

    #[test]
    fn unknown_and_missing_kinds_are_refused_with_the_known_ones() {
        assert!(refused("kind: Robot\nname: x\n").contains("known are Account"));
        assert!(refused("name: x\n").contains("`kind` is missing"));
    }

    #[test]
    fn a_resource_that_is_there_twice_is_refused_with_both_places() {
        let error = refused("kind: ProductCategory\nname: a\n---\nkind: ProductCategory\nname: a\n");
        assert!(error.contains("document 2") && error.contains("also in x.yaml, document 1"), "{error}");
    }

    #[test]
    fn the_sample_company_is_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/laboratory");
        let manifest = Manifest::read(&[folder]).unwrap();
        assert_eq!((manifest.categories.len(), manifest.sources.len()), (5, 5));
        assert!(manifest.model.is_some() && manifest.accounts.len() >= 60);
    }
}
