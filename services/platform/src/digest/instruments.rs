//! The instruments of comparisons, by kind.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge},
};

use crate::metrics::Metrics;

#[derive(Clone, Debug)]
pub(super) struct Instruments {
    compared: Counter<u64>,
    differing: Counter<u64>,
    asked: Counter<u64>,
    stuck: Gauge<u64>,
    last: Arc<Mutex<HashMap<&'static str, Instant>>>,
}

impl Instruments {
    pub(super) fn new(metrics: &Metrics, kinds: impl IntoIterator<Item = &'static str>) -> Self {
        let meter = metrics.meter();
        let counter = |name: &'static str, what: &'static str| meter.u64_counter(name).with_description(what).build();
        let start = Instant::now();
        let last: HashMap<_, _> = kinds.into_iter().map(|kind| (kind, start)).collect();
        let stuck = meter
            .u64_gauge("leadflow.digest.stuck")
            .with_description("Milliseconds of ids that still differ after they were asked for three times")
            .build();
        last.keys().for_each(|kind| stuck.record(0, &[label(kind)]));
        let last = Arc::new(Mutex::new(last));
        let shown = last.clone();
        // The meter keeps it.
        let _ = meter
            .f64_observable_gauge("leadflow.digest.age")
            .with_unit("s")
            .with_description("Since the last comparison with the producer, or since the start")
            .with_callback(move |age| {
                for (kind, last) in &*shown.lock().unwrap_or_else(PoisonError::into_inner) {
                    age.observe(last.elapsed().as_secs_f64(), &[label(kind)]);
                }
            })
            .build();
        Self {
            compared: counter("leadflow.digest.compared", "Comparisons with the producer that came to their end"),
            differing: counter(
                "leadflow.digest.differing",
                "Milliseconds of ids that were not as the producer has them",
            ),
            asked: counter("leadflow.digest.asked", "Facts that the producer has announced again"),
            stuck,
            last,
        }
    }

    pub(super) fn asked(&self, kind: &'static str, facts: u64) {
        self.asked.add(facts, &[label(kind)]);
    }

    pub(super) fn compared(&self, kind: &'static str, differing: u64, stuck: u64) {
        self.compared.add(1, &[label(kind)]);
        self.differing.add(differing, &[label(kind)]);
        self.stuck.record(stuck, &[label(kind)]);
        self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, Instant::now());
    }
}

fn label(kind: &'static str) -> KeyValue {
    KeyValue::new("kind", kind)
}
