//! What the tests share: a small schema, a stream, and a role that serves a stand-in for the contact service.

pub(crate) mod log;
pub(crate) mod notes;
pub(crate) mod pair;
pub(crate) mod role;
pub(crate) mod tokens;

use leadflow_harness::{Nats, TestDatabase};
use leadflow_platform::{
    bus::{self, Bus, Keep, Stream},
    db::{Config, Database},
    error::Result,
    outbox,
};

use notes::Migrator;

/// The stream that the tests own.
pub(crate) const STREAM: Stream =
    Stream { name: "LEADFLOW_TEST", subjects: &["leadflow.test.v1.>"], keep: Keep::Events };
/// What is announced on it.
pub(crate) const SUBJECT: &str = "leadflow.test.v1.happened";

/// The database with its tables, and a pool of four connections.
pub(crate) async fn open(test: &TestDatabase) -> Database {
    let database = Database::open(&config(test)).await.unwrap();
    database.migrate::<Migrator>().await.unwrap();
    database
}

/// Where it is.
pub(crate) fn config(test: &TestDatabase) -> Config {
    Config { url: test.url.clone(), max_connections: 4 }
}

/// A connection that owns [`STREAM`].
pub(crate) async fn bus(nats: &Nats) -> Bus {
    let bus = Bus::connect(&bus::Config::at(nats.url()), "test").await.unwrap();
    bus.own(STREAM).await.unwrap();
    bus
}

/// What NATS itself says.
pub(crate) async fn jetstream(nats: &Nats) -> async_nats::jetstream::Context {
    async_nats::jetstream::new(async_nats::connect(nats.url()).await.unwrap())
}

/// Announces each text in one transaction.
pub(crate) async fn announce(database: &Database, texts: impl IntoIterator<Item = String>) -> Result<()> {
    let messages = texts.into_iter().map(|text| (SUBJECT.to_owned(), text.into_bytes())).collect();
    database
        .write(move |tx| async move {
            outbox::announce_all(&tx, messages, leadflow_platform::clock::from_millis(1_000)).await
        })
        .await
}
