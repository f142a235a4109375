//! `leadflow reconcile`: nothing vanishes, and this is how one knows.

mod leads;
mod pager;

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use leadflow_platform::{clock::Clock, vars::parse_duration};
use leadflow_proto::{activity::v1 as activity, scoring::v1 as scoring};
use serde_json::json;

use self::pager::{Pager, Side, join};
use crate::{
    cli::{Format, Reconcile},
    client::Clients,
    output::{self, moment, word},
};

/// Ids of one kind that are listed at the most.
const LISTED: usize = 20;

/// What the comparison found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// How many of each there are.
    counts: BTreeMap<String, u64>,
    /// On its way, by what it waits for.
    in_flight: BTreeMap<String, Vec<String>>,
    /// Missing or wrong, by what is the matter.
    unexplained: BTreeMap<String, Vec<String>>,
}

impl Report {
    fn count(&mut self, what: impl Into<String>) {
        *self.counts.entry(what.into()).or_default() += 1;
    }

    fn in_flight(&mut self, what: &str, id: impl Into<String>) {
        self.in_flight.entry(what.to_owned()).or_default().push(id.into());
    }

    fn unexplained(&mut self, what: &str, id: impl Into<String>) {
        self.unexplained.entry(what.to_owned()).or_default().push(id.into());
    }

    /// What was due before `deadline` is unexplained, what is younger is still on its way.
    fn missing(&mut self, what: &str, id: &str, since: Option<Timestamp>, deadline: Timestamp) {
        if since.is_some_and(|since| since > deadline) {
            self.in_flight(what, id);
        } else {
            self.unexplained(what, id);
        }
    }

    /// How many are still on their way.
    pub(crate) fn waiting(&self) -> usize {
        self.in_flight.values().map(Vec::len).sum()
    }

    fn is_clean(&self) -> bool {
        self.unexplained.is_empty()
    }
}

pub(crate) async fn run(clients: &Clients, format: Format, args: &Reconcile) -> Result<ExitCode> {
    let settle = parse_duration(&args.settle)
        .with_context(|| format!("--settle: `{}` is no time span such as `60s` or `5m`", args.settle))?;
    let report = check(clients, settle).await?;
    if format == Format::Json {
        output::print_json(&json!({
            "clean": report.is_clean(),
            "counts": report.counts,
            "in_flight": report.in_flight,
            "unexplained": report.unexplained,
        }));
    } else {
        print(&report);
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compares what the services hold. What is missing for less than `settle` is on its way.
pub(crate) async fn check(clients: &Clients, settle: Duration) -> Result<Report> {
    let mut report = Report::default();
    let now = Clock::system().now();
    let deadline = now.checked_sub(jiff::SignedDuration::try_from(settle)?).unwrap_or(Timestamp::MIN);
    activities(clients, deadline, &mut report).await?;
    quarantined(clients, &mut report).await?;
    leads::compare(clients, deadline, now, &mut report).await?;
    Ok(report)
}

/// The ledger against the evidence, both in the order of their ids.
async fn activities(clients: &Clients, deadline: Timestamp, report: &mut Report) -> Result<()> {
    let client = clients.activity.clone();
    let ledger = Pager::of(move |page_token| {
        let mut client = client.clone();
        Box::pin(async move {
            let request = activity::ListActivitiesRequest { page_size: 1000, page_token, ..Default::default() };
            let answer = client.list_activities(request).await?.into_inner();
            Ok((answer.activities, answer.next_page_token))
        })
    });
    let client = clients.scoring.clone();
    let evidence = Pager::of(move |page_token| {
        let mut client = client.clone();
        Box::pin(async move {
            let request = scoring::ListEvidenceRequest { page_size: 1000, page_token, ..Default::default() };
            let answer = client.list_evidence(request).await?.into_inner();
            Ok((answer.evidence, answer.next_page_token))
        })
    });
    join(
        ledger,
        |it| it.activity_id.clone(),
        evidence,
        |it| it.activity_id.clone(),
        |side| match side {
            Side::Both(accepted, known) => {
                report.count("activities in the ledger");
                report.count(format!("evidence: {}", word(known.disposition().as_str_name(), "DISPOSITION_")));
                if accepted.state() == activity::ActivityState::Pending {
                    report.in_flight("announced, and not marked in the ledger yet", &accepted.activity_id);
                }
            }
            Side::Left(accepted) => {
                report.count("activities in the ledger");
                let since = moment(accepted.record_time.as_ref());
                match accepted.state() {
                    activity::ActivityState::Quarantined => report.count("quarantined in the ledger"),
                    // Who did it is asked again and again until contact answers.
                    activity::ActivityState::Pending => {
                        report.in_flight("waiting for identification", &accepted.activity_id)
                    }
                    _ => report.missing("identified, but not in scoring", &accepted.activity_id, since, deadline),
                }
            }
            Side::Right(known) => {
                // The ledger was read first: what came meanwhile is only on this side.
                let since = moment(known.record_time.as_ref());
                report.missing("in scoring, but not in the ledger", &known.activity_id, since, deadline);
            }
        },
    )
    .await
}

/// What could not be recorded is explained: it is kept, and somebody decides.
async fn quarantined(clients: &Clients, report: &mut Report) -> Result<()> {
    let client = clients.activity.clone();
    let mut kept = Pager::of(move |page_token| {
        let mut client = client.clone();
        Box::pin(async move {
            let request =
                activity::ListQuarantinedActivitiesRequest { page_size: 1000, page_token, ..Default::default() };
            let answer = client.list_quarantined_activities(request).await?.into_inner();
            Ok((answer.quarantined_activities, answer.next_page_token))
        })
    });
    while let Some(one) = kept.next().await? {
        report.count(format!("in the quarantine: {}", word(one.state().as_str_name(), "QUARANTINE_STATE_")));
    }
    Ok(())
}

fn print(report: &Report) {
    for (what, count) in &report.counts {
        println!("{count:>9}  {what}");
    }
    for (head, found) in [("In flight", &report.in_flight), ("UNEXPLAINED", &report.unexplained)] {
        for (what, ids) in found {
            println!("\n{head}: {what} ({})", ids.len());
            for id in ids.iter().take(LISTED) {
                println!("  {id}");
            }
            if ids.len() > LISTED {
                println!("  … and {} more; --output json lists all", ids.len() - LISTED);
            }
        }
    }
    println!();
    if report.is_clean() {
        println!("Everything is explained.");
    } else {
        println!("Something is missing: see above, and the logs of the service that should have it.");
    }
}
