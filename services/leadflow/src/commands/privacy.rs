//! The rights of a person: `leadflow erase`, `erasures` and `export contact`.

use anyhow::{Context as _, Result};
use leadflow_proto::{activity::v1 as activity, contact::v1 as pb};
use serde_json::{Value as Json, json};

use super::{consent, mutations::request_id};
use crate::{
    activity_json,
    cli::{Erase, Erasures, Export, Format},
    client::{Clients, all},
    output::{self, Column, Rows, json_text, json_time, short_time},
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

pub(crate) async fn erasures(clients: &Clients, format: Format, args: Erasures) -> Result<()> {
    let mut client = clients.privacy.clone();
    let page = async |page_size, page_token| {
        let request = pb::ListErasuresRequest { page_size, page_token, open_only: args.open };
        let answer = client.list_erasures(request).await?.into_inner();
        Ok((answer.erasures, answer.next_page_token))
    };
    let (found, more) = all(args.limit.limit, page).await?;
    output::list(format, found.iter().map(to_json).collect(), more, || {
        let heads = ["asked for", "complete", "still at it", "reason", "by", "erasure"];
        let mut rows = Rows::new(heads.map(|head| Column(head, false)));
        for one in &found {
            let open = one.steps.iter().filter(|step| step.complete_time.is_none());
            rows.push([
                short_time(one.create_time.as_ref()),
                short_time(one.complete_time.as_ref()),
                open.map(|step| step.service.as_str()).collect::<Vec<_>>().join(", "),
                one.reason.clone(),
                one.principal.clone(),
                one.erasure_id.clone(),
            ]);
        }
        rows.print("Nobody was erased.");
    });
    Ok(())
}

/// What contact holds, and what the ledger does: always as JSON, since it is for handing over.
pub(crate) async fn export(clients: &Clients, Export::Contact { contact }: Export) -> Result<()> {
    let request = pb::ExportContactRequest { contact_id: contact };
    let held = clients.privacy.clone().export_contact(request).await?.into_inner();
    let mut activities = Vec::new();
    let mut client = clients.activity.clone();
    for one in &held.contacts {
        let page = async |page_size, page_token| {
            let contact_id = one.contact_id.clone();
            let request = activity::ListActivitiesRequest { page_size, page_token, contact_id, ..Default::default() };
            let answer = client.list_activities(request).await?.into_inner();
            Ok((answer.activities, answer.next_page_token))
        };
        activities.extend(all(0, page).await?.0);
    }
    output::print_json(&json!({
        "contacts": held.contacts.iter().map(contact_json).collect::<Vec<_>>(),
        "accounts": held.accounts.iter().map(super::lists::account_json).collect::<Vec<_>>(),
        "identities": held.identities.iter().map(identity_json).collect::<Vec<_>>(),
        "consents": held.consents.iter().map(consent::to_json).collect::<Vec<_>>(),
        "activities": activities.iter().map(activity_json::write).collect::<Result<Vec<_>>>()?,
    }));
    Ok(())
}

fn contact_json(one: &pb::Contact) -> Json {
    let profile = one.profile.clone().unwrap_or_default();
    json!({
        "contact_id": one.contact_id,
        "account_id": json_text(&one.account_id),
        "given_name": json_text(&one.given_name),
        "family_name": json_text(&one.family_name),
        "job_title": json_text(&one.job_title),
        "emails": one.emails,
        "phones": one.phones,
        "role": json_text(&profile.role),
        "function": json_text(&profile.function),
        "seniority": json_text(&profile.seniority),
        "stage": json_text(&profile.stage),
        "country": json_text(&profile.country),
        "create_time": json_time(one.create_time.as_ref()),
        "update_time": json_time(one.update_time.as_ref()),
    })
}

fn identity_json(one: &pb::ExportedIdentity) -> Json {
    json!({ "contact_id": one.contact_id, "kind": one.kind, "source": json_text(&one.source), "value": one.value })
}

fn to_json(one: &pb::Erasure) -> Json {
    let step = |step: &pb::ErasureStep| {
        json!({
            "service": step.service,
            "complete_time": json_time(step.complete_time.as_ref()),
            "deleted": step.deleted,
        })
    };
    json!({
        "erasure_id": one.erasure_id,
        "contact_ids": one.contact_ids,
        "reason": one.reason,
        "principal": one.principal,
        "create_time": json_time(one.create_time.as_ref()),
        "complete_time": json_time(one.complete_time.as_ref()),
        "steps": one.steps.iter().map(step).collect::<Vec<_>>(),
    })
}
