//! A role that announces things and takes them in itself, over a bus that may lose them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use leadflow_harness::{Nats, TestDatabase};
use leadflow_platform::{
    auth::{Auth, Credentials},
    bus::{self, Consumer, Delivery},
    clock::{Clock, from_millis},
    config::ServiceConfig,
    db::{Database, Tx},
    digest::{Comparison, Facts, Producer},
    error::{Error, Result},
    lifecycle::Tasks,
    outbox, rpc,
    service::{Foundation, Listeners, listen},
    trace,
};
use sea_orm::{
    ConnectionTrait as _, Statement,
    sea_query::{Alias, Query},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use uuid::Uuid;

use super::{STREAM, SUBJECT, config, open};

/// What takes things in.
pub(crate) const CONSUMER: Consumer = Consumer { stream: STREAM.name, durable: "test-things", subject: SUBJECT };

/// The role.
pub(crate) struct Pair {
    pub(crate) database: Database,
    pub(crate) nats: Nats,
    pub(crate) consuming: Arc<Consuming>,
    /// The time before which the producer says that nothing is added.
    pub(crate) settled: Arc<AtomicU64>,
    pub(crate) client: rpc::Client,
    admin: String,
    shutdown: CancellationToken,
    finished: JoinHandle<Result<(), String>>,
    _test: TestDatabase,
}

/// How the consumer goes on.
#[derive(Default)]
pub(crate) struct Consuming {
    /// It fails while this is set.
    pub(crate) blocked: AtomicBool,
    /// What it can never take in.
    pub(crate) poison: Mutex<BTreeSet<Uuid>>,
    /// The events that have come, each once.
    events: Mutex<BTreeSet<String>>,
    /// The one that came last.
    pub(crate) last: Mutex<Option<Delivery>>,
}

impl Consuming {
    /// How many events were taken in or set aside.
    pub(crate) fn events(&self) -> usize {
        self.events.lock().unwrap().len()
    }
}

impl Pair {
    /// Compares every few milliseconds.
    pub(crate) async fn start(test: TestDatabase) -> Self {
        let database = open(&test).await;
        for table in ["things", "held_things"] {
            let script = format!("CREATE TABLE {table} (id {} PRIMARY KEY, revision bigint NOT NULL)", uuid(&database));
            database.reader().execute_unprepared(&script).await.unwrap();
        }
        database.close().await;
        let nats = Nats::start().unwrap();
        let config = ServiceConfig {
            database: config(&test),
            nats: bus::Config::at(nats.url()),
            auth: Auth::Loopback,
            credentials: Credentials::Name("service:test".into()),
            traces: trace::Config::default(),
            reconcile_interval: Duration::from_millis(20),
        };
        let foundation = Foundation::lay::<super::Migrator>("test", &config, Clock::system()).await.unwrap();
        foundation.own(STREAM).await;
        let anywhere = || listen(([127, 0, 0, 1], 0).into());
        let listeners = Listeners { rpc: anywhere().await.unwrap(), admin: anywhere().await.unwrap() };
        let admin = format!("http://{}", listeners.admin.local_addr().unwrap());
        let url = format!("http://{}", listeners.rpc.local_addr().unwrap());
        let client = rpc::channel(&url, config.credentials.clone()).unwrap();

        let (shutdown, consuming, settled) = (CancellationToken::new(), Arc::default(), Arc::default());
        let mut tasks = Tasks::new(shutdown.clone());
        let producer = Things { settled: Arc::clone(&settled) };
        let routes = Routes::new(foundation.digests(vec![Arc::new(producer)]));
        foundation.start(&mut tasks, listeners, routes, Arc::new(|| Box::pin(async { Ok(()) })));
        let database = foundation.database.clone();
        let state = (database.clone(), Arc::clone(&consuming));
        foundation.consume(&mut tasks, CONSUMER, state, |(database, consuming), deliveries| {
            take_in(database, consuming, deliveries)
        });
        let facts = facts("held_things");
        let comparison = Comparison { kind: "things", facts, consumer: CONSUMER, producer: client.clone() };
        foundation.compare(&mut tasks, vec![comparison]);
        let finished = tokio::spawn(async move {
            let result = tasks.finish().await;
            foundation.close().await;
            result
        });
        Self { database, nats, consuming, settled, client, admin, shutdown, finished, _test: test }
    }

    /// Adds things, or brings them to this revision, and announces them.
    pub(crate) async fn announce(&self, things: &[(Uuid, i64)]) {
        self.write("things", things, true).await;
    }

    /// As [`Pair::announce`], but the bus has lost it.
    pub(crate) async fn announce_in_vain(&self, things: &[(Uuid, i64)]) {
        self.write("things", things, false).await;
    }

    async fn write(&self, table: &'static str, things: &[(Uuid, i64)], announced: bool) {
        let things = things.to_vec();
        self.database
            .write(move |tx| async move {
                keep(&tx, table, &things).await?;
                if announced {
                    outbox::announce_all(&tx, things.iter().map(event).collect(), from_millis(1)).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
    }

    /// The things that have arrived.
    pub(crate) async fn held(&self) -> BTreeMap<Uuid, i64> {
        let query = Statement::from_string(self.database.backend(), "SELECT id, revision FROM held_things");
        let rows = self.database.reader().query_all_raw(query).await.unwrap();
        rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect()
    }

    /// The value of a metric, all its labels summed up, of those lines that contain `label`.
    pub(crate) async fn metric(&self, name: &str, label: &str) -> f64 {
        let text = reqwest::get(format!("{}/metrics", self.admin)).await.unwrap().text().await.unwrap();
        let of_this = |line: &&str| line.starts_with(name) && line.contains(label);
        text.lines().filter(of_this).map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// How many comparisons have come to their end.
    pub(crate) async fn compared(&self) -> f64 {
        self.metric("leadflow_digest_compared", "things").await
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.finished.await.unwrap().unwrap();
    }
}

fn uuid(database: &Database) -> &'static str {
    if database.backend() == sea_orm::DatabaseBackend::Sqlite { "blob" } else { "uuid" }
}

fn facts(table: &'static str) -> Facts {
    let columns = [Alias::new("id"), Alias::new("revision")];
    let query = Query::select().columns(columns).from(Alias::new(table)).to_owned();
    Facts::new(query, sea_orm::sea_query::Expr::col(Alias::new("id")))
}

fn event((id, revision): &(Uuid, i64)) -> (String, Vec<u8>) {
    (SUBJECT.to_owned(), format!("{id} {revision}").into_bytes())
}

/// Keeps the newest revision of each thing.
async fn keep(tx: &Tx, table: &str, things: &[(Uuid, i64)]) -> Result<()> {
    let sql = format!(
        "INSERT INTO {table} (id, revision) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE \
         SET revision = excluded.revision WHERE {table}.revision < excluded.revision"
    );
    for (id, revision) in things {
        let values = [(*id).into(), (*revision).into()];
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), &sql, values)).await?;
    }
    Ok(())
}

async fn take_in(database: Database, consuming: Arc<Consuming>, deliveries: Vec<Delivery>) -> Result<()> {
    if consuming.blocked.load(Ordering::SeqCst) {
        return Err(Error::unavailable("not now"));
    }
    let things: Vec<(Uuid, i64)> = deliveries
        .iter()
        .map(|delivery| {
            let text = std::str::from_utf8(&delivery.payload).unwrap();
            let (id, revision) = text.split_once(' ').unwrap();
            (id.parse().unwrap(), revision.parse().unwrap())
        })
        .collect();
    *consuming.last.lock().unwrap() = deliveries.last().cloned();
    consuming.events.lock().unwrap().extend(deliveries.into_iter().map(|delivery| delivery.id));
    if things.iter().any(|(id, _)| consuming.poison.lock().unwrap().contains(id)) {
        return Err(Error::invalid("payload", "cannot be swallowed"));
    }
    database.write(move |tx| async move { keep(&tx, "held_things", &things).await }).await
}

/// What the role announces.
struct Things {
    settled: Arc<AtomicU64>,
}

#[async_trait]
impl Producer for Things {
    fn kind(&self) -> &'static str {
        "things"
    }

    fn facts(&self) -> Facts {
        facts("things")
    }

    async fn settled_millis(&self) -> Result<u64> {
        Ok(self.settled.load(Ordering::SeqCst))
    }

    async fn announce_again(&self, tx: &Tx, ids: Vec<Uuid>) -> Result<()> {
        let mut events = Vec::new();
        for id in ids {
            let query = "SELECT revision FROM things WHERE id = $1";
            let query = Statement::from_sql_and_values(tx.get_database_backend(), query, [id.into()]);
            let row = tx.query_one_raw(query).await?.ok_or_else(|| Error::internal("a thing that is gone"))?;
            events.push(event(&(id, row.try_get_by_index(0)?)));
        }
        outbox::announce_all(tx, events, from_millis(1)).await
    }
}
