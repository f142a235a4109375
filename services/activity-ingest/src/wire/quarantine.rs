use leadflow_platform::{Error, Result, clock};
use leadflow_proto::activity::v1::{
    Activity as ActivityMessage, Door as DoorMessage, FieldProblem, QuarantineFilter, QuarantineState,
    QuarantinedActivity,
};
use prost::Message as _;

use crate::{
    domain::{
        activity::Activity,
        door::Door,
        quarantine::{Content, Quarantined, State},
    },
    store::quarantine::Filter,
};

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
    })
}

fn door_message(door: Door) -> DoorMessage {
    match door {
        Door::Grpc => DoorMessage::Grpc,
        Door::Form => DoorMessage::Form,
        Door::Csv => DoorMessage::Csv,
        Door::Webhook => DoorMessage::Webhook,
        Door::Nats => DoorMessage::Nats,
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
    let problem = |(field, description)| FieldProblem { field, description };
    let resolution = it.resolution.as_ref();
    Ok(QuarantinedActivity {
        quarantine_id: it.quarantine_id.to_string(),
        door: it.door.map_or(DoorMessage::Unspecified, door_message).into(),
        source: it.source,
        record_time: Some(clock::to_proto(it.record_time)),
        last_receive_time: Some(clock::to_proto(it.last_receive_time)),
        receive_count: it.receive_count,
        reason: it.reason,
        message: it.message,
        fields: it.fields.into_iter().map(problem).collect(),
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
