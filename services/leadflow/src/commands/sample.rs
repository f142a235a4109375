//! `leadflow sample`: a company's configuration and a month of its activities, sent once, however often it is called.

use std::{
    collections::HashMap,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use leadflow_platform::clock::{Clock, to_proto};
use leadflow_proto::{
    activity::v1::{self as activity, record_result::Outcome},
    contact::v1::Identity,
    scoring::v1 as scoring,
};
use serde::{Deserialize, Serialize};

use super::{apply, explain, leads, reconcile};
use crate::{
    client::Clients,
    manifest::Manifest,
    output::{Column, Rows, points, word},
};

/// Lines that are sent before the progress is written down.
const BATCH: usize = 100;
/// Form posts at the same time.
const FORMS_AT_ONCE: usize = 8;

/// How far the sending has come; kept in the data folder.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Progress {
    /// The moment that the sample month ends at.
    anchor: Timestamp,
    lines: usize,
}

/// One line of `activities.jsonl`.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "door", rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Grpc(Box<GrpcLine>),
    Form(FormLine),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrpcLine {
    minutes_ago: i64,
    source: String,
    source_event_id: String,
    #[serde(default)]
    activity_type: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    product_category: String,
    identity: HashMap<String, String>,
    #[serde(default)]
    object_id: String,
    #[serde(default)]
    attributes: HashMap<String, serde_json::Value>,
    #[serde(default)]
    answers: HashMap<String, serde_json::Value>,
    #[serde(default)]
    notes: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormLine {
    minutes_ago: i64,
    source: String,
    source_event_id: String,
    fields: HashMap<String, String>,
}

pub(crate) async fn run(clients: &Clients, folder: &Path, data_dir: &Path) -> Result<()> {
    let changes = apply::send(clients, Manifest::read(&[folder.to_owned()])?, false).await?;
    println!("Configuration of {}: {} resources applied", folder.display(), changes.len());
    let file = folder.join("activities.jsonl");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let read = |(number, line): (usize, &str)| {
        serde_json::from_str::<Line>(line).with_context(|| format!("{}, line {}", file.display(), number + 1))
    };
    let lines = text.lines().enumerate().map(read).collect::<Result<Vec<_>>>()?;
    let state = data_dir.join("sample.json");
    let mut progress = match std::fs::read_to_string(&state) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} cannot be read", state.display()))?,
        Err(_) => Progress { anchor: Clock::system().now(), lines: 0 },
    };
    if progress.lines >= lines.len() {
        println!("The sample month was sent before: {} activities, none is sent again", lines.len());
    } else {
        send(clients, &lines, &mut progress, &state).await?;
        settle(clients).await?;
    }
    print_result(clients).await
}

async fn send(clients: &Clients, lines: &[Line], progress: &mut Progress, state: &PathBuf) -> Result<()> {
    // What is written before the first activity is sent: an interrupted start goes on with the same moments.
    std::fs::write(state, serde_json::to_string(progress)?)?;
    let bar = progress_bar(lines.len(), "activities sent");
    bar.set_position(progress.lines as u64);
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    while progress.lines < lines.len() {
        let batch = &lines[progress.lines..lines.len().min(progress.lines + BATCH)];
        let over_grpc = batch.iter().filter_map(|line| if let Line::Grpc(line) = line { Some(&**line) } else { None });
        record(clients, over_grpc.map(|line| to_activity(line, progress.anchor)).collect::<Result<_>>()?).await?;
        let forms = batch.iter().filter_map(|line| if let Line::Form(line) = line { Some(line) } else { None });
        futures::stream::iter(forms)
            .map(|form| post(&http, &clients.http, form, progress.anchor))
            .buffer_unordered(FORMS_AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        progress.lines += batch.len();
        std::fs::write(state, serde_json::to_string(progress)?)?;
        bar.set_position(progress.lines as u64);
        if !std::io::stderr().is_terminal() {
            println!("{} of {} activities sent", progress.lines, lines.len());
        }
    }
    bar.finish();
    Ok(())
}

async fn record(clients: &Clients, activities: Vec<activity::Activity>) -> Result<()> {
    if activities.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = activities.iter().map(|one| format!("{}/{}", one.source, one.source_event_id)).collect();
    let request = activity::RecordActivitiesRequest { activities, ..Default::default() };
    let results = clients.activity.clone().record_activities(request).await?.into_inner().results;
    for (result, name) in results.iter().zip(names) {
        if result.outcome() == Outcome::Rejected {
            let message = result.error.as_ref().map(|error| error.message.clone()).unwrap_or_default();
            bail!("the activity {name} was rejected: {message}");
        }
    }
    Ok(())
}

async fn post(http: &reqwest::Client, base: &str, form: &FormLine, anchor: Timestamp) -> Result<()> {
    let mut fields = form.fields.clone();
    fields.insert("event_id".to_owned(), form.source_event_id.clone());
    fields.insert("occur_time".to_owned(), ago(anchor, form.minutes_ago)?.to_string());
    let answer = http
        .post(format!("{base}/v1/forms/{}", form.source))
        .header("accept", "application/json")
        .form(&fields)
        .send()
        .await
        .with_context(|| format!("the form door at {base} does not answer"))?;
    if !answer.status().is_success() {
        bail!("the form {}/{} was refused: {}", form.source, form.source_event_id, answer.text().await?);
    }
    Ok(())
}

fn ago(anchor: Timestamp, minutes: i64) -> Result<Timestamp> {
    Ok(anchor.checked_sub(jiff::SignedDuration::from_mins(minutes))?)
}

fn to_activity(line: &GrpcLine, anchor: Timestamp) -> Result<activity::Activity> {
    let says = |name: &str| line.identity.get(name).cloned().unwrap_or_default();
    let channel = match line.channel.as_str() {
        "" => activity::Channel::Unspecified,
        name => activity::Channel::from_str_name(&format!("CHANNEL_{}", name.to_uppercase()))
            .with_context(|| format!("there is no channel `{name}`"))?,
    };
    let values = |values: &HashMap<String, serde_json::Value>| {
        values.iter().map(|(name, value)| (name.clone(), leadflow_platform::value::to_proto(value))).collect()
    };
    Ok(activity::Activity {
        source: line.source.clone(),
        source_event_id: line.source_event_id.clone(),
        activity_type: line.activity_type.clone(),
        channel: channel.into(),
        product_category: line.product_category.clone(),
        occur_time: Some(to_proto(ago(anchor, line.minutes_ago)?)),
        identity: Some(Identity {
            email: says("email"),
            phone: says("phone"),
            external_id: says("external_id"),
            anonymous_id: says("anonymous_id"),
            domain: says("domain"),
            company: says("company"),
            country: says("country"),
            region: says("region"),
            postal_code: says("postal_code"),
            given_name: says("given_name"),
            family_name: says("family_name"),
            job_title: says("job_title"),
        }),
        object_id: line.object_id.clone(),
        attributes: values(&line.attributes),
        answers: values(&line.answers),
        notes: line.notes.clone(),
        ..Default::default()
    })
}

/// Waits until everything that was sent is scored and routed.
async fn settle(clients: &Clients) -> Result<()> {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    let begin = std::time::Instant::now();
    loop {
        // Whatever is missing may still be on its way: nothing here is older than the sample.
        let waiting = reconcile::check(clients, Duration::from_secs(24 * 3600)).await?.waiting();
        if waiting == 0 {
            break;
        }
        if begin.elapsed() > Duration::from_secs(300) {
            bail!("{waiting} activities or leads are still on their way after five minutes: see `leadflow reconcile`");
        }
        bar.set_message(format!("scoring and routing: {waiting} on their way"));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    bar.finish_and_clear();
    Ok(())
}

fn progress_bar(length: usize, message: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(length as u64).with_message(message);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}  {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

async fn print_result(clients: &Clients) -> Result<()> {
    let (found, _) = leads::fetch(clients, scoring::ListLeadsRequest::default(), 0).await?;
    let worth = |lead: &&scoring::Lead| matches!(lead.band(), scoring::Band::Hot | scoring::Band::Warm);
    let columns = ["band", "score", "account", "category", "rep", "why"];
    let mut rows = Rows::new(columns.map(|head| Column(head, head == "score")));
    for lead in found.iter().filter(worth) {
        let request = scoring::ExplainScoreRequest { lead_id: lead.lead_id.clone(), ..Default::default() };
        let explanation = clients.scoring.clone().explain_score(request).await?.into_inner().explanation;
        let rep = if lead.assigned_rep.is_empty() { leads::status(lead) } else { lead.assigned_rep.clone() };
        rows.push([
            word(lead.band().as_str_name(), "BAND_"),
            points(lead.score_milli),
            lead.account_name.clone(),
            lead.product_category.clone(),
            rep,
            explanation.as_ref().map(explain::headline).unwrap_or_default(),
        ]);
    }
    println!();
    rows.print("No lead is warm or hot yet.");
    let cold = found.iter().filter(|lead| lead.band() == scoring::Band::Cold).count();
    println!("… and {cold} cold ones: leadflow leads --band cold\n");
    if let Some(lead) = found.iter().find(|lead| !lead.assignment_id.is_empty()) {
        println!("Try next (in another terminal, in this folder):");
        println!("  target/debug/leadflow explain {}", lead.lead_id);
        println!("  target/debug/leadflow explain-assignment {}", lead.lead_id);
        println!("  target/debug/leadflow reject {} --reason too_early", lead.assignment_id);
        println!("  target/debug/leadflow leads --status held");
        println!("  target/debug/leadflow reconcile\n");
    }
    Ok(())
}
