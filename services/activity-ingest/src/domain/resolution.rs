//! What became of the question who did an activity.

use uuid::Uuid;

/// What contact says about one activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// Who it was; either may be unknown. With the visitors who turned out to be this person.
    Identified(Party, Vec<Uuid>),
    /// Somebody who was erased: the activity is one of nobody, and nothing of it is kept.
    Suppressed,
    /// It can never be told: the activity is set aside.
    Refused(Refusal),
    /// It could not be told now, for a reason that lies in this activity: it is tried again.
    Failed(Refusal),
}

/// The person and the organisation behind an activity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) contact_id: Option<Uuid>,
    pub(crate) account_id: Option<Uuid>,
    pub(crate) account_revision: i64,
    /// How often the activity was moved to another account.
    pub(crate) attribution: i64,
}

impl Party {
    /// Whether it stays as it is: what a person did of whom it is not known where they are moves when that is known.
    pub(crate) fn is_settled(&self) -> bool {
        self.contact_id.is_none() || self.account_id.is_some()
    }
}

/// Who did what, as it is known before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recognised {
    pub(crate) party: Party,
    /// The visitors who turned out to be this person.
    pub(crate) visitors: Vec<Uuid>,
}

/// Why an activity could not be identified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
    pub(crate) message: String,
}
