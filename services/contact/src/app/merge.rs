//! Merging what is known twice, and taking it apart again.

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    db::Tx,
    ids, outbox,
    page::Page,
};
use uuid::Uuid;

use super::{
    App,
    joined::{self, Kept},
};
use crate::{
    domain::{
        Account, Contact, Joined,
        joined::Conflict,
        merge::{Kind, Merge, Undo},
    },
    error,
    store::merges::{self, Filter},
    wire,
};

/// A merge that somebody asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merging {
    pub(crate) survivor_id: Uuid,
    pub(crate) merged_id: Uuid,
    /// As they were read; empty: whatever they are by now.
    pub(crate) survivor_etag: String,
    pub(crate) merged_etag: String,
    pub(crate) note: String,
}

/// What a merge would lead to.
#[derive(Clone, Debug)]
pub(crate) struct Preview<T> {
    pub(crate) result: Joined<T>,
    pub(crate) conflicts: Vec<Conflict>,
    pub(crate) survivor_etag: String,
    pub(crate) merged_etag: String,
}

impl App {
    /// What merging two accounts would lead to.
    pub(crate) async fn preview_accounts(&self, survivor_id: Uuid, merged_id: Uuid) -> Result<Preview<Account>> {
        self.preview(survivor_id, merged_id).await
    }

    /// What merging two contacts would lead to.
    pub(crate) async fn preview_contacts(&self, survivor_id: Uuid, merged_id: Uuid) -> Result<Preview<Contact>> {
        let mut preview = self.preview(survivor_id, merged_id).await?;
        joined::at_survivors(self.database.reader(), std::slice::from_mut(&mut preview.result)).await?;
        Ok(preview)
    }

    async fn preview<T: Kept>(&self, survivor_id: Uuid, merged_id: Uuid) -> Result<Preview<T>> {
        let connection = self.database.reader();
        check_two(survivor_id, merged_id)?;
        let survivor: Joined<T> =
            joined::get(connection, survivor_id).await.map_err(|error| unknown(error, "survivor_id"))?;
        let merged: Joined<T> =
            joined::get(connection, merged_id).await.map_err(|error| unknown(error, "merged_id"))?;
        check_free(&survivor, survivor_id, "survivor_id")?;
        check_free(&merged, merged_id, "merged_id")?;
        Ok(Preview {
            conflicts: survivor.conflicts(&merged),
            survivor_etag: survivor.etag(),
            merged_etag: merged.etag(),
            result: survivor.with(&merged),
        })
    }

    /// Merges one into another.
    pub(crate) async fn merge(&self, mutation: Mutation, kind: Kind, merging: Merging) -> Result<Merge> {
        let app = self.clone();
        let principal = mutation.principal.as_str().to_owned();
        mutate(&self.database, mutation, move |tx| async move { app.merge_in(&tx, kind, merging, &principal).await })
            .await
    }

    /// Merges one into another in the name of somebody, in a transaction that holds no lock of a contact or an account, or those of
    /// both sides, and of the hierarchy where they are accounts.
    pub(crate) async fn merge_in(&self, tx: &Tx, kind: Kind, merging: Merging, principal: &str) -> Result<Merge> {
        match kind {
            Kind::Account => self.merge_sides::<Account>(tx, merging, principal).await,
            Kind::Contact => self.merge_sides::<Contact>(tx, merging, principal).await,
        }
    }

    async fn merge_sides<T: Kept>(&self, tx: &Tx, merging: Merging, principal: &str) -> Result<Merge> {
        let Merging { survivor_id, merged_id, survivor_etag, merged_etag, note } = merging;
        check_two(survivor_id, merged_id)?;
        T::lock_place(tx).await?;
        // Both at once, in the order of their ids: two who merge the same ones do not wait for each other in a circle.
        let mut locked = T::lock(tx, &[survivor_id, merged_id]).await?;
        for (id, field, etag) in [(survivor_id, "survivor_id", survivor_etag), (merged_id, "merged_id", merged_etag)] {
            if !locked.contains_key(&id) {
                return Err(unknown(Error::not_found(T::KIND.as_str(), id), field));
            }
            let joined: Joined<T> = joined::get(&**tx, id).await?;
            check_free(&joined, id, field)?;
            if !etag.is_empty() && etag != joined.etag() {
                return Err(error::stale_side(T::KIND.as_str(), &field.replace("_id", "_etag")));
            }
        }
        if let Some(merged) = locked.remove(&merged_id) {
            merged.point(self, tx, Some(survivor_id)).await?;
        }
        let merge = self.entry(T::KIND, survivor_id, merged_id, principal, note);
        merges::enter(tx, std::slice::from_ref(&merge)).await?;
        T::check_place(self, tx, survivor_id, "merged_id").await?;
        self.announce_merge(tx, &merge).await?;
        Ok(merge)
    }

    /// What stands in the journal of a merge that is made now.
    pub(super) fn entry(&self, kind: Kind, survivor_id: Uuid, merged_id: Uuid, principal: &str, note: String) -> Merge {
        let (merge_id, merge_time, merge_principal) = (ids::new(), self.now(), principal.to_owned());
        Merge { merge_id, kind, survivor_id, merged_id, note, merge_time, merge_principal, undo: None }
    }

    /// Takes a merge back.
    pub(crate) async fn undo_merge(&self, mutation: Mutation, merge_id: Uuid, note: String) -> Result<Merge> {
        let app = self.clone();
        let principal = mutation.principal.as_str().to_owned();
        mutate(&self.database, mutation, move |tx| async move {
            match merges::get(&*tx, merge_id).await?.kind {
                Kind::Account => app.undo_sides::<Account>(&tx, merge_id, principal, note).await,
                Kind::Contact => app.undo_sides::<Contact>(&tx, merge_id, principal, note).await,
            }
        })
        .await
    }

    async fn undo_sides<T: Kept>(&self, tx: &Tx, merge_id: Uuid, principal: String, note: String) -> Result<Merge> {
        T::lock_place(tx).await?;
        let merged_id = merges::get(&**tx, merge_id).await?.merged_id;
        let merged = T::lock(tx, &[merged_id]).await?.remove(&merged_id);
        // Read again under the lock: somebody may have been faster.
        let mut merge = merges::get(&**tx, merge_id).await?;
        if merge.undo.is_some() {
            return Err(error::merge_undone());
        }
        let merged = merged.ok_or_else(|| Error::not_found(T::KIND.as_str(), merged_id))?;
        merged.point(self, tx, None).await?;
        merge.undo = Some(Undo { time: self.now(), principal, note });
        merges::enter_undo(tx, &merge).await?;
        for side in [merge.survivor_id, merged_id] {
            T::check_place(self, tx, side, "merge_id").await?;
        }
        self.announce_merge(tx, &merge).await?;
        Ok(merge)
    }

    /// Announces a merge, or that it was undone.
    pub(super) async fn announce_merge(&self, tx: &Tx, merge: &Merge) -> Result<()> {
        let fact = if merge.undo.is_some() { "unmerged" } else { "merged" };
        let subject = format!("leadflow.{}.v1.{fact}", merge.kind.as_str());
        outbox::announce_all(tx, vec![(subject, wire::merge_event(merge))], self.clock.now()).await
    }

    /// One merge.
    pub(crate) async fn merge_by_id(&self, merge_id: Uuid) -> Result<Merge> {
        merges::get(self.database.reader(), merge_id).await
    }

    /// A page of merges.
    pub(crate) async fn merges(&self, filter: &Filter, page: &Page<Uuid>) -> Result<(Vec<Merge>, String)> {
        let rows = merges::list(self.database.reader(), filter, page.after().copied(), page.limit()).await?;
        Ok(page.finish(rows, |merge| merge.merge_id))
    }
}

fn check_two(survivor_id: Uuid, merged_id: Uuid) -> Result<()> {
    if survivor_id == merged_id { Err(error::same_side()) } else { Ok(()) }
}

/// Only what stays can be merged: what was merged already is shown as another.
fn check_free<T: Kept>(joined: &Joined<T>, id: Uuid, field: &str) -> Result<()> {
    let survivor = joined.survivor.id();
    if survivor == id { Ok(()) } else { Err(error::already_merged(T::KIND.as_str(), field, id, survivor)) }
}

fn unknown(error: Error, field: &str) -> Error {
    error.and(Error::invalid(field, "is unknown"))
}
