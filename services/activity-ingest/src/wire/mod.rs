//! The contract's messages to domain types and back.

mod activity;
mod call;
mod configuration;

pub(crate) use activity::{activity, claim, drafts, filter, record_response, recorded};
pub(crate) use configuration::{change, configuration, source};
