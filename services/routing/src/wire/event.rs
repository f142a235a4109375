use jiff::Timestamp;
use leadflow_platform::{
    Error, Result,
    bus::Delivery,
    clock::{from_proto, to_proto},
    ids,
};
use leadflow_proto::{
    contact::v1::{Account as AccountMessage, Relation as RelationMessage},
    routing::v1::{AssignmentEvent, HandOverHeld},
    scoring::v1::{CloseReason as CloseReasonMessage, Lead as LeadMessage, LeadEvent, LeadStatus},
};
use prost::Message as _;

use super::text;
use crate::{
    app::{NamedHandOver, News},
    domain::{
        assignment::{Assignment, State},
        lead::{Account, CloseReason, Lead, Relation},
    },
};

const SALES_READY: &str = "leadflow.lead.v1.sales_ready";

/// What an event tells of a lead.
pub(crate) fn news(delivery: &Delivery) -> Result<News> {
    let LeadEvent { lead, account, record_time, .. } = delivery.decode()?;
    let missing = |field| Error::invalid(field, "is missing");
    let lead = lead.ok_or_else(|| missing("lead"))?;
    let is_ready = delivery.subject == SALES_READY;
    // The number is that of the next hand-over.
    let is_cultivated = !is_ready && lead.status() == LeadStatus::Incubating && lead.hand_over == 1;
    let lead = to_lead(lead, account.ok_or_else(|| missing("account"))?)?;
    if is_ready && lead.hand_over < 1 {
        return Err(Error::invalid("lead.hand_over", "must be 1 or more"));
    }
    let record_time = record_time.map(|time| from_proto("record_time", &time)).transpose()?;
    Ok(News { lead, is_ready, is_cultivated, origin: delivery.origin, record_time })
}

fn to_lead(lead: LeadMessage, account: AccountMessage) -> Result<Lead> {
    let account_id = ids::parse("account.account_id", &account.account_id)?;
    if ids::parse("lead.account_id", &lead.account_id)? != account_id {
        return Err(Error::invalid("account.account_id", "is not that of the lead"));
    }
    if lead.revision < 1 {
        return Err(Error::invalid("lead.revision", "must be 1 or more"));
    }
    Ok(Lead {
        lead_id: ids::parse("lead.lead_id", &lead.lead_id)?,
        revision: lead.revision,
        account: to_account(account, account_id)?,
        product_category: text("lead.product_category", &lead.product_category)?,
        score_milli: lead.score_milli,
        round: lead.round,
        hand_over: lead.hand_over,
        closed: closed(&lead)?,
        merged_into: ids::parse_optional("lead.merged_into_lead_id", &lead.merged_into_lead_id)?,
    })
}

fn to_account(account: AccountMessage, account_id: uuid::Uuid) -> Result<Account> {
    Ok(Account {
        account_id,
        name: text("account.name", &account.name)?,
        country: text("account.country", &account.country)?,
        region: text("account.region", &account.region)?,
        postal_code: text("account.postal_code", &account.postal_code)?,
        industry: text("account.industry", &account.industry)?,
        employees: account.employees,
        revenue: account.revenue,
        relation: match account.relation() {
            RelationMessage::Unspecified => None,
            RelationMessage::Prospect => Some(Relation::Prospect),
            RelationMessage::Customer => Some(Relation::Customer),
            RelationMessage::FormerCustomer => Some(Relation::FormerCustomer),
        },
        owner_rep: text("account.owner_rep", &account.owner_rep)?,
        revision: account.revision,
    })
}

fn closed(lead: &LeadMessage) -> Result<Option<CloseReason>> {
    if lead.status() != LeadStatus::Closed {
        return Ok(None);
    }
    match lead.close_reason() {
        CloseReasonMessage::Unspecified => Err(Error::invalid("lead.close_reason", "is required of a closed lead")),
        CloseReasonMessage::Won => Ok(Some(CloseReason::Won)),
        CloseReasonMessage::Lost => Ok(Some(CloseReason::Lost)),
        CloseReasonMessage::Disqualified => Ok(Some(CloseReason::Disqualified)),
        CloseReasonMessage::Merged => Ok(Some(CloseReason::Merged)),
        CloseReasonMessage::Lapsed => Ok(Some(CloseReason::Lapsed)),
    }
}

/// The event of what has just become of an assignment: its subject and its body.
pub(crate) fn assignment_event(assignment: &Assignment, time: Timestamp) -> (String, Vec<u8>) {
    let fact = match assignment.state {
        State::Offered => "offered",
        State::Accepted => "accepted",
        State::Rejected => "rejected",
        State::Expired => "expired",
        State::Withdrawn => "withdrawn",
        State::Completed => "completed",
    };
    let event = AssignmentEvent { assignment: Some(super::assignment(assignment)), event_time: Some(to_proto(time)) };
    (format!("leadflow.assignment.v1.{fact}"), event.encode_to_vec())
}

/// The event of a hand-over for which nobody is eligible.
pub(crate) fn held_event(held: &NamedHandOver, time: Timestamp) -> (String, Vec<u8>) {
    let event = HandOverHeld { hand_over: Some(super::hand_over(held)), event_time: Some(to_proto(time)) };
    ("leadflow.assignment.v1.held".to_owned(), event.encode_to_vec())
}
