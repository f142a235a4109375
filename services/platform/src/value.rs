//! `google.protobuf.Value` to JSON and back, for the typed values of attributes and answers.

use std::collections::{BTreeMap, HashMap};

use prost_types::value::Kind;
use serde_json::Value as Json;

use crate::error::{Error, Result};

/// A string, a number or a boolean in `field`.
///
/// # Errors
/// `INVALID_ARGUMENT` for anything else, and for numbers that are not finite.
pub fn from_proto(field: &str, value: &prost_types::Value) -> Result<Json> {
    match &value.kind {
        Some(Kind::StringValue(text)) => Ok(Json::String(text.clone())),
        Some(Kind::BoolValue(flag)) => Ok(Json::Bool(*flag)),
        Some(Kind::NumberValue(number)) => serde_json::Number::from_f64(*number)
            .map(Json::Number)
            .ok_or_else(|| Error::invalid(field, "must be a finite number")),
        _ => Err(Error::invalid(field, "must be a string, a number or a boolean")),
    }
}

/// A map of such values in `field`.
///
/// # Errors
/// As [`from_proto`], naming `field.key`.
pub fn map_from_proto(field: &str, values: &HashMap<String, prost_types::Value>) -> Result<BTreeMap<String, Json>> {
    values.iter().map(|(key, value)| Ok((key.clone(), from_proto(&format!("{field}.{key}"), value)?))).collect()
}

/// The value in a message. Lists and objects, which no typed value is, become null.
pub fn to_proto(value: &Json) -> prost_types::Value {
    let kind = match value {
        Json::String(text) => Kind::StringValue(text.clone()),
        Json::Bool(flag) => Kind::BoolValue(*flag),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Json::Null | Json::Array(_) | Json::Object(_) => Kind::NullValue(0),
    };
    prost_types::Value { kind: Some(kind) }
}

/// A map of such values in a message.
pub fn map_to_proto(values: &BTreeMap<String, Json>) -> HashMap<String, prost_types::Value> {
    values.iter().map(|(key, value)| (key.clone(), to_proto(value))).collect()
}
