//! The instruments of scoring.

use leadflow_platform::metrics::Metrics as Registry;
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram},
};

use crate::domain::{Band, Disposition, round::CloseReason};

/// Counts what scoring does.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    scored: Counter<u64>,
    opened: Counter<u64>,
    ready: Counter<u64>,
    closed: Counter<u64>,
    failed_conditions: Counter<u64>,
    lag: Histogram<f64>,
    open: Gauge<u64>,
    overdue: Gauge<u64>,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        let meter = registry.meter();
        let counter = |name: &'static str, what: &'static str| meter.u64_counter(name).with_description(what).build();
        Self {
            scored: counter(
                "leadflow.activities.scored",
                "Activities that scoring has taken in, by what became of them",
            ),
            opened: counter("leadflow.leads.opened", "Leads that were opened"),
            ready: counter("leadflow.leads.ready", "Hand-overs of sales-ready leads"),
            closed: counter("leadflow.leads.closed", "Leads that were closed, by reason"),
            failed_conditions: counter("leadflow.conditions.failed", "Conditions that failed at run time: no match"),
            lag: meter
                .f64_histogram("leadflow.score.lag")
                .with_unit("s")
                .with_description("From the acceptance of an activity to its score")
                .with_boundaries(vec![0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0])
                .build(),
            open: meter.u64_gauge("leadflow.leads.open").with_description("Open leads, by band").build(),
            overdue: meter
                .u64_gauge("leadflow.accounts.overdue")
                .with_description("Accounts that should have been scored again a minute ago")
                .build(),
        }
    }

    pub(crate) fn scored(&self, disposition: Disposition, lag_seconds: f64) {
        self.scored.add(1, &[KeyValue::new("disposition", label(&disposition))]);
        self.lag.record(lag_seconds.max(0.0), &[]);
    }

    pub(crate) fn opened(&self) {
        self.opened.add(1, &[]);
    }

    pub(crate) fn ready(&self) {
        self.ready.add(1, &[]);
    }

    pub(crate) fn closed(&self, reason: CloseReason) {
        self.closed.add(1, &[KeyValue::new("reason", label(&reason))]);
    }

    pub(crate) fn failed_conditions(&self, count: u32) {
        if count > 0 {
            self.failed_conditions.add(count.into(), &[]);
        }
    }

    pub(crate) fn open(&self, band: Band, count: u64) {
        self.open.record(count, &[KeyValue::new("band", label(&band))]);
    }

    pub(crate) fn overdue(&self, count: u64) {
        self.overdue.record(count, &[]);
    }
}

fn label(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|json| json.as_str().map(str::to_owned)).unwrap_or_default()
}
