//! The static profile that a company declares for itself: few fields, each with a type and a purpose.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Fields of one subject at the most: a profile that nobody keeps up is worth nothing.
pub const MAX_FIELDS: usize = 50;

/// Values by the names of their fields.
pub type Values = BTreeMap<String, Json>;

/// A declared field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Whose.
    pub subject: Subject,
    /// Its name in conditions.
    pub name: String,
    /// What a value may be.
    pub kind: Kind,
    /// What it says and what for.
    pub description: String,
}

/// Who has a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Organisations.
    Account,
    /// People.
    Contact,
}

/// What a value may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A text.
    String,
    /// A number.
    Number,
    /// Yes or no.
    Bool,
    /// One of these.
    Enum(Vec<String>),
}

/// Why a value is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody has declared the field; these are declared.
    Undeclared(Vec<String>),
    /// It is of another type, or none of the allowed values: what it has to be.
    Wrong(String),
}

impl Subject {
    /// All.
    const ALL: [Self; 2] = [Self::Account, Self::Contact];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Contact => "contact",
        }
    }

    /// The subject of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.as_str() == word)
    }
}

impl Kind {
    /// Whether a value of the other may be one of this: an enum may grow and shrink, all else stays.
    pub fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Whether the value is one.
    pub fn admits(&self, value: &Json) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Bool => value.is_boolean(),
            Self::Enum(allowed) => value.as_str().is_some_and(|text| allowed.iter().any(|one| one == text)),
        }
    }

    /// What a value is, for messages.
    pub fn described(&self) -> String {
        match self {
            Self::String => "a text".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Enum(allowed) => format!("one of {}", allowed.join(", ")),
        }
    }
}

/// What is wrong with the values that are new beside those from before, which stay as they are whatever is declared by now.
pub fn refusals(fields: &[Field], subject: Subject, before: &Values, wanted: &Values) -> Vec<(String, Refusal)> {
    let own = || fields.iter().filter(|field| field.subject == subject);
    let news = wanted.iter().filter(|(name, value)| before.get(*name) != Some(value));
    let refusal = |(name, value): (&String, &Json)| {
        let refusal = match own().find(|field| field.name == *name) {
            None => Refusal::Undeclared(own().map(|field| field.name.clone()).collect()),
            Some(field) if field.kind.admits(value) => return None,
            Some(field) => Refusal::Wrong(field.kind.described()),
        };
        Some((name.clone(), refusal))
    };
    news.filter_map(refusal).collect()
}

/// Fills in the values that are not known.
pub(super) fn fill(known: &mut Values, said: &Values) {
    for (name, value) in said {
        known.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

/// Takes over, value by value, where `wanted` says something else than is `shown`; of one that is not the survivor only what
/// is to be said no more.
pub(super) fn take(own: &mut Values, shown: &Values, wanted: &Values, survivor: bool) {
    own.retain(|name, _| wanted.contains_key(name) || !shown.contains_key(name));
    if survivor {
        let news = wanted.iter().filter(|(name, value)| shown.get(*name) != Some(value));
        own.extend(news.map(|(name, value)| (name.clone(), value.clone())));
    }
}
