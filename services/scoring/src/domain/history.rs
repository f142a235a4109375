//! What is known of one account: the data that a score is computed from. All times in milliseconds since the epoch.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

/// Facts by name; each a string, a number or a boolean.
pub type Facts = BTreeMap<String, Json>;

/// Before the names of the fields that a company has declared for profiles, among the facts of the contract.
pub const DECLARED: &str = "profile.";

/// Everything about one account that may count for its leads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// In no order.
    pub activities: Vec<Arc<Activity>>,
    /// Activities that bear answers, of all time; may overlap with `activities`.
    #[serde(default)]
    pub answering: Vec<Arc<Activity>>,
    /// Revisions of the account's profile.
    pub account_revisions: Vec<Profile>,
    /// Revisions of each contact's profile.
    pub contact_revisions: BTreeMap<Uuid, Vec<Profile>>,
    /// Points that people gave or took on the lead.
    pub adjustments: Vec<Adjustment>,
}

/// One thing that somebody did. Its words and facts are the same again and again, and shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// The ledger's id.
    pub activity_id: Uuid,
    /// The source's name.
    pub source: Arc<str>,
    /// The source's own id of it.
    pub source_event_id: Arc<str>,
    /// For example `form_submitted`.
    #[serde(rename = "type")]
    pub activity_type: Arc<str>,
    /// For example `web`.
    pub channel: Arc<str>,
    /// What the interest was in.
    pub product_category: Option<Arc<str>>,
    /// When it happened.
    pub occur_time: i64,
    /// When it was accepted.
    pub record_time: i64,
    /// Who did it.
    pub contact_id: Option<Uuid>,
    /// What it was done to.
    pub object_id: Option<Arc<str>>,
    /// Declared, typed facts.
    #[serde(default)]
    pub attributes: Arc<Facts>,
    /// Answers to questions.
    #[serde(default)]
    pub answers: Arc<Facts>,
    /// When it was found not to be a buyer's act.
    #[serde(default)]
    pub reclassify_time: Option<i64>,
    /// Of accounts that were merged the one that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<Uuid>,
}

impl Activity {
    /// What decides which of two activities is the later one.
    pub fn order(&self) -> (i64, &str, &str) {
        (self.occur_time, &self.source, &self.source_event_id)
    }

    /// Whether it was known at `known_at`, and not taken out again by then.
    pub fn counts(&self, known_at: i64) -> bool {
        self.record_time <= known_at && self.reclassify_time.is_none_or(|time| time > known_at)
    }
}

/// A static profile as it was from `record_time` on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Grows by one with each change.
    pub revision: i64,
    /// When this revision became known.
    pub record_time: i64,
    /// What it says.
    pub facts: Arc<Facts>,
}

impl Profile {
    /// The greatest revision that was known at `known_at`.
    pub fn known(revisions: &[Self], known_at: i64) -> Option<&Self> {
        revisions.iter().filter(|profile| profile.record_time <= known_at).max_by_key(|profile| profile.revision)
    }
}

/// Points that a person gave or took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Its id.
    pub adjustment_id: Uuid,
    /// Thousandths of a point.
    pub points_milli: i64,
    /// From when on it counts.
    pub create_time: i64,
    /// From when on it no longer counts.
    pub expire_time: Option<i64>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who.
    #[serde(default)]
    pub principal: String,
}

impl Adjustment {
    /// Whether it counts at a moment.
    pub(super) fn counts(&self, at: i64) -> bool {
        self.create_time <= at && self.expire_time.is_none_or(|expire| at < expire)
    }
}

/// Which part of the history a lead looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadScope {
    /// The lead's category.
    pub product_category: String,
    /// When the round before was closed: what happened until then belongs to it.
    pub previous_close_time: Option<i64>,
    /// When this round was closed.
    pub close_time: Option<i64>,
    /// The same of accounts that were merged, whose rounds were closed each for itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub previous_close_times: BTreeMap<Uuid, i64>,
}

impl LeadScope {
    /// Whether what happened belongs to the lead's round.
    pub fn holds(&self, activity: &Activity) -> bool {
        self.previous_close(activity.account_id).is_none_or(|close| activity.occur_time > close)
            && self.close_time.is_none_or(|close| activity.occur_time <= close)
    }

    /// After when what happened at each of these accounts counts: never before `begin`.
    pub fn after(&self, accounts: &[Uuid], begin: i64) -> Vec<(Uuid, i64)> {
        let after = |&id: &Uuid| (id, self.previous_close(Some(id)).map_or(begin, |close| close.max(begin)));
        accounts.iter().map(after).collect()
    }

    fn previous_close(&self, account_id: Option<Uuid>) -> Option<i64> {
        let own = account_id.and_then(|id| self.previous_close_times.get(&id).copied());
        own.or(self.previous_close_time)
    }
}
