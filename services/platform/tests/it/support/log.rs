//! A consumer that writes down what it did.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use leadflow_platform::{
    bus::{Bus, Consumer, Delivery, consume},
    clock::{Clock, from_millis},
    db::Database,
    error::Result,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{STREAM, SUBJECT};

/// What is consumed.
pub(crate) const CONSUMER: Consumer = Consumer { stream: STREAM.name, durable: "test-purpose", subject: SUBJECT };

/// What a consumer did.
#[derive(Clone, Default)]
pub(crate) struct Log {
    /// How often each text was in a batch that succeeded.
    handled: Arc<Mutex<BTreeMap<String, usize>>>,
    /// How often each text was in a batch.
    tried: Arc<Mutex<BTreeMap<String, usize>>>,
    /// How often each text was a batch of its own.
    alone: Arc<Mutex<BTreeMap<String, usize>>>,
    /// Of the batches.
    pub(crate) sizes: Arc<Mutex<Vec<usize>>>,
}

impl Log {
    /// Consumes by `handle`, which is told the texts of the batch and how often the first of them was tried.
    pub(crate) fn consume_with<H>(self, bus: &Bus, database: &Database, handle: H) -> Running
    where
        H: Fn(Vec<String>, usize) -> Result<()> + Clone + Send + Sync + 'static,
    {
        let shutdown = CancellationToken::new();
        let (clock, _) = Clock::manual(from_millis(5_000));
        let handle = move |deliveries: Vec<Delivery>| {
            let (log, handle) = (self.clone(), handle.clone());
            async move { log.note(deliveries, handle) }
        };
        let consuming = consume(bus.clone(), database.clone(), clock, CONSUMER, shutdown.clone(), handle);
        Running::start(shutdown, consuming)
    }

    pub(crate) fn note(
        &self,
        deliveries: Vec<Delivery>,
        handle: impl Fn(Vec<String>, usize) -> Result<()>,
    ) -> Result<()> {
        let texts: Vec<_> =
            deliveries.iter().map(|delivery| String::from_utf8(delivery.payload.to_vec()).unwrap()).collect();
        self.sizes.lock().unwrap().push(texts.len());
        let bump = |counts: &Mutex<BTreeMap<String, usize>>| {
            let mut counts = counts.lock().unwrap();
            texts.iter().for_each(|text| *counts.entry(text.clone()).or_default() += 1);
            counts[&texts[0]]
        };
        let tries = bump(&self.tried);
        if texts.len() == 1 {
            bump(&self.alone);
        }
        handle(texts.clone(), tries)?;
        bump(&self.handled);
        Ok(())
    }

    pub(crate) fn handled(&self) -> usize {
        self.handled.lock().unwrap().len()
    }

    pub(crate) fn most_handled(&self) -> usize {
        self.handled.lock().unwrap().values().copied().max().unwrap_or_default()
    }

    pub(crate) fn tried_alone(&self, text: &str) -> usize {
        self.alone.lock().unwrap().get(text).copied().unwrap_or_default()
    }
}

pub(crate) struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(shutdown: CancellationToken, consuming: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { shutdown, task: tokio::spawn(consuming) }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Asks it to end, which must not take long.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(2), self.task).await.expect("the consumer does not end").unwrap();
    }
}
