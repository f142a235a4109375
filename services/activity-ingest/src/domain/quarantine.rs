//! What could not enter the ledger, and is kept until somebody decides.

use jiff::Timestamp;
use leadflow_platform::{Error, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    domain::{activity::Draft, digest::Digest, door::Door, limits::MAX_VALUE},
    error::{self, shown},
};

/// Bytes of a content that are kept: more than any activity that could be recorded has.
pub(crate) const MAX_CONTENT: usize = 256 << 10;

/// What came through a door: an activity, to be checked, or what cannot even be checked.
pub(crate) type Incoming = std::result::Result<Draft, Box<Refused>>;

/// What cannot be recorded, why, and all that is needed to keep it.
#[derive(Debug)]
pub(crate) struct Refused {
    /// As the sender named it; it may be unknown.
    pub(crate) source: String,
    pub(crate) error: Error,
    pub(crate) content: Content,
    /// Of the content: the same one is kept once.
    pub(crate) digest: Digest,
}

/// What came, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// An activity, encoded as a message of the contract.
    Activity(Vec<u8>),
    /// Bytes that are no activity.
    Raw(Vec<u8>),
}

/// Why something cannot be recorded, in words that can be written and shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    /// Stable.
    pub(crate) reason: String,
    pub(crate) message: String,
    /// The fields at fault, each with what is wrong.
    pub(crate) fields: Vec<(String, String)>,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Self {
            reason: error.reason().to_owned(),
            message: text(error.public_message()),
            fields: error.violations().iter().map(|(field, what)| (text(field), text(what))).collect(),
        }
    }
}

/// Something to keep.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) door: Door,
    /// As much of the name as can be shown.
    pub(crate) source: String,
    pub(crate) problem: Problem,
    pub(crate) content: Content,
    /// How long the content was before it was cut.
    pub(crate) content_size: usize,
    pub(crate) digest: Digest,
}

impl Kept {
    /// What is kept of something refused.
    pub(crate) fn new(door: Door, refused: &Refused) -> Self {
        let (Content::Activity(bytes) | Content::Raw(bytes)) = &refused.content;
        let content_size = bytes.len();
        // A part of a message is none.
        let content = if content_size > MAX_CONTENT {
            Content::Raw(bytes.iter().take(MAX_CONTENT).copied().collect())
        } else {
            refused.content.clone()
        };
        Self {
            door,
            source: shown(&refused.source),
            problem: Problem::from(&refused.error),
            content,
            content_size,
            digest: refused.digest,
        }
    }
}

/// PostgreSQL's text has no NUL, and what a stranger sent may have one.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Where something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) quarantine_id: Uuid,
    /// The activity that it has become since, when it had come before.
    pub(crate) replayed_as: Option<Uuid>,
}

/// How far it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Open,
    Replayed,
    Discarded,
}

impl State {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Open, Self::Replayed, Self::Discarded];

    /// The word in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }

    /// The state of this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Something that is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Quarantined {
    pub(crate) quarantine_id: Uuid,
    /// None: it is in the ledger, and was set aside there.
    pub(crate) door: Option<Door>,
    pub(crate) source: String,
    /// When it came first.
    pub(crate) record_time: Timestamp,
    pub(crate) last_receive_time: Timestamp,
    pub(crate) receive_count: i64,
    pub(crate) problem: Problem,
    /// None for what is in the ledger.
    pub(crate) content: Option<Content>,
    pub(crate) content_size: i64,
    /// Who sent it.
    pub(crate) principal: String,
    pub(crate) state: State,
    pub(crate) revision: i64,
    /// What it is, or has become.
    pub(crate) activity_id: Option<Uuid>,
    pub(crate) resolution: Option<Resolution>,
}

/// Who replayed or discarded it, when, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolution {
    pub(crate) principal: String,
    pub(crate) time: Timestamp,
    pub(crate) note: String,
}

/// What became of something that somebody decided on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) quarantine_id: Uuid,
    pub(crate) verdict: Verdict,
}

/// How it was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It is in the ledger now, or will be: as this activity.
    Replayed(Option<Uuid>),
    /// It was in the ledger before.
    Duplicate(Uuid),
    /// It is nothing.
    Discarded,
    /// It stays.
    Refused(Problem),
}

/// What somebody says of a decision, without the blanks around it.
///
/// # Errors
/// `FIELD_TOO_LONG`, `INVALID_TEXT`.
pub(crate) fn check_note(note: String) -> Result<String> {
    if note.len() > MAX_VALUE {
        return Err(error::too_long("note", MAX_VALUE));
    }
    if note.contains('\0') {
        return Err(error::invalid_text("note"));
    }
    Ok(note.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(source: &str, content: Content) -> Refused {
        let error = Error::field("UNKNOWN_SOURCE", "source", "has a \0 in it");
        Refused { source: source.into(), error, content, digest: [0; 32] }
    }

    #[test]
    fn what_is_kept_can_be_shown_and_written() {
        let kept = Kept::new(Door::Csv, &refused(&"x\0\n".repeat(100), Content::Activity(vec![1])));
        assert_eq!(kept.source, "x".repeat(63));
        assert!(!kept.problem.message.contains('\0') && !kept.problem.fields[0].1.contains('\0'));
        assert_eq!((kept.content, kept.content_size), (Content::Activity(vec![1]), 1));
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let kept = Kept::new(Door::Nats, &refused("x", Content::Activity(vec![7; MAX_CONTENT + 1])));
        assert_eq!(kept.content, Content::Raw(vec![7; MAX_CONTENT]));
        assert_eq!(kept.content_size, MAX_CONTENT + 1);
    }
}
