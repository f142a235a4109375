//! The suite as it runs in production, two processes of each role, with a proxy on every way.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context as _, Result};
use leadflow_harness::{
    Nats, Postgres,
    fleet::{Env, Fleet, ROLES, run},
};

use crate::{
    fault::REPLICAS,
    settings::Settings,
    ways::{Way, Ways},
};

/// How often a role compares what it holds with its producers. Ten minutes by default; here a whole run is not longer.
pub(crate) const RECONCILE_SECONDS: u64 = 5;

/// What the faults and the supervisor both reach for.
type Shared<T> = Arc<Mutex<T>>;

/// All processes, and what is between them.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) ways: Ways,
    /// By role: the way to the database that nothing happens to.
    pub(crate) databases: BTreeMap<&'static str, String>,
    pub(crate) nats_url: String,
    pub(crate) folder: PathBuf,
    fleet: Shared<Fleet>,
    nats: Shared<Nats>,
    postgres: Shared<Postgres>,
}

impl World {
    /// Starts everything, and applies the company's configuration.
    ///
    /// # Errors
    /// When something is not installed or does not start.
    pub(crate) async fn start(settings: &Settings) -> Result<Self> {
        let folder = settings.run_folder();
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("logs"))?;
        let (nats, postgres) = tokio::task::spawn_blocking(|| anyhow::Ok((Nats::start()?, Postgres::start_durable()?)))
            .await
            .context("starting the servers")??;
        let nats_url = nats.url();
        let ways = Ways::start(address(&nats_url)?, address(postgres.base_url())?).await?;
        let mut databases = BTreeMap::new();
        for role in ROLES {
            databases.insert(role, postgres.create_database().await?);
        }
        let fleet = plan(settings, &ways, &databases, postgres.base_url())?;
        ways.lead_to(&fleet);
        let fleet = tokio::task::spawn_blocking(move || {
            let mut fleet = fleet;
            fleet.begin().map(|()| fleet)
        })
        .await??;
        let (fleet, nats, postgres) =
            (Arc::new(Mutex::new(fleet)), Arc::new(Mutex::new(nats)), Arc::new(Mutex::new(postgres)));
        let world = Self { ways, databases, nats_url, folder, fleet, nats, postgres };
        world.apply("company").await?;
        Ok(world)
    }

    /// Applies a configuration of this crate, and keeps a copy of it for the oracle.
    ///
    /// # Errors
    /// When a role does not answer.
    pub(crate) async fn apply(&self, name: &str) -> Result<()> {
        let copy = copy_configuration(name, &self.folder)?;
        self.cli(&["apply", "-f", &copy.display().to_string()]).await.map(drop)
    }

    /// Runs the operator's command line, past all troubles on the ways.
    ///
    /// # Errors
    /// When the command fails.
    pub(crate) async fn cli(&self, words: &[&str]) -> Result<String> {
        let command = self.fleet().command(words);
        tokio::task::spawn_blocking(move || run(command)).await?
    }

    pub(crate) fn fleet(&self) -> MutexGuard<'_, Fleet> {
        lock(&self.fleet)
    }

    pub(crate) fn nats(&self) -> MutexGuard<'_, Nats> {
        lock(&self.nats)
    }

    pub(crate) fn postgres(&self) -> MutexGuard<'_, Postgres> {
        lock(&self.postgres)
    }

    /// The same processes, for who keeps them alive.
    pub(crate) fn processes(&self) -> (Shared<Fleet>, Shared<Nats>, Shared<Postgres>) {
        (self.fleet.clone(), self.nats.clone(), self.postgres.clone())
    }
}

/// Copies a configuration of this crate into the folder of a run, and returns where it is now.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn copy_configuration(name: &str, folder: &Path) -> Result<PathBuf> {
    let copy = folder.join(name);
    std::fs::create_dir_all(&copy)?;
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))? {
        let entry = entry?;
        std::fs::copy(entry.path(), copy.join(entry.file_name()))?;
    }
    Ok(copy)
}

/// A lock is never lost by a panic: what it holds are handles of processes.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn plan(
    settings: &Settings,
    ways: &Ways,
    databases: &BTreeMap<&'static str, String>,
    postgres_url: &str,
) -> Result<Fleet> {
    let mut shared = Env::new();
    for role in ROLES {
        let url = format!("http://{}", ways.begin(Way::Peers(role))?);
        shared.insert(leadflow_platform::config::variable(role, "URL"), url);
    }
    for (key, value) in [
        ("LEADFLOW_RECONCILE_INTERVAL", format!("{RECONCILE_SECONDS}s")),
        ("LEADFLOW_SCORING_SWEEP_INTERVAL", "1s".into()),
        ("LEADFLOW_ROUTING_DRAIN_INTERVAL", "1s".into()),
        ("LEADFLOW_DATABASE_MAX_CONNECTIONS", "8".into()),
        ("RUST_LOG", "warn".into()),
    ] {
        shared.insert(key.into(), value);
    }
    if let Some(plant) = &settings.plant {
        shared.insert("LEADFLOW_PLANT".into(), plant.clone());
    }
    let server = address(postgres_url)?;
    let mut begins = BTreeMap::new();
    for role in ROLES {
        begins.insert(role, (ways.begin(Way::Database(role))?, ways.begin(Way::Bus(role))?));
    }
    let mut fleet = Fleet::plan(settings.binary.clone(), REPLICAS, |role| {
        let mut env = shared.clone();
        let (database, bus) = begins[role];
        let url = databases[role].replace(&server.to_string(), &database.to_string());
        env.insert(leadflow_platform::config::variable(role, "DATABASE_URL"), url);
        env.insert("LEADFLOW_NATS_URL".into(), format!("nats://{bus}"));
        env
    })?;
    fleet.log_to(&settings.run_folder().join("logs"));
    Ok(fleet)
}

/// The address in `scheme://[user@]host:port`.
fn address(url: &str) -> Result<std::net::SocketAddr> {
    let host = url.rsplit(['/', '@']).next().unwrap_or_default();
    host.parse().with_context(|| format!("no address in {url}"))
}
