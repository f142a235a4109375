//! A power cut takes nothing of what was acknowledged; with a setting that does not wait for the disk, it does.
//!
//! What survives is judged by what the sender was told: each acknowledged activity comes once more, and has to be known.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use leadflow_harness::{Nats, Postgres, Server, eventually, fleet::SECRET, free_port};
use leadflow_platform::{
    auth::Credentials,
    rpc::{Client, channel},
};
use leadflow_proto::{
    activity::v1::{
        self as activity, RecordActivitiesRequest, activity_service_client::ActivityServiceClient,
        record_result::Outcome,
    },
    contact::v1::Identity,
};
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, Statement, sqlx::sqlite::SqliteSynchronous,
};

use self::machine::{Machine, forbidden};
mod machine;

const SENDERS: usize = 4;
const PER_CALL: usize = 5;
/// How much has to be acknowledged before the power goes.
const ENOUGH: usize = 300;

type Activities = ActivityServiceClient<Client>;

/// A machine to cut the power of, or nothing where that is not permitted, which it says.
fn machine() -> Option<Machine> {
    if let Some(reason) = forbidden() {
        println!("SKIPPED: no power can be cut here: {reason}");
        return None;
    }
    Some(Machine::new().unwrap())
}

/// The binary, as it was built beside these tests.
fn binary() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join("leadflow");
    assert!(path.exists(), "{} is missing: run `cargo build` first, or `make power-cut`", path.display());
    path
}

/// Activity-ingest as a process of its own. Killed when dropped.
struct Ledger {
    env: BTreeMap<String, String>,
    service: Option<Server>,
    url: String,
    _nats: Nats,
}

impl Ledger {
    fn on(database_url: &str) -> Self {
        let nats = Nats::start().unwrap();
        let port = free_port().unwrap();
        let listen = |port: u16| format!("127.0.0.1:{port}");
        let env = BTreeMap::from([
            ("LEADFLOW_ACTIVITY_INGEST_DATABASE_URL".into(), database_url.to_owned()),
            ("LEADFLOW_ACTIVITY_INGEST_LISTEN".into(), listen(port)),
            ("LEADFLOW_ACTIVITY_INGEST_ADMIN_LISTEN".into(), listen(free_port().unwrap())),
            ("LEADFLOW_ACTIVITY_INGEST_HTTP_LISTEN".into(), listen(free_port().unwrap())),
            // Nobody is there: intake goes on all the same.
            ("LEADFLOW_CONTACT_URL".into(), format!("http://{}", listen(free_port().unwrap()))),
            ("LEADFLOW_NATS_URL".into(), nats.url()),
            ("LEADFLOW_ACTIVITY_INGEST_LINK_KEY".into(), SECRET.to_owned()),
            ("RUST_LOG".into(), "error".into()),
        ]);
        let ledger = Self { env, service: None, url: format!("http://{}", listen(port)), _nats: nats };
        let migrated = ledger.command(&["migrate", "activity-ingest"]).status().unwrap();
        assert!(migrated.success());
        ledger
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(words).envs(&self.env).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn start(&mut self) -> Activities {
        self.service = Some(Server::start(&mut self.command(&["serve", "activity-ingest"])).unwrap());
        ActivityServiceClient::new(channel(&self.url, Credentials::Name("power".into())).unwrap())
    }

    fn kill(&mut self) {
        self.service = None;
    }
}

async fn register_source(client: &Activities) {
    let source = activity::Source {
        name: "website".into(),
        default_activity_type: "form_submitted".into(),
        default_channel: activity::Channel::Web.into(),
        ..Default::default()
    };
    let request = activity::ApplyConfigurationRequest { sources: vec![source], ..Default::default() };
    eventually!(client.clone().apply_configuration(request.clone()).await.is_ok());
}

/// Sends these and returns how many were new. None when there was no answer.
async fn record(client: &mut Activities, ids: &[String]) -> Option<usize> {
    let activities = ids.iter().map(|id| activity::Activity {
        source: "website".into(),
        source_event_id: id.clone(),
        identity: Some(Identity { email: "ada@example.org".into(), ..Default::default() }),
        ..Default::default()
    });
    let activities = activities.collect();
    let request = RecordActivitiesRequest { activities, ..Default::default() };
    let results = client.record_activities(request).await.ok()?.into_inner().results;
    assert!(results.iter().all(|result| matches!(result.outcome(), Outcome::Accepted | Outcome::Duplicate)));
    Some(results.iter().filter(|result| result.outcome() == Outcome::Accepted).count())
}

/// Sends until enough was acknowledged, cuts the power, and returns what was acknowledged until then.
async fn acknowledged_until_the_cut(client: &Activities, machine: &mut Machine) -> Vec<String> {
    let book = Arc::<Mutex<Vec<String>>>::default();
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (mut client, book) = (client.clone(), book.clone());
            tokio::spawn(async move {
                for call in 0.. {
                    let ids: Vec<_> = (0..PER_CALL).map(|n| format!("{sender}-{call}-{n}")).collect();
                    if record(&mut client, &ids).await.is_some() {
                        book.lock().unwrap().extend(ids);
                    }
                }
            })
        })
        .collect();
    eventually!(book.lock().unwrap().len() >= ENOUGH);
    // In this order: what is acknowledged without power is not counted.
    let acknowledged = book.lock().unwrap().clone();
    machine.cut().unwrap();
    senders.iter().for_each(|sender| sender.abort());
    acknowledged
}

/// How many of these the ledger has never heard of.
async fn count_lost(client: &mut Activities, acknowledged: &[String]) -> usize {
    let mut lost = 0;
    for ids in acknowledged.chunks(100) {
        lost += eventually!(some: record(client, ids).await);
    }
    lost
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_takes_nothing_that_was_acknowledged_on_sqlite() {
    let Some(mut machine) = machine() else { return };
    let mut ledger = Ledger::on(&format!("sqlite:{}", machine.root().join("ledger.sqlite").display()));
    let mut client = ledger.start();
    register_source(&client).await;
    let acknowledged = acknowledged_until_the_cut(&client, &mut machine).await;
    ledger.kill();
    machine.boot().unwrap();
    client = ledger.start();
    assert_eq!(count_lost(&mut client, &acknowledged).await, 0, "of {}", acknowledged.len());
    ledger.kill();
}

/// How much of what was acknowledged is lost in a power cut, when PostgreSQL is set like this.
async fn lost_on_postgres(fsync: &str) -> Option<(usize, usize)> {
    let mut machine = machine()?;
    let settings = [fsync, "shared_buffers=32MB", "max_connections=40"];
    let mut postgres = Postgres::start_below(&machine.root(), &settings).unwrap();
    let mut ledger = Ledger::on(&postgres.create_database().await.unwrap());
    let mut client = ledger.start();
    register_source(&client).await;
    machine.sync().unwrap();
    let acknowledged = acknowledged_until_the_cut(&client, &mut machine).await;
    ledger.kill();
    postgres.kill();
    machine.boot().unwrap();
    postgres.restart().unwrap();
    client = ledger.start();
    let lost = count_lost(&mut client, &acknowledged).await;
    ledger.kill();
    drop(postgres);
    Some((lost, acknowledged.len()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_takes_nothing_that_was_acknowledged_on_postgres() {
    let Some((lost, acknowledged)) = lost_on_postgres("fsync=on").await else { return };
    assert_eq!(lost, 0, "of {acknowledged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_waiting_for_the_disk_postgres_loses_what_was_acknowledged_in_a_power_cut() {
    let Some((lost, acknowledged)) = lost_on_postgres("fsync=off").await else { return };
    assert!(lost > 0, "the disk keeps what nobody has flushed, {acknowledged} activities: it proves nothing");
}

/// What is left of `ENOUGH` commits after a power cut, when SQLite waits for the disk like this.
async fn commits_left(synchronous: SqliteSynchronous) -> Option<usize> {
    let mut machine = machine()?;
    let open = |machine: &Machine| {
        let file = machine.root().join("commits.sqlite");
        let mut options = ConnectOptions::new(format!("sqlite:{}?mode=rwc", file.display()));
        options.max_connections(1).map_sqlx_sqlite_opts(move |sqlite| {
            sqlite.journal_mode(sea_orm::sqlx::sqlite::SqliteJournalMode::Wal).synchronous(synchronous)
        });
        Database::connect(options)
    };
    let database = open(&machine).await.unwrap();
    database.execute_unprepared("CREATE TABLE commits (id integer PRIMARY KEY)").await.unwrap();
    machine.sync().unwrap();
    for id in 0..ENOUGH {
        database.execute_unprepared(&format!("INSERT INTO commits VALUES ({id})")).await.unwrap();
    }
    machine.cut().unwrap();
    database.close().await.unwrap();
    machine.boot().unwrap();
    let database = open(&machine).await.unwrap();
    let left = count(&database).await;
    database.close().await.unwrap();
    Some(left)
}

async fn count(database: &DatabaseConnection) -> usize {
    let query = Statement::from_string(database.get_database_backend(), "SELECT count(*) FROM commits");
    let row = database.query_one_raw(query).await.unwrap().unwrap();
    usize::try_from(row.try_get_by_index::<i64>(0).unwrap()).unwrap()
}

#[tokio::test]
async fn without_waiting_for_the_disk_sqlite_loses_commits_in_a_power_cut() {
    let Some(left) = commits_left(SqliteSynchronous::Off).await else { return };
    assert!(left < ENOUGH, "the disk keeps what nobody has flushed: it proves nothing");
    assert_eq!(commits_left(SqliteSynchronous::Full).await, Some(ENOUGH));
}
