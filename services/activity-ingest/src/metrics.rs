//! The instruments.

use std::sync::Arc;

use jiff::Timestamp;
use leadflow_platform::{Error, admin::Refresh, clock::Clock, db::Database};
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Meter},
};

use crate::{app::Outcome, domain::door::Door, store};

/// What this service counts.
#[derive(Clone, Debug)]
pub(crate) struct Instruments {
    received: Counter<u64>,
    accepted: Counter<u64>,
    duplicate: Counter<u64>,
    rejected: Counter<u64>,
    ignored: Counter<u64>,
    identified: Counter<u64>,
    quarantined: Counter<u64>,
    receipts_sent: Counter<u64>,
    receipts_failed: Counter<u64>,
    commits: Counter<u64>,
    pending: Gauge<u64>,
    oldest_pending_age: Gauge<f64>,
    quarantine_open: Gauge<u64>,
    oldest_quarantined_age: Gauge<f64>,
}

impl Instruments {
    /// The instruments, all at zero.
    pub(crate) fn new(meter: &Meter) -> Self {
        let counter = |name, description| meter.u64_counter(name).with_description(description).build();
        let gauge = |name, description| meter.u64_gauge(name).with_description(description).build();
        let age = |name, description| meter.f64_gauge(name).with_unit("s").with_description(description).build();
        Self {
            received: counter("leadflow.activities.received", "Activities that came through a door"),
            accepted: counter("leadflow.activities.accepted", "Activities committed to the ledger"),
            duplicate: counter("leadflow.activities.duplicate", "Activities that were in the ledger before"),
            rejected: counter("leadflow.activities.rejected", "Activities that were refused, by reason"),
            ignored: counter("leadflow.activities.ignored", "Events of a provider that say nothing of a buyer"),
            identified: counter("leadflow.activities.identified", "Activities whose person and account are known"),
            quarantined: counter("leadflow.activities.quarantined", "Activities that were refused and kept, by reason"),
            receipts_sent: counter("leadflow.receipts.sent", "Receipts that were sent over NATS"),
            receipts_failed: counter("leadflow.receipts.failed", "Receipts that could not be sent, or not to where"),
            commits: counter("leadflow.ledger.commits", "Transactions of the ledger's writer"),
            pending: gauge("leadflow.activities.pending", "Activities that wait to be identified"),
            oldest_pending_age: age("leadflow.activities.oldest_pending_age", "How long the oldest of them has waited"),
            quarantine_open: gauge("leadflow.activities.quarantine_open", "What is kept, and nobody has decided"),
            oldest_quarantined_age: age("leadflow.activities.oldest_quarantined_age", "How long the oldest has waited"),
        }
    }

    /// Activities came through a door.
    pub(crate) fn received(&self, door: Door, count: usize) {
        self.received.add(count as u64, &[of(door)]);
    }

    /// An activity has its outcome.
    pub(crate) fn answered(&self, door: Door, outcome: &Outcome) {
        match outcome {
            Outcome::Recorded(recorded) if recorded.duplicate => self.duplicate.add(1, &[of(door)]),
            Outcome::Recorded(_) => self.accepted.add(1, &[of(door)]),
            Outcome::Quarantined(_, error) => self.quarantined.add(1, &[of(door), reason(error.reason())]),
            Outcome::Rejected(error) => self.rejected(door, error, 1),
        }
    }

    /// Activities were refused.
    pub(crate) fn rejected(&self, door: Door, error: &Error, count: usize) {
        self.rejected.add(count as u64, &[of(door), reason(error.reason())]);
    }

    /// Events said nothing of a buyer.
    pub(crate) fn ignored(&self, door: Door, count: usize) {
        self.ignored.add(count as u64, &[of(door)]);
    }

    /// It is known who did these activities.
    pub(crate) fn identified(&self, count: usize) {
        self.identified.add(count as u64, &[]);
    }

    /// It can never be known who did an activity of the ledger.
    pub(crate) fn set_aside(&self, why: &str) {
        self.quarantined.add(1, &[KeyValue::new("door", "ledger"), reason(why.to_owned())]);
    }

    /// Receipts were sent, or could not be.
    pub(crate) fn receipts(&self, sent: usize, failed: usize) {
        self.receipts_sent.add(sent as u64, &[]);
        self.receipts_failed.add(failed as u64, &[]);
    }

    /// The ledger's writer has committed a transaction.
    pub(crate) fn committed(&self) {
        self.commits.add(1, &[]);
    }

    /// Reads the gauges from the database.
    pub(crate) fn refresh(self, database: Database, clock: Clock) -> Refresh {
        Arc::new(move || {
            let (gauges, database, clock) = (self.clone(), database.clone(), clock.clone());
            Box::pin(async move {
                let age = |oldest: Option<Timestamp>| {
                    oldest.map_or(0.0, |oldest| clock.now().duration_since(oldest).as_secs_f64().max(0.0))
                };
                let (pending, oldest) = store::activities::backlog(database.reader()).await?;
                gauges.pending.record(pending, &[]);
                gauges.oldest_pending_age.record(age(oldest), &[]);
                let (open, oldest) = store::quarantine::backlog(database.reader()).await?;
                gauges.quarantine_open.record(open, &[]);
                gauges.oldest_quarantined_age.record(age(oldest), &[]);
                Ok(())
            })
        })
    }
}

fn of(door: Door) -> KeyValue {
    KeyValue::new("door", door.as_str())
}

fn reason(reason: impl Into<opentelemetry::StringValue>) -> KeyValue {
    KeyValue::new("reason", reason.into())
}
