use leadflow_platform::Error;
use serde_json::{Value as Json, json};

use crate::app::Outcome;

/// What the sender of a message is told of it, in JSON.
pub(crate) fn receipt(source_event_id: &str, outcome: &Outcome) -> Json {
    let (word, recorded, quarantine_id, error) = match outcome {
        Outcome::Recorded(recorded) if recorded.duplicate => ("duplicate", Some(recorded), None, None),
        Outcome::Recorded(recorded) => ("accepted", Some(recorded), None, None),
        Outcome::Quarantined(quarantine_id, error) => ("quarantined", None, Some(quarantine_id), Some(error)),
        Outcome::Rejected(error) => ("rejected", None, None, Some(error)),
    };
    json!({
        "source_event_id": source_event_id,
        "outcome": word,
        "activity_id": recorded.map(|recorded| recorded.activity_id),
        "derived": recorded.is_some_and(|recorded| recorded.derived),
        "conflicting": recorded.is_some_and(|recorded| recorded.conflicting),
        "quarantine_id": quarantine_id,
        "error": error.map(error_json),
    })
}

/// An error as a program reads it.
pub(crate) fn error_json(error: &Error) -> Json {
    let fields: Vec<_> = error
        .violations()
        .iter()
        .map(|(field, description)| json!({ "field": field, "description": description }))
        .collect();
    json!({
        "code": error.code().as_str(),
        "reason": error.reason(),
        "message": error.public_message(),
        "fields": fields,
    })
}
