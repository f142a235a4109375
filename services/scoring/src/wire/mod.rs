//! Between the contract and the domain.

mod event;
mod explanation;
mod lead;
mod model;

pub(crate) use event::{account_revision, assignment_news, contact_revision, held_news, lead_event, recorded};
pub(crate) use explanation::explanation;
pub(crate) use lead::{adjustment, close_reason, evidence, evidence_filter, lead, lead_filter, reason_text};
pub(crate) use model::{categories, change, scoring_model, version};

use leadflow_platform::clock::{from_millis, to_proto};

/// A moment in a message.
fn time(millis: i64) -> prost_types::Timestamp {
    to_proto(from_millis(millis))
}

/// A moment that a request may name.
pub(crate) fn optional_time(
    field: &str,
    time: Option<&prost_types::Timestamp>,
) -> leadflow_platform::Result<Option<i64>> {
    time.map(|time| leadflow_platform::clock::from_proto(field, time).map(jiff::Timestamp::as_millisecond)).transpose()
}

/// A text as it came.
///
/// # Errors
/// `INVALID_ARGUMENT` when it has the character U+0000, which PostgreSQL cannot keep.
fn storable(field: &str, text: &str) -> leadflow_platform::Result<String> {
    if text.contains('\0') {
        return Err(leadflow_platform::Error::invalid(field, "has the character U+0000: leave it out"));
    }
    Ok(text.to_owned())
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
