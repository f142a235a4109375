//! Held hand-overs: a rep is looked for again, the oldest first, every interval, and at once when somebody may have
//! become eligible.

use std::{collections::HashSet, time::Duration};

use leadflow_platform::{Result, db::Tx};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{App, decide::Pending};
use crate::{
    domain::hand_over::State,
    store::{
        hand_overs::{self, HeldKey},
        leads,
    },
};

/// Hand-overs that are decided in one transaction.
const BATCH: u64 = 200;

impl App {
    /// Looks for reps until shutdown.
    pub(crate) async fn drain(self, interval: Duration, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if let Err(error) = self.drain_once(&shutdown).await {
                tracing::warn!(%error, "no rep was looked for; trying again");
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.bell.notified() => {}
                () = tokio::time::sleep(interval) => {}
            }
        }
    }

    /// One look for a rep for each of the held.
    async fn drain_once(&self, shutdown: &CancellationToken) -> Result<()> {
        let mut after = None;
        while !shutdown.is_cancelled() {
            let held = hand_overs::held(self.database.reader(), after, BATCH).await?;
            let Some(&last) = held.last() else { break };
            let app = self.clone();
            self.database.write(move |tx| async move { app.decide_again(&tx, &held).await }).await?;
            after = Some(last);
        }
        Ok(())
    }

    async fn decide_again(&self, tx: &Tx, held: &[HeldKey]) -> Result<()> {
        let ids: HashSet<Uuid> = held.iter().map(|(_, lead_id, _)| *lead_id).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let leads = leads::lock(tx, &ids).await?;
        let known = hand_overs::of_leads(&**tx, &ids).await?;
        let mut traces = hand_overs::held_traces(tx, &ids).await?;
        let mut pending = Vec::with_capacity(held.len());
        for &(_, lead_id, number) in held {
            // Somebody else may have been faster.
            let hand_over = known.get(&lead_id).and_then(|known| known.iter().find(|one| one.hand_over == number));
            let hand_over = hand_over.filter(|hand_over| hand_over.state == State::Held).cloned();
            if let Some((hand_over, lead)) = hand_over.zip(leads.get(&lead_id)) {
                pending.push(Pending { hand_over, lead, before: traces.remove(&(lead_id, number)), record_time: None });
            }
        }
        self.decide(tx, pending, self.now()).await
    }
}
