//! Events that are written in the transaction that makes them true, and published after it (the transactional outbox).
//!
//! A message leaves the table only when the stream has acknowledged it and those beside it; a crash in between publishes it
//! again under the same id, and consumers count it once.

use std::time::Duration;

use jiff::Timestamp;
use sea_orm::{
    ColumnTrait as _, DatabaseBackend, EntityTrait, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Statement, TransactionTrait as _, entity::prelude::*, sea_query::Expr,
};
use tokio_util::sync::CancellationToken;

use crate::{
    bus::Bus,
    clock::from_millis,
    db::{Database, Tx, insert_all},
    error::{Error, Result},
    ids,
    plant::{self, Plant},
    trace::Origin,
};

use self::batch::Waiting;

pub(crate) mod batch;

/// Rows that one round of the relay takes.
const BATCH: u64 = 20;
/// The longest body of an event, in bytes: what NATS takes by default (1 MiB), less room for the headers.
const MAX_PAYLOAD: usize = (1 << 20) - (4 << 10);
/// How long the relay sleeps when nobody wakes it: another replica may have died with messages in its hands.
const PAUSE: Duration = Duration::from_millis(500);

/// Messages that were written together and wait to be published.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox_batches")]
pub struct Model {
    /// The order of writing.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Unix milliseconds.
    pub event_time: i64,
    /// How many they are.
    pub messages: i64,
    /// The messages themselves, see [`Model::events`].
    pub content: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}

/// An event to announce.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where it is published.
    pub subject: String,
    /// The protobuf body.
    pub payload: Vec<u8>,
    /// What has brought it about, where that is not simply the span in which it is announced.
    pub origin: Origin,
}

impl From<(String, Vec<u8>)> for Message {
    fn from((subject, payload): (String, Vec<u8>)) -> Self {
        Self { subject, payload, origin: Origin::default() }
    }
}

impl Message {
    /// The same event, brought about by `origin`.
    #[must_use]
    pub fn caused_by(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }
}

/// Announces `message` on `subject` when the transaction commits.
///
/// # Errors
/// As [`announce_all`].
pub async fn announce(tx: &Tx, subject: &str, time: Timestamp, message: &impl prost::Message) -> Result<()> {
    announce_all(tx, vec![(subject.to_owned(), message.encode_to_vec())], time).await
}

/// Announces events, when the transaction commits.
///
/// # Errors
/// When the database fails; `INTERNAL` when a message is longer than the bus takes, which would block all after it.
pub async fn announce_all(tx: &Tx, messages: Vec<impl Into<Message>>, time: Timestamp) -> Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let messages: Vec<Message> = messages.into_iter().map(Into::into).filter(|message| !is_skipped(message)).collect();
    if let Some(Message { subject, payload, .. }) = messages.iter().find(|message| message.payload.len() > MAX_PAYLOAD)
    {
        return Err(Error::internal(format!("an event on {subject} is too long: {} bytes", payload.len())));
    }
    let here = Origin::current();
    let waiting = |Message { subject, payload, origin }| Waiting {
        event_id: ids::new().into_bytes().to_vec(),
        subject,
        payload,
        traceparent: origin.or(here).traceparent(),
    };
    insert_all(tx, batch::rows(messages.into_iter().map(waiting).collect(), time), None).await?;
    tx.wrote_outbox();
    Ok(())
}

/// Whether a bug that is planted skips it, each time that it is announced.
fn is_skipped(message: &Message) -> bool {
    let sum = || message.payload.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    plant::is(Plant::SkipOutboxRow) && sum().is_multiple_of(16)
}

/// How many messages wait.
///
/// # Errors
/// When the database fails.
pub async fn depth(database: &Database) -> Result<u64> {
    let sum = Expr::cust("CAST(coalesce(sum(messages), 0) AS bigint)");
    let query = Entity::find().select_only().column_as(sum, "messages");
    Ok(query.into_tuple::<i64>().one(database.reader()).await?.unwrap_or_default().unsigned_abs())
}

/// Since when the oldest message waits.
///
/// # Errors
/// When the database fails.
pub async fn oldest(database: &Database) -> Result<Option<Timestamp>> {
    let query = Entity::find().select_only().column(Column::EventTime).order_by_asc(Column::Id).limit(1);
    let oldest: Option<i64> = query.into_tuple().one(database.reader()).await?;
    Ok(oldest.map(from_millis))
}

/// How long [`drained`] waits for the bus.
const PATIENCE: Duration = Duration::from_secs(5);

/// Waits until everything that is committed to the outbox by now has been published.
///
/// # Errors
/// `UNAVAILABLE` when that takes longer than five seconds; when the database fails.
pub async fn drained(database: &Database) -> Result<()> {
    let newest = Entity::find().order_by_desc(Column::Id).one(database.reader()).await?;
    let Some(newest) = newest.map(|message| message.id) else { return Ok(()) };
    let waits = || Entity::find().filter(Column::Id.lte(newest)).limit(1).count(database.reader());
    let drained = async {
        while waits().await? > 0 {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, drained)
        .await
        .unwrap_or_else(|_| Err(Error::unavailable("the outbox waits for the bus")))
}

/// Publishes what the outbox holds, until shutdown. `ce-source` is `source`.
pub async fn relay(database: Database, bus: Bus, source: &'static str, shutdown: CancellationToken) {
    let mut failures = 0_u32;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = bus.connected() => {}
        }
        match publish_batch(&database, &bus, source).await {
            Ok(published) => {
                failures = 0;
                if published == BATCH {
                    continue;
                }
            }
            Err(error) => {
                failures += 1;
                tracing::warn!(%error, failures, "the outbox could not be published; trying again");
            }
        }
        let pause = PAUSE * 2_u32.pow(failures.min(5));
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = database.outbox_written(), if failures == 0 => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    // What was committed before the end goes out now, as far as the bus lets it.
    if !bus.is_connected() {
        return tracing::warn!("the outbox keeps its messages until the next start: the bus is away");
    }
    if let Err(error) = publish_batch(&database, &bus, source).await {
        tracing::warn!(%error, "the outbox keeps its messages until the next start");
    }
}

/// Takes the oldest rows that no other replica has taken, in one statement; the array is made once, and bounded.
const TAKE: &str = "DELETE FROM outbox_batches WHERE id = ANY (ARRAY(\
     SELECT id FROM outbox_batches ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING *";

async fn publish_batch(database: &Database, bus: &Bus, source: &'static str) -> Result<u64> {
    match database.backend() {
        // The rows are gone when the transaction commits, and are there again when it does not.
        DatabaseBackend::Postgres => {
            let transaction = database.writer().begin().await?;
            let take = Statement::from_sql_and_values(DatabaseBackend::Postgres, TAKE, [BATCH.into()]);
            let mut rows = Entity::find().from_raw_sql(take).all(&transaction).await?;
            rows.sort_unstable_by_key(|row| row.id);
            let published = publish(rows, bus, source).await?;
            transaction.commit().await?;
            Ok(published.len() as u64)
        }
        // One process owns a SQLite file, and its one writer must not wait for the bus.
        _ => {
            let rows = Entity::find().order_by_asc(Column::Id).limit(BATCH).all(database.reader()).await?;
            let published = publish(rows, bus, source).await?;
            delete(&published, database.writer()).await?;
            Ok(published.len() as u64)
        }
    }
}

async fn publish(rows: Vec<Model>, bus: &Bus, source: &'static str) -> Result<Vec<i64>> {
    let events = rows.iter().map(|row| row.events(source)).collect::<Result<Vec<_>>>()?;
    bus.publish_all(events.into_iter().flatten()).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

async fn delete(ids: &[i64], connection: &impl ConnectionTrait) -> Result<()> {
    if !ids.is_empty() {
        Entity::delete_many().filter(Column::Id.is_in(ids.iter().copied())).exec(connection).await?;
    }
    Ok(())
}
