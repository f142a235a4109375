//! Consuming: one shared durable pull consumer per purpose. Batches, poison set aside, transient failures tried again.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_nats::{
    HeaderMap, HeaderName, HeaderValue,
    jetstream::{
        AckKind, Message,
        consumer::{AckPolicy, pull},
    },
};
use futures::{FutureExt as _, StreamExt as _};
use prost::bytes::Bytes;
use tokio::{sync::watch, task::coop::unconstrained};
use tokio_util::sync::CancellationToken;

use super::{Bus, observer::Watch};
use crate::{
    clock::Clock,
    db::Database,
    error::{Code, Error, Result},
    quarantine,
    trace::{HEADER, Origin},
};

mod unreadable;

/// Events that are handled in one transaction at the most.
const BATCH: usize = 1024;
/// How often an event is tried that fails by our own fault before it is set aside.
const ATTEMPTS: i64 = 5;
/// How often the server says that there is nothing; a pull that misses two is lost.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long an event may be in work before it is handed out again: what the death of a replica costs.
const ACK_WAIT: Duration = Duration::from_secs(15);

/// Events that may be in work at all replicas together.
const MAX_IN_WORK: i64 = 8192;

/// One event that came in.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The event's id.
    pub id: String,
    /// What it was published on.
    pub subject: String,
    /// The body, protobuf unless a header says otherwise.
    pub payload: Bytes,
    headers: Headers,
    /// What it brings about comes from here: the span in which this one event is handled.
    pub origin: Origin,
}

/// What stands before the body.
#[derive(Clone, Debug)]
enum Headers {
    Read(Arc<HeaderMap>),
    Unreadable,
}

/// A message as it has arrived, with its headers beside it: each time that it is handed over they are shared.
pub(super) struct Arrived {
    pub(super) message: Message,
    pub(super) headers: Arc<HeaderMap>,
}

impl From<Message> for Arrived {
    fn from(mut message: Message) -> Self {
        let headers = Arc::new(message.message.headers.take().unwrap_or_default());
        Self { message, headers }
    }
}

impl Delivery {
    /// An event that came before, with the headers that it had, when these could be read.
    pub(crate) fn again(id: String, subject: String, payload: Vec<u8>, headers: Option<HeaderMap>) -> Self {
        let origin = headers.as_ref().map(origin).unwrap_or_default();
        let headers = headers.map_or(Headers::Unreadable, |headers| Headers::Read(Arc::new(headers)));
        Self { id, subject, payload: payload.into(), headers, origin }
    }

    /// All that stands before the body, when it can be read.
    pub(crate) fn headers(&self) -> Option<&HeaderMap> {
        match &self.headers {
            Headers::Read(headers) => Some(headers.as_ref()),
            Headers::Unreadable => None,
        }
    }

    /// Whether there are headers that cannot be read, so that only the body is there.
    pub fn has_unreadable_headers(&self) -> bool {
        matches!(self.headers, Headers::Unreadable)
    }

    /// What the header of this name says, upper and lower case being the same; the first, when there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        let of_name = |key: &&HeaderName| AsRef::<str>::as_ref(*key).eq_ignore_ascii_case(name);
        let (_, values) = self.headers()?.iter().find(|(key, _)| of_name(key))?;
        values.first().map(HeaderValue::as_str)
    }

    /// The message in the body.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when it is none: poison.
    pub fn decode<M: prost::Message + Default>(&self) -> Result<M> {
        M::decode(self.payload.clone())
            .map_err(|cause| Error::invalid("payload", format!("is no message of {}", self.subject)).because(cause))
    }
}

/// What is consumed, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The stream's name.
    pub stream: &'static str,
    /// The durable name, `<service>-<purpose>`.
    pub durable: &'static str,
    /// The one filter subject.
    pub subject: &'static str,
}

/// Hands batches to `handle` until shutdown, or until the connection has ended for good, and acknowledges what it has
/// committed.
///
/// When a batch fails for good, its halves are handed over, down to single events, and the one at fault goes to the quarantine of
/// `database`; a transient failure is tried again later, for ever.
pub async fn consume<H, Fut>(
    bus: Bus,
    database: Database,
    clock: Clock,
    consumer: Consumer,
    shutdown: CancellationToken,
    handle: H,
) where
    H: Fn(Vec<Delivery>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<()>> + Send,
{
    bus.watch(consumer).await;
    let watch = bus.observer.clone().watch(consumer);
    let worker = Worker { consumer, database, clock, watch, handle };
    let mut failures = 0_u32;
    let mut connections = bus.connections.clone();
    while !shutdown.is_cancelled() && !bus.is_dead() {
        let pulled = tokio::select! {
            () = shutdown.cancelled() => return,
            messages = worker.subscribe(&bus, &mut connections) => messages,
        };
        let error = match pulled {
            Ok(messages) => {
                failures = 0;
                match worker.pull(messages, &mut connections, &shutdown).await {
                    Ok(()) => return,
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        failures += 1;
        // Its owner may be about to create the stream: the first failure is nothing to wake anybody for.
        if failures == 1 {
            tracing::info!(consumer = consumer.durable, %error, "the pull was lost; building it anew");
        } else {
            tracing::warn!(consumer = consumer.durable, %error, failures, "the pull was lost; building it anew");
        }
        let pause = Duration::from_millis(250) * 2_u32.pow(failures.min(5));
        let _ = tokio::time::timeout(pause, shutdown.cancelled()).await;
    }
}

struct Worker<H> {
    consumer: Consumer,
    database: Database,
    clock: Clock,
    watch: Watch,
    handle: H,
}

impl<H, Fut> Worker<H>
where
    H: Fn(Vec<Delivery>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<()>> + Send,
{
    async fn subscribe(&self, bus: &Bus, connections: &mut watch::Receiver<u64>) -> Result<pull::Stream> {
        let unavailable = |cause: async_nats::Error| Error::unavailable("the stream cannot be read").because(cause);
        // What is made from here on is another connection than that of this pull.
        connections.wait_for(|times| *times > 0).await.map_err(|e| unavailable(e.into()))?;
        bus.restore(self.consumer.stream).await?;
        let stream = bus.context.get_stream(self.consumer.stream).await.map_err(|e| unavailable(e.into()))?;
        let mut consumer = stream
            .get_or_create_consumer(
                self.consumer.durable,
                pull::Config {
                    durable_name: Some(self.consumer.durable.into()),
                    filter_subject: self.consumer.subject.into(),
                    ack_policy: AckPolicy::Explicit,
                    ack_wait: ACK_WAIT,
                    max_ack_pending: MAX_IN_WORK,
                    ..Default::default()
                },
            )
            .await
            .map_err(|e| unavailable(e.into()))?;
        self.handle_unreadable(bus, &stream, &mut consumer).await?;
        consumer
            .stream()
            .max_messages_per_batch(2 * BATCH)
            .heartbeat(HEARTBEAT)
            .expires(Duration::from_secs(30))
            .messages()
            .await
            .map_err(|e| unavailable(e.into()))
    }

    /// Handles what comes until shutdown, or until the pull fails: then it is built anew, since a pull goes on after an
    /// error without ever bringing anything again when its consumer or its stream are gone. So it is when the connection
    /// was lost and made again, for it may have been what came that broke it.
    async fn pull(
        &self,
        messages: pull::Stream,
        connections: &mut watch::Receiver<u64>,
        shutdown: &CancellationToken,
    ) -> Result<()> {
        let mut batches = messages.ready_chunks(BATCH);
        loop {
            let batch = tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(()),
                // Tokio lets a task take only so much at a time, which would cut the batches short.
                batch = unconstrained(batches.next()) => batch.ok_or_else(|| Error::unavailable("the pull has ended"))?,
                _ = connections.changed() => return Err(Error::unavailable("the connection was lost")),
            };
            let mut messages = Vec::with_capacity(batch.len());
            let mut failure = None;
            for message in batch {
                match message {
                    Ok(message) => messages.push(Arrived::from(message)),
                    Err(error) => failure = Some(error),
                }
            }
            if !messages.is_empty() {
                self.process(&messages).await;
            }
            if let Some(failure) = failure {
                return Err(Error::unavailable("the pull fails").because(failure));
            }
        }
    }

    async fn handle(&self, messages: &[Arrived]) -> Result<()> {
        let batch = self.watch.begin(messages);
        let deliveries = messages.iter().zip(&batch.spans).map(|(message, span)| delivery(message, span.origin()));
        let handed_over = self.hand_over(deliveries.collect());
        let result = match batch.spans.as_slice() {
            [alone] => alone.run(handed_over).await,
            _ => handed_over.await,
        };
        self.watch.end(batch, &result);
        result
    }

    /// Hands events over. A panic is our own fault like any other, and must not end the consumer.
    async fn hand_over(&self, deliveries: Vec<Delivery>) -> Result<()> {
        AssertUnwindSafe(async { (self.handle)(deliveries).await })
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(Error::internal("a consumer panicked")))
    }

    async fn process(&self, messages: &[Arrived]) {
        match self.handle(messages).await {
            Ok(()) => {
                for message in messages {
                    acknowledge(message, AckKind::Ack).await;
                }
            }
            Err(error) if error.is_transient() => self.later(messages, &error).await,
            Err(error) if messages.len() == 1 => self.fail(&messages[0], error).await,
            // What is at fault is in one of the halves.
            Err(_) => {
                let (first, second) = messages.split_at(messages.len() / 2);
                Box::pin(self.process(first)).await;
                Box::pin(self.process(second)).await;
            }
        }
    }

    async fn later(&self, messages: &[Arrived], error: &Error) {
        tracing::warn!(consumer = self.consumer.durable, %error, events = messages.len(), "trying again");
        for message in messages {
            acknowledge(message, AckKind::Nak(Some(backoff(attempt(message))))).await;
        }
    }

    /// Tries again later what may be our own fault; sets aside, and only then ends, what can never succeed.
    async fn fail(&self, message: &Arrived, error: Error) {
        let attempt = attempt(message);
        if error.code() == Code::Internal && attempt < ATTEMPTS {
            return self.later(std::slice::from_ref(message), &error).await;
        }
        match self.set_aside(&delivery(message, Origin::default()), &error).await {
            Ok(()) => acknowledge(message, AckKind::Term).await,
            Err(error) => {
                tracing::error!(%error, "the quarantine cannot be written");
                self.later(std::slice::from_ref(message), &error).await;
            }
        }
    }

    async fn set_aside(&self, event: &Delivery, error: &Error) -> Result<()> {
        tracing::error!(consumer = self.consumer.durable, event = event.id, %error, "an event is set aside");
        quarantine::set_aside(&self.database, self.consumer.durable, event, error, self.clock.now()).await?;
        self.watch.quarantined(error);
        Ok(())
    }
}

/// What has brought an event with these headers about.
pub(super) fn origin(headers: &HeaderMap) -> Origin {
    headers.get(HEADER).map(|text| Origin::parse(text.as_str())).unwrap_or_default()
}

fn delivery(Arrived { message, headers }: &Arrived, origin: Origin) -> Delivery {
    let id = headers
        .get("ce-id")
        .map(|id| id.as_str().to_owned())
        // Without an id of its own: where it stands, and when it came, for a stream that is made anew counts from one.
        .or_else(|| {
            let info = message.info().ok()?;
            Some(position(info.stream, info.stream_sequence, info.published.unix_timestamp_nanos()))
        })
        .unwrap_or_default();
    Delivery {
        id,
        subject: message.subject.to_string(),
        payload: message.payload.clone(),
        headers: Headers::Read(headers.clone()),
        origin,
    }
}

fn position(stream: &str, sequence: u64, nanos: i128) -> String {
    format!("{stream}:{sequence}:{nanos}")
}

fn attempt(Arrived { message, .. }: &Arrived) -> i64 {
    message.info().map(|info| info.delivered).unwrap_or(1)
}

fn backoff(attempt: i64) -> Duration {
    let exponent = u32::try_from(attempt.clamp(1, 7) - 1).unwrap_or(0);
    Duration::from_millis(250) * 2_u32.pow(exponent)
}

/// An acknowledgement that gets lost means a redelivery, which has no second effect.
async fn acknowledge(Arrived { message, .. }: &Arrived, kind: AckKind) {
    if let Err(error) = message.ack_with(kind).await {
        tracing::debug!(%error, "an acknowledgement was lost");
    }
}
