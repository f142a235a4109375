//! Read copies of accounts, every revision of them, and when an account is to be scored again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadflow_platform::{
    Error, Result,
    db::{Tx, column_of, insert_all, insert_returning, is_any, update_all},
    trace::Origin,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
    Set,
    sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, OnConflict, UpdateStatement},
};
use uuid::Uuid;

use super::{CHUNK, entity::account, entity::account_revision, from_json, joined, to_json};
use crate::domain::{Profile, joining::Pointer};

/// An account, as far as scoring knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) account_id: Uuid,
    pub(crate) name: String,
    /// The greatest revision that has come; 0: none yet.
    pub(crate) revision: i64,
    /// The greatest revision that an activity was resolved with.
    pub(crate) wanted_revision: i64,
    /// When it is to be scored again.
    pub(crate) due_time: Option<i64>,
    /// What contact says it counts for.
    pub(crate) pointer: Pointer,
    /// The account that counts for it; itself, where it was not merged and rolls up to none.
    pub(crate) survivor_id: Uuid,
    /// Whether other accounts are one with it.
    pub(crate) joined: bool,
    /// Grows by one with each transaction that has locked it to change something: of the account, its leads or its evidence.
    pub(crate) version: i64,
}

impl Account {
    /// Whether its facts are at least as new as what its activities were resolved with.
    pub(crate) fn is_known(&self) -> bool {
        self.revision > 0 && self.revision >= self.wanted_revision
    }
}

/// Makes sure that the accounts have a row, notes the revision that their activities were resolved with, and locks them
/// as [`lock`] does.
pub(crate) async fn lock_wanted(tx: &Tx, mut wanted: BTreeMap<Uuid, i64>) -> Result<BTreeMap<Uuid, Account>> {
    let ids: Vec<_> = wanted.keys().copied().collect();
    let all = joined::with_joined(&**tx, &ids).await?;
    for &id in &all {
        wanted.entry(id).or_default();
    }
    let rows: Vec<_> = wanted
        .iter()
        .map(|(&account_id, &revision)| account::ActiveModel {
            account_id: Set(account_id),
            name: Set(String::new()),
            revision: Set(0),
            wanted_revision: Set(revision),
            due_time: Set(None),
            merged_into: Set(None),
            rolls_up_to: Set(None),
            survivor_id: Set(None),
            joined: Set(false),
            version: Set(1),
        })
        .collect();
    // What is there is updated in any case, which locks it, and is returned as it is then.
    let there = OnConflict::column(account::Column::AccountId)
        .value(account::Column::WantedRevision, Expr::cust(NEWER))
        .value(account::Column::Version, Expr::cust("accounts.version + 1"))
        .to_owned();
    let rows = insert_returning(tx, rows, there).await?;
    let locked = rows.into_iter().map(|row| (row.account_id, to_account(row))).collect();
    check_joined(tx, &locked, &all).await?;
    Ok(locked)
}

const NEWER: &str = "CASE WHEN accounts.wanted_revision < excluded.wanted_revision \
     THEN excluded.wanted_revision ELSE accounts.wanted_revision END";

/// Locks the accounts and all that are one with them, in the order of their ids, and returns them.
///
/// # Errors
/// `UNAVAILABLE` when they are being merged by somebody else: the same again will do.
pub(crate) async fn lock(tx: &Tx, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Account>> {
    let all = joined::with_joined(&**tx, ids).await?;
    lock_rows(tx, &all).await
}

async fn lock_rows(tx: &Tx, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Account>> {
    let mut locked = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = account::Entity::find()
            .filter(is_any(&**tx, account::Column::AccountId, chunk.iter().copied()))
            .order_by_asc(account::Column::AccountId)
            .lock_exclusive()
            .all(&**tx)
            .await?;
        locked.extend(rows.into_iter().map(|row| (row.account_id, to_account(row))));
    }
    check_joined(tx, &locked, ids).await?;
    grow(tx, &mut locked).await?;
    Ok(locked)
}

/// Under the locks no more accounts may be one with these than before.
async fn check_joined(tx: &Tx, locked: &BTreeMap<Uuid, Account>, ids: &[Uuid]) -> Result<()> {
    if locked.values().any(|account| account.joined) {
        let now = joined::with_joined(&**tx, ids).await?;
        if !now.iter().all(|id| locked.contains_key(id) || ids.contains(id)) {
            return Err(Error::unavailable("accounts are being merged: try again"));
        }
    }
    Ok(())
}

/// Notes that something of these accounts may be about to change.
async fn grow(tx: &Tx, locked: &mut BTreeMap<Uuid, Account>) -> Result<()> {
    let ids: Vec<_> = locked.keys().copied().collect();
    for chunk in ids.chunks(CHUNK) {
        account::Entity::update_many()
            .col_expr(account::Column::Version, Expr::col(account::Column::Version).add(1))
            .filter(is_any(&**tx, account::Column::AccountId, chunk.iter().copied()))
            .exec(&**tx)
            .await?;
    }
    locked.values_mut().for_each(|account| account.version += 1);
    Ok(())
}

/// Locks accounts that are to be scored again by now, with all that are one with them, where nobody else is at any of
/// these. It waits for nobody: the one that is due may come after those that are one with it, and whoever waits has to lock
/// them in their order.
pub(crate) async fn lock_due(tx: &Tx, now: i64, limit: u64) -> Result<BTreeMap<Uuid, Account>> {
    let is_due = account::Entity::find().filter(account::Column::DueTime.lte(now)).limit(limit);
    let due: Vec<_> = lock_free(tx, is_due).await?.into_keys().collect();
    let all = joined::with_joined(&**tx, &due).await?;
    let mut locked = BTreeMap::new();
    for chunk in all.chunks(CHUNK) {
        let these = is_any(&**tx, account::Column::AccountId, chunk.iter().copied());
        locked.extend(lock_free(tx, account::Entity::find().filter(these)).await?);
    }
    let there = by_ids(&**tx, &locked.keys().copied().collect::<Vec<_>>()).await?;
    let others = there.values().filter(|account| !locked.contains_key(&account.account_id));
    let torn: BTreeSet<_> = others.map(|account| account.survivor_id).collect();
    locked.retain(|_, account| !torn.contains(&account.survivor_id));
    grow(tx, &mut locked).await?;
    Ok(locked)
}

/// Locks those of these accounts that nobody else is at.
async fn lock_free(tx: &Tx, wanted: Select<account::Entity>) -> Result<BTreeMap<Uuid, Account>> {
    let rows = wanted
        .order_by_asc(account::Column::AccountId)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(&**tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.account_id, to_account(row))).collect())
}

/// How many accounts should have been scored again before this moment.
pub(crate) async fn overdue(connection: &impl ConnectionTrait, before: i64) -> Result<u64> {
    let query = account::Entity::find().filter(account::Column::DueTime.lt(before));
    Ok(sea_orm::PaginatorTrait::count(query, connection).await?)
}

/// When the account is to be scored again.
pub(crate) async fn set_due(tx: &Tx, due: &BTreeMap<Uuid, Option<i64>>) -> Result<()> {
    let rows = due.iter().map(|(&id, &time)| vec![id.into(), time.into()]).collect();
    let is_news = |update: &mut UpdateStatement| {
        update.and_where(Expr::cust("accounts.due_time IS DISTINCT FROM given.column2"));
    };
    update_all(tx, account::Column::AccountId, &[account::Column::DueTime], rows, is_news).await
}

/// Waits for all who are at any account, and locks every account there is or will be, until the end.
pub(crate) async fn lock_all(tx: &Tx) -> Result<()> {
    tx.lock_table("accounts").await
}

/// Every account is to be scored again from `time` on.
pub(crate) async fn all_due(tx: &Tx, time: i64) -> Result<()> {
    account::Entity::update_many().col_expr(account::Column::DueTime, Expr::value(Some(time))).exec(&**tx).await?;
    Ok(())
}

/// A revision of an account or of a contact.
#[derive(Clone, Debug)]
pub(crate) struct Revision {
    /// Of the account or the contact.
    pub(crate) id: Uuid,
    /// The account that a contact is at.
    pub(crate) account_id: Option<Uuid>,
    /// What the account or the contact counts for.
    pub(crate) pointer: Pointer,
    pub(crate) name: String,
    pub(crate) profile: Profile,
    pub(crate) origin: Origin,
}

/// Keeps revisions of accounts, whose rows are locked.
pub(crate) async fn add_revisions(tx: &Tx, revisions: &[Revision]) -> Result<()> {
    let (mut rows, mut newest) = (BTreeMap::new(), BTreeMap::<Uuid, &Revision>::new());
    for revision in revisions {
        let Revision { id, profile, .. } = revision;
        let row = account_revision::ActiveModel {
            account_id: Set(*id),
            revision: Set(profile.revision),
            record_time: Set(profile.record_time),
            facts: Set(to_json(&profile.facts)?),
        };
        rows.insert((*id, profile.revision), row);
        if newest.get(id).is_none_or(|known| known.profile.revision < profile.revision) {
            newest.insert(*id, revision);
        }
    }
    let key = [account_revision::Column::AccountId, account_revision::Column::Revision];
    insert_all(tx, rows.into_values().collect(), Some(OnConflict::columns(key).do_nothing().to_owned())).await?;
    take_newest(tx, newest.into_values()).await
}

/// Takes over what these revisions say beside the facts, where they are newer than what is known.
async fn take_newest(tx: &Tx, revisions: impl Iterator<Item = &Revision>) -> Result<()> {
    let rows = revisions.map(|Revision { id, name, pointer, profile, .. }| {
        let Pointer { merged_into, rolls_up_to } = *pointer;
        let (revision, name) = (profile.revision.into(), name.as_str().into());
        vec![(*id).into(), revision, name, merged_into.into(), rolls_up_to.into()]
    });
    use account::Column::{AccountId, MergedInto, Name, Revision as Known, RollsUpTo};
    let is_newer = |update: &mut UpdateStatement| {
        update.and_where(Expr::col((account::Entity, Known)).lt(column_of("given", 2)));
    };
    update_all(tx, AccountId, &[Known, Name, MergedInto, RollsUpTo], rows.collect(), is_newer).await
}

/// All revisions of these accounts.
pub(crate) async fn revisions(
    connection: &impl ConnectionTrait,
    accounts: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Profile>>> {
    let rows = account_revision::Entity::find()
        .filter(is_any(connection, account_revision::Column::AccountId, accounts.iter().copied()))
        .all(connection)
        .await?;
    let mut found: HashMap<Uuid, Vec<Profile>> = HashMap::new();
    for row in rows {
        let profile = Profile { revision: row.revision, record_time: row.record_time, facts: from_json(row.facts)? };
        found.entry(row.account_id).or_default().push(profile);
    }
    Ok(found)
}

/// These accounts and all that are one with them; one that has not been announced has no name.
pub(crate) async fn by_ids(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Account>> {
    let mut found = rows(connection, ids).await?;
    if found.values().any(|account| account.joined) {
        found = rows(connection, &joined::with_joined(connection, ids).await?).await?;
    }
    Ok(found)
}

async fn rows(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Account>> {
    let these = is_any(connection, account::Column::AccountId, ids.iter().copied());
    let rows = account::Entity::find().filter(these).all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.account_id, to_account(row))).collect())
}

fn to_account(row: account::Model) -> Account {
    Account {
        account_id: row.account_id,
        name: row.name,
        revision: row.revision,
        wanted_revision: row.wanted_revision,
        due_time: row.due_time,
        pointer: Pointer { merged_into: row.merged_into, rolls_up_to: row.rolls_up_to },
        survivor_id: row.survivor_id.unwrap_or(row.account_id),
        joined: row.joined,
        version: row.version,
    }
}
