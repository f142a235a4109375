//! What a person does: accept, reject, adjust, close; say whose a mobile is.

use anyhow::{Context as _, Result};
use leadflow_proto::{contact::v1 as contact, routing::v1 as routing, scoring::v1 as scoring};
use serde_json::json;

use super::{assignments, enum_value, leads, time};
use crate::{
    cli::{Adjust, Close, Format, Reject, VerifyMobile},
    client::Clients,
    manifest::model::milli,
    output::{self, points, word},
};

/// A repeated send after a lost answer must not do the work twice.
pub(super) fn request_id() -> String {
    leadflow_platform::ids::new().to_string()
}

pub(crate) async fn accept(clients: &Clients, format: Format, assignment_id: String) -> Result<()> {
    let request = routing::AcceptAssignmentRequest { assignment_id, request_id: request_id(), ..Default::default() };
    let answer = clients.routing.clone().accept_assignment(request).await?.into_inner();
    show_assignment(format, answer.assignment)
}

pub(crate) async fn reject(clients: &Clients, format: Format, args: Reject) -> Result<()> {
    let request = routing::RejectAssignmentRequest {
        assignment_id: args.assignment,
        reason: args.reason,
        note: args.note,
        request_id: request_id(),
        ..Default::default()
    };
    let answer = clients.routing.clone().reject_assignment(request).await?.into_inner();
    show_assignment(format, answer.assignment)
}

fn show_assignment(format: Format, assignment: Option<routing::Assignment>) -> Result<()> {
    let assignment = assignment.context("the service answered without an assignment")?;
    if format == Format::Json {
        output::print_json(&assignments::to_json(&assignment));
        return Ok(());
    }
    let state = word(assignment.state().as_str_name(), "ASSIGNMENT_STATE_");
    let lead = format!("{} · {}", assignment.account_name, assignment.product_category);
    println!("{state}: {lead} by {} (decided by {})", assignment.rep, assignment.principal);
    Ok(())
}

pub(crate) async fn adjust(clients: &Clients, format: Format, args: Adjust) -> Result<()> {
    let request = scoring::AdjustScoreRequest {
        lead_id: args.lead,
        points_milli: milli("--points", args.points)?,
        reason: args.reason,
        expire_time: time("expires", args.expires.as_deref())?,
        request_id: request_id(),
    };
    let answer = clients.scoring.clone().adjust_score(request).await?.into_inner();
    show_lead(format, answer.lead)
}

pub(crate) async fn close(clients: &Clients, format: Format, args: Close) -> Result<()> {
    let reason = Some(args.reason.as_str());
    let request = scoring::CloseLeadRequest {
        lead_id: args.lead,
        reason: enum_value("reason", "CLOSE_REASON_", reason, scoring::CloseReason::from_str_name)?,
        note: args.note,
        request_id: request_id(),
        ..Default::default()
    };
    let answer = clients.scoring.clone().close_lead(request).await?.into_inner();
    show_lead(format, answer.lead)
}

pub(crate) async fn verify_mobile(clients: &Clients, format: Format, args: VerifyMobile) -> Result<()> {
    let request = contact::VerifyMobileRequest {
        contact_id: args.contact,
        phone: args.phone,
        withdraw: args.withdraw,
        request_id: request_id(),
        ..Default::default()
    };
    let answer = clients.contact.clone().verify_mobile(request).await?.into_inner();
    let contact = answer.contact.context("the service answered without a contact")?;
    if format == Format::Json {
        let (id, mobiles) = (contact.contact_id, contact.verified_mobiles);
        output::print_json(&json!({ "contact_id": id, "phones": contact.phones, "verified_mobiles": mobiles }));
    } else {
        println!("verified: {}", contact.verified_mobiles.join(", "));
    }
    Ok(())
}

fn show_lead(format: Format, lead: Option<scoring::Lead>) -> Result<()> {
    let lead = lead.context("the service answered without a lead")?;
    if format == Format::Json {
        output::print_json(&leads::to_json(&lead));
        return Ok(());
    }
    let band = word(lead.band().as_str_name(), "BAND_");
    let status = leads::status(&lead);
    println!(
        "{} · {}: {status}, {band}, {} points",
        lead.account_name,
        lead.product_category,
        points(lead.score_milli)
    );
    Ok(())
}
