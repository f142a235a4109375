//! `leadflow quarantine`: what could not be recorded.

mod events;

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use leadflow_proto::activity::v1 as activity;
use serde_json::{Value as Json, json};

use super::{enum_value, mutations::request_id};
use crate::{
    activity_json,
    cli::{Correct, Discard, Format, Quarantine, QuarantineList, Replay, Selection, Which},
    client::{Clients, all},
    output::{self, Column, Rows, json_text, json_time, short_time, word},
};

pub(crate) async fn run(clients: &Clients, format: Format, command: Quarantine) -> Result<ExitCode> {
    match command {
        Quarantine::List(args) => list(clients, format, args).await?,
        Quarantine::Show { id } => show(format, &get(clients, id).await?),
        Quarantine::Correct(args) => correct(clients, format, args).await?,
        Quarantine::Replay(args) => return replay(clients, format, args).await,
        Quarantine::Discard(args) => return discard(clients, format, args).await,
        Quarantine::Events(command) => return events::run(clients, format, command).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(clients: &Clients, format: Format, args: QuarantineList) -> Result<()> {
    let mut filter = filter(args.which)?;
    let wanted = args.state.as_deref().or((!args.all).then_some("open"));
    filter.state = enum_value("state", "QUARANTINE_STATE_", wanted, activity::QuarantineState::from_str_name)?;
    let mut client = clients.activity.clone();
    let page = async |page_size, page_token| {
        let filter = Some(filter.clone());
        let request = activity::ListQuarantinedActivitiesRequest { page_size, page_token, filter };
        let answer = client.list_quarantined_activities(request).await?.into_inner();
        Ok((answer.quarantined_activities, answer.next_page_token))
    };
    let (found, more) = all(args.limit.limit, page).await?;
    output::list(format, found.iter().map(to_json).collect(), more, || {
        let heads = ["came", "door", "source", "reason", "message", "times", "state", "quarantine"];
        let mut rows = Rows::new(heads.map(|head| Column(head, head == "times")));
        for one in &found {
            rows.push([
                short_time(one.record_time.as_ref()),
                door(one),
                one.source.clone(),
                one.reason.clone(),
                one.message.clone(),
                one.receive_count.to_string(),
                state(one),
                one.quarantine_id.clone(),
            ]);
        }
        rows.print("There is nothing of the kind in the quarantine.");
    });
    Ok(())
}

fn filter(which: Which) -> Result<activity::QuarantineFilter> {
    Ok(activity::QuarantineFilter {
        door: enum_value("door", "DOOR_", which.door.as_deref(), activity::Door::from_str_name)?,
        source: which.source.unwrap_or_default(),
        reason: which.reason.unwrap_or_default(),
        ..Default::default()
    })
}

fn state(one: &activity::QuarantinedActivity) -> String {
    word(one.state().as_str_name(), "QUARANTINE_STATE_")
}

/// The door; what was set aside in the ledger came through any.
fn door(one: &activity::QuarantinedActivity) -> String {
    match one.door() {
        activity::Door::Unspecified => "ledger".to_owned(),
        door => word(door.as_str_name(), "DOOR_"),
    }
}

fn to_json(one: &activity::QuarantinedActivity) -> Json {
    let fields = one.fields.iter().map(|it| json!({ "field": it.field, "description": it.description }));
    json!({
        "quarantine_id": one.quarantine_id,
        "door": door(one),
        "source": one.source,
        "record_time": json_time(one.record_time.as_ref()),
        "last_receive_time": json_time(one.last_receive_time.as_ref()),
        "receive_count": one.receive_count,
        "reason": one.reason,
        "message": one.message,
        "fields": fields.collect::<Vec<_>>(),
        "state": state(one),
        "activity_id": json_text(&one.activity_id),
        "principal": one.principal,
        "resolve_principal": json_text(&one.resolve_principal),
        "resolve_time": json_time(one.resolve_time.as_ref()),
        "resolve_note": json_text(&one.resolve_note),
        "etag": one.etag,
    })
}

async fn get(clients: &Clients, quarantine_id: String) -> Result<activity::QuarantinedActivity> {
    let request = activity::GetQuarantinedActivityRequest { quarantine_id };
    let answer = clients.activity.clone().get_quarantined_activity(request).await?.into_inner();
    answer.quarantined_activity.context("the service answered without what is kept")
}

fn show(format: Format, one: &activity::QuarantinedActivity) {
    let content = match &one.activity {
        // What cannot be written as JSON is the reason why it is here.
        Some(activity) => activity_json::write(activity).unwrap_or_else(|_| format!("{activity:?}").into()),
        None => Json::Null,
    };
    if format == Format::Json {
        let mut json = to_json(one);
        json["activity"] = content;
        json["raw_base64"] = json_text(&STANDARD.encode(&one.raw));
        json["raw_size"] = one.raw_size.into();
        return output::print_json(&json);
    }
    println!("{}  {}", one.quarantine_id, state(one));
    println!("  {}: {}", one.reason, one.message);
    for problem in &one.fields {
        println!("    {} {}", problem.field, problem.description);
    }
    let came = short_time(one.record_time.as_ref());
    println!("  came through {} from `{}`, sent by {}, {came}", door(one), one.source, one.principal);
    if one.receive_count > 1 {
        println!("  {} times, last {}", one.receive_count, short_time(one.last_receive_time.as_ref()));
    }
    if !one.resolve_principal.is_empty() {
        let time = short_time(one.resolve_time.as_ref());
        println!("  {} by {}, {time} {}", state(one), one.resolve_principal, one.resolve_note);
    }
    if !one.activity_id.is_empty() {
        println!("  activity {}", one.activity_id);
    }
    if one.activity.is_some() {
        output::print_json(&content);
    } else {
        println!("  {} bytes that are no activity:\n{}", one.raw_size, String::from_utf8_lossy(&one.raw));
    }
}

async fn correct(clients: &Clients, format: Format, args: Correct) -> Result<()> {
    let one = get(clients, args.id).await?;
    let before = match &args.file {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            let json = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))?;
            activity_json::read(json).with_context(|| path.display().to_string())?
        }
        None => one.activity.clone().unwrap_or_default(),
    };
    let mut edited = activity_json::write(&before)?;
    for assignment in &args.set {
        activity_json::set(&mut edited, assignment)?;
    }
    let request = activity::CorrectQuarantinedActivityRequest {
        quarantine_id: one.quarantine_id,
        activity: Some(activity_json::read(edited)?),
        etag: one.etag,
        request_id: request_id(),
    };
    let answer = clients.activity.clone().correct_quarantined_activity(request).await?.into_inner();
    show(format, &answer.quarantined_activity.context("the service answered without what is kept")?);
    Ok(())
}

async fn replay(clients: &Clients, format: Format, args: Replay) -> Result<ExitCode> {
    let mut client = clients.activity.clone();
    let validate_only = args.selection.dry_run;
    let decide = async |selection| {
        let (note, request_id) = (args.note.clone(), request_id());
        let request = activity::ReplayQuarantinedActivitiesRequest { selection, note, validate_only, request_id };
        let answer = client.replay_quarantined_activities(request).await?.into_inner();
        Ok((answer.decisions, answer.next_page_token))
    };
    print_decisions(format, validate_only, pages(&args.selection, decide).await?)
}

async fn discard(clients: &Clients, format: Format, args: Discard) -> Result<ExitCode> {
    let mut client = clients.activity.clone();
    let validate_only = args.selection.dry_run;
    let decide = async |selection| {
        let (note, request_id) = (args.note.clone(), request_id());
        let request = activity::DiscardQuarantinedActivitiesRequest { selection, note, validate_only, request_id };
        let answer = client.discard_quarantined_activities(request).await?.into_inner();
        Ok((answer.decisions, answer.next_page_token))
    };
    print_decisions(format, validate_only, pages(&args.selection, decide).await?)
}

type Decisions = Vec<activity::QuarantineDecision>;

/// Decides page by page on all that is selected.
async fn pages(
    args: &Selection,
    mut decide: impl AsyncFnMut(Option<activity::QuarantineSelection>) -> Result<(Decisions, String), tonic::Status>,
) -> Result<Decisions> {
    let filter = filter(args.which.clone())?;
    let of_page = async |page_size, page_token| {
        let quarantine_ids = args.ids.clone();
        let filter = args.all.then(|| filter.clone());
        decide(Some(activity::QuarantineSelection { quarantine_ids, filter, page_size, page_token })).await
    };
    Ok(all(0, of_page).await?.0)
}

/// Prints what became of each; the exit code is 1 when something stays.
fn print_decisions(format: Format, validate_only: bool, decisions: Decisions) -> Result<ExitCode> {
    let outcome = |one: &activity::QuarantineDecision| word(one.outcome().as_str_name(), "OUTCOME_");
    let mut counts = BTreeMap::<_, usize>::new();
    decisions.iter().for_each(|one| *counts.entry(outcome(one)).or_default() += 1);
    let json = |one: &activity::QuarantineDecision| {
        json!({
            "quarantine_id": one.quarantine_id,
            "outcome": outcome(one),
            "activity_id": json_text(&one.activity_id),
            "reason": json_text(&one.reason),
            "message": json_text(&one.message),
        })
    };
    output::list(format, decisions.iter().map(json).collect(), false, || {
        let mut rows = Rows::new(["quarantine", "outcome", "activity", "why"].map(|head| Column(head, false)));
        for one in &decisions {
            rows.push([one.quarantine_id.clone(), outcome(one), one.activity_id.clone(), one.message.clone()]);
        }
        rows.print("There is nothing of the kind in the quarantine.");
        let counted: Vec<_> = counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let would = if validate_only { "\nIt would be: " } else { "\n" };
        println!("{would}{}", counted.join(", "));
    });
    Ok(if counts.contains_key("refused") { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
