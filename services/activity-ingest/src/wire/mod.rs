//! The contract's messages to domain types and back.

mod activity;
mod call;
mod configuration;
mod intake;
mod json;
mod link;
mod observation;
mod quarantine;
mod receipt;
mod statement;

pub(crate) use activity::{
    activity, claim, door_of_request, draft, filter, incoming, reattributed, record_response, recorded,
};
pub(crate) use configuration::{change, configuration, source};
pub(crate) use intake::from_intake;
pub(crate) use json::ActivityJson;
pub(crate) use link::{link, pending_confirmation, unsubscription};
pub(crate) use observation::observation;
pub(crate) use quarantine::{decision, kept, kept_draft, quarantine_filter, quarantined, refused, selection};
pub(crate) use receipt::{error_json, receipt};
pub(crate) use statement::consent_recorded;
