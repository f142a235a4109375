//! What a person decides of two who may be one.

use serde::{Deserialize, Serialize};

use super::{matched::Found, merge::Kind};

/// Where a review stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has decided.
    Open,
    /// A person has said that they are one.
    Linked,
    /// A person has said that they are two; nobody is asked again.
    Distinct,
    /// It was sure, and nobody was asked.
    Automatic,
}

/// What a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// They are one.
    Link,
    /// They are two.
    Distinct,
}

/// A match with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// Whom it is about, and why.
    pub found: Found,
    /// Where it stands.
    pub state: State,
    /// Milliseconds since the epoch.
    pub create_time: i64,
    /// When a person decided.
    pub decide_time: Option<i64>,
    /// Who decided; empty while nobody has.
    pub principal: String,
    /// Why, in the words of the person.
    pub note: String,
}

impl Review {
    /// The review of a match: open where a person has to decide.
    pub fn found(found: Found, now: i64) -> Self {
        let state = if found.other_id.is_some() { State::Open } else { State::Automatic };
        Self { found, state, create_time: now, decide_time: None, principal: String::new(), note: String::new() }
    }

    /// Whom it is about.
    pub fn kind(&self) -> Kind {
        if self.found.accounts { Kind::Account } else { Kind::Contact }
    }
}

impl State {
    /// All.
    const ALL: [Self; 4] = [Self::Open, Self::Linked, Self::Distinct, Self::Automatic];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Linked => "linked",
            Self::Distinct => "distinct",
            Self::Automatic => "automatic",
        }
    }

    /// The state of this name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}
