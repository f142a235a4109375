//! The rights of a person: `leadflow erase`, `erasures` and `export contact`.

use anyhow::{Context as _, Result};
use leadflow_proto::{activity::v1 as activity, contact::v1 as pb};
use serde_json::{Value as Json, json};

use super::mutations::request_id;
use crate::{
    activity_json,
    cli::{Erase, Erasures, Format, LiftSuppression},
    client::{Clients, all},
    output::{self, Column, Rows, json_text, json_time, short_time},
    proto_json,
};

pub(crate) async fn erase(clients: &Clients, format: Format, args: Erase) -> Result<()> {
    let request = pb::EraseContactRequest { contact_id: args.contact, reason: args.reason, request_id: request_id() };
    let erasure = clients.privacy.clone().erase_contact(request).await?.into_inner().erasure;
    let erasure = erasure.context("the service answered without an erasure")?;
    if format == Format::Json {
        output::print_json(&to_json(&erasure));
    } else {
        println!("erased here; the other services are at it: see `leadflow erasures` ({})", erasure.erasure_id);
    }
    Ok(())
}

pub(crate) async fn lift(clients: &Clients, format: Format, args: LiftSuppression) -> Result<()> {
    let identity = pb::Identity {
        email: args.email.unwrap_or_default(),
        phone: args.phone.unwrap_or_default(),
        external_id: args.external_id.unwrap_or_default(),
        ..Default::default()
    };
    let source = args.source.unwrap_or_default();
    let claim = pb::IdentityClaim { identity: Some(identity), source, ..Default::default() };
    let request = pb::LiftSuppressionRequest { claim: Some(claim), reason: args.reason, request_id: request_id() };
    let erasures = clients.privacy.clone().lift_suppression(request).await?.into_inner().erasures;
    if format == Format::Json {
        output::print_json(&erasures.iter().map(to_json).collect());
    } else {
        println!("let in again: what comes from now on is theirs, and starts without a consent");
    }
    Ok(())
}

pub(crate) async fn erasures(clients: &Clients, format: Format, args: Erasures) -> Result<()> {
    let mut client = clients.privacy.clone();
    let page = async |page_size, page_token| {
        let request = pb::ListErasuresRequest { page_size, page_token, open_only: args.open };
        let answer = client.list_erasures(request).await?.into_inner();
        Ok((answer.erasures, answer.next_page_token))
    };
    let (found, more) = all(args.limit.limit, page).await?;
    output::list(format, found.iter().map(to_json).collect(), more, || {
        let heads = ["asked for", "complete", "still at it", "reason", "by", "let in again", "erasure"];
        let mut rows = Rows::new(heads.map(|head| Column(head, false)));
        for one in &found {
            let open = one.steps.iter().filter(|step| step.complete_time.is_none());
            rows.push([
                short_time(one.create_time.as_ref()),
                short_time(one.complete_time.as_ref()),
                open.map(|step| step.service.as_str()).collect::<Vec<_>>().join(", "),
                one.reason.clone(),
                one.principal.clone(),
                short_time(one.lift.as_ref().and_then(|lift| lift.time.as_ref())),
                one.erasure_id.clone(),
            ]);
        }
        rows.print("Nobody was erased.");
    });
    Ok(())
}

/// What contact holds, and what the ledger does: always as JSON, since it is for handing over.
pub(crate) async fn export(clients: &Clients, contact: String) -> Result<()> {
    let request = pb::ExportContactRequest { contact_id: contact.clone() };
    let held = clients.privacy.clone().export_contact(request).await?.into_inner();
    let mut client = clients.activity.clone();
    // Of all that were merged with the contact, too.
    let page = async |page_size, page_token| {
        let contact_id = contact.clone();
        let request = activity::ListActivitiesRequest { page_size, page_token, contact_id, ..Default::default() };
        let answer = client.list_activities(request).await?.into_inner();
        Ok((answer.activities, answer.next_page_token))
    };
    let (activities, _) = all(0, page).await?;
    let mut json = held_json(&held)?;
    json["activities"] = activities.iter().map(activity_json::write).collect::<Result<Vec<_>>>()?.into();
    output::print_json(&json);
    Ok(())
}

/// All that contact holds, as the contract has it: so no field is left out that is added to it.
fn held_json(held: &pb::ExportContactResponse) -> Result<Json> {
    proto_json::write("leadflow.contact.v1.ExportContactResponse", held)
}

fn to_json(one: &pb::Erasure) -> Json {
    let step = |step: &pb::ErasureStep| {
        json!({
            "service": step.service,
            "complete_time": json_time(step.complete_time.as_ref()),
            "deleted": step.deleted,
        })
    };
    let lift = one.lift.clone().unwrap_or_default();
    json!({
        "erasure_id": one.erasure_id,
        "contact_ids": one.contact_ids,
        "reason": one.reason,
        "principal": one.principal,
        "create_time": json_time(one.create_time.as_ref()),
        "complete_time": json_time(one.complete_time.as_ref()),
        "steps": one.steps.iter().map(step).collect::<Vec<_>>(),
        "lift_time": json_time(lift.time.as_ref()),
        "lift_principal": json_text(&lift.principal),
        "lift_reason": json_text(&lift.reason),
    })
}

#[cfg(test)]
mod tests {
    use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

    use super::*;

    /// A message in which each field says something.
    fn full(descriptor: &MessageDescriptor) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        for field in descriptor.fields() {
            let value = if field.is_map() { any_map() } else { value(&field) };
            let value = if field.is_list() { Value::List(vec![value]) } else { value };
            message.set_field(&field, value);
        }
        message
    }

    /// The declared fields of a profile, whose names nobody knows beforehand.
    fn any_map() -> Value {
        let descriptor = proto_json::descriptor("google.protobuf.Value").unwrap();
        let mut message = DynamicMessage::new(descriptor);
        message.set_field_by_name("string_value", Value::String("said".to_owned()));
        Value::Map([(MapKey::String("declared".to_owned()), Value::Message(message))].into())
    }

    fn value(field: &FieldDescriptor) -> Value {
        match field.kind() {
            Kind::Message(descriptor) => Value::Message(full(&descriptor)),
            Kind::Enum(words) => Value::EnumNumber(words.values().last().unwrap().number()),
            Kind::String => Value::String(field.name().to_owned()),
            Kind::Bool => Value::Bool(true),
            Kind::Int32 => Value::I32(7),
            Kind::Int64 => Value::I64(7),
            Kind::Double => Value::F64(7.0),
            other => panic!("a field of the kind {other:?}: add it here"),
        }
    }

    /// The paths of the fields that the JSON leaves out.
    fn missing(descriptor: &MessageDescriptor, json: &Json, at: &str) -> Vec<String> {
        let mut missing = Vec::new();
        for field in descriptor.fields() {
            let path = format!("{at}.{}", field.name());
            let said = &json[field.name()];
            let said = if field.is_list() { &said[0] } else { said };
            match field.kind() {
                _ if said.is_null() => missing.push(path),
                // A moment is a text.
                Kind::Message(inner) if said.is_object() && !field.is_map() => {
                    missing.extend(self::missing(&inner, said, &path))
                }
                _ => {}
            }
        }
        missing
    }

    #[test]
    fn every_field_that_contact_holds_is_given_out() {
        let descriptor = proto_json::descriptor("leadflow.contact.v1.ExportContactResponse").unwrap();
        let held: pb::ExportContactResponse = full(&descriptor).transcode_to().unwrap();
        let json = held_json(&held).unwrap();
        assert_eq!(missing(&descriptor, &json, "held"), [""; 0]);
        assert_eq!(json["contacts"][0]["postal_code"], "postal_code");
        assert_eq!(missing(&descriptor, &Json::Null, "held").len(), 6, "what is left out is told");
    }
}
