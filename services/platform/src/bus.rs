//! The bus: events on NATS JetStream, as CloudEvents with a protobuf body. It carries; it does not remember: what a
//! consumer has not seen is asked for again from the producer's database.

use std::{sync::Arc, time::Duration};

use async_nats::{
    HeaderMap,
    jetstream::{
        self,
        stream::{DiscardPolicy, RetentionPolicy, StorageType},
    },
};
use futures::future::try_join_all;
use jiff::Timestamp;
use prost::bytes::Bytes;
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

use crate::{
    bus::{config::Login, observer::Observer},
    error::{Error, Result},
    metrics::Metrics,
    trace::{HEADER, Origin, Tracer},
};

pub use crate::bus::{
    backlog::Backlog,
    config::Config,
    consumer::{Consumer, Delivery, consume},
};

mod backlog;
mod caught_up;
mod config;
mod consumer;
mod forget;
mod observer;

/// How long a publish may wait for the acknowledgement of the stream.
const ACK_TIMEOUT: Duration = Duration::from_secs(5);
/// Within which a stream takes the same id once.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
/// The shortest that a server takes for it.
const NO_DUPLICATE_WINDOW: Duration = Duration::from_millis(100);

/// A stream, created by its owner.
#[derive(Clone, Debug)]
pub struct Stream {
    /// For example `LEADFLOW_LEAD`.
    pub name: &'static str,
    /// For example `leadflow.lead.v1.>`.
    pub subjects: &'static [&'static str],
    /// What it keeps, and how long.
    pub keep: Keep,
}

/// What a stream keeps, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Events, for all who consume them: three days. An event that is published twice within two minutes counts once.
    Events,
    /// Work for one consumer: until it is acknowledged, a day at the most. What is sent again is work again, however
    /// soon: who sends it waits for the answer of the consumer, not for that of the stream.
    Work {
        /// Bytes of one message, with its headers; a longer one is refused.
        max_message: i32,
    },
}

/// One event on its way out.
#[derive(Clone, Debug)]
pub struct Event {
    /// `ce-id` and `Nats-Msg-Id`.
    pub id: String,
    /// Also `ce-type`.
    pub subject: String,
    /// `ce-source`.
    pub source: &'static str,
    /// `ce-time`.
    pub time: Timestamp,
    /// The protobuf body.
    pub payload: Vec<u8>,
    /// What has brought it about.
    pub origin: Origin,
}

/// One message that nobody keeps.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where it goes.
    pub subject: String,
    /// What it says.
    pub payload: Vec<u8>,
}

/// A connection to NATS that mends itself.
#[derive(Clone, Debug)]
pub struct Bus {
    client: async_nats::Client,
    context: jetstream::Context,
    config: Arc<Config>,
    name: Arc<str>,
    owned: Arc<Mutex<Vec<Stream>>>,
    consumed: Arc<Mutex<Vec<Consumer>>>,
    /// How often the connection was made; closed when it never will be again.
    connections: watch::Receiver<u64>,
    observer: Observer,
}

impl Bus {
    /// Connects, now or as soon as the server is there. Answers come to an inbox below `_INBOX.<name>`, so that a user
    /// of NATS need not be allowed to read those of others.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the address or the login cannot be used.
    pub async fn connect(config: &Config, name: &str) -> Result<Self> {
        let unusable = || Error::unavailable(format!("cannot use NATS at {}", config.url));
        let (made, connections) = watch::channel(0);
        let mut options = async_nats::ConnectOptions::new()
            .name(name)
            .custom_inbox_prefix(format!("_INBOX.{name}"))
            .retry_on_initial_connect()
            .ping_interval(Duration::from_secs(10))
            .event_callback(move |event| {
                if matches!(event, async_nats::Event::Connected) {
                    made.send_modify(|times| *times += 1);
                }
                report(&event);
                std::future::ready(())
            });
        options = match &config.login {
            Login::Nobody => options,
            Login::Password { user, password } => options.user_and_password(user.clone(), password.clone()),
            Login::Credentials(path) => {
                options.credentials_file(path).await.map_err(|cause| unusable().because(cause))?
            }
        };
        if let Some(ca_file) = &config.ca_file {
            options = options.require_tls(true).add_root_certificates(ca_file.clone());
        }
        let client = options.connect(&config.url).await.map_err(|cause| unusable().because(cause))?;
        let context = jetstream::context::ContextBuilder::new()
            .timeout(ACK_TIMEOUT)
            .ack_timeout(ACK_TIMEOUT)
            .build(client.clone());
        Ok(Self {
            client,
            context,
            config: Arc::new(config.clone()),
            name: name.into(),
            owned: Arc::default(),
            consumed: Arc::default(),
            connections,
            observer: Observer::default(),
        })
    }

    /// The same connection, its events measured and traced.
    #[must_use]
    pub fn observed(self, metrics: &Metrics, tracer: Tracer) -> Self {
        Self { observer: Observer::new(&metrics.meter(), tracer), ..self }
    }

    /// A connection beside this one, for what may break it; the same streams are owned through both.
    ///
    /// # Errors
    /// As [`Bus::connect`].
    pub async fn beside(&self) -> Result<Self> {
        let other = Self::connect(&self.config, &self.name).await?;
        Ok(Self {
            owned: self.owned.clone(),
            consumed: self.consumed.clone(),
            observer: self.observer.clone(),
            ..other
        })
    }

    /// Whether the server is connected right now.
    pub fn is_connected(&self) -> bool {
        !self.is_dead() && self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Whether the connection has ended for good, by a failure of the client: it does not say so itself.
    pub(crate) fn is_dead(&self) -> bool {
        self.connections.has_changed().is_err()
    }

    /// Creates a stream that this service owns, and again when it gets lost.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the server does not answer; it is tried again at the next publish.
    pub async fn own(&self, stream: Stream) -> Result<()> {
        self.owned.lock().await.push(stream.clone());
        self.create(&stream).await
    }

    /// Creates the stream of this name if it is one that this service owns and it is lost.
    pub(crate) async fn restore(&self, name: &str) -> Result<()> {
        let owned = self.owned.lock().await.iter().find(|stream| stream.name == name).cloned();
        match owned {
            Some(stream) => self.create(&stream).await,
            None => Ok(()),
        }
    }

    async fn create(&self, stream: &Stream) -> Result<()> {
        let failed = |cause: async_nats::Error| {
            Error::unavailable(format!("cannot create the stream {}", stream.name)).because(cause)
        };
        let config = jetstream::stream::Config { num_replicas: self.config.replicas, ..config(stream) };
        let made = self.context.get_or_create_stream(config).await.map_err(|e| failed(e.into()))?;
        let found = &made.cached_info().config;
        if found.num_replicas != self.config.replicas {
            let wanted = jetstream::stream::Config { num_replicas: self.config.replicas, ..found.clone() };
            self.context.update_stream(wanted).await.map_err(|e| failed(e.into()))?;
        }
        Ok(())
    }

    /// Publishes events with all acknowledgements in flight at once.
    ///
    /// # Errors
    /// `UNAVAILABLE` when any of them was not acknowledged; all may be published again.
    pub async fn publish_all(&self, events: impl IntoIterator<Item = Event>) -> Result<()> {
        let result = tokio::time::timeout(2 * ACK_TIMEOUT, self.try_publish(events))
            .await
            .unwrap_or_else(|_| Err(Error::unavailable("NATS does not acknowledge")));
        if result.is_err() && self.is_connected() {
            // The files of JetStream may be gone: make the streams again, so that the next try succeeds.
            for stream in self.owned.lock().await.iter() {
                self.create(stream).await?;
            }
        }
        result
    }

    async fn try_publish(&self, events: impl IntoIterator<Item = Event>) -> Result<()> {
        let mut acks = Vec::new();
        for event in events {
            let span = self.observer.publishing(&event);
            let headers = headers(&event, span.origin());
            let Event { subject, payload, .. } = event;
            let ack = self
                .context
                .publish_with_headers(subject.clone(), headers, payload.into())
                .await
                .inspect_err(|_| span.fail("UNPUBLISHED"))
                .map_err(|cause| Error::unavailable("cannot publish").because(cause))?;
            acks.push(async move {
                ack.await.inspect_err(|_| span.fail("UNACKNOWLEDGED"))?;
                self.observer.published(subject);
                Ok(())
            });
        }
        try_join_all(acks).await.map(drop).map_err(|cause: jetstream::context::PublishError| {
            Error::unavailable("an event was not acknowledged").because(cause)
        })
    }

    /// Sends messages to whom it may concern, and returns how many have gone out, in their order; the others are not
    /// waited for. Nothing acknowledges them.
    pub async fn send_all(&self, messages: impl IntoIterator<Item = Message>) -> usize {
        let mut sent = 0;
        // While there is no connection, what is sent waits, and then the sender waits, for ever.
        let deadline = Instant::now() + ACK_TIMEOUT;
        for Message { subject, payload } in messages {
            match tokio::time::timeout_at(deadline, self.client.publish(subject, Bytes::from(payload))).await {
                Ok(Ok(())) => sent += 1,
                Ok(Err(error)) => tracing::debug!(%error, "a message cannot be sent"),
                Err(_) => break,
            }
        }
        sent
    }

    /// Waits until the server is connected.
    pub(crate) async fn connected(&self) {
        while !self.is_connected() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends the connection after what is on its way, acknowledgements above all, has gone out.
    pub async fn close(&self) {
        let end = async {
            if self.is_connected() {
                let _ = self.client.flush().await;
            }
            self.client.drain().await
        };
        let _ = tokio::time::timeout(ACK_TIMEOUT, end).await;
    }
}

/// Says what an operator has to know: who may not connect, or may not use a subject, otherwise only waits for ever.
fn report(event: &async_nats::Event) {
    match event {
        async_nats::Event::ServerError(_) | async_nats::Event::ClientError(_) => tracing::warn!(%event, "NATS"),
        _ => tracing::info!(%event, "NATS"),
    }
}

fn config(stream: &Stream) -> jetstream::stream::Config {
    let config = jetstream::stream::Config {
        name: stream.name.into(),
        subjects: stream.subjects.iter().map(|&subject| subject.into()).collect(),
        storage: StorageType::File,
        // A full stream refuses what is new; who publishes keeps it.
        discard: DiscardPolicy::New,
        max_bytes: 1 << 30,
        ..Default::default()
    };
    match stream.keep {
        Keep::Events => jetstream::stream::Config {
            max_age: Duration::from_secs(72 * 3600),
            duplicate_window: DUPLICATE_WINDOW,
            ..config
        },
        Keep::Work { max_message } => jetstream::stream::Config {
            retention: RetentionPolicy::WorkQueue,
            max_age: Duration::from_secs(24 * 3600),
            max_message_size: max_message,
            duplicate_window: NO_DUPLICATE_WINDOW,
            ..config
        },
    }
}

fn headers(event: &Event, origin: Origin) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("ce-specversion", "1.0");
    headers.insert("ce-id", event.id.as_str());
    headers.insert("ce-type", event.subject.as_str());
    headers.insert("ce-source", event.source);
    headers.insert("ce-time", event.time.to_string().as_str());
    headers.insert("content-type", "application/protobuf");
    headers.insert(async_nats::header::NATS_MESSAGE_ID, event.id.as_str());
    if let Some(traceparent) = origin.traceparent() {
        headers.insert(HEADER, traceparent.as_str());
    }
    headers
}
