use std::collections::BTreeMap;

use leadflow_platform::{Error, Result, clock, ids, page::Page};
use leadflow_proto::activity::v1::{
    Activity as ActivityMessage, Door as DoorMessage, FieldProblem, QuarantineDecision, QuarantineFilter,
    QuarantineSelection, QuarantineState, QuarantinedActivity, quarantine_decision::Outcome,
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::activity::{draft, draft_message};
use crate::{
    domain::{
        activity::{Activity, Draft},
        digest::Digest,
        door::Door,
        limits::MAX_ITEMS,
        quarantine::{Content, Decision, Problem, Quarantined, Refused, State, Verdict},
    },
    error,
    store::quarantine::{Filter, Selection},
};

/// What is kept of an activity that the check has refused.
pub(crate) fn refused(draft: &Draft, error: Error) -> Refused {
    refused_message(&draft_message(draft), error)
}

pub(super) fn refused_message(message: &ActivityMessage, error: Error) -> Refused {
    Refused {
        source: message.source.clone(),
        error,
        digest: message_digest(message),
        content: Content::Activity(message.encode_to_vec()),
    }
}

/// What is kept of bytes that are no activity.
pub(super) fn refused_bytes(source: &str, bytes: Vec<u8>, error: Error) -> Refused {
    Refused { source: source.to_owned(), error, digest: Sha256::digest(&bytes).into(), content: Content::Raw(bytes) }
}

/// SHA-256 of all that a message says. Its maps go last and in their order: as they are encoded, they have none.
fn message_digest(message: &ActivityMessage) -> Digest {
    let mut rest = message.clone();
    let maps = [std::mem::take(&mut rest.attributes), std::mem::take(&mut rest.answers)];
    let mut hash = Sha256::new_with_prefix(rest.encode_to_vec());
    for map in maps {
        let sorted: BTreeMap<_, _> = map.into_iter().collect();
        hash.update(sorted.len().to_be_bytes());
        for (key, value) in sorted {
            hash.update(key.encode_length_delimited_to_vec());
            hash.update(value.encode_length_delimited_to_vec());
        }
    }
    hash.finalize().into()
}

/// An activity as it is kept.
pub(crate) fn kept(draft: &Draft) -> Vec<u8> {
    draft_message(draft).encode_to_vec()
}

/// What a kept activity says.
///
/// # Errors
/// As [`draft`].
pub(crate) fn kept_draft(bytes: &[u8]) -> Result<Draft> {
    draft(&kept_message(bytes)?)
}

/// Which ones somebody decides on.
///
/// # Errors
/// `INVALID_FIELD` when it is neither ids nor a filter, or both; `TOO_MANY_ITEMS`.
pub(crate) fn selection(message: Option<QuarantineSelection>) -> Result<Selection> {
    let message = message.unwrap_or_default();
    let ids = message.quarantine_ids;
    match message.filter {
        Some(_) if !ids.is_empty() => {
            Err(Error::invalid("selection.filter", "must not be set beside `quarantine_ids`: say one of them"))
        }
        None if ids.is_empty() => {
            let description = "is required: ids, or a filter (an empty one for all that is open)";
            Err(Error::invalid("selection.quarantine_ids", description))
        }
        None if ids.len() > MAX_ITEMS => Err(error::too_many("selection.quarantine_ids")),
        None => {
            let parsed = ids.iter().map(|id| ids::parse("selection.quarantine_ids", id));
            Ok(Selection::Ids(parsed.collect::<Result<_>>()?))
        }
        Some(filter) => {
            let filter = quarantine_filter(Some(filter))?;
            if filter.state.is_some() {
                return Err(Error::invalid("selection.filter.state", "must not be set: only what is open is chosen"));
            }
            let page = Page::parse(message.page_size, &message.page_token, &filter)?;
            Ok(Selection::Filter(filter, page))
        }
    }
}

/// What became of something.
pub(crate) fn decision(it: Decision) -> QuarantineDecision {
    let (outcome, activity_id, problem) = match it.verdict {
        Verdict::Replayed(activity_id) => (Outcome::Replayed, activity_id, Problem::default()),
        Verdict::Duplicate(activity_id) => (Outcome::Duplicate, Some(activity_id), Problem::default()),
        Verdict::Discarded => (Outcome::Discarded, None, Problem::default()),
        Verdict::Refused(problem) => (Outcome::Refused, None, problem),
    };
    QuarantineDecision {
        quarantine_id: it.quarantine_id.to_string(),
        outcome: outcome.into(),
        activity_id: activity_id.map(|id| id.to_string()).unwrap_or_default(),
        reason: problem.reason,
        message: problem.message,
        fields: problem.fields.into_iter().map(field_problem).collect(),
    }
}

fn field_problem((field, description): (String, String)) -> FieldProblem {
    FieldProblem { field, description }
}

/// Which ones are asked for.
///
/// # Errors
/// `INVALID_FIELD` for what is no door or no state.
pub(crate) fn quarantine_filter(message: Option<QuarantineFilter>) -> Result<Filter> {
    let message = message.unwrap_or_default();
    let not_empty = |text: String| (!text.is_empty()).then_some(text);
    Ok(Filter {
        door: door(message.door)?,
        source: not_empty(message.source),
        reason: not_empty(message.reason),
        state: state(message.state)?,
    })
}

fn door(number: i32) -> Result<Option<Door>> {
    let message =
        DoorMessage::try_from(number).map_err(|_| Error::invalid("filter.door", "is no door of the contract"))?;
    Ok(match message {
        DoorMessage::Unspecified => None,
        DoorMessage::Grpc => Some(Door::Grpc),
        DoorMessage::Form => Some(Door::Form),
        DoorMessage::Csv => Some(Door::Csv),
        DoorMessage::Webhook => Some(Door::Webhook),
        DoorMessage::Nats => Some(Door::Nats),
        DoorMessage::Link => Some(Door::Link),
    })
}

fn door_message(door: Door) -> DoorMessage {
    match door {
        Door::Grpc => DoorMessage::Grpc,
        Door::Form => DoorMessage::Form,
        Door::Csv => DoorMessage::Csv,
        Door::Webhook => DoorMessage::Webhook,
        Door::Nats => DoorMessage::Nats,
        Door::Link => DoorMessage::Link,
    }
}

fn state(number: i32) -> Result<Option<State>> {
    let message =
        QuarantineState::try_from(number).map_err(|_| Error::invalid("filter.state", "is no state of the contract"))?;
    Ok(match message {
        QuarantineState::Unspecified => None,
        QuarantineState::Open => Some(State::Open),
        QuarantineState::Replayed => Some(State::Replayed),
        QuarantineState::Discarded => Some(State::Discarded),
    })
}

/// What is kept, with its activity where that is in the ledger.
///
/// # Errors
/// `INTERNAL` when what is kept cannot be read.
pub(crate) fn quarantined(it: Quarantined, in_ledger: Option<Activity>) -> Result<QuarantinedActivity> {
    let (activity, raw) = match it.content {
        Some(Content::Activity(message)) => (Some(kept_message(&message)?), Vec::new()),
        Some(Content::Raw(bytes)) => (None, bytes),
        None => (in_ledger.map(super::activity), Vec::new()),
    };
    let state = match it.state {
        State::Open => QuarantineState::Open,
        State::Replayed => QuarantineState::Replayed,
        State::Discarded => QuarantineState::Discarded,
    };
    let resolution = it.resolution.as_ref();
    Ok(QuarantinedActivity {
        quarantine_id: it.quarantine_id.to_string(),
        door: it.door.map_or(DoorMessage::Unspecified, door_message).into(),
        source: it.source,
        record_time: Some(clock::to_proto(it.record_time)),
        last_receive_time: Some(clock::to_proto(it.last_receive_time)),
        receive_count: it.receive_count,
        reason: it.problem.reason,
        message: it.problem.message,
        fields: it.problem.fields.into_iter().map(field_problem).collect(),
        state: state.into(),
        activity_id: it.activity_id.map(|id| id.to_string()).unwrap_or_default(),
        principal: it.principal,
        resolve_principal: resolution.map(|it| it.principal.clone()).unwrap_or_default(),
        resolve_time: resolution.map(|it| clock::to_proto(it.time)),
        resolve_note: resolution.map(|it| it.note.clone()).unwrap_or_default(),
        etag: it.revision.to_string(),
        raw_size: if raw.is_empty() { 0 } else { it.content_size },
        activity,
        raw,
    })
}

fn kept_message(bytes: &[u8]) -> Result<ActivityMessage> {
    ActivityMessage::decode(bytes).map_err(|cause| Error::internal("a kept activity is no message").because(cause))
}
