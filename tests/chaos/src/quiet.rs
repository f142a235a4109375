//! Waits until nothing is on its way any more, and helps with nothing.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use async_nats::jetstream;
use futures::TryStreamExt as _;
use leadflow_harness::fleet::{Env, ROLES};
use serde_json::Value as Json;

use crate::{tables::Tables, world::RECONCILE_SECONDS};

/// How long it has to stay quiet: each role has compared what it holds with its producers then.
const STAYS: Duration = Duration::from_secs(2 * RECONCILE_SECONDS + 1);

/// How the suite came to rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rest {
    /// How long it took.
    pub(crate) took: Duration,
    /// What was still moving when the patience was at its end.
    pub(crate) moving: Option<String>,
    /// What `leadflow reconcile` cannot explain.
    pub(crate) unexplained: Vec<String>,
}

/// Where to look.
#[derive(Debug)]
pub(crate) struct Suite<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) nats_url: &'a str,
    /// The program, and where it finds the roles.
    pub(crate) binary: &'a Path,
    pub(crate) client_env: &'a Env,
}

/// Waits until the suite is at rest, `patience` at the most.
///
/// # Errors
/// When NATS cannot be reached at all.
pub(crate) async fn wait(suite: &Suite<'_>, patience: Duration) -> Result<Rest> {
    let nats = async_nats::ConnectOptions::new().retry_on_initial_connect().connect(suite.nats_url).await?;
    let bus = jetstream::new(nats);
    let (begin, mut quiet_since) = (Instant::now(), None);
    loop {
        let found = look(suite, &bus).await;
        let moving = match &found {
            Ok((None, _)) => None,
            Ok((Some(moving), _)) => Some(moving.clone()),
            Err(error) => Some(format!("{error:#}")),
        };
        match moving {
            None => {
                let since = *quiet_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= STAYS {
                    let unexplained = found.map(|(_, unexplained)| unexplained)?;
                    return Ok(Rest { took: begin.elapsed(), moving: None, unexplained });
                }
            }
            Some(moving) => {
                quiet_since = None;
                if begin.elapsed() > patience {
                    let unexplained = found.map(|(_, unexplained)| unexplained).unwrap_or_default();
                    return Ok(Rest { took: begin.elapsed(), moving: Some(moving), unexplained });
                }
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// What is still moving, if anything, and what cannot be explained.
async fn look(suite: &Suite<'_>, bus: &jetstream::Context) -> Result<(Option<String>, Vec<String>)> {
    let mut moving = Vec::new();
    for role in ROLES {
        let waiting =
            suite.tables.column(role, "SELECT CAST(coalesce(sum(messages), 0) AS text) FROM outbox_batches").await?;
        if waiting != ["0"] {
            moving.push(format!("{} events in the outbox of {role}", waiting.concat()));
        }
    }
    let mut streams = bus.streams();
    while let Some(stream) = streams.try_next().await? {
        let stream = bus.get_stream(&stream.config.name).await?;
        let mut consumers = stream.consumers();
        while let Some(info) = consumers.try_next().await? {
            let waiting = info.num_pending + info.num_ack_pending as u64;
            if waiting > 0 {
                moving.push(format!("{waiting} events for {}", info.name));
            }
        }
    }
    if !moving.is_empty() {
        return Ok((Some(moving.join(", ")), Vec::new()));
    }
    let report = reconcile(suite).await?;
    // What is missing without a grace may still come: it counts as moving, until the patience is at its end.
    let (in_flight, unexplained) = (words(&report["in_flight"]), words(&report["unexplained"]));
    moving.extend(in_flight);
    moving.extend(unexplained.iter().cloned());
    Ok(((!moving.is_empty()).then(|| moving.join(", ")), unexplained))
}

async fn reconcile(suite: &Suite<'_>) -> Result<Json> {
    let output = tokio::process::Command::new(suite.binary)
        .args(["reconcile", "--settle", "0s", "--output", "json", "--as", "operator"])
        .envs(suite.client_env)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(60), output).await.context("reconcile hangs")??;
    // It ends with 1 when something is unexplained, and says what.
    serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// `what (how many)`, with the first of them.
fn words(found: &Json) -> Vec<String> {
    let entries = found.as_object().into_iter().flatten();
    let count = |ids: &Json| ids.as_array().map_or(0, Vec::len);
    entries.map(|(what, ids)| format!("{what} ({}, such as {})", count(ids), ids[0])).collect()
}

/// Runs the oracle on what the run has left behind, and returns its counters.
///
/// # Errors
/// When it fails.
pub(crate) async fn judge(run_folder: &Path) -> Result<Json> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/check.py");
    let output =
        tokio::process::Command::new("python3").arg(&script).arg(run_folder).stdin(Stdio::null()).output().await?;
    let findings = run_folder.join("findings.txt");
    std::fs::write(&findings, &output.stderr)?;
    ensure!(output.status.success(), "{} failed: see {}", script.display(), findings.display());
    Ok(serde_json::from_slice(&output.stdout)?)
}
