//! The rep's answer to an offer.

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    db::Tx,
    outbox,
};
use uuid::Uuid;

use super::App;
use crate::{
    domain::assignment::{Assignment, RejectReason},
    error,
    store::{assignments, hand_overs, leads},
    wire,
};

impl App {
    /// The rep takes the lead.
    pub(crate) async fn accept(&self, mutation: Mutation, assignment_id: Uuid, etag: String) -> Result<Assignment> {
        let app = self.clone();
        let (principal, now) = (mutation.principal.clone(), mutation.time);
        mutate(&self.database, mutation, move |tx| async move {
            let before = lock(&tx, assignment_id).await?;
            let mut assignment = before.clone();
            if !assignment.accept(principal.as_str(), now).map_err(|not| error::not_offered(not.0))? {
                return Ok(assignment);
            }
            check_etag(&before, &etag)?;
            write(&tx, &assignment).await?;
            app.metrics.accepted();
            Ok(assignment)
        })
        .await
    }

    /// The rep gives the lead back.
    pub(crate) async fn reject(
        &self,
        mutation: Mutation,
        assignment_id: Uuid,
        etag: String,
        reason: RejectReason,
        note: String,
    ) -> Result<Assignment> {
        let app = self.clone();
        let (principal, now) = (mutation.principal.clone(), mutation.time);
        let assignment = mutate(&self.database, mutation, move |tx| async move {
            let before = lock(&tx, assignment_id).await?;
            let mut assignment = before.clone();
            if !assignment.reject(reason, &note, principal.as_str(), now).map_err(|not| error::ended(not.0))? {
                return Ok(assignment);
            }
            check_etag(&before, &etag)?;
            write(&tx, &assignment).await?;
            if let Some(mut hand_over) = hand_overs::get(&*tx, assignment.lead_id, assignment.hand_over).await? {
                hand_over.reject();
                hand_overs::save(&tx, &[(hand_over, None)]).await?;
            }
            app.metrics.rejected(reason);
            Ok(assignment)
        })
        .await?;
        // The rep has room again.
        self.bell.notify_one();
        Ok(assignment)
    }
}

/// The assignment as it is now, with its lead locked.
async fn lock(tx: &Tx, assignment_id: Uuid) -> Result<Assignment> {
    let lead_id = assignments::get(&**tx, assignment_id).await?.lead_id;
    leads::lock(tx, &[lead_id]).await?;
    assignments::get(&**tx, assignment_id).await
}

fn check_etag(assignment: &Assignment, etag: &str) -> Result<()> {
    if etag.is_empty() || etag == assignment.revision.to_string() {
        Ok(())
    } else {
        Err(Error::stale_etag("assignment"))
    }
}

async fn write(tx: &Tx, assignment: &Assignment) -> Result<()> {
    assignments::save(tx, std::slice::from_ref(assignment)).await?;
    let now = assignment.decide_time.unwrap_or(assignment.offer_time);
    outbox::announce_all(tx, vec![wire::assignment_event(assignment, now)], now).await
}
