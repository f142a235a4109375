//! The declared fields of profiles, and their values.

use std::collections::HashMap;

use leadflow_platform::{Error, Result, value};
use leadflow_proto::contact::v1 as pb;
use serde_json::Value as Json;

use super::short;
use crate::domain::profile::{Field, Kind, Subject, Values};

/// Values of an enum at the most.
const MAX_ALLOWED: usize = 100;

pub(crate) fn profile_field(field: &Field) -> pb::ProfileField {
    let (kind, allowed_values) = match &field.kind {
        Kind::String => (pb::ProfileFieldType::String, Vec::new()),
        Kind::Number => (pb::ProfileFieldType::Number, Vec::new()),
        Kind::Bool => (pb::ProfileFieldType::Bool, Vec::new()),
        Kind::Enum(allowed) => (pb::ProfileFieldType::Enum, allowed.clone()),
    };
    let subject = match field.subject {
        Subject::Account => pb::ProfileSubject::Account,
        Subject::Contact => pb::ProfileSubject::Contact,
    };
    pb::ProfileField {
        subject: subject.into(),
        name: field.name.clone(),
        r#type: kind.into(),
        allowed_values,
        description: field.description.clone(),
    }
}

/// The fields that a request declares, each once.
pub(crate) fn profile_fields_from(said: Vec<pb::ProfileField>) -> Result<Vec<Field>> {
    let mut read: Vec<Field> = Vec::with_capacity(said.len());
    for (index, said) in said.into_iter().enumerate() {
        let at = format!("profile_fields[{index}]");
        let field = profile_field_from(&at, said)?;
        if read.iter().any(|other| (other.subject, &other.name) == (field.subject, &field.name)) {
            return Err(Error::invalid(format!("{at}.name"), "is there twice"));
        }
        read.push(field);
    }
    Ok(read)
}

fn profile_field_from(at: &str, said: pb::ProfileField) -> Result<Field> {
    let at = |name: &str| format!("{at}.{name}");
    let subject = match said.subject() {
        pb::ProfileSubject::Account => Subject::Account,
        pb::ProfileSubject::Contact => Subject::Contact,
        pb::ProfileSubject::Unspecified => {
            return Err(Error::invalid(at("subject"), "is required: account or contact"));
        }
    };
    if !is_word(&said.name) {
        let problem = "must be lower case letters, digits and underscores, a letter first, at most 63";
        return Err(Error::invalid(at("name"), problem));
    }
    let description = short(&at("description"), &said.description)?;
    if description.is_empty() {
        return Err(Error::invalid(at("description"), "is required: say what the field is for"));
    }
    let is_enum = said.r#type() == pb::ProfileFieldType::Enum;
    if is_enum == said.allowed_values.is_empty() {
        return Err(Error::invalid(at("allowed_values"), "are for an enum, and an enum has some"));
    }
    let kind = match said.r#type() {
        pb::ProfileFieldType::String => Kind::String,
        pb::ProfileFieldType::Number => Kind::Number,
        pb::ProfileFieldType::Bool => Kind::Bool,
        pb::ProfileFieldType::Enum => Kind::Enum(allowed(&at("allowed_values"), &said.allowed_values)?),
        pb::ProfileFieldType::Unspecified => {
            return Err(Error::invalid(at("type"), "is required: string, number, bool or enum"));
        }
    };
    Ok(Field { subject, name: said.name, kind, description })
}

fn allowed(at: &str, said: &[String]) -> Result<Vec<String>> {
    if said.len() > MAX_ALLOWED {
        return Err(crate::error::too_many(at, MAX_ALLOWED));
    }
    let mut allowed: Vec<String> = Vec::with_capacity(said.len());
    for (index, text) in said.iter().enumerate() {
        let at = format!("{at}[{index}]");
        let text = short(&at, text)?;
        if text.is_empty() || allowed.contains(&text) {
            return Err(Error::invalid(at, "is empty or there twice"));
        }
        allowed.push(text);
    }
    Ok(allowed)
}

fn is_word(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
}

/// Values as somebody says them; whether they are declared is seen later.
pub(super) fn profile_values(field: &str, said: &HashMap<String, prost_types::Value>) -> Result<Values> {
    let mut values = value::map_from_proto(field, said)?;
    for (name, value) in &mut values {
        if let Json::String(text) = value {
            *text = short(&format!("{field}.{name}"), text)?;
        }
    }
    Ok(values)
}

/// Takes over what paths of a mask name under `prefix`: the whole, or single fields; those that are not said are taken out.
pub(super) fn change_profile(profile: &mut Values, paths: &[String], prefix: &str, said: &Values) {
    for path in paths {
        if path == prefix {
            profile.clone_from(said);
        } else if let Some(name) = path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')) {
            match said.get(name) {
                Some(value) => profile.insert(name.to_owned(), value.clone()),
                None => profile.remove(name),
            };
        }
    }
}
