use std::collections::HashMap;

use leadflow_platform::{Error, Result, clock, ids, trace::Origin, value};
use leadflow_proto::{
    activity::v1::{
        Activity as ActivityMessage, ActivityReattributed, ActivityRecorded, ActivityState, Channel as ChannelMessage,
        Door as DoorMessage, ListActivitiesRequest, RecordActivitiesResponse, RecordResult,
        record_result::Outcome as OutcomeMessage,
    },
    contact::v1::{Identity as IdentityMessage, IdentityClaim},
};
use uuid::Uuid;

use super::{call, quarantine::refused_message};
use crate::{
    app::Outcome,
    domain::{
        activity::{Activity, Channel, Draft, Identity, Payload, State, Values},
        call::Call,
        door::Door,
        limits::MAX_ITEMS,
        problems::Problems,
        quarantine::Incoming,
        resolution::Party,
    },
    error,
    store::activities::Filter,
};

/// The activities of a call, each by itself.
///
/// # Errors
/// `TOO_MANY_ITEMS`.
pub(crate) fn incoming(messages: Vec<ActivityMessage>) -> Result<Vec<Incoming>> {
    if messages.len() > MAX_ITEMS {
        return Err(error::too_many("activities"));
    }
    Ok(messages.iter().map(incoming_one).collect())
}

/// One activity.
pub(super) fn incoming_one(message: &ActivityMessage) -> Incoming {
    draft(message).map_err(|error| Box::new(refused_message(message, error)))
}

/// What a message says.
///
/// # Errors
/// `INVALID_ARGUMENT` that names all fields that cannot be read, up to ten.
pub(crate) fn draft(message: &ActivityMessage) -> Result<Draft> {
    let mut problems = Problems::default();
    let occur_time = message.occur_time.as_ref().map(|time| clock::from_proto("occur_time", time)).transpose();
    let occur_time = problems.note(occur_time).flatten();
    let channel = problems.note(channel("channel", message.channel)).flatten();
    let attributes = values("attributes", &message.attributes, &mut problems);
    let answers = values("answers", &message.answers, &mut problems);
    let call = message.call.as_ref().and_then(|message| call::call(message, &mut problems));
    problems.finish()?;
    Ok(Draft {
        source: message.source.clone(),
        source_event_id: message.source_event_id.clone(),
        activity_type: message.activity_type.clone(),
        channel,
        product_category: message.product_category.clone(),
        occur_time,
        identity: message.identity.clone().map(identity).unwrap_or_default(),
        object_id: message.object_id.clone(),
        attributes,
        answers,
        notes: message.notes.clone(),
        call,
        linked: None,
        origin: Origin::default(),
    })
}

/// The same activity as a message.
pub(crate) fn draft_message(draft: &Draft) -> ActivityMessage {
    ActivityMessage {
        source: draft.source.clone(),
        source_event_id: draft.source_event_id.clone(),
        activity_type: draft.activity_type.clone(),
        channel: draft.channel.map_or(ChannelMessage::Unspecified, channel_message).into(),
        product_category: draft.product_category.clone(),
        occur_time: draft.occur_time.map(clock::to_proto),
        identity: Some(identity_message(&draft.identity)),
        object_id: draft.object_id.clone(),
        attributes: value::map_to_proto(&draft.attributes),
        answers: value::map_to_proto(&draft.answers),
        notes: draft.notes.clone(),
        call: draft.call.clone().map(call::message),
        ..ActivityMessage::default()
    }
}

fn values(kind: &str, messages: &HashMap<String, prost_types::Value>, problems: &mut Problems) -> Values {
    let typed = |(key, message): (&String, &prost_types::Value)| {
        let value = value::from_proto(kind, message)
            .map_err(|_| error::wrong_type(error::value_field(kind, key), "a string, a finite number or a boolean"));
        problems.note(value).map(|value| (key.clone(), value))
    };
    messages.iter().filter_map(typed).collect()
}

fn identity(message: IdentityMessage) -> Identity {
    Identity {
        email: message.email,
        phone: message.phone,
        external_id: message.external_id,
        anonymous_id: message.anonymous_id,
        domain: message.domain,
        company: message.company,
        country: message.country,
        region: message.region,
        postal_code: message.postal_code,
        given_name: message.given_name,
        family_name: message.family_name,
        job_title: message.job_title,
        street: message.street,
        city: message.city,
        phone_verified: message.phone_verified,
    }
}

fn identity_message(identity: &Identity) -> IdentityMessage {
    let identity = identity.clone();
    IdentityMessage {
        email: identity.email,
        phone: identity.phone,
        external_id: identity.external_id,
        anonymous_id: identity.anonymous_id,
        domain: identity.domain,
        company: identity.company,
        country: identity.country,
        region: identity.region,
        postal_code: identity.postal_code,
        given_name: identity.given_name,
        family_name: identity.family_name,
        job_title: identity.job_title,
        street: identity.street,
        city: identity.city,
        phone_verified: identity.phone_verified,
    }
}

/// The channel in a message's `field`; none when it is unspecified.
pub(super) fn channel(field: &str, number: i32) -> Result<Option<Channel>> {
    let message =
        ChannelMessage::try_from(number).map_err(|_| Error::invalid(field, "is no channel of the contract"))?;
    Ok(match message {
        ChannelMessage::Unspecified => None,
        ChannelMessage::Web => Some(Channel::Web),
        ChannelMessage::Email => Some(Channel::Email),
        ChannelMessage::Phone => Some(Channel::Phone),
        ChannelMessage::Event => Some(Channel::Event),
        ChannelMessage::Meeting => Some(Channel::Meeting),
        ChannelMessage::Mail => Some(Channel::Mail),
        ChannelMessage::Chat => Some(Channel::Chat),
        ChannelMessage::Other => Some(Channel::Other),
    })
}

pub(super) fn channel_message(channel: Channel) -> ChannelMessage {
    match channel {
        Channel::Web => ChannelMessage::Web,
        Channel::Email => ChannelMessage::Email,
        Channel::Phone => ChannelMessage::Phone,
        Channel::Event => ChannelMessage::Event,
        Channel::Meeting => ChannelMessage::Meeting,
        Channel::Mail => ChannelMessage::Mail,
        Channel::Chat => ChannelMessage::Chat,
        Channel::Other => ChannelMessage::Other,
    }
}

/// The results of a call, in the order of its activities.
pub(crate) fn record_response(outcomes: Vec<Outcome>) -> RecordActivitiesResponse {
    let status = |index: usize, error: Error| Some(error.within(&format!("activities[{index}].")).to_item_status());
    let result = |(index, outcome): (usize, Outcome)| match outcome {
        Outcome::Recorded(recorded) => RecordResult {
            outcome: if recorded.duplicate { OutcomeMessage::Duplicate } else { OutcomeMessage::Accepted }.into(),
            activity_id: recorded.activity_id.to_string(),
            derived: recorded.derived,
            conflicting: recorded.conflicting,
            ..RecordResult::default()
        },
        Outcome::Quarantined(quarantine_id, error) => RecordResult {
            outcome: OutcomeMessage::Quarantined.into(),
            quarantine_id: quarantine_id.to_string(),
            error: status(index, error),
            ..RecordResult::default()
        },
        Outcome::Rejected(error) => RecordResult {
            outcome: OutcomeMessage::Rejected.into(),
            error: status(index, error),
            ..RecordResult::default()
        },
    };
    RecordActivitiesResponse { results: outcomes.into_iter().enumerate().map(result).collect() }
}

/// The door of a request.
///
/// # Errors
/// `INVALID_FIELD` for a door that does not lead through `RecordActivities`.
pub(crate) fn door_of_request(number: i32) -> Result<Door> {
    match DoorMessage::try_from(number) {
        Ok(DoorMessage::Unspecified | DoorMessage::Grpc) => Ok(Door::Grpc),
        Ok(DoorMessage::Csv) => Ok(Door::Csv),
        _ => Err(Error::invalid("door", "must be `DOOR_CSV` for an import, or not set")),
    }
}

/// An activity as the ledger has it.
pub(crate) fn activity(activity: Activity) -> ActivityMessage {
    let payload = activity.payload;
    let all = |declared: Values, undeclared: Values| -> Values { declared.into_iter().chain(undeclared).collect() };
    ActivityMessage {
        activity_id: activity.activity_id.to_string(),
        source: activity.source,
        source_event_id: activity.source_event_id,
        activity_type: activity.activity_type,
        channel: channel_message(activity.channel).into(),
        product_category: activity.product_category.unwrap_or_default(),
        occur_time: Some(clock::to_proto(activity.occur_time)),
        record_time: Some(clock::to_proto(activity.record_time)),
        identity: Some(identity_message(&payload.identity)),
        object_id: activity.object_id.unwrap_or_default(),
        attributes: value::map_to_proto(&all(payload.attributes, payload.undeclared_attributes)),
        answers: value::map_to_proto(&all(payload.answers, payload.undeclared_answers)),
        notes: payload.notes,
        contact_id: optional(activity.contact_id),
        account_id: optional(activity.account_id),
        state: state_message(activity.state).into(),
        principal: activity.principal,
        call: payload.call.map(call::message),
    }
}

fn optional(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn state_message(state: State) -> ActivityState {
    match state {
        State::Pending => ActivityState::Pending,
        State::Identified => ActivityState::Identified,
        State::Quarantined => ActivityState::Quarantined,
    }
}

/// The question who it was of whom this source speaks.
pub(crate) fn claim(payload: &Payload, source: &str) -> IdentityClaim {
    let identity = Some(identity_message(&payload.identity));
    IdentityClaim { identity, source: source.to_owned(), contact_id: optional(payload.contact_id) }
}

/// What is announced of an activity: ids, what the source declares and how a call went, and nothing of a person.
pub(crate) fn recorded(activity: &Activity, party: &Party) -> ActivityRecorded {
    let mut attributes = activity.payload.attributes.clone();
    attributes.extend(activity.payload.call.iter().flat_map(Call::attributes));
    ActivityRecorded {
        activity_id: activity.activity_id.to_string(),
        source: activity.source.clone(),
        source_event_id: activity.source_event_id.clone(),
        activity_type: activity.activity_type.clone(),
        channel: channel_message(activity.channel).into(),
        product_category: activity.product_category.clone().unwrap_or_default(),
        occur_time: Some(clock::to_proto(activity.occur_time)),
        record_time: Some(clock::to_proto(activity.record_time)),
        contact_id: optional(party.contact_id),
        account_id: optional(party.account_id),
        account_revision: party.account_revision,
        object_id: activity.object_id.clone().unwrap_or_default(),
        attributes: value::map_to_proto(&attributes),
        answers: value::map_to_proto(&activity.payload.answers),
        attribution: party.attribution,
    }
}

/// What is announced of an activity that belongs to another account than before.
pub(crate) fn reattributed(activity: &Activity, party: &Party) -> ActivityReattributed {
    ActivityReattributed { activity: Some(recorded(activity, party)) }
}

/// Which activities are asked for.
///
/// # Errors
/// `INVALID_ARGUMENT` for what is no id, no state or no moment.
pub(crate) fn filter(request: &ListActivitiesRequest) -> Result<Filter> {
    let state =
        ActivityState::try_from(request.state).map_err(|_| Error::invalid("state", "is no state of the contract"))?;
    let before = request.record_time_before.as_ref();
    Ok(Filter {
        source: (!request.source.is_empty()).then(|| request.source.clone()),
        account_id: ids::parse_optional("account_id", &request.account_id)?,
        contact_id: ids::parse_optional("contact_id", &request.contact_id)?,
        state: match state {
            ActivityState::Unspecified => None,
            ActivityState::Pending => Some(State::Pending),
            ActivityState::Identified => Some(State::Identified),
            ActivityState::Quarantined => Some(State::Quarantined),
        },
        record_time_before: before.map(|time| clock::from_proto("record_time_before", time)).transpose()?,
    })
}
