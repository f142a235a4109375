//! A person's being erased, and how far it has come.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// This service.
pub const CONTACT: &str = "contact";
/// The services that hold something of people, beside contact, and report when it is gone.
pub const REPORTING: [&str; 2] = ["activity-ingest", "scoring"];

/// A person's being erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Its id.
    pub erasure_id: Uuid,
    /// The contacts that the person was.
    pub contact_ids: Vec<Uuid>,
    /// Why.
    pub reason: String,
    /// Who wanted it.
    pub principal: String,
    /// Milliseconds since the epoch.
    pub create_time: i64,
    /// When all services had reported.
    pub complete_time: Option<i64>,
    /// How far each service has come.
    pub steps: Vec<Step>,
    /// How the person was let in again; none as long as they are not.
    #[serde(default)]
    pub lift: Option<Lift>,
}

/// That somebody who was erased may be known again, because they want it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lift {
    /// Milliseconds since the epoch.
    pub time: i64,
    /// Who said so.
    pub principal: String,
    /// How they came back, in words that name nobody.
    pub reason: String,
}

/// How far one service has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub service: String,
    /// When it had nothing left.
    pub complete_time: Option<i64>,
    /// How many rows it has deleted.
    pub deleted: i64,
}

/// What services have to look for where they know no contact: kept until all have reported, and no longer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Lower case.
    pub emails: BTreeSet<String>,
    /// E.164; only those that nobody else has.
    pub phones: BTreeSet<String>,
    /// With their sources.
    pub external_ids: BTreeSet<(String, String)>,
    /// Cookies and devices.
    pub anonymous_ids: BTreeSet<String>,
    /// Given and family names.
    pub names: BTreeSet<(String, String)>,
    /// Where the person was.
    pub account_ids: BTreeSet<Uuid>,
}

impl Person {
    /// The words that tell of a text that it is about the person.
    pub fn words(&self) -> impl Iterator<Item = &String> {
        let external_ids = self.external_ids.iter().map(|(_, id)| id);
        self.emails.iter().chain(&self.phones).chain(external_ids).chain(&self.anonymous_ids)
    }
}

impl Erasure {
    /// Begins now, with what contact itself has deleted.
    pub fn begin(erasure_id: Uuid, contact_ids: Vec<Uuid>, reason: String, principal: String, now: i64) -> Self {
        let step = |service: &str| Step { service: service.to_owned(), complete_time: None, deleted: 0 };
        let steps = std::iter::once(CONTACT).chain(REPORTING).map(step).collect();
        Self { erasure_id, contact_ids, reason, principal, create_time: now, complete_time: None, steps, lift: None }
    }

    /// Takes in that a service has nothing left. The first report says when; rows that it has found later are added.
    /// False when the service is none that reports.
    pub fn report(&mut self, service: &str, deleted: i64, now: i64) -> bool {
        let Some(step) = self.steps.iter_mut().find(|step| step.service == service) else { return false };
        step.complete_time.get_or_insert(now);
        step.deleted = step.deleted.saturating_add(deleted);
        if self.steps.iter().all(|step| step.complete_time.is_some()) {
            self.complete_time.get_or_insert(now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erasure_is_complete_when_every_service_has_reported() {
        let mut erasure = Erasure::begin(Uuid::nil(), vec![], "asked for".into(), "anna".into(), 1);
        assert!(erasure.report(CONTACT, 3, 1) && erasure.report("scoring", 2, 5));
        assert_eq!(erasure.complete_time, None);
        assert!(erasure.report("scoring", 1, 7), "it found more");
        assert!(erasure.report("activity-ingest", 0, 9));
        assert_eq!(erasure.complete_time, Some(9));
        assert!(!erasure.report("sales", 1, 10));
        let scoring = &erasure.steps[2];
        assert_eq!((scoring.complete_time, scoring.deleted), (Some(5), 3));
    }
}
