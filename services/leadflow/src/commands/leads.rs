//! `leadflow leads` and `leadflow lead`.

use anyhow::{Context as _, Result};
use leadflow_proto::{activity::v1 as activity, contact::v1 as contact, routing::v1 as routing, scoring::v1 as pb};
use serde_json::{Value as Json, json};

use super::{enum_value, lists};
use crate::{
    cli::{Format, Leads},
    client::{Clients, all},
    output::{self, Column, Rows, json_text, json_time, points, short_time, word},
};

pub(crate) async fn list(clients: &Clients, format: Format, args: Leads) -> Result<()> {
    let request = pb::ListLeadsRequest {
        band: enum_value("band", "BAND_", args.band.as_deref(), pb::Band::from_str_name)?,
        status: enum_value("status", "LEAD_STATUS_", args.status.as_deref(), pb::LeadStatus::from_str_name)?,
        product_category: args.category.unwrap_or_default(),
        account_id: args.account.unwrap_or_default(),
        assigned_rep: args.rep.unwrap_or_default(),
        show_closed: args.all,
        ..Default::default()
    };
    let (leads, more) = fetch(clients, request, args.limit.limit).await?;
    output::list(format, leads.iter().map(to_json).collect(), more, || print_table(&leads));
    Ok(())
}

pub(crate) async fn fetch(
    clients: &Clients,
    request: pb::ListLeadsRequest,
    limit: usize,
) -> Result<(Vec<pb::Lead>, bool)> {
    let mut scoring = clients.scoring.clone();
    let page = async |page_size, page_token| {
        let answer = scoring.list_leads(pb::ListLeadsRequest { page_size, page_token, ..request.clone() }).await?;
        let answer = answer.into_inner();
        Ok((answer.leads, answer.next_page_token))
    };
    all(limit, page).await
}

fn print_table(leads: &[pb::Lead]) {
    let mut rows = Rows::new([
        Column("band", false),
        Column("score", true),
        Column("account", false),
        Column("category", false),
        Column("status", false),
        Column("rep", false),
        Column("contacts", true),
        Column("activities", true),
        Column("lead", false),
    ]);
    for lead in leads {
        let seen = lead.validations.unwrap_or_default();
        rows.push([
            word(lead.band().as_str_name(), "BAND_"),
            points(lead.score_milli),
            lead.account_name.clone(),
            lead.product_category.clone(),
            status(lead),
            lead.assigned_rep.clone(),
            seen.contacts.to_string(),
            lead.activities.to_string(),
            lead.lead_id.clone(),
        ]);
    }
    rows.print("There are no such leads. Leads open by themselves when activities come in: see `leadflow activities`.");
}

/// The status in one word.
pub(crate) fn status(lead: &pb::Lead) -> String {
    word(lead.status().as_str_name(), "LEAD_STATUS_")
}

/// A lead as scripts read it.
pub(crate) fn to_json(lead: &pb::Lead) -> Json {
    let seen = lead.validations.unwrap_or_default();
    json!({
        "lead_id": lead.lead_id,
        "account_id": lead.account_id,
        "account_name": lead.account_name,
        "product_category": lead.product_category,
        "round": lead.round,
        "band": word(lead.band().as_str_name(), "BAND_"),
        "score": lead.score_milli as f64 / 1000.0,
        "score_time": json_time(lead.score_time.as_ref()),
        "next_check_time": json_time(lead.next_check_time.as_ref()),
        "contacts": seen.contacts,
        "channels": seen.channels,
        "activities": lead.activities,
        "status": status(lead),
        "status_reason": json_text(&lead.status_reason),
        "hand_over": lead.hand_over,
        "ready_time": json_time(lead.ready_time.as_ref()),
        "assignment_id": json_text(&lead.assignment_id),
        "assigned_rep": json_text(&lead.assigned_rep),
        "open_time": json_time(lead.open_time.as_ref()),
        "close_time": json_time(lead.close_time.as_ref()),
        "close_reason": json_text(&word(lead.close_reason().as_str_name(), "CLOSE_REASON_")),
        "merged_into_lead_id": json_text(&lead.merged_into_lead_id),
        "model_version": lead.model_version,
        "etag": lead.etag,
    })
}

pub(crate) async fn show(clients: &Clients, format: Format, lead_id: String) -> Result<()> {
    let Clients { mut scoring, mut contact, mut activity, mut routing, .. } = clients.clone();
    let lead = scoring.get_lead(pb::GetLeadRequest { lead_id: lead_id.clone() }).await?.into_inner().lead;
    let lead = lead.context("the service answered without a lead")?;
    let account_id = lead.account_id.clone();
    let contacts = contact
        .list_contacts(contact::ListContactsRequest {
            account_id: account_id.clone(),
            page_size: 20,
            ..Default::default()
        })
        .await?
        .into_inner()
        .contacts;
    let account = contact.get_account(contact::GetAccountRequest { account_id: account_id.clone() }).await?;
    let account = account.into_inner().account.unwrap_or_default();
    let request = activity::ListActivitiesRequest { account_id, page_size: 1000, ..Default::default() };
    let mut activities = activity.list_activities(request).await?.into_inner().activities;
    activities.sort_by_key(|activity| std::cmp::Reverse(output::moment(activity.occur_time.as_ref())));
    activities.truncate(10);
    let request = routing::ListAssignmentsRequest { lead_id, ..Default::default() };
    let assignments = routing.list_assignments(request).await?.into_inner().assignments;
    if format == Format::Json {
        let mut json = to_json(&lead);
        json["account"] = lists::account_json(&account);
        json["contact_list"] = contacts.iter().map(contact_json).collect();
        json["assignments"] = assignments.iter().map(super::assignments::to_json).collect();
        json["latest_activities"] = activities.iter().map(lists::activity_json).collect();
        output::print_json(&json);
        return Ok(());
    }
    print_lead(&lead, &account);
    println!("\nContacts");
    for person in &contacts {
        println!("  {:<28} {:<28} {}", name(person), person.job_title, person.emails.join(", "));
    }
    println!("\nAssignments");
    for one in &assignments {
        let state = word(one.state().as_str_name(), "ASSIGNMENT_STATE_");
        println!("  {}  {:<10} {:<20} {}", short_time(one.offer_time.as_ref()), state, one.rep, one.assignment_id);
    }
    if assignments.is_empty() {
        println!("  none yet");
    }
    println!("\nLatest activities");
    for one in &activities {
        let when = short_time(one.occur_time.as_ref());
        println!("  {when}  {:<20} {:<16} {}", one.activity_type, one.source, one.product_category);
    }
    println!("\nWhy this score: leadflow explain {}", lead.lead_id);
    Ok(())
}

fn print_lead(lead: &pb::Lead, account: &contact::Account) {
    let band = word(lead.band().as_str_name(), "BAND_");
    println!("{} · {} · {} · {} points", account.name, lead.product_category, band, points(lead.score_milli));
    let place = [account.country.as_str(), &account.region, &account.industry];
    let relation = word(account.relation().as_str_name(), "RELATION_");
    println!(
        "  account     {} ({})",
        place.iter().filter(|t| !t.is_empty()).copied().collect::<Vec<_>>().join(", "),
        relation
    );
    let status = [status(lead), lead.assigned_rep.clone(), lead.status_reason.replace('_', " ")];
    let status: Vec<_> = status.into_iter().filter(|part| !part.is_empty()).collect();
    println!("  status      {}", status.join(", "));
    println!("  round       {}, open since {}", lead.round, short_time(lead.open_time.as_ref()));
    println!("  scored      {}", short_time(lead.score_time.as_ref()));
    if lead.next_check_time.is_some() {
        println!("  next change {} by the passing of time alone", short_time(lead.next_check_time.as_ref()));
    }
    if lead.close_time.is_some() {
        let reason = word(lead.close_reason().as_str_name(), "CLOSE_REASON_");
        println!("  closed      {} as {reason}", short_time(lead.close_time.as_ref()));
    }
}

pub(crate) fn name(person: &contact::Contact) -> String {
    let name = format!("{} {}", person.given_name, person.family_name).trim().to_owned();
    match (name.is_empty(), person.emails.first()) {
        (false, _) => name,
        (true, Some(email)) => email.clone(),
        (true, None) => "unknown person".to_owned(),
    }
}

fn contact_json(person: &contact::Contact) -> Json {
    json!({
        "contact_id": person.contact_id,
        "name": json_text(&name(person)),
        "job_title": json_text(&person.job_title),
        "emails": person.emails,
        "phones": person.phones,
    })
}
