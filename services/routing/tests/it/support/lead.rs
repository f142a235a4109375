use leadflow_platform::{ids, trace::Origin};
use leadflow_proto::{
    contact::v1::Account,
    scoring::v1::{CloseReason, Lead, LeadEvent, LeadStatus},
};
use prost_types::Timestamp;
use uuid::Uuid;

/// A lead as scoring would announce it.
#[derive(Clone, Debug)]
pub(crate) struct TestLead {
    pub(crate) lead_id: Uuid,
    pub(crate) account_id: Uuid,
    pub(crate) country: String,
    pub(crate) employees: Option<i64>,
    pub(crate) owner_rep: String,
    pub(crate) product_category: String,
    pub(crate) score_milli: i64,
    pub(crate) revision: i64,
    pub(crate) hand_over: i32,
    pub(crate) cultivated: bool,
    pub(crate) closed: Option<CloseReason>,
    /// The lead that goes on for it.
    pub(crate) merged_into: Option<Uuid>,
    /// What has brought its next event about.
    pub(crate) origin: Origin,
    /// When the activity behind it was accepted.
    pub(crate) record_time: Option<Timestamp>,
}

impl TestLead {
    /// A new lead of a new account in this country.
    pub(crate) fn new(country: &str) -> Self {
        Self {
            lead_id: ids::new(),
            account_id: ids::new(),
            country: country.to_owned(),
            employees: None,
            owner_rep: String::new(),
            product_category: "scales".to_owned(),
            score_milli: 61_500,
            revision: 1,
            hand_over: 1,
            cultivated: false,
            closed: None,
            merged_into: None,
            origin: Origin::default(),
            record_time: None,
        }
    }

    pub(crate) fn owned_by(mut self, rep: &str) -> Self {
        self.owner_rep = rep.to_owned();
        self
    }

    /// The same lead, whose next event comes from this `traceparent`.
    pub(crate) fn from(&self, traceparent: &str) -> Self {
        Self { origin: Origin::parse(traceparent), ..self.clone() }
    }

    /// The same lead a number of revisions later.
    pub(crate) fn later(&self, revisions: i64) -> Self {
        Self { revision: self.revision + revisions, ..self.clone() }
    }

    /// The same lead, handed over once more.
    pub(crate) fn again(&self) -> Self {
        Self { hand_over: self.hand_over + 1, ..self.later(1) }
    }

    /// The same lead, as long as it is not ready.
    pub(crate) fn cultivated(&self) -> Self {
        Self { cultivated: true, ..self.clone() }
    }

    pub(crate) fn closed(&self, reason: CloseReason) -> Self {
        Self { closed: Some(reason), ..self.later(1) }
    }

    /// The same lead, joined with another.
    pub(crate) fn merged_into(&self, other: &Self) -> Self {
        Self { merged_into: Some(other.lead_id), ..self.closed(CloseReason::Merged) }
    }

    pub(crate) fn event(&self) -> LeadEvent {
        let status = match self.closed {
            Some(_) => LeadStatus::Closed,
            None if self.cultivated => LeadStatus::Incubating,
            None => LeadStatus::HandedOver,
        };
        let lead = Lead {
            lead_id: self.lead_id.to_string(),
            account_id: self.account_id.to_string(),
            account_name: "Example Works".to_owned(),
            product_category: self.product_category.clone(),
            round: 1,
            score_milli: self.score_milli,
            status: status.into(),
            hand_over: self.hand_over,
            close_reason: self.closed.unwrap_or(CloseReason::Unspecified).into(),
            revision: self.revision,
            merged_into_lead_id: self.merged_into.map(|id| id.to_string()).unwrap_or_default(),
            ..Default::default()
        };
        let account = Account {
            account_id: self.account_id.to_string(),
            name: "Example Works".to_owned(),
            country: self.country.clone(),
            employees: self.employees,
            owner_rep: self.owner_rep.clone(),
            revision: 1,
            ..Default::default()
        };
        LeadEvent { lead: Some(lead), account: Some(account), event_time: None, record_time: self.record_time }
    }
}
