//! `leadflow quarantine events`: what the roles could not handle of each other's events.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use leadflow_platform::rpc::Client;
use leadflow_proto::common::v1::{
    DiscardQuarantinedEventRequest, GetQuarantinedEventRequest, ListQuarantinedEventsRequest, QuarantinedEvent,
    RedriveQuarantinedEventRequest, quarantine_service_client::QuarantineServiceClient,
};
use serde_json::{Value as Json, json};

use crate::{
    cli::{EventList, EventSelection, Events, Format, WhichEvents},
    client::{Clients, all},
    commands::mutations::request_id,
    output::{self, Column, Rows, json_text, json_time, short_time},
};

type Quarantine = QuarantineServiceClient<Client>;

pub(super) async fn run(clients: &Clients, format: Format, command: Events) -> Result<ExitCode> {
    match command {
        Events::List(args) => list(clients, format, args).await?,
        Events::Show { id } => show(clients, format, &id).await?,
        Events::Redrive(selection) => return redrive(clients, format, selection).await,
        Events::Discard(selection) => return discard(clients, format, selection).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(clients: &Clients, format: Format, args: EventList) -> Result<()> {
    let (found, more) = find(clients, &args.which, args.limit.limit).await?;
    output::list(format, found.iter().map(to_json).collect(), more, || {
        let heads = ["set aside", "subject", "reason", "message", "event"];
        let mut rows = Rows::new(heads.map(|head| Column(head, false)));
        for one in &found {
            let time = short_time(one.create_time.as_ref());
            rows.push([time, one.subject.clone(), one.reason.clone(), one.message.clone(), id(one)]);
        }
        rows.print("No role has set an event aside.");
    });
    Ok(())
}

async fn show(clients: &Clients, format: Format, id: &str) -> Result<()> {
    let (mut quarantine, consumer, event_id) = parse(clients, id)?;
    let answer = quarantine.get_quarantined_event(GetQuarantinedEventRequest { consumer, event_id }).await?;
    let one = answer.into_inner().quarantined_event.context("the service answered without the event")?;
    let body = STANDARD.encode(&one.payload);
    if format == Format::Json {
        let mut json = to_json(&one);
        json["payload_base64"] = json_text(&body);
        output::print_json(&json);
        return Ok(());
    }
    println!("{}", self::id(&one));
    println!("  {}: {}", one.reason, one.message);
    println!("  published on {}, set aside {}", one.subject, short_time(one.create_time.as_ref()));
    println!("  {} bytes, as base64:\n{body}", one.payload.len());
    Ok(())
}

async fn redrive(clients: &Clients, format: Format, selection: EventSelection) -> Result<ExitCode> {
    let mut decisions = Vec::new();
    for id in select(clients, selection).await? {
        let (mut quarantine, consumer, event_id) = parse(clients, &id)?;
        let request = RedriveQuarantinedEventRequest { consumer, event_id, request_id: request_id() };
        let answer = quarantine.redrive_quarantined_event(request).await?.into_inner();
        let outcome = if answer.handled { "handled" } else { "failed" };
        decisions.push(Decision { id, outcome, reason: answer.reason, message: answer.message });
    }
    Ok(print(format, &decisions))
}

async fn discard(clients: &Clients, format: Format, selection: EventSelection) -> Result<ExitCode> {
    let mut decisions = Vec::new();
    for id in select(clients, selection).await? {
        let (mut quarantine, consumer, event_id) = parse(clients, &id)?;
        let request = DiscardQuarantinedEventRequest { consumer, event_id, request_id: request_id() };
        quarantine.discard_quarantined_event(request).await?;
        decisions.push(Decision { id, outcome: "discarded", reason: String::new(), message: String::new() });
    }
    Ok(print(format, &decisions))
}

/// What has become of an event.
struct Decision {
    id: String,
    outcome: &'static str,
    reason: String,
    message: String,
}

/// Prints what became of each; the exit code is 1 when something stays.
fn print(format: Format, decisions: &[Decision]) -> ExitCode {
    let json = |Decision { id, outcome, reason, message }: &Decision| json!({ "id": id, "outcome": outcome, "reason": json_text(reason), "message": json_text(message) });
    output::list(format, decisions.iter().map(json).collect(), false, || {
        let mut rows = Rows::new(["event", "outcome", "why"].map(|head| Column(head, false)));
        for one in decisions {
            rows.push([one.id.clone(), one.outcome.to_owned(), one.message.clone()]);
        }
        rows.print("No role has set such an event aside.");
    });
    if decisions.iter().any(|one| one.outcome == "failed") { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The ids of those that are meant.
async fn select(clients: &Clients, selection: EventSelection) -> Result<Vec<String>> {
    if !selection.all {
        return Ok(selection.ids);
    }
    Ok(find(clients, &selection.which, 0).await?.0.iter().map(id).collect())
}

/// What is set aside, at the most so many (0: all) of each role and of all; and whether there is more.
async fn find(clients: &Clients, which: &WhichEvents, limit: usize) -> Result<(Vec<QuarantinedEvent>, bool)> {
    let asked = match &which.consumer {
        Some(consumer) => vec![of(clients, consumer)?],
        None => clients.quarantines.iter().map(|(_, quarantine)| quarantine.clone()).collect(),
    };
    let (mut found, mut is_more) = (Vec::new(), false);
    for mut quarantine in asked {
        let (consumer, reason) = (which.consumer.clone().unwrap_or_default(), which.reason.clone().unwrap_or_default());
        let page = async |page_size, page_token| {
            let (consumer, reason) = (consumer.clone(), reason.clone());
            let request = ListQuarantinedEventsRequest { page_size, page_token, consumer, reason };
            let answer = quarantine.list_quarantined_events(request).await?.into_inner();
            Ok((answer.quarantined_events, answer.next_page_token))
        };
        let (page, more) = all(limit, page).await?;
        found.extend(page);
        is_more |= more;
    }
    if limit != 0 && found.len() > limit {
        found.truncate(limit);
        is_more = true;
    }
    Ok((found, is_more))
}

/// How a person names it.
fn id(one: &QuarantinedEvent) -> String {
    format!("{}/{}", one.consumer, one.event_id)
}

/// Where an event is that somebody names.
fn parse(clients: &Clients, id: &str) -> Result<(Quarantine, String, String)> {
    let (consumer, event_id) =
        id.split_once('/').with_context(|| format!("`{id}` is no event: write CONSUMER/EVENT, as the list does"))?;
    Ok((of(clients, consumer)?, consumer.to_owned(), event_id.to_owned()))
}

/// The quarantine of the role whose consumer it is: their names begin with the role's.
fn of(clients: &Clients, consumer: &str) -> Result<Quarantine> {
    let is_of = |role: &str| consumer.strip_prefix(role).is_some_and(|rest| rest.starts_with('-'));
    let found = clients.quarantines.iter().find(|(role, _)| is_of(role));
    let (_, quarantine) = found.with_context(|| {
        let roles: Vec<_> = clients.quarantines.iter().map(|(role, _)| *role).collect();
        format!("`{consumer}` is a consumer of no role: its name begins with {}", roles.join(", "))
    })?;
    Ok(quarantine.clone())
}

fn to_json(one: &QuarantinedEvent) -> Json {
    json!({
        "id": id(one),
        "consumer": one.consumer,
        "event_id": one.event_id,
        "subject": one.subject,
        "reason": one.reason,
        "message": one.message,
        "create_time": json_time(one.create_time.as_ref()),
    })
}
