//! The instruments of contact.

use leadflow_platform::metrics::Metrics as Registry;
use opentelemetry::{KeyValue, metrics::Counter};

/// Counts what contact does.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    resolved: Counter<u64>,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    Known,
    Created,
    Rejected,
    Suppressed,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        let meter = registry.meter();
        let resolved = meter.u64_counter("leadflow.identities.resolved");
        Self { resolved: resolved.with_description("Claims that were resolved, by outcome").build() }
    }

    pub(crate) fn resolved(&self, found: Found) {
        let outcome = match found {
            Found::Known => "known",
            Found::Created => "created",
            Found::Rejected => "rejected",
            Found::Suppressed => "suppressed",
        };
        self.resolved.add(1, &[KeyValue::new("outcome", outcome)]);
    }
}
