//! A message of the intake stream: an activity in protobuf or JSON, by itself or in a CloudEvent (NATS protocol binding
//! and JSON event format, 1.0.2), which says in `id`, `time` and `type` what the activity leaves open.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use leadflow_platform::{Error, Result, bus::Delivery, clock};
use leadflow_proto::activity::v1::Activity;
use percent_encoding::percent_decode_str;
use prost::Message as _;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    activity::incoming_one,
    json::ActivityJson,
    quarantine::{refused_bytes, refused_message},
};
use crate::{
    domain::{activity::Draft, check::is_activity_type, quarantine::Incoming, urlencoded::utf8},
    error,
};

/// The headers that have a meaning here.
const HEADERS: [&str; 7] =
    ["content-type", "ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time", "ce-datacontenttype"];

/// What stands around an activity. Everything may be missing.
#[derive(Debug, Default, Deserialize)]
struct Envelope {
    specversion: Option<String>,
    id: Option<String>,
    #[serde(rename = "type")]
    event_type: Option<String>,
    time: Option<String>,
    datacontenttype: Option<String>,
}

/// A CloudEvent as one JSON document.
#[derive(Debug, Deserialize)]
struct Structured {
    #[serde(flatten)]
    envelope: Envelope,
    #[serde(default)]
    data: Json,
    data_base64: Option<String>,
}

/// The activity, still to be read.
#[derive(Debug)]
enum Data {
    Json(Json),
    /// In the type that the envelope says.
    Bytes(Vec<u8>),
    /// The same in Base64.
    Text(String),
}

/// What a message brings, with the id of the event by which its sender knows it: empty when it cannot be read.
pub(crate) fn from_intake(delivery: &Delivery, json: &ActivityJson) -> (String, Incoming) {
    // `leadflow.intake.v1.SOURCE`; what a CloudEvent calls its source is another thing.
    let source = delivery.subject.rsplit('.').next().unwrap_or_default();
    let raw = |error| Err(Box::new(refused_bytes(source, whole(delivery), error)));
    let (envelope, data) = match open(delivery) {
        Ok(opened) => opened,
        Err(error) => return (header(delivery, "ce-id").ok().flatten().unwrap_or_default(), raw(error)),
    };
    match read(&envelope, data, json) {
        Err(error) => (envelope.id.unwrap_or_default(), raw(error)),
        Ok(mut message) => {
            let incoming = match complete(&mut message, envelope, source) {
                Ok(()) => incoming_one(&message).map(|draft| Draft { origin: delivery.origin, ..draft }),
                Err(error) => Err(Box::new(refused_message(&message, error))),
            };
            (message.source_event_id, incoming)
        }
    }
}

/// Takes a message apart. A CloudEvent in one document says so in its content type or by `specversion`; of any other
/// message the headers are the envelope.
fn open(delivery: &Delivery) -> Result<(Envelope, Data)> {
    if delivery.has_unreadable_headers() {
        return Err(error::malformed_headers("cannot be read: names must be ASCII, and values UTF-8 in one line"));
    }
    let content_type = media_type(delivery.header("content-type"));
    if matches!(content_type.as_str(), "application/cloudevents" | "application/cloudevents+json") {
        return structured(parse(&delivery.payload)?);
    }
    let mut envelope = Envelope {
        specversion: header(delivery, "ce-specversion")?,
        id: header(delivery, "ce-id")?,
        event_type: header(delivery, "ce-type")?,
        time: header(delivery, "ce-time")?,
        datacontenttype: header(delivery, "ce-datacontenttype")?,
    };
    let data_type = envelope.datacontenttype.get_or_insert(content_type);
    if is_json(&media_type(Some(data_type))) {
        let json = parse(&delivery.payload)?;
        return if json.get("specversion").is_some() { structured(json) } else { Ok((envelope, Data::Json(json))) };
    }
    Ok((envelope, Data::Bytes(delivery.payload.to_vec())))
}

fn structured(json: Json) -> Result<(Envelope, Data)> {
    let mut event = Structured::deserialize(json).map_err(|cause| {
        error::malformed_body(format!("is no CloudEvent: {}", error::without_values(&cause.to_string())))
    })?;
    event.envelope.specversion.get_or_insert_default();
    let data = event.data_base64.map_or(Data::Json(event.data), Data::Text);
    Ok((event.envelope, data))
}

fn read(envelope: &Envelope, data: Data, json: &ActivityJson) -> Result<Activity> {
    if let Some(version) = &envelope.specversion
        && version != "1.0"
    {
        return Err(Error::invalid("specversion", "must be `1.0`: no other version of CloudEvents is known"));
    }
    let bytes = match data {
        Data::Json(value) => return json.read(value),
        Data::Bytes(bytes) => bytes,
        Data::Text(text) => BASE64_STANDARD
            .decode(text)
            .map_err(|cause| error::malformed_body("has a `data_base64` that is no Base64").because(cause))?,
    };
    match media_type(envelope.datacontenttype.as_deref()).as_str() {
        "application/protobuf" | "application/x-protobuf" => Activity::decode(bytes.as_slice())
            .map_err(|cause| error::malformed_body("is no activity in protobuf").because(cause)),
        other if is_json(other) => json.read(parse(&bytes)?),
        _ => Err(error::unsupported_content_type()),
    }
}

/// Fills in what the activity leaves open.
fn complete(activity: &mut Activity, envelope: Envelope, source: &str) -> Result<()> {
    let named = std::mem::replace(&mut activity.source, source.to_owned());
    if activity.source_event_id.is_empty() {
        activity.source_event_id = envelope.id.unwrap_or_default();
    }
    if activity.activity_type.is_empty() {
        activity.activity_type = envelope.event_type.filter(|name| is_activity_type(name)).unwrap_or_default();
    }
    if activity.occur_time.is_none()
        && let Some(time) = envelope.time
    {
        let time: Timestamp =
            time.parse().map_err(|_| Error::invalid("time", "must be a moment with its zone (RFC 3339)"))?;
        activity.occur_time = Some(clock::to_proto(clock::truncate(time)));
    }
    if named.is_empty() || named == source { Ok(()) } else { Err(error::source_mismatch(source)) }
}

/// What a header says, without the percent signs that the protocol binding puts before what is not printable.
fn header(delivery: &Delivery, name: &str) -> Result<Option<String>> {
    delivery
        .header(name)
        .map(|text| percent_decode_str(text).decode_utf8())
        .transpose()
        .map(|text| text.map(Into::into))
        .map_err(|_| error::malformed_headers(format!("say in `{name}` what is not encoded in UTF-8")))
}

/// What is kept of a message that is no activity: the headers that say what it is meant to be, an empty line, and the
/// body; only the body where there are none.
fn whole(delivery: &Delivery) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(delivery.payload.len());
    for name in HEADERS {
        if let Some(text) = delivery.header(name) {
            bytes.extend_from_slice(format!("{name}: {text}\n").as_bytes());
        }
    }
    if !bytes.is_empty() {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(&delivery.payload);
    bytes
}

fn media_type(text: Option<&str>) -> String {
    text.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// JSON is what is meant when nothing is said.
fn is_json(media_type: &str) -> bool {
    media_type.is_empty() || media_type == "application/json"
}

fn parse(bytes: &[u8]) -> Result<Json> {
    let text = utf8(bytes.to_vec())?;
    serde_json::from_str(&text).map_err(|cause| error::malformed_body(format!("is no JSON: {cause}")))
}
