//! The instruments.

use std::sync::Arc;

use leadflow_platform::{Error, Result, admin::Refresh, clock::Clock, db::Database};
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Meter},
};

use crate::{app::Recorded, store};

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// `RecordActivities`.
    Grpc,
    /// A web form.
    Form,
}

impl Door {
    fn label(self) -> KeyValue {
        let door = match self {
            Self::Grpc => "grpc",
            Self::Form => "form",
        };
        KeyValue::new("door", door)
    }
}

/// What this service counts.
#[derive(Clone, Debug)]
pub(crate) struct Instruments {
    received: Counter<u64>,
    accepted: Counter<u64>,
    duplicate: Counter<u64>,
    rejected: Counter<u64>,
    identified: Counter<u64>,
    quarantined: Counter<u64>,
    commits: Counter<u64>,
    pending: Gauge<u64>,
    oldest_pending_age: Gauge<f64>,
}

impl Instruments {
    /// The instruments, all at zero.
    pub(crate) fn new(meter: &Meter) -> Self {
        let counter = |name, description| meter.u64_counter(name).with_description(description).build();
        Self {
            received: counter("leadflow.activities.received", "Activities that came through a door"),
            accepted: counter("leadflow.activities.accepted", "Activities committed to the ledger"),
            duplicate: counter("leadflow.activities.duplicate", "Activities that were in the ledger before"),
            rejected: counter("leadflow.activities.rejected", "Activities that were refused, by reason"),
            identified: counter("leadflow.activities.identified", "Activities whose person and account are known"),
            quarantined: counter("leadflow.activities.quarantined", "Activities that can never be identified"),
            commits: counter("leadflow.ledger.commits", "Transactions of the ledger's writer"),
            pending: meter
                .u64_gauge("leadflow.activities.pending")
                .with_description("Activities that wait to be identified")
                .build(),
            oldest_pending_age: meter
                .f64_gauge("leadflow.activities.oldest_pending_age")
                .with_unit("s")
                .with_description("How long the oldest of them has waited")
                .build(),
        }
    }

    /// Activities came through a door.
    pub(crate) fn received(&self, door: Door, count: usize) {
        self.received.add(count as u64, &[door.label()]);
    }

    /// An activity has its result.
    pub(crate) fn answered(&self, door: Door, result: &Result<Recorded>) {
        match result {
            Ok(recorded) if recorded.duplicate => self.duplicate.add(1, &[door.label()]),
            Ok(_) => self.accepted.add(1, &[door.label()]),
            Err(error) => self.rejected(door, error, 1),
        }
    }

    /// Activities were refused.
    pub(crate) fn rejected(&self, door: Door, error: &Error, count: usize) {
        self.rejected.add(count as u64, &[door.label(), KeyValue::new("reason", error.reason())]);
    }

    /// It is known who did these activities.
    pub(crate) fn identified(&self, count: usize) {
        self.identified.add(count as u64, &[]);
    }

    /// It can never be known who did these activities.
    pub(crate) fn quarantined(&self, count: usize) {
        self.quarantined.add(count as u64, &[]);
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
                let (pending, oldest) = store::activities::backlog(database.reader()).await?;
                gauges.pending.record(pending, &[]);
                let age = oldest.map_or(0.0, |oldest| clock.now().duration_since(oldest).as_secs_f64().max(0.0));
                gauges.oldest_pending_age.record(age, &[]);
                Ok(())
            })
        })
    }
}
