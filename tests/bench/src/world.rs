//! The suite under measurement: a process per role, on databases and a bus of its own.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use async_nats::jetstream;
use futures::TryStreamExt as _;
use leadflow_harness::{
    Nats, Postgres,
    fleet::{Env, Fleet, ROLES},
    repository, scratch,
};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};
use tempfile::TempDir;
use tokio::task::{block_in_place, spawn_blocking};

/// The streams whose events have to come to rest.
const STREAMS: [&str; 4] = ["LEADFLOW_ACTIVITY", "LEADFLOW_CONTACT", "LEADFLOW_LEAD", "LEADFLOW_ASSIGNMENT"];
/// How often we look whether all has come to rest.
const LOOK: Duration = Duration::from_millis(50);
/// How long everything may stand still before we give up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which databases the roles have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// A server that keeps what it has committed, as in production.
    Postgres,
    /// A file for each role, as on the embedded default.
    Sqlite,
}

/// A suite that runs. Gone when dropped.
pub(crate) struct World {
    fleet: Option<Fleet>,
    nats: Nats,
    postgres: Option<Postgres>,
    databases: BTreeMap<&'static str, DatabaseConnection>,
    client: async_nats::Client,
    _folder: TempDir,
}

impl World {
    /// Starts all roles and applies the configuration of the invented company.
    ///
    /// # Errors
    /// When something does not start.
    pub(crate) async fn start(store: Store) -> Result<Self> {
        let folder = scratch()?;
        let postgres = match store {
            Store::Postgres => Some(spawn_blocking(Postgres::start_durable).await??),
            Store::Sqlite => None,
        };
        let mut urls = BTreeMap::new();
        for role in ROLES {
            let url = match &postgres {
                Some(server) => server.create_database().await?,
                None => format!("sqlite:{}", folder.path().join(format!("{role}.sqlite")).display()),
            };
            urls.insert(role, url);
        }
        let nats = spawn_blocking(Nats::start).await??;
        let (nats_url, roles) = (nats.url(), urls.clone());
        let fleet = spawn_blocking(move || {
            // Comparing with the producers would add work of its own, now and then.
            let quiet = [("RUST_LOG", "warn"), ("LEADFLOW_RECONCILE_INTERVAL", "24h")];
            let env: Env = quiet.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            let fleet = Fleet::start(binary()?, &roles, &nats_url, &env, 1)?;
            let company = repository().join("tests/bench/company");
            fleet.cli(&["apply", "-f", &company.display().to_string()])?;
            anyhow::Ok(fleet)
        });
        let fleet = Some(fleet.await??);
        let mut databases = BTreeMap::new();
        for (role, url) in urls {
            let mut options = ConnectOptions::new(url);
            options.max_connections(2).sqlx_logging(false);
            databases.insert(role, Database::connect(options).await?);
        }
        let client = async_nats::connect(nats.url()).await?;
        Ok(Self { fleet, nats, postgres, databases, client, _folder: folder })
    }

    /// Where a role listens, for example `LEADFLOW_ACTIVITY_INGEST_URL`.
    ///
    /// # Errors
    /// When the suite has been stopped.
    pub(crate) fn address(&self, variable: &str) -> Result<String> {
        let fleet = self.fleet.as_ref().context("the suite has been stopped")?;
        Ok(fleet.client_env.get(variable).with_context(|| format!("no {variable}"))?.clone())
    }

    /// A role's own database.
    ///
    /// # Errors
    /// When there is no such role.
    pub(crate) fn database(&self, role: &str) -> Result<&DatabaseConnection> {
        self.databases.get(role).with_context(|| format!("no database of {role}"))
    }

    /// The streams of the bus.
    pub(crate) fn streams(&self) -> jetstream::Context {
        jetstream::new(self.client.clone())
    }

    /// What is published on a subject from now on.
    ///
    /// # Errors
    /// When the bus has gone.
    pub(crate) async fn subscribe(&self, subject: &'static str) -> Result<async_nats::Subscriber> {
        let subscriber = self.client.subscribe(subject).await?;
        self.client.flush().await?;
        Ok(subscriber)
    }

    /// The roles, by name.
    pub(crate) fn roles(&self) -> BTreeMap<String, u32> {
        let Some(fleet) = &self.fleet else { return BTreeMap::new() };
        let pid = |(index, role): (usize, &&str)| Some(((*role).to_owned(), fleet.pid(index)?));
        ROLES.iter().enumerate().filter_map(pid).collect()
    }

    /// All that works for the suite, and the driver, by name.
    pub(crate) fn processes(&self) -> BTreeMap<String, u32> {
        let mut processes = self.roles();
        processes.insert("driver".into(), std::process::id());
        processes.extend(self.nats.pid().map(|pid| ("nats".to_owned(), pid)));
        let postgres = self.postgres.as_ref().and_then(|server| server.pid());
        processes.extend(postgres.map(|pid| ("postgresql".to_owned(), pid)));
        processes
    }

    /// Ends the roles; databases and bus go on.
    pub(crate) fn stop_roles(&mut self) {
        block_in_place(|| self.fleet = None);
    }

    /// One number from a role's database.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn count(&self, role: &str, query: &str) -> Result<u64> {
        let database = self.database(role)?;
        let statement = sea_orm::Statement::from_string(database.get_database_backend(), query);
        let row = database.query_one_raw(statement).await?.context("a count without a row")?;
        Ok(row.try_get_by_index::<i64>(0)?.try_into()?)
    }

    /// Waits until all that was accepted is identified, scored and routed, nothing is under way any more, and scoring
    /// holds `scored` activities; returns since when it has been so. Says how many are through meanwhile.
    ///
    /// # Errors
    /// When nothing moves any more before; when something is missing at the end.
    pub(crate) async fn caught_up(&self, scored: u64) -> Result<Instant> {
        let (mut rested, mut before, mut moved) = (None, Vec::new(), Instant::now());
        loop {
            let looked = Instant::now();
            let under_way = self.under_way().await?;
            if under_way.iter().sum::<u64>() > 0 {
                rested = None;
                if under_way != before {
                    (before, moved) = (under_way, looked);
                }
                ensure!(moved.elapsed() < PATIENCE, "nothing moves any more; under way: {before:?}");
            } else if let Some(since) = rested {
                // What moves on behind our back while we look is seen at the second look.
                let found = self.count("scoring", "SELECT count(*) FROM evidence").await?;
                ensure!(found == scored, "{found} activities are scored instead of {scored}");
                let waiting = "SELECT count(*) FROM leads WHERE status IN ('handed_over', 'held')";
                let waiting = self.count("scoring", waiting).await?;
                ensure!(waiting == 0, "{waiting} hot leads are not routed");
                return Ok(since);
            } else {
                rested = Some(looked);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What waits: to be identified, in each outbox, for each consumer.
    async fn under_way(&self) -> Result<Vec<u64>> {
        let mut waiting = Vec::new();
        // Whether, not how much: a count would read all of a long table, again and again.
        let pending = "SELECT count(*) FROM (SELECT 1 FROM activities WHERE state = 'pending' LIMIT 1) AS one";
        waiting.push(self.count("activity-ingest", pending).await?);
        for role in ROLES {
            let newest = "SELECT coalesce(max(id), 0) FROM outbox_batches";
            waiting.push(self.count(role, newest).await?);
        }
        let streams = self.streams();
        for stream in STREAMS {
            let stream = streams.get_stream(stream).await?;
            let mut consumers = stream.consumers();
            while let Some(consumer) = consumers.try_next().await? {
                waiting.push(consumer.num_pending + consumer.num_ack_pending as u64);
            }
        }
        Ok(waiting)
    }
}

/// `leadflow`, as it was built beside this program.
fn binary() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("leadflow");
    ensure!(path.exists(), "{} is missing: build it with the same profile, as `make bench` does", path.display());
    Ok(path)
}
