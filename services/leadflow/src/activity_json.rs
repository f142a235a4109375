//! Activities in the JSON of proto3, with the names of the contract: what people read, edit and send back.

use anyhow::{Context as _, Result};
use leadflow_proto::activity::v1::Activity;
use prost_reflect::DynamicMessage;
use serde_json::Value as Json;

use crate::proto_json;

const ACTIVITY: &str = "leadflow.activity.v1.Activity";

/// The activity as JSON.
pub(crate) fn write(activity: &Activity) -> Result<Json> {
    proto_json::write(ACTIVITY, activity)
}

/// The activity that this JSON says. A field that no activity has is an error, which names it.
pub(crate) fn read(json: Json) -> Result<Activity> {
    let message =
        DynamicMessage::deserialize(proto_json::descriptor(ACTIVITY)?, json).context("this is no activity")?;
    Ok(message.transcode_to()?)
}

/// Sets a field, `identity.email=anna@example.com`, or takes it out where there is no value.
pub(crate) fn set(activity: &mut Json, assignment: &str) -> Result<()> {
    let (path, text) = assignment
        .split_once('=')
        .with_context(|| format!("--set {assignment}: write it as FIELD=VALUE, for example identity.country=DE"))?;
    let (parents, name) = path.rsplit_once('.').unwrap_or(("", path));
    let mut object = activity;
    for parent in parents.split('.').filter(|parent| !parent.is_empty()) {
        object = object
            .as_object_mut()
            .map(|fields| fields.entry(parent).or_insert_with(|| Json::Object(serde_json::Map::default())))
            .with_context(|| format!("--set {path}: there is nothing in `{parent}`"))?;
    }
    let fields = object.as_object_mut().with_context(|| format!("--set {path}: `{parents}` holds no fields"))?;
    if text.is_empty() {
        fields.remove(name);
    } else {
        fields.insert(name.to_owned(), value(path, text));
    }
    Ok(())
}

/// Attributes and answers have types; all other fields are written as texts.
fn value(path: &str, text: &str) -> Json {
    let typed = path.starts_with("attributes.") || path.starts_with("answers.");
    match serde_json::from_str(text) {
        Ok(scalar @ (Json::Bool(_) | Json::Number(_))) if typed => scalar,
        _ if path == "channel" && !text.starts_with("CHANNEL_") => format!("CHANNEL_{}", text.to_uppercase()).into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edited(before: Json, assignments: &[&str]) -> Json {
        let mut activity = before;
        assignments.iter().for_each(|assignment| set(&mut activity, assignment).unwrap());
        activity
    }

    #[test]
    fn fields_are_set_and_taken_out() {
        let before = json!({"source": "expo", "identity": {"email": "x", "phone": "1"}});
        let after = edited(
            before,
            &[
                "identity.email=anna@example.com",
                "identity.phone=",
                "attributes.minutes=12",
                "notes=a=b",
                "channel=web",
            ],
        );
        let expected = json!({
            "source": "expo",
            "identity": {"email": "anna@example.com"},
            "attributes": {"minutes": 12},
            "notes": "a=b",
            "channel": "CHANNEL_WEB",
        });
        assert_eq!(after, expected);
    }

    #[test]
    fn an_activity_survives_being_edited() {
        let json = json!({
            "source": "expo",
            "channel": "CHANNEL_EVENT",
            "occur_time": "2026-11-24T10:00:00Z",
            "identity": {"email": "anna@example.com"},
            "attributes": {"minutes": 12.0, "stand": "B7", "scanned": true},
        });
        let activity = read(json.clone()).unwrap();
        assert_eq!(write(&activity).unwrap(), json);
        let edited = read(edited(json, &["answers.budget=10000", "identity.external_id=7"])).unwrap();
        assert_eq!(edited.identity.unwrap().external_id, "7", "an id of digits is no number");
    }

    #[test]
    fn a_field_that_no_activity_has_is_named() {
        let error = read(edited(json!({}), &["identity.emial=x"])).unwrap_err();
        assert!(format!("{error:#}").contains("emial"), "{error:#}");
        assert!(set(&mut json!({}), "identity.email").is_err());
        assert!(set(&mut json!({"notes": "x"}), "notes.more=1").is_err());
    }
}
