//! The contract's messages to domain types and back.

mod activity;
mod call;
mod configuration;
mod quarantine;

pub(crate) use activity::{activity, claim, door_of_request, filter, incoming, record_response, recorded, refused};
pub(crate) use configuration::{change, configuration, source};
pub(crate) use quarantine::{quarantine_filter, quarantined};
