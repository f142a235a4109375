//! Forgetting a person: what they have done counts no more, and their leads are scored again.

use std::collections::BTreeSet;

use leadflow_platform::{Error, Result, db::Tx, quarantine, tombstones};
use uuid::Uuid;

use super::{App, explain::Explanation, origins::Origins, rescore::Cause};
use crate::store::{accounts, erasure, hand_overs};

/// Rows of evidence that one transaction deletes.
const BATCH: usize = 500;

impl App {
    /// Forgets these contacts, and says how many rows that was. Safe to repeat.
    ///
    /// # Errors
    /// When the database fails; what was done stays done.
    pub(crate) async fn erase(&self, contact_ids: Vec<Uuid>) -> Result<u64> {
        // From here on nothing of these contacts is taken in any more.
        tombstones::bury(&self.database, contact_ids.clone(), self.clock.now()).await?;
        // Erasures are rare: they read the whole evidence, so that not each activity has to be found by its contact.
        let evidence = erasure::of_contacts(self.database.reader(), &contact_ids).await?;
        let mut deleted = 0;
        for batch in evidence.chunks(BATCH) {
            let (app, batch) = (self.clone(), batch.to_vec());
            deleted += self.database.write(move |tx| async move { app.take_out(&tx, batch).await }).await?;
        }
        let rest = move |tx: Tx| async move {
            let words = contact_ids.iter().map(Uuid::to_string).collect();
            Ok(erasure::delete_profiles(&tx, &contact_ids).await? + quarantine::forget(&tx, &words).await?)
        };
        Ok(deleted + self.database.write(rest).await?)
    }

    /// Takes activities out of the set, and scores their accounts again.
    async fn take_out(&self, tx: &Tx, evidence: Vec<(Uuid, Option<Uuid>)>) -> Result<u64> {
        let accounts: BTreeSet<_> = evidence.iter().filter_map(|(_, account)| *account).collect();
        let ids: BTreeSet<_> = evidence.iter().map(|(id, _)| *id).collect();
        // Before the evidence, as whoever takes activities in does.
        let locked = accounts::lock(tx, &accounts.into_iter().collect::<Vec<_>>()).await?;
        // Of those that are one with them, too: a lead of theirs may have frozen what these activities were.
        let accounts: Vec<_> = locked.into_keys().collect();
        let deleted = erasure::delete_evidence(tx, &ids.iter().copied().collect::<Vec<_>>()).await?;
        for (key, json) in hand_overs::of_accounts(tx, &accounts).await? {
            let mut explanation: Explanation = serde_json::from_value(json)
                .map_err(|cause| Error::internal("a frozen explanation that cannot be read").because(cause))?;
            if explanation.forget(&ids) {
                let json = serde_json::to_value(&explanation);
                let json = json.map_err(|cause| Error::internal("an explanation without JSON").because(cause))?;
                hand_overs::replace(tx, key, json).await?;
            }
        }
        self.rescore_all(tx, accounts.into_iter().collect(), Cause::News(Origins::default())).await?;
        Ok(deleted)
    }
}
