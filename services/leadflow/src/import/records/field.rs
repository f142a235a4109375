//! What a column of accounts or contacts can mean: said, saved, or guessed from its head.

use std::{collections::BTreeSet, fmt, str::FromStr};

use anyhow::{Result, bail};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::import::{
    failures,
    guess::{FAMILY_NAME, FULL_NAME, IDENTITY, normal},
    mapping::{self, Saved},
};

/// What the lines of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Accounts,
    Contacts,
}

/// A word of the contract; the same in imports and exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word(pub(crate) &'static str);

/// A column that means nothing.
pub(crate) const IGNORED: Word = Word("ignore");

/// Of accounts, each with the heads that mean it.
const ACCOUNTS: [(Word, &[&str]); 17] = [
    (Word("account_id"), &[]),
    (Word("reference"), &["account number", "account no", "customer number", "kundennummer"]),
    (
        Word("name"),
        &["account", "account name", "company", "company name", "organisation", "organization", "firma", "unternehmen"],
    ),
    (Word("domains"), &["domain", "website", "web site", "homepage", "webseite"]),
    (Word("country"), &["country code", "land"]),
    (Word("region"), &["state", "state province", "province", "bundesland"]),
    (Word("postal_code"), &["postcode", "zip", "zip code", "plz", "postleitzahl"]),
    (Word("street"), &["address", "street address", "strasse", "straße"]),
    (Word("city"), &["town", "ort", "stadt"]),
    (Word("industry"), &["sector", "branch", "branche"]),
    (Word("employees"), &["number of employees", "headcount", "mitarbeiter"]),
    (Word("revenue"), &["annual revenue", "yearly revenue", "umsatz"]),
    // In millions, with decimals.
    (Word("revenue_millions"), &["revenue in millions", "revenue millions"]),
    (Word("relation"), &["relationship"]),
    (Word("owner_rep"), &["owner", "account owner"]),
    (Word("parent"), &["parent account", "parent company", "subsidiary of", "mutter", "muttergesellschaft"]),
    (Word("roll_up"), &["leads to parent", "roll up to parent"]),
];

/// Of contacts; most heads are those of activities.
const CONTACTS: [(Word, &[&str]); 20] = [
    (Word("email"), &[]),
    (Word("phone"), &[]),
    (Word("external_id"), &["contact id"]),
    (Word("given_name"), &[]),
    (Word("family_name"), &[]),
    (Word("full_name"), &[]),
    (Word("job_title"), &[]),
    (Word("company"), &[]),
    (Word("domain"), &[]),
    (Word("country"), &[]),
    (Word("region"), &[]),
    (Word("postal_code"), &[]),
    (Word("street"), &[]),
    (Word("city"), &[]),
    (Word("role"), &["buying role"]),
    (Word("function"), &["department", "abteilung"]),
    (Word("seniority"), &["level"]),
    (Word("stage"), &["relationship stage", "lifecycle stage"]),
    // The account by its id or reference.
    (Word("account"), &["account id", "account reference", "account number", "kundennummer"]),
    (Word("anonymous_id"), &[]),
];

/// Before the name of a declared field of the profile.
const PROFILE: &str = "profile.";

impl Word {
    /// The declared field of this name.
    pub(crate) fn of_profile(name: &str) -> Self {
        // As long as the command, which has but few columns.
        Self(format!("{PROFILE}{name}").leak())
    }

    /// The name of the declared field that it means, if it means one.
    pub(crate) fn profile(self) -> Option<&'static str> {
        self.0.strip_prefix(PROFILE)
    }

    fn read_profile(text: &str) -> Option<Self> {
        text.strip_prefix(PROFILE).filter(|name| !name.is_empty()).map(Self::of_profile)
    }
}

impl Kind {
    /// All that its columns can mean.
    pub(crate) fn words(self) -> impl Iterator<Item = Word> {
        self.known().iter().map(|(word, _)| *word)
    }

    fn known(self) -> &'static [(Word, &'static [&'static str])] {
        match self {
            Self::Accounts => &ACCOUNTS,
            Self::Contacts => &CONTACTS,
        }
    }

    /// The words of which a line needs one.
    fn needed(self) -> &'static [&'static str] {
        match self {
            Self::Accounts => &["name", "reference", "account_id", "domains"],
            Self::Contacts => &["email", "phone", "external_id", "anonymous_id"],
        }
    }
}

/// The word of each column: as the command line says, as it was saved, or a guess.
///
/// # Errors
/// When a mapping does not fit the file, two columns mean the same, or nothing says which account or contact it is.
pub(crate) fn columns(
    header: &[String],
    saved: &Saved<Word>,
    said: &[(String, Word)],
    kind: Kind,
) -> Result<Vec<Word>> {
    let mut given = vec![None; header.len()];
    for (column, word) in saved.columns.iter().chain(said.iter().map(|(column, word)| (column, word))) {
        if *word != IGNORED && word.profile().is_none() && !kind.words().any(|known| known == *word) {
            let words: Vec<_> = kind.words().map(|word| word.0).collect();
            bail!("`{word}` is nothing that such a file has: use {}, profile.NAME or ignore", words.join(", "));
        }
        given[mapping::find(header, column)?] = Some(*word);
    }
    let mut taken = BTreeSet::new();
    for word in given.iter().flatten().filter(|word| **word != IGNORED) {
        if !taken.insert(*word) {
            bail!("two columns are mapped to `{word}`: keep one");
        }
    }
    let mut guess = |(head, given): (&String, Option<Word>)| {
        given.unwrap_or_else(|| guess(head, kind).filter(|word| taken.insert(*word)).unwrap_or(IGNORED))
    };
    let columns: Vec<_> = header.iter().zip(given).map(&mut guess).collect();
    if !columns.iter().any(|word| kind.needed().contains(&word.0)) {
        bail!(
            "no column says which it is: {}. The first line is {}. Say which with --map COLUMN=FIELD",
            kind.needed().join(", "),
            header.iter().map(|head| format!("`{head}`")).collect::<Vec<_>>().join(", ")
        );
    }
    Ok(columns)
}

fn guess(head: &str, kind: Kind) -> Option<Word> {
    if head.starts_with(failures::PREFIX) {
        return None;
    }
    if let Some(word) = Word::read_profile(head.trim()) {
        return Some(word);
    }
    let plain = normal(head);
    let found = kind.known().iter().find(|(word, heads)| normal(word.0) == plain || heads.contains(&plain.as_str()));
    found.map(|(word, _)| *word).or_else(|| if kind == Kind::Contacts { of_person(&plain) } else { None })
}

/// The heads that files of activities have too.
fn of_person(head: &str) -> Option<Word> {
    let of_identity = IDENTITY.iter().find(|(_, heads)| heads.contains(&head)).map(|(name, _)| Word(name));
    of_identity.or_else(|| match head {
        _ if FAMILY_NAME.contains(&head) => Some(Word("family_name")),
        "name" => Some(Word("full_name")),
        _ => FULL_NAME.contains(&head).then_some(Word("full_name")),
    })
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for Word {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = || Kind::Accounts.words().chain(Kind::Contacts.words()).chain([IGNORED]);
        all().find(|word| word.0 == text).or_else(|| Self::read_profile(text)).ok_or_else(|| {
            let words: BTreeSet<_> = all().map(|word| word.0).collect();
            format!("there is no field `{text}`: use {}", words.into_iter().collect::<Vec<_>>().join(", "))
        })
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(kind: Kind, heads: &[&str], said: &[(&str, &str)]) -> Result<String, String> {
        let header: Vec<_> = heads.iter().map(|head| (*head).to_owned()).collect();
        let said: Vec<_> = said.iter().map(|(head, word)| ((*head).to_owned(), word.parse().unwrap())).collect();
        let columns = columns(&header, &Saved::default(), &said, kind).map_err(|error| error.to_string())?;
        Ok(columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn the_usual_heads_are_understood() {
        let heads = ["Account", "Sector", "Year established", "Revenue", "Employees", "Country", "Subsidiary of"];
        let expected = "name industry ignore revenue employees country parent";
        assert_eq!(mapped(Kind::Accounts, &heads, &[]).as_deref(), Ok(expected));
        let heads = ["Vorname", "Nachname", "E-Mail", "Firma", "Buying role", "Account number", "import_line"];
        let expected = "given_name family_name email company role account ignore";
        assert_eq!(mapped(Kind::Contacts, &heads, &[]).as_deref(), Ok(expected));
    }

    #[test]
    fn every_word_of_an_export_is_its_own_head() {
        for kind in [Kind::Accounts, Kind::Contacts] {
            let heads: Vec<_> = kind.words().map(|word| word.0).collect();
            assert_eq!(mapped(kind, &heads, &[]).as_deref(), Ok(heads.join(" ").as_str()));
        }
    }

    #[test]
    fn what_is_said_counts_more_than_a_guess_and_must_fit_the_file() {
        let heads = ["Account", "Turnover", "Owner"];
        let said = [("Turnover", "revenue_millions"), ("Owner", "ignore")];
        assert_eq!(mapped(Kind::Accounts, &heads, &said).as_deref(), Ok("name revenue_millions ignore"));
        let error = mapped(Kind::Accounts, &heads, &[("Owner", "email")]).unwrap_err();
        assert!(error.contains("`email`") && error.contains("owner_rep"), "{error}");
        let error = mapped(Kind::Accounts, &heads, &[("Owner", "name"), ("Account", "name")]).unwrap_err();
        assert!(error.contains("two columns"), "{error}");
        let error = mapped(Kind::Contacts, &["Where", "Name"], &[]).unwrap_err();
        assert!(error.contains("external_id") && error.contains("`Where`"), "{error}");
    }
}
