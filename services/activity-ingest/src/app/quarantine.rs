//! What could not be recorded: looked at, and corrected.

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    db::Tx,
    page::Page,
};
use leadflow_proto::activity::v1::Activity as ActivityMessage;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    app::App,
    domain::{
        activity::{Activity, Draft, Identity},
        check::{self, check},
        quarantine::{Quarantined, State},
    },
    error,
    store::{self, quarantine::Filter},
    wire,
};

impl App {
    /// A page of what is kept, without what came, and the token of the next.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn quarantined(&self, filter: &Filter, page: &Page<Uuid>) -> Result<(Vec<Quarantined>, String)> {
        let after = page.after().copied();
        let rows = store::quarantine::list(self.database.reader(), filter, after, page.limit()).await?;
        Ok(page.finish(rows, |it| it.quarantine_id))
    }

    /// One of them with what came; and its activity, where that is in the ledger.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub(crate) async fn quarantined_one(&self, quarantine_id: Uuid) -> Result<(Quarantined, Option<Activity>)> {
        let found = store::quarantine::get(self.database.reader(), quarantine_id).await?;
        let found = found.ok_or_else(|| not_found(quarantine_id))?;
        let activity = match found.door {
            None => store::activities::get(self.database.reader(), quarantine_id).await?,
            Some(_) => None,
        };
        Ok((found, activity))
    }

    /// Replaces what is kept by an activity that could be recorded.
    ///
    /// # Errors
    /// `NOT_FOUND`, `QUARANTINE_RESOLVED`, `STALE_ETAG`, `IMMUTABLE_ACTIVITY`; `INVALID_ARGUMENT` as at any door.
    pub(crate) async fn correct(
        &self,
        mutation: Mutation,
        quarantine_id: Uuid,
        corrected: ActivityMessage,
        etag: String,
    ) -> Result<()> {
        let catalogue = self.catalogue.reload(Instant::now()).await?;
        let now = mutation.time;
        mutate(&self.database, mutation, move |tx| async move {
            let kept = store::quarantine::lock(&*tx, &[quarantine_id]).await?;
            let kept = kept.into_iter().next().ok_or_else(|| not_found(quarantine_id))?;
            if kept.state != State::Open {
                return Err(error::resolved(kept.state.as_str()));
            }
            if !etag.is_empty() && etag != kept.revision.to_string() {
                return Err(Error::stale_etag("quarantined activity"));
            }
            let draft = wire::draft(&corrected)?;
            if kept.door.is_none() {
                correct_identity(&tx, quarantine_id, draft).await?;
                return store::quarantine::correct(&tx, &kept, None).await;
            }
            let message = wire::kept(&draft);
            check(draft, &catalogue, now)?;
            store::quarantine::correct(&tx, &kept, Some(message)).await
        })
        .await
    }
}

/// Corrects who did an activity that is in the ledger.
async fn correct_identity(tx: &Tx, activity_id: Uuid, corrected: Draft) -> Result<()> {
    let activity = store::activities::get(&**tx, activity_id).await?.ok_or_else(|| not_found(activity_id))?;
    let present = wire::draft(&wire::activity(activity.clone()))?;
    let identity = check::identity(corrected.identity.clone())?;
    // A correction is no verification.
    let number = |of: &Identity| (of.phone_verified, of.phone.clone(), of.country.clone());
    if identity.phone_verified && number(&identity) != number(&present.identity) {
        return Err(error::untrusted_verification());
    }
    let what_happened = |draft: Draft| Draft { identity: Identity::default(), ..draft };
    if what_happened(corrected) != what_happened(present) {
        return Err(error::immutable());
    }
    store::activities::correct_identity(tx, activity, identity).await
}

fn not_found(quarantine_id: Uuid) -> Error {
    Error::not_found("quarantined activity", quarantine_id)
}
