//! What only time brings: bands that change, leads that lapse, and the accounts that a new model has to score.

use std::{collections::HashMap, time::Duration};

use leadflow_platform::Result;
use tokio_util::sync::CancellationToken;

use super::{App, rescore::Cause};
use crate::store::accounts;

/// Accounts that are scored again in one transaction.
const BATCH: u64 = 200;

impl App {
    /// Scores what is due, every `interval`, until shutdown.
    pub(crate) async fn sweep(self, interval: Duration, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            self.memory.forget_idle();
            match self.sweep_once().await {
                Ok(scored) if scored >= BATCH => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "what is due was not scored; trying again"),
            }
            let _ = tokio::time::timeout(interval, shutdown.cancelled()).await;
        }
    }

    /// Scores a batch of what is due and says how many accounts it was.
    async fn sweep_once(&self) -> Result<u64> {
        let app = self.clone();
        let (scored, held) = self
            .database
            .write(move |tx| async move {
                let now = app.clock.now();
                let locked = accounts::lock_due(&tx, now.as_millisecond(), BATCH).await?;
                if locked.is_empty() {
                    return Ok((0, Vec::new()));
                }
                let outcome = app.rescore(&tx, &locked, HashMap::new(), Cause::Time).await?;
                let held = outcome.write(&tx, &locked, now).await?;
                Ok((locked.len() as u64, held))
            })
            .await?;
        self.memory.keep(held);
        Ok(scored)
    }
}
