//! Which accounts and which contacts are one, and which leads are about accounts that were.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadflow_platform::{
    Result,
    db::{Tx, insert_all, is_any},
};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QuerySelect as _, Set, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    CHUNK,
    accounts::Account,
    entity::{account, contact_merge, contact_revision, lead_side},
};
use crate::domain::joining::{Pointer, survivors};

/// Whoever changes which contacts are one holds this lock; it is rare.
const CONTACT_MERGES: i64 = 7103;

/// These accounts and all that are one with one of them, in the order of their ids.
pub(crate) async fn with_joined(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    let mut all: BTreeSet<Uuid> = ids.iter().copied().collect();
    for chunk in ids.chunks(CHUNK) {
        let among = Condition::all().add(account::Column::Joined.eq(true)).add(is_any(
            connection,
            account::Column::AccountId,
            chunk.iter().copied(),
        ));
        let survivors: BTreeSet<Uuid> =
            accounts(connection, among).await?.into_iter().map(|(id, survivor)| survivor.unwrap_or(id)).collect();
        if survivors.is_empty() {
            continue;
        }
        let of = Condition::any().add(is_any(connection, account::Column::SurvivorId, survivors.iter().copied()));
        all.extend(accounts(connection, of).await?.into_iter().map(|(id, _)| id));
        all.extend(survivors);
    }
    Ok(all.into_iter().collect())
}

async fn accounts(connection: &impl ConnectionTrait, wanted: Condition) -> Result<Vec<(Uuid, Option<Uuid>)>> {
    Ok(account::Entity::find()
        .select_only()
        .columns([account::Column::AccountId, account::Column::SurvivorId])
        .filter(wanted)
        .into_tuple()
        .all(connection)
        .await?)
}

/// Works out anew which of these accounts counts for which, from what contact says of each. They are all that are one with
/// one of them, before and after.
pub(crate) async fn join_accounts(tx: &Tx, locked: &BTreeMap<Uuid, Account>) -> Result<()> {
    let survivors = survivors(&locked.iter().map(|(&id, account)| (id, account.pointer)).collect());
    let counted = survivors.iter().filter(|(id, survivor)| id != survivor);
    let joined: BTreeSet<Uuid> = counted.flat_map(|(&id, &survivor)| [id, survivor]).collect();
    for (&account_id, &survivor) in &survivors {
        // Rare: a statement each.
        account::ActiveModel {
            account_id: Set(account_id),
            survivor_id: Set((survivor != account_id).then_some(survivor)),
            joined: Set(joined.contains(&account_id)),
            ..Default::default()
        }
        .update(&**tx)
        .await?;
    }
    Ok(())
}

/// Notes whom else a lead is about that is handed over or closed while accounts are one.
pub(crate) async fn note_sides(tx: &Tx, leads: impl Iterator<Item = (Uuid, Vec<Uuid>)>) -> Result<()> {
    // A lead of one account alone is found by that account.
    let rows = leads.filter(|(_, sides)| sides.len() > 1).flat_map(|(lead_id, sides)| {
        let row = move |account_id| lead_side::ActiveModel { account_id: Set(account_id), lead_id: Set(lead_id) };
        sides.into_iter().map(row)
    });
    let there = OnConflict::columns([lead_side::Column::AccountId, lead_side::Column::LeadId]).do_nothing().to_owned();
    insert_all(tx, rows.collect(), Some(there)).await
}

/// The leads that are about these accounts though they may be others'.
pub(crate) async fn leads_about(connection: &impl ConnectionTrait, accounts: &[Uuid]) -> Result<Vec<Uuid>> {
    let mut found = BTreeSet::new();
    for chunk in accounts.chunks(CHUNK) {
        let query = lead_side::Entity::find().select_only().column(lead_side::Column::LeadId);
        let of = is_any(connection, lead_side::Column::AccountId, chunk.iter().copied());
        found.extend(query.filter(of).into_tuple::<Uuid>().all(connection).await?);
    }
    Ok(found.into_iter().collect())
}

/// Contacts that are one: whom each that was merged counts for, and all that count for each survivor, the oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contacts {
    survivors: HashMap<Uuid, Uuid>,
    merged: HashMap<Uuid, BTreeSet<Uuid>>,
}

impl Contacts {
    /// What is known of these and of all that are one with them.
    pub(crate) async fn of(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Self> {
        let mut found = Self::default();
        for chunk in ids.chunks(CHUNK) {
            let among = Condition::any()
                .add(is_any(connection, contact_merge::Column::ContactId, chunk.iter().copied()))
                .add(is_any(connection, contact_merge::Column::SurvivorId, chunk.iter().copied()));
            let survivors: Vec<Uuid> =
                contacts(connection, among).await?.into_iter().filter_map(|row| row.survivor_id).collect();
            if survivors.is_empty() {
                continue;
            }
            let of = Condition::any().add(is_any(connection, contact_merge::Column::SurvivorId, survivors));
            for row in contacts(connection, of).await? {
                let Some(survivor) = row.survivor_id else { continue };
                found.survivors.insert(row.contact_id, survivor);
                found.merged.entry(survivor).or_default().insert(row.contact_id);
            }
        }
        Ok(found)
    }

    /// The one that counts for this one.
    pub(crate) fn survivor(&self, id: Uuid) -> Uuid {
        self.survivors.get(&id).copied().unwrap_or(id)
    }

    /// All that are one with a survivor, itself first.
    pub(crate) fn sides(&self, survivor: Uuid) -> impl Iterator<Item = Uuid> {
        std::iter::once(survivor).chain(self.merged.get(&survivor).into_iter().flatten().copied())
    }
}

async fn contacts(connection: &impl ConnectionTrait, wanted: Condition) -> Result<Vec<contact_merge::Model>> {
    Ok(contact_merge::Entity::find().filter(wanted).all(connection).await?)
}

/// Keeps what each of these contacts was merged into as of a revision, and works out who counts for whom. Returns those
/// whose place has changed, with all that they were or are one with.
pub(crate) async fn join_contacts(tx: &Tx, news: &[(Uuid, i64, Option<Uuid>)]) -> Result<BTreeSet<Uuid>> {
    let ids: Vec<Uuid> = news.iter().map(|(id, ..)| *id).collect();
    let mut known = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let among = Condition::any().add(is_any(&**tx, contact_merge::Column::ContactId, chunk.iter().copied()));
        known.extend(contacts(&**tx, among).await?.into_iter().map(|row| (row.contact_id, row)));
    }
    // Of the many that were never merged nothing is kept.
    if known.is_empty() && news.iter().all(|(.., into)| into.is_none()) {
        return Ok(BTreeSet::new());
    }
    tx.lock(CONTACT_MERGES).await?;
    let mut moved = BTreeSet::new();
    for &(contact_id, revision, merged_into) in news {
        let row = contact_merge::Entity::find_by_id(contact_id).one(&**tx).await?;
        let older = row.as_ref().map_or(merged_into.is_none(), |row| row.revision >= revision);
        if older || newest_revision(tx, contact_id).await? > revision {
            continue;
        }
        let both: Vec<_> = [Some(contact_id), merged_into].into_iter().flatten().collect();
        moved.extend(contacts_with_joined(&**tx, &both).await?);
        let row = contact_merge::ActiveModel {
            contact_id: Set(contact_id),
            revision: Set(revision),
            merged_into: Set(merged_into),
            survivor_id: Set(None),
        };
        contact_merge::Entity::insert(row)
            .on_conflict(
                OnConflict::column(contact_merge::Column::ContactId)
                    .update_columns([contact_merge::Column::Revision, contact_merge::Column::MergedInto])
                    .to_owned(),
            )
            .exec_without_returning(&**tx)
            .await?;
        recount(tx, &moved).await?;
    }
    Ok(moved)
}

/// Of what came in another order, only the newest counts.
async fn newest_revision(tx: &Tx, contact_id: Uuid) -> Result<i64> {
    let newest: Option<Option<i64>> = contact_revision::Entity::find()
        .select_only()
        .column_as(contact_revision::Column::Revision.max(), "revision")
        .filter(contact_revision::Column::ContactId.eq(contact_id))
        .into_tuple()
        .one(&**tx)
        .await?;
    Ok(newest.flatten().unwrap_or_default())
}

/// These contacts and all that are one with one of them.
pub(crate) async fn contacts_with_joined(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeSet<Uuid>> {
    let known = Contacts::of(connection, ids).await?;
    Ok(ids.iter().flat_map(|&id| known.sides(known.survivor(id)).chain([id]).collect::<Vec<_>>()).collect())
}

async fn recount(tx: &Tx, ids: &BTreeSet<Uuid>) -> Result<()> {
    let among = Condition::any().add(is_any(&**tx, contact_merge::Column::ContactId, ids.iter().copied()));
    let rows = contacts(&**tx, among).await?;
    let pointer = |row: &contact_merge::Model| Pointer { merged_into: row.merged_into, rolls_up_to: None };
    let survivors = survivors(&rows.iter().map(|row| (row.contact_id, pointer(row))).collect());
    for (contact_id, survivor) in survivors {
        contact_merge::ActiveModel {
            contact_id: Set(contact_id),
            survivor_id: Set((survivor != contact_id).then_some(survivor)),
            ..Default::default()
        }
        .update(&**tx)
        .await?;
    }
    Ok(())
}
