//! A run from its beginning to its summary.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    book::Book,
    buyers::Buyers,
    doors::{Addresses, Doors},
    inject::{self, Happened},
    load, quiet,
    recovery::{Probes, percentile},
    redeliveries, schedule,
    settings::Settings,
    summary::{Found, Summary, seconds},
    supervisor::Supervisor,
    tables::Tables,
    ways::Way,
    world::{World, lock},
};

/// How long the suite may take to come to rest. A claim of the identifier is good for a minute when its holder dies.
const PATIENCE: Duration = Duration::from_secs(150);
/// How long probes go on after the load, so that the last faults are recovered from.
const LAST_PROBES: Duration = Duration::from_secs(30);

/// Runs the suite under load and faults, waits for quiet, checks, and returns the summary.
///
/// # Errors
/// When the processes do not start, or the oracle cannot judge.
pub(crate) async fn run(settings: &Settings, seed: u64) -> Result<Summary> {
    let world = Arc::new(World::start(settings).await.context("starting the suite")?);
    let supervisor = Supervisor::start(&world);
    let tables = Arc::new(Tables::open(&world.databases).await?);
    let book = Arc::new(Book::default());
    let at = Addresses {
        calls: world.ways.begin(Way::Calls)?,
        forms: world.ways.begin(Way::Forms)?,
        publishers: world.ways.begin(Way::Publishers)?,
    };
    let doors = Arc::new(Doors::open(at, book.clone()).await?);

    let (stop, redelivered) = (CancellationToken::new(), Arc::<AtomicU64>::default());
    let probes = Arc::<Probes>::default();
    tokio::spawn(probes.clone().watch(tables.clone(), stop.clone()));
    let counting = tokio::spawn(redeliveries::count(world.clone(), redelivered.clone(), stop.clone()));
    let probing = stop.child_token();
    tokio::spawn(probes.clone().send(doors.clone(), book.clone(), probing.clone()));

    let happened = Arc::<Mutex<Happened>>::default();
    let drawn = if settings.calm { Vec::new() } else { schedule::draw(seed, settings.length()) };
    let faults = tokio::spawn(inject::run(world.clone(), drawn, Instant::now(), happened.clone()));
    load::run(doors, book.clone(), Buyers::new(seed), settings.rate, settings.length()).await;
    faults.await?;
    println!("           the load is over; waiting for quiet");
    let last = Instant::now() + LAST_PROBES;
    while probes.recoveries(&lock(&happened).ends).iter().any(|it| it.took.is_none()) && Instant::now() < last {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    probing.cancel();
    let client_env = world.fleet().client_env.clone();
    let suite =
        quiet::Suite { tables: &tables, nats_url: &world.nats_url, binary: &settings.binary, client_env: &client_env };
    let rest = quiet::wait(&suite, PATIENCE).await?;
    stop.cancel();
    counting.await??;

    let happened = lock(&happened).clone();
    let recoveries = probes.recoveries(&happened.ends);
    println!("\nfelt after its end:");
    recoveries.iter().for_each(|recovery| println!("{recovery}"));
    let found = check(&world.folder, &world.databases, &book, seed).await?;
    let totals = book.totals();
    let summary = Summary {
        seed,
        duration_s: settings.duration,
        plant: settings.plant.clone(),
        sent: totals.sent,
        acked: totals.acked,
        rejected: totals.rejected,
        indeterminate: totals.indeterminate,
        found: Found { unexplained: found.unexplained + rest.unexplained.len() as u64, ..found },
        redeliveries: redelivered.load(Ordering::Relaxed),
        kills: happened.kills,
        pauses: happened.pauses,
        cuts: happened.cuts,
        restarts: supervisor.restarts(),
        recovery_p50_s: percentile(&recoveries, 0.5).map(seconds),
        recovery_p99_s: percentile(&recoveries, 0.99).map(seconds),
        quiet_after_s: seconds(rest.took),
        still_moving: rest.moving,
    };
    if !summary.faults().is_empty() {
        keep_tables(&world)?;
    }
    Ok(summary)
}

/// The servers end with the run: who looks for the cause wants to see what they held.
fn keep_tables(world: &World) -> Result<()> {
    for (role, url) in &world.databases {
        let file = world.folder.join(format!("{role}.sql"));
        Command::new("pg_dump").arg("--inserts").arg("--file").arg(file).arg(url).status()?;
    }
    Ok(())
}

/// Writes down what the oracle has to know, and asks it.
pub(crate) async fn check(
    folder: &Path,
    databases: &BTreeMap<&'static str, String>,
    book: &Book,
    seed: u64,
) -> Result<Found> {
    // Of SQLite the oracle opens the file.
    let at = |url: &String| url.strip_prefix("sqlite:").unwrap_or(url).to_owned();
    let databases: BTreeMap<_, _> = databases.iter().map(|(role, url)| (role, at(url))).collect();
    let told = json!({ "seed": seed, "databases": databases });
    std::fs::write(folder.join("run.json"), serde_json::to_vec_pretty(&told)?)?;
    book.write(&folder.join("sent.jsonl"))?;
    let found: Found = serde_json::from_value(quiet::judge(folder).await?)?;
    // What a sender saw and should not have seen.
    Ok(Found { unexplained: found.unexplained + book.surprises().len() as u64, ..found })
}
