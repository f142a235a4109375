//! What is seen of the bus from outside: spans and metrics, in the words of
//! <https://opentelemetry.io/docs/specs/semconv/messaging/>.

use std::time::Instant;

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter, MeterProvider as _},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use super::{
    Consumer, Event,
    consumer::{self, Arrived},
};
use crate::{
    error::{Error, Result},
    trace::{Span, SpanKind, Tracer},
};

/// What a bus is observed with.
#[derive(Clone, Debug)]
pub(super) struct Observer {
    tracer: Tracer,
    sent: Counter<u64>,
    consumed: Counter<u64>,
    duration: Histogram<f64>,
    redelivered: Counter<u64>,
    quarantined: Counter<u64>,
}

impl Default for Observer {
    /// Sees nothing.
    fn default() -> Self {
        Self::new(&SdkMeterProvider::default().meter("nobody"), Tracer::default())
    }
}

impl Observer {
    pub(super) fn new(meter: &Meter, tracer: Tracer) -> Self {
        let counter = |name, what| meter.u64_counter(name).with_description(what).build();
        Self {
            tracer,
            sent: counter("messaging.client.sent.messages", "Events that the stream has acknowledged"),
            consumed: counter("messaging.client.consumed.messages", "Events that were handed to a consumer"),
            redelivered: counter("leadflow.consumer.redelivered", "Events that came once more, by consumer"),
            quarantined: counter("leadflow.consumer.quarantined", "Events that were set aside, by consumer and reason"),
            duration: meter
                .f64_histogram("messaging.process.duration")
                .with_unit("s")
                .with_description("How long a consumer takes for a batch")
                .with_boundaries(vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
                .build(),
        }
    }

    /// The span of an event on its way to the stream.
    pub(super) fn publishing(&self, event: &Event) -> Span {
        let span = self.tracer.start(SpanKind::Producer, format!("publish {}", event.subject), event.origin);
        span.describe(|| {
            [
                system(),
                KeyValue::new("messaging.operation.name", "publish"),
                KeyValue::new("messaging.operation.type", "send"),
                KeyValue::new("messaging.destination.name", event.subject.clone()),
                KeyValue::new("messaging.message.id", event.id.clone()),
                KeyValue::new("messaging.message.body.size", event.payload.len() as i64),
            ]
        });
        span
    }

    /// The stream has it.
    pub(super) fn published(&self, subject: String) {
        let operation = KeyValue::new("messaging.operation.name", "publish");
        self.sent.add(1, &[system(), operation, KeyValue::new("messaging.destination.name", subject)]);
    }

    /// Watches one consumer.
    pub(super) fn watch(self, consumer: Consumer) -> Watch {
        let label = KeyValue::new("consumer", consumer.durable);
        let labels = [
            system(),
            KeyValue::new("messaging.operation.name", "process"),
            KeyValue::new("messaging.consumer.group.name", consumer.durable),
            KeyValue::new("messaging.destination.name", consumer.subject),
        ];
        Watch { observer: self, consumer, labels, label }
    }
}

/// Watches one consumer.
#[derive(Debug)]
pub(super) struct Watch {
    observer: Observer,
    consumer: Consumer,
    labels: [KeyValue; 4],
    label: KeyValue,
}

/// A batch that is being handled.
pub(super) struct Batch {
    /// One for each event.
    pub(super) spans: Vec<Span>,
    begin: Instant,
}

impl Watch {
    /// A batch came in. Each of its events is handled in a span that the event has brought about, because each belongs
    /// to a trace of its own.
    pub(super) fn begin(&self, messages: &[Arrived]) -> Batch {
        self.observer.consumed.add(messages.len() as u64, &self.labels);
        let redelivered = messages.iter().filter(|it| it.message.info().is_ok_and(|info| info.delivered > 1)).count();
        if redelivered > 0 {
            self.observer.redelivered.add(redelivered as u64, std::slice::from_ref(&self.label));
        }
        let spans = messages.iter().map(|message| self.span(message, messages.len())).collect();
        Batch { spans, begin: Instant::now() }
    }

    fn span(&self, Arrived { message, headers }: &Arrived, count: usize) -> Span {
        let name = format!("process {}", self.consumer.subject);
        let span = self.observer.tracer.start(SpanKind::Consumer, name, consumer::origin(headers));
        span.describe(|| {
            [
                system(),
                KeyValue::new("messaging.operation.name", "process"),
                KeyValue::new("messaging.operation.type", "process"),
                KeyValue::new("messaging.destination.name", message.subject.to_string()),
                KeyValue::new("messaging.consumer.group.name", self.consumer.durable),
                KeyValue::new("messaging.batch.message_count", count as i64),
            ]
        });
        span
    }

    /// The batch was handled, or not.
    pub(super) fn end(&self, batch: Batch, result: &Result<()>) {
        let mut labels = self.labels.to_vec();
        if let Err(error) = result {
            labels.push(KeyValue::new("error.type", error.reason()));
            batch.spans.iter().for_each(|span| span.fail(error.reason()));
        }
        self.observer.duration.record(batch.begin.elapsed().as_secs_f64(), &labels);
    }

    /// An event was set aside.
    pub(super) fn quarantined(&self, error: &Error) {
        self.observer.quarantined.add(1, &[self.label.clone(), KeyValue::new("reason", error.reason())]);
    }
}

fn system() -> KeyValue {
    KeyValue::new("messaging.system", "nats")
}
