//! `leadflow sample`: a company's configuration and a month of its activities through all doors, sent once, however often
//! it is called.

mod doors;
mod intake;
mod line;
mod provider;
mod scans;

use std::{io::IsTerminal as _, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use leadflow_platform::{clock::Clock, vars::Vars};
use leadflow_proto::scoring::v1 as scoring;
use serde::{Deserialize, Serialize};

use self::{doors::Doors, line::Line};
use super::{apply, explain, leads, reconcile};
use crate::{
    client::Clients,
    manifest::Manifest,
    output::{Column, Rows, points, word},
};

/// Lines that are sent before the progress is written down.
const BATCH: usize = 100;

/// How far the sending has come; kept in the data folder.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Progress {
    /// The moment that the sample month ends at.
    anchor: Timestamp,
    lines: usize,
}

/// What the sample needs besides the clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample<'a> {
    /// Where the company lies.
    pub(crate) folder: &'a Path,
    /// Where progress is kept.
    pub(crate) data_dir: &'a Path,
    /// For the doors that are no gRPC: `LEADFLOW_NATS_URL`.
    pub(crate) vars: &'a Vars,
}

pub(crate) async fn run(clients: &Clients, sample: Sample<'_>) -> Result<()> {
    let folder = sample.folder;
    let changes = apply::send(clients, Manifest::read(&[folder.to_owned()])?, false).await?;
    println!("Configuration of {}: {} resources applied", folder.display(), changes.len());
    let file = folder.join("activities.jsonl");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let read = |(number, line): (usize, &str)| {
        serde_json::from_str::<Line>(line).with_context(|| format!("{}, line {}", file.display(), number + 1))
    };
    let mut lines = text.lines().enumerate().map(read).collect::<Result<Vec<_>>>()?;
    // The badges are read after the show, all at once, and count at the time of their scan all the same.
    lines.sort_by_key(|line| matches!(line, Line::Csv(_)));
    let state = sample.data_dir.join("sample.json");
    let mut progress = match std::fs::read_to_string(&state) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} cannot be read", state.display()))?,
        // Whole seconds: an email provider knows no others.
        Err(_) => Progress { anchor: Timestamp::from_second(Clock::system().now().as_second())?, lines: 0 },
    };
    if progress.lines >= lines.len() {
        println!("The sample month was sent before: {} activities, none is sent again", lines.len());
    } else {
        send(clients, sample, &lines, &mut progress, &state).await?;
        settle(clients).await?;
    }
    print_result(clients).await
}

async fn send(
    clients: &Clients,
    sample: Sample<'_>,
    lines: &[Line],
    progress: &mut Progress,
    state: &Path,
) -> Result<()> {
    // What is written before the first activity is sent: an interrupted start goes on with the same moments.
    std::fs::write(state, serde_json::to_string(progress)?)?;
    let bar = progress_bar(lines.len(), "activities sent");
    bar.set_position(progress.lines as u64);
    let scans = lines.iter().filter(|line| matches!(line, Line::Csv(_))).count();
    let doors = Doors::open(clients, sample, progress.anchor)?;
    while progress.lines < lines.len() {
        // The scans are one file, and go together.
        let end = if progress.lines < lines.len() - scans {
            (progress.lines + BATCH).min(lines.len() - scans)
        } else {
            lines.len()
        };
        doors.send(&lines[progress.lines..end]).await?;
        progress.lines = end;
        std::fs::write(state, serde_json::to_string(progress)?)?;
        bar.set_position(progress.lines as u64);
        if !std::io::stderr().is_terminal() {
            println!("{} of {} activities sent", progress.lines, lines.len());
        }
    }
    bar.finish();
    Ok(())
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
