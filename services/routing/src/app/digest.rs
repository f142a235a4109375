//! What scoring may have missed of hand-overs and assignments, announced again.

use async_trait::async_trait;
use leadflow_platform::{
    Result,
    db::Tx,
    digest::{Facts, Producer},
    outbox,
};
use uuid::Uuid;

use super::{App, decide::NamedHandOver};
use crate::{
    domain::hand_over::State,
    store::{assignments, digest, hand_overs, leads},
    wire,
};

/// How the latest hand-over of each open lead stands.
#[derive(Clone, Debug)]
pub(crate) struct Assignments(pub(crate) App);

#[async_trait]
impl Producer for Assignments {
    fn kind(&self) -> &'static str {
        "assignments"
    }

    fn facts(&self) -> Facts {
        digest::assignments()
    }

    async fn announce_again(&self, tx: &Tx, ids: Vec<Uuid>) -> Result<()> {
        let now = self.0.now();
        let leads = leads::lock(tx, &ids).await?;
        let hand_overs = hand_overs::of_leads(&**tx, &ids).await?;
        let latest = hand_overs.into_values().filter_map(|all| all.into_iter().max_by_key(|one| one.hand_over));
        let (held, others): (Vec<_>, Vec<_>) = latest.partition(|one| one.state == State::Held);
        let assigned: Vec<_> = others.iter().filter_map(|one| one.assignment_id).collect();
        let mut events: Vec<_> = assignments::by_ids(&**tx, &assigned)
            .await?
            .iter()
            .map(|assignment| wire::assignment_event(assignment, now))
            .collect();
        for hand_over in held {
            let lead = leads.get(&hand_over.lead_id);
            events.push(wire::held_event(&NamedHandOver::of(hand_over, lead), now));
        }
        outbox::announce_all(tx, events, now).await
    }
}
