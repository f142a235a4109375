//! The intake stream: marketing tools publish what happened, and hear of it after it is recorded.

use std::time::Duration;

use futures::future::BoxFuture;
use leadflow_platform::{
    Result,
    auth::Principal,
    bus::{Bus, Consumer, Delivery, Keep, Message, Stream, consume},
    clock::Clock,
    db::Database,
};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Outcome},
    domain::{
        door::Door,
        quarantine::{Incoming, MAX_CONTENT},
        receipt,
    },
    error,
    metrics::Instruments,
    wire::{self, ActivityJson},
};

/// The header that names where the receipt goes.
const RECEIPT: &str = "leadflow-receipt";
const SUBJECT: &str = "leadflow.intake.v1.*";
/// What is kept here is gone when it is recorded.
pub(crate) const STREAM: Stream =
    Stream { name: "LEADFLOW_INTAKE", subjects: &[SUBJECT], keep: Keep::Work { max_message: MAX_CONTENT as i32 } };
pub(crate) const CONSUMER: Consumer =
    Consumer { stream: STREAM.name, durable: "activity-ingest-intake", subject: SUBJECT };
/// How long to wait before the connection is made anew.
const PAUSE: Duration = Duration::from_secs(1);

/// The door for marketing tools.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    pub(crate) app: App,
    pub(crate) json: ActivityJson,
    pub(crate) bus: Bus,
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) metrics: Instruments,
}

impl Intake {
    /// Records what comes until shutdown. What strangers send goes over a connection of its own, made again when they
    /// break it, so that our events do not suffer for it.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            match self.bus.beside().await {
                Ok(bus) => self.serve(bus, &shutdown).await,
                Err(error) => tracing::warn!(%error, "the intake stream cannot be read"),
            }
            let _ = tokio::time::timeout(PAUSE, shutdown.cancelled()).await;
        }
    }

    /// Records one more time what was set aside.
    pub(crate) fn redrive(&self, deliveries: Vec<Delivery>) -> BoxFuture<'static, Result<()>> {
        let intake = self.clone();
        Box::pin(async move { intake.record(&intake.bus, deliveries).await })
    }

    async fn serve(&self, bus: Bus, shutdown: &CancellationToken) {
        let handle = |deliveries| {
            let (intake, bus) = (self.clone(), bus.clone());
            async move { intake.record(&bus, deliveries).await }
        };
        let (database, clock) = (self.database.clone(), self.clock.clone());
        consume(bus.clone(), database, clock, CONSUMER, shutdown.clone(), handle).await;
        bus.close().await;
    }

    /// Records messages, and sends the receipts that are wished for after the commit.
    async fn record(&self, bus: &Bus, deliveries: Vec<Delivery>) -> Result<()> {
        let (ids, incoming): (Vec<_>, Vec<_>) =
            deliveries.iter().map(|delivery| wire::from_intake(delivery, &self.json)).unzip();
        let outcomes = match <[Incoming; 1]>::try_from(incoming) {
            Ok([alone]) => self.app.record_or_keep(alone, &sender(), Door::Nats).await?,
            Err(incoming) => self.app.record(incoming, &sender(), Door::Nats).await?,
        };
        let answered = deliveries.iter().zip(ids.iter().zip(&outcomes));
        let receipts: Vec<_> =
            answered.filter_map(|(delivery, (id, outcome))| self.receipt(delivery, id, outcome)).collect();
        let wished = receipts.len();
        let sent = bus.send_all(receipts).await;
        self.metrics.receipts(sent, wished - sent);
        Ok(())
    }

    fn receipt(&self, delivery: &Delivery, source_event_id: &str, outcome: &Outcome) -> Option<Message> {
        let subject = delivery.header(RECEIPT)?;
        if !receipt::may_go_to(subject) {
            tracing::warn!(event = delivery.id, subject = error::shown(subject), "a receipt may not go there");
            self.metrics.receipts(0, 1);
            return None;
        }
        let payload = wire::receipt(source_event_id, outcome).to_string().into_bytes();
        Some(Message { subject: subject.to_owned(), payload })
    }
}

/// Who publishes is between them and the server; it lets them publish for their source, and tells us nothing more.
fn sender() -> Principal {
    Principal::new("nats")
}
