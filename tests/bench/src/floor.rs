//! The least work that any such system has to do: the same rows into the same table, the same bytes through a stream,
//! and nothing else. The stages run one after the other.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use async_nats::jetstream::{self, consumer::pull, stream::StorageType};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hdrhistogram::Histogram;
use sea_orm::sqlx::{PgPool, postgres::PgPoolCopyExt as _, raw_sql};
use serde::Serialize;

use crate::{steady::micros, world::World};

/// Rows in one commit, and acknowledgements in flight.
const BATCH: usize = 1000;
/// How often all of it is done; the one in the middle counts.
const RUNS: usize = 3;
/// Round trips that are timed.
const ROUND_TRIPS: usize = 400;
const STREAM: &str = "FLOOR";
const SUBJECT: &str = "floor.recorded";
/// With all keys, indexes and checks of the ledger.
const TABLE: &str = "CREATE SCHEMA floor; CREATE TABLE floor.activities (LIKE public.activities INCLUDING ALL)";

/// What the floor needs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Floor {
    /// Activities.
    pub(crate) activities: usize,
    /// Of all stages together.
    pub(crate) floor_per_s: f64,
    /// Rows into the table.
    pub(crate) copy_per_s: f64,
    /// Messages into the stream.
    pub(crate) publish_per_s: f64,
    /// Messages out of the stream.
    pub(crate) fetch_per_s: f64,
    /// One row committed and one message through the stream, one after the other.
    pub(crate) round_trip_p50_ms: f64,
    /// The same.
    pub(crate) round_trip_p99_ms: f64,
}

/// Measures the floor with the rows and the messages that a flood has left in `world`, whose roles must have ended.
///
/// # Errors
/// When a server fails.
pub(crate) async fn floor(world: &World) -> Result<Floor> {
    let pool = world.database("activity-ingest")?.get_postgres_connection_pool();
    let streams = world.streams();
    let rows = rows(pool).await?;
    let messages = messages(&streams, rows.len()).await?;
    raw_sql(TABLE).execute(pool).await?;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        raw_sql("TRUNCATE floor.activities").execute(pool).await?;
        let stream = fresh_stream(&streams).await?;
        let begin = Instant::now();
        copy(pool, &rows).await?;
        let copied = begin.elapsed().as_secs_f64();
        publish(&streams, &messages).await?;
        let published = begin.elapsed().as_secs_f64();
        fetch(&stream, messages.len()).await?;
        runs.push([begin.elapsed().as_secs_f64(), copied, published]);
    }
    runs.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let [all, copied, published] = runs[RUNS / 2];
    let round_trips = round_trips(pool, &streams, &rows, &messages).await?;
    let per_s = |seconds: f64| rows.len() as f64 / seconds;
    Ok(Floor {
        activities: rows.len(),
        floor_per_s: per_s(all),
        copy_per_s: per_s(copied),
        publish_per_s: per_s(published - copied),
        fetch_per_s: per_s(all - published),
        round_trip_p50_ms: round_trips.value_at_quantile(0.5) as f64 / 1000.0,
        round_trip_p99_ms: round_trips.value_at_quantile(0.99) as f64 / 1000.0,
    })
}

/// The rows of the ledger, as COPY writes them.
async fn rows(pool: &PgPool) -> Result<Vec<Vec<u8>>> {
    let query = "COPY (SELECT * FROM activities ORDER BY activity_id) TO STDOUT";
    let rows = pool.copy_out_raw(query).await?;
    Ok(rows.map_ok(|row| row.to_vec()).try_collect().await?)
}

/// The events of the same activities, with their headers.
async fn messages(streams: &jetstream::Context, count: usize) -> Result<Vec<jetstream::message::Message>> {
    let stream = streams.get_stream("LEADFLOW_ACTIVITY").await?;
    let consumer = stream.create_consumer(unacknowledged()).await?;
    let messages = consumer.messages().await?.take(count);
    Ok(messages.try_collect().await?)
}

fn unacknowledged() -> pull::Config {
    pull::Config { ack_policy: jetstream::consumer::AckPolicy::None, ..Default::default() }
}

async fn fresh_stream(streams: &jetstream::Context) -> Result<jetstream::stream::Stream> {
    // There is none at first.
    let _ = streams.delete_stream(STREAM).await;
    let config = jetstream::stream::Config {
        name: STREAM.into(),
        subjects: vec![SUBJECT.into()],
        storage: StorageType::File,
        ..Default::default()
    };
    Ok(streams.create_stream(config).await?)
}

async fn copy(pool: &PgPool, rows: &[Vec<u8>]) -> Result<()> {
    let mut connection = pool.acquire().await?;
    for batch in rows.chunks(BATCH) {
        let mut copy = connection.copy_in_raw("COPY floor.activities FROM STDIN").await?;
        copy.send(batch.concat()).await?;
        copy.finish().await?;
    }
    Ok(())
}

async fn publish(streams: &jetstream::Context, messages: &[jetstream::message::Message]) -> Result<()> {
    let publish = |message: &jetstream::message::Message| {
        let (headers, payload) = (message.headers.clone().unwrap_or_default(), message.payload.clone());
        async move {
            streams.publish_with_headers(SUBJECT, headers, payload).await?.await?;
            anyhow::Ok(())
        }
    };
    stream::iter(messages.iter().map(publish)).buffer_unordered(BATCH).try_collect().await
}

async fn fetch(stream: &jetstream::stream::Stream, count: usize) -> Result<()> {
    let consumer = stream.create_consumer(acknowledged()).await?;
    let mut messages = consumer.messages().await?.take(count);
    while let Some(message) = messages.try_next().await? {
        acknowledge(&message).await?;
    }
    ensure!(consumer.clone().info().await?.num_pending == 0, "messages are missing");
    Ok(())
}

fn acknowledged() -> pull::Config {
    pull::Config { max_ack_pending: 4096, ..Default::default() }
}

async fn acknowledge(message: &jetstream::Message) -> Result<()> {
    message.ack().await.map_err(anyhow::Error::from_boxed)
}

/// How long one activity takes alone.
async fn round_trips(
    pool: &PgPool,
    streams: &jetstream::Context,
    rows: &[Vec<u8>],
    messages: &[jetstream::message::Message],
) -> Result<Histogram<u64>> {
    raw_sql("TRUNCATE floor.activities").execute(pool).await?;
    let consumer = fresh_stream(streams).await?.create_consumer(acknowledged()).await?;
    let mut incoming = consumer.messages().await?;
    let mut times = Histogram::new(3)?;
    for (row, message) in rows.iter().zip(messages).take(ROUND_TRIPS) {
        let begin = Instant::now();
        copy(pool, std::slice::from_ref(row)).await?;
        publish(streams, std::slice::from_ref(message)).await?;
        let message = incoming.try_next().await?.context("no message")?;
        acknowledge(&message).await?;
        times.record(micros(begin.elapsed()))?;
    }
    Ok(times)
}
