//! What people do to a lead: give or take points, close it.

use std::collections::{BTreeMap, HashMap};

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    db::Tx,
    ids,
};
use uuid::Uuid;

use super::{App, NamedLead, known::ids_of_one, origins::Origins, rescore::Cause};
use crate::{
    domain::{Adjustment, lead::Lead, round::CloseReason},
    error,
    store::{
        accounts::{self, Account},
        leads,
    },
};

/// Points to give or take.
#[derive(Clone, Debug)]
pub(crate) struct NewAdjustment {
    pub(crate) points_milli: i64,
    pub(crate) reason: String,
    pub(crate) expire_time: Option<i64>,
}

impl App {
    /// Gives or takes points, and scores the lead again.
    pub(crate) async fn adjust(&self, mutation: Mutation, lead_id: Uuid, new: NewAdjustment) -> Result<NamedLead> {
        let app = self.clone();
        if new.expire_time.is_some_and(|expire| expire <= self.now()) {
            return Err(Error::invalid("expire_time", "must be in the future"));
        }
        let adjustment = Adjustment {
            adjustment_id: ids::new(),
            points_milli: new.points_milli,
            create_time: self.now(),
            expire_time: new.expire_time,
            reason: new.reason,
            principal: mutation.principal.as_str().to_owned(),
        };
        mutate(&self.database, mutation, move |tx| async move {
            let (_, locked) = app.lock_open(&tx, lead_id).await?;
            leads::adjust(&tx, lead_id, &adjustment).await?;
            app.rescore_and_show(&tx, lead_id, &locked).await
        })
        .await
    }

    /// Closes a lead with its outcome.
    pub(crate) async fn close(
        &self,
        mutation: Mutation,
        lead_id: Uuid,
        etag: String,
        reason: CloseReason,
        note: String,
    ) -> Result<NamedLead> {
        let app = self.clone();
        mutate(&self.database, mutation, move |tx| async move {
            let (mut lead, locked) = app.lock_open(&tx, lead_id).await?;
            if !etag.is_empty() && etag != lead.revision.to_string() {
                return Err(Error::stale_etag("lead"));
            }
            // With all that it was scored with: some of that may come from a clock that is ahead.
            lead.close(reason, &note, app.now().max(lead.state.score_time));
            lead.end_for(&ids_of_one(&locked));
            app.metrics.closed(reason);
            let mut closing = super::outcome::Outcome::default();
            closing.announce("closed", &mut lead);
            leads::save(&tx, std::slice::from_ref(&lead)).await?;
            // What it had as evidence is disposed of anew; what happens later may open the next round.
            let scored = app.rescore(&tx, &locked, HashMap::new(), Cause::News(Origins::default())).await?;
            scored.after(closing).write(&tx, &locked, app.clock.now()).await?;
            Ok(NamedLead::of(lead, &locked))
        })
        .await
    }

    /// Locks the account of an open lead, and those that are one with it, and reads the lead under the lock.
    async fn lock_open(&self, tx: &Tx, lead_id: Uuid) -> Result<(Lead, BTreeMap<Uuid, Account>)> {
        let account_id = leads::get(&**tx, lead_id).await?.account_id;
        let locked = accounts::lock(tx, &[account_id]).await?;
        let lead = leads::get(&**tx, lead_id).await?;
        if lead.closed.is_some() {
            return Err(error::lead_closed());
        }
        Ok((lead, locked))
    }

    async fn rescore_and_show(&self, tx: &Tx, lead_id: Uuid, locked: &BTreeMap<Uuid, Account>) -> Result<NamedLead> {
        let outcome = self.rescore(tx, locked, HashMap::new(), Cause::News(Origins::default())).await?;
        outcome.write(tx, locked, self.clock.now()).await?;
        Ok(NamedLead::of(leads::get(&**tx, lead_id).await?, locked))
    }
}
