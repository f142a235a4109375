//! The instruments of routing.

use std::collections::HashMap;

use jiff::SignedDuration;
use leadflow_platform::metrics::Metrics as Registry;
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram},
};

use crate::domain::{assignment::RejectReason, hand_over::Reason};

/// Counts what routing does.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    received: Counter<u64>,
    offered: Counter<u64>,
    accepted: Counter<u64>,
    rejected: Counter<u64>,
    failed_conditions: Counter<u64>,
    lag: Histogram<f64>,
    held: Gauge<u64>,
    oldest_held_age: Gauge<f64>,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        let meter = registry.meter();
        let counter = |name: &'static str, what: &'static str| meter.u64_counter(name).with_description(what).build();
        Self {
            received: counter("leadflow.hand_overs.received", "Hand-overs of leads that routing has taken in"),
            offered: counter("leadflow.assignments.offered", "Leads that were offered to a rep, by way"),
            accepted: counter("leadflow.assignments.accepted", "Leads that a rep took"),
            rejected: counter("leadflow.assignments.rejected", "Leads that a rep gave back, by reason"),
            failed_conditions: counter("leadflow.conditions.failed", "Conditions that failed at run time: no match"),
            lag: meter
                .f64_histogram("leadflow.assignment.lag")
                .with_unit("s")
                .with_description("From the acceptance of an activity to the offer that it has led to")
                .with_boundaries(vec![0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0])
                .build(),
            held: meter
                .u64_gauge("leadflow.hand_overs.held")
                .with_description("Leads for which nobody is eligible, by reason")
                .build(),
            oldest_held_age: meter
                .f64_gauge("leadflow.hand_overs.oldest_held_age")
                .with_unit("s")
                .with_description("How long the oldest held lead waits")
                .build(),
        }
    }

    pub(crate) fn received(&self, count: u64) {
        self.received.add(count, &[]);
    }

    pub(crate) fn offered(&self, to_owner: bool) {
        let way = if to_owner { "owner" } else { "pool" };
        self.offered.add(1, &[KeyValue::new("way", way)]);
    }

    pub(crate) fn accepted(&self) {
        self.accepted.add(1, &[]);
    }

    pub(crate) fn rejected(&self, reason: RejectReason) {
        self.rejected.add(1, &[KeyValue::new("reason", reason.as_str())]);
    }

    pub(crate) fn lag(&self, since_acceptance: SignedDuration) {
        self.lag.record(since_acceptance.as_secs_f64().max(0.0), &[]);
    }

    pub(crate) fn failed_conditions(&self, count: usize) {
        if count > 0 {
            self.failed_conditions.add(count as u64, &[]);
        }
    }

    pub(crate) fn held(&self, counts: &HashMap<Reason, u64>, oldest_age_seconds: f64) {
        for reason in Reason::HOLDING {
            let count = counts.get(&reason).copied().unwrap_or(0);
            self.held.record(count, &[KeyValue::new("reason", reason.as_str())]);
        }
        self.oldest_held_age.record(oldest_age_seconds.max(0.0), &[]);
    }
}
