//! Accounts and contacts with all that were merged into them. The one way to what belongs to a person or an organisation:
//! it may be kept under any of the ids that are joined.

use std::{collections::BTreeMap, future::Future};

use leadflow_platform::{Error, Result, db::Tx};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::App;
use crate::{
    domain::{Account, Contact, Joined, joined::Side, merge::Kind},
    store::{accounts, contacts, hierarchy, merges},
};

/// What can be merged, as it is kept.
pub(super) trait Kept: Side + Send + Sync + 'static {
    /// What it is.
    const KIND: Kind;

    /// Those with these ids.
    fn by_ids(
        connection: &impl ConnectionTrait,
        ids: &[Uuid],
    ) -> impl Future<Output = Result<BTreeMap<Uuid, Self>>> + Send;

    /// The same, locked in the order of their ids.
    fn lock(tx: &Tx, ids: &[Uuid]) -> impl Future<Output = Result<BTreeMap<Uuid, Self>>> + Send;

    /// Waits until nobody else changes who belongs to whom, where that plays a part. Comes before all other locks.
    fn lock_place(tx: &Tx) -> impl Future<Output = Result<()>> + Send;

    /// Makes sure that it does not come to belong to itself. `field` is what is at fault in the request.
    fn check_place(app: &App, tx: &Tx, id: Uuid, field: &str) -> impl Future<Output = Result<()>> + Send;

    /// Lets it be merged into another, or be itself again, and announces that.
    fn point(self, app: &App, tx: &Tx, into: Option<Uuid>) -> impl Future<Output = Result<()>> + Send;
}

impl Kept for Account {
    const KIND: Kind = Kind::Account;

    async fn by_ids(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Self>> {
        accounts::by_ids(connection, ids).await
    }

    async fn lock(tx: &Tx, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Self>> {
        accounts::lock(tx, ids.iter().copied().collect()).await
    }

    async fn lock_place(tx: &Tx) -> Result<()> {
        hierarchy::lock(tx).await
    }

    async fn check_place(app: &App, tx: &Tx, id: Uuid, field: &str) -> Result<()> {
        app.check_parents(tx, &get::<Self>(&**tx, id).await?.shown(), field).await
    }

    async fn point(mut self, app: &App, tx: &Tx, into: Option<Uuid>) -> Result<()> {
        (self.merged_into, self.revision, self.update_time) = (into, self.revision + 1, app.now());
        accounts::save(tx, [&self]).await?;
        app.announce(tx, [&self], []).await
    }
}

impl Kept for Contact {
    const KIND: Kind = Kind::Contact;

    async fn by_ids(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Self>> {
        contacts::by_ids(connection, ids).await
    }

    async fn lock(tx: &Tx, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Self>> {
        contacts::lock(tx, ids).await
    }

    async fn lock_place(_: &Tx) -> Result<()> {
        Ok(())
    }

    async fn check_place(_: &App, _: &Tx, _: Uuid, _: &str) -> Result<()> {
        Ok(())
    }

    async fn point(mut self, app: &App, tx: &Tx, into: Option<Uuid>) -> Result<()> {
        (self.merged_into, self.revision, self.update_time) = (into, self.revision + 1, app.now());
        contacts::save(tx, &[&self]).await?;
        app.announce(tx, [], [&self]).await
    }
}

/// The one that the id leads to, with all that were merged into it.
pub(super) async fn get<T: Kept>(connection: &impl ConnectionTrait, id: Uuid) -> Result<Joined<T>> {
    let ids = merges::joined(connection, id).await?;
    let mut rows = T::by_ids(connection, &ids).await?;
    Joined::of(&ids, |id| rows.remove(&id)).ok_or_else(|| Error::not_found(T::KIND.as_str(), id))
}

/// The same, all of them locked.
pub(super) async fn lock<T: Kept>(tx: &Tx, id: Uuid) -> Result<Joined<T>> {
    let ids = merges::joined(&**tx, id).await?;
    let mut rows = T::lock(tx, &ids).await?;
    if merges::joined(&**tx, id).await? != ids {
        return Err(Error::unavailable(format!("the {} is being merged by somebody else", T::KIND.as_str())));
    }
    Joined::of(&ids, |id| rows.remove(&id)).ok_or_else(|| Error::not_found(T::KIND.as_str(), id))
}

/// The ones that these ids lead to, each with all that were merged into it, all of them locked in the order of their ids.
pub(super) async fn lock_all<T: Kept>(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Joined<T>>> {
    let sides = merges::all_joined(&**tx, ids).await?;
    let rows = T::lock(tx, &sides.iter().copied().collect::<Vec<_>>()).await?;
    if merges::all_joined(&**tx, ids).await? != sides {
        return Err(Error::unavailable(format!("one {} is being merged by somebody else", T::KIND.as_str())));
    }
    all(&**tx, rows.into_values().filter(|side| side.merged_into().is_none()).collect()).await
}

/// Those of a list, each with all that were merged into it.
pub(super) async fn all<T: Kept>(connection: &impl ConnectionTrait, survivors: Vec<T>) -> Result<Vec<Joined<T>>> {
    let ids: Vec<_> = survivors.iter().map(Side::id).collect();
    let merged = merges::merged_into(connection, &ids).await?;
    let below: Vec<_> = merged.values().flatten().copied().collect();
    let mut rows = if below.is_empty() { BTreeMap::new() } else { T::by_ids(connection, &below).await? };
    let joined = survivors.into_iter().map(|survivor| {
        let merged = merged.get(&survivor.id()).into_iter().flatten();
        Joined { merged: merged.filter_map(|id| rows.remove(id)).collect(), survivor }
    });
    Ok(joined.collect())
}

/// Shows contacts at the account that the one they are at leads to.
pub(super) async fn at_survivors(connection: &impl ConnectionTrait, joined: &mut [Joined<Contact>]) -> Result<()> {
    let sides = |joined: &Joined<Contact>| joined.sides().filter_map(|side| side.account_id).collect::<Vec<_>>();
    let at: Vec<_> = joined.iter().flat_map(sides).collect();
    let survivors = merges::survivors(connection, &at).await?;
    for contact in joined.iter_mut().flat_map(|one| std::iter::once(&mut one.survivor).chain(&mut one.merged)) {
        contact.account_id = contact.account_id.map(|id| survivors.get(&id).copied().unwrap_or(id));
    }
    Ok(())
}
