//! A merge: two that are one, until it is undone.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// Its id.
    pub merge_id: Uuid,
    /// What was merged.
    pub kind: Kind,
    /// The one that stays.
    pub survivor_id: Uuid,
    /// The one that was merged into it.
    pub merged_id: Uuid,
    /// Why, in words.
    pub note: String,
    /// Milliseconds since the epoch.
    pub merge_time: i64,
    /// Who merged them.
    pub merge_principal: String,
    /// How it was undone; none while it holds.
    pub undo: Option<Undo>,
}

/// The end of a merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// Milliseconds since the epoch.
    pub time: i64,
    /// Who undid it.
    pub principal: String,
    /// Why, in words.
    pub note: String,
}

/// What can be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Organisations.
    Account,
    /// People.
    Contact,
}

impl Kind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Contact => "contact",
        }
    }

    /// The kind of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Account, Self::Contact].into_iter().find(|kind| kind.as_str() == name)
    }
}
