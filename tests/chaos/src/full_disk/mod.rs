//! The embedded default on a disk that runs full: errors are clear, nothing acknowledged is lost, and it goes on by itself
//! when there is room again.

mod disk;
mod embedded;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use leadflow_harness::fleet;
use leadflow_platform::clock::Clock;
use tonic::{Code, Status};

use self::{disk::Disk, embedded::Embedded};
use crate::{
    activity::Door,
    book::Book,
    buyers::{Buyers, Planned},
    doors::{Addresses, Doors},
    load, quiet,
    run::check,
    settings::Settings,
    summary::{Found, Summary, seconds},
    tables::Tables,
};

/// How long each part lasts: with room, without, and with room again.
const PART: Duration = Duration::from_secs(12);
/// Distinct activities a second: SQLite writes each commit to the disk.
const RATE: f64 = 10.0;
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the scenario; without a summary where no disk may be mounted.
///
/// # Errors
/// When it cannot be run or judged.
pub(crate) async fn run(settings: &Settings, seed: u64) -> Result<Option<Summary>> {
    // The oracle looks from another place.
    let folder = std::path::absolute(settings.run_folder())?;
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let disk = match Disk::mount(&folder) {
        Ok(disk) => disk,
        Err(reason) => {
            println!("skipped: {reason:#}");
            return Ok(None);
        }
    };
    let (binary, data, log) = (settings.binary.clone(), disk.data(), folder.join("up.log"));
    let embedded = tokio::task::spawn_blocking(move || Embedded::start(&binary, data, log)).await??;
    let supervisor = supervise(embedded.clone());
    crate::world::copy_configuration("company", &folder)?;
    apply(&embedded, settings, &folder.join("company"))?;

    let book = Arc::new(Book::default());
    let doors = Arc::new(Doors::open(addresses(&embedded)?, book.clone()).await?);
    let buyers = Buyers::through(&[Door::Grpc, Door::Http], seed);
    let sending = tokio::spawn(load::run(doors.clone(), book.clone(), buyers, RATE, 3 * PART));
    tokio::time::sleep(PART).await;
    println!("the disk runs full");
    disk.fill()?;
    tokio::time::sleep(PART / 2).await;
    let refusal = refusal(&doors, &book, seed).await?;
    println!("a sender is told: {refusal}");
    tokio::time::sleep(PART / 2).await;
    println!("there is room again");
    disk.free()?;
    sending.await?;

    let databases = embedded.databases();
    let tables = Tables::open(&databases).await?;
    let nats_url = embedded.nats_url()?;
    let suite = quiet::Suite {
        tables: &tables,
        nats_url: &nats_url,
        binary: &settings.binary,
        client_env: &embedded.client_env,
    };
    let rest = quiet::wait(&suite, PATIENCE).await?;
    let found = check(&folder, &databases, &book, seed).await?;
    let totals = book.totals();
    Ok(Some(Summary {
        seed,
        duration_s: 3 * PART.as_secs(),
        sent: totals.sent,
        acked: totals.acked,
        rejected: totals.rejected,
        indeterminate: totals.indeterminate,
        found: Found { unexplained: found.unexplained + rest.unexplained.len() as u64, ..found },
        restarts: supervisor.restarts.load(Ordering::Relaxed),
        quiet_after_s: seconds(rest.took),
        still_moving: rest.moving,
        ..Summary::default()
    }))
}

/// Starts it again when it ends by itself, until dropped.
struct Supervisor {
    stop: Arc<AtomicBool>,
    restarts: Arc<AtomicU64>,
}

fn supervise(embedded: Embedded) -> Supervisor {
    let supervisor = Supervisor { stop: Arc::default(), restarts: Arc::default() };
    let (stop, restarts) = (supervisor.stop.clone(), supervisor.restarts.clone());
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(500));
            match embedded.revive() {
                Ok(true) => drop(restarts.fetch_add(1, Ordering::Relaxed)),
                Ok(false) => {}
                Err(error) => eprintln!("cannot start it again: {error:#}"),
            }
        }
    });
    supervisor
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn apply(embedded: &Embedded, settings: &Settings, folder: &Path) -> Result<()> {
    let mut command = std::process::Command::new(&settings.binary);
    command.args(["apply", "--as", "operator", "-f"]).arg(folder).envs(&embedded.client_env);
    fleet::run(command).map(drop)
}

fn addresses(embedded: &Embedded) -> Result<Addresses> {
    let of =
        |url: &str| url.rsplit('/').next().unwrap_or_default().parse().with_context(|| format!("no address: {url}"));
    Ok(Addresses {
        calls: of(&embedded.client_env["LEADFLOW_ACTIVITY_INGEST_URL"])?,
        forms: of(&embedded.client_env["LEADFLOW_ACTIVITY_INGEST_HTTP_URL"])?,
        publishers: of(&embedded.nats_url()?)?,
    })
}

/// What somebody is told who sends an activity while the disk is full: to try again later, and not that it was wrong.
async fn refusal(doors: &Doors, book: &Book, seed: u64) -> Result<Status> {
    let (clock, mut buyers) = (Clock::system(), Buyers::through(&[Door::Grpc], !seed));
    // A page that was given back may still take one: not every activity has to fail, but one soon.
    for number in 0..500 {
        let planned = buyers.next(clock.now().as_millisecond());
        let planned = Planned { source_event_id: format!("full-{number}"), copies: vec![Duration::ZERO], ..planned };
        let index = book.open(&planned);
        match doors.try_call(planned.activity.message(planned.door.source(), &planned.source_event_id)).await {
            Ok(answer) => book.answered(index, answer),
            Err(status) => {
                let says_later = matches!(status.code(), Code::Unavailable | Code::ResourceExhausted);
                ensure!(says_later, "a sender is told {status}");
                return Ok(status);
            }
        }
    }
    bail!("a full disk takes everything")
}
