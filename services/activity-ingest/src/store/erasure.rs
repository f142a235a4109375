//! Deleting what people have done who are to be forgotten.

use std::collections::BTreeMap;

use leadflow_platform::{Result, clock::from_millis, db::Tx};
use sea_orm::{
    ConnectionTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};

use crate::{
    domain::{
        activity::{Activity, Identity, State},
        erasure::Person,
        quarantine::{Content, Quarantined},
    },
    store::{
        activities::correct_identity,
        entities::{
            activity, announced_statement, erased_activity, erased_total, pending_confirmation, quarantined_activity,
        },
    },
};

/// Rows that one transaction deletes, or one statement reads.
const BATCH: u64 = 500;

/// Deletes activities of these contacts, as many as one transaction takes, and says how many it were. They are counted in
/// the totals, and noted until their events are deleted.
pub(crate) async fn delete_of(tx: &Tx, erasure_id: Uuid, contact_ids: &[Uuid]) -> Result<u64> {
    let rows = activity::Entity::find()
        .filter(activity::Column::ContactId.is_in(contact_ids.iter().copied()))
        .order_by_asc(activity::Column::ActivityId)
        .limit(BATCH)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    delete(tx, erasure_id, rows).await
}

async fn delete(tx: &Tx, erasure_id: Uuid, rows: Vec<activity::Model>) -> Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.activity_id).collect();
    count(tx, &rows).await?;
    let gone = ids.iter().map(|id| erased_activity::ActiveModel { activity_id: Set(*id), erasure_id: Set(erasure_id) });
    erased_activity::Entity::insert_many(gone)
        .on_conflict(OnConflict::column(erased_activity::Column::ActivityId).do_nothing().to_owned())
        .exec_without_returning(&**tx)
        .await?;
    let of = |column: Expr| column.is_in(ids.iter().copied());
    announced_statement::Entity::delete_many()
        .filter(of(Expr::col(announced_statement::Column::ActivityId)))
        .exec(&**tx)
        .await?;
    pending_confirmation::Entity::delete_many()
        .filter(of(Expr::col(pending_confirmation::Column::ActivityId)))
        .exec(&**tx)
        .await?;
    quarantined_activity::Entity::delete_many()
        .filter(of(Expr::col(quarantined_activity::Column::ActivityId)))
        .exec(&**tx)
        .await?;
    activity::Entity::delete_many().filter(of(Expr::col(activity::Column::ActivityId))).exec(&**tx).await?;
    Ok(ids.len() as u64)
}

/// Adds the activities to the monthly totals.
async fn count(tx: &Tx, rows: &[activity::Model]) -> Result<()> {
    let mut totals: BTreeMap<_, i64> = BTreeMap::new();
    for row in rows {
        let month = from_millis(row.occur_time).strftime("%Y-%m").to_string();
        let category = row.product_category.clone().unwrap_or_default();
        let key = (month, row.source.clone(), row.activity_type.clone(), row.channel.clone(), category);
        *totals.entry(key).or_default() += 1;
    }
    for ((month, source, activity_type, channel, product_category), activities) in totals {
        use erased_total::{ActiveModel, Column, Entity};
        let row = ActiveModel {
            month: Set(month),
            source: Set(source),
            activity_type: Set(activity_type),
            channel: Set(channel),
            product_category: Set(product_category),
            activities: Set(activities),
        };
        let key = [Column::Month, Column::Source, Column::ActivityType, Column::Channel, Column::ProductCategory];
        let more = Expr::col((Entity, Column::Activities)).add(activities);
        Entity::insert(row)
            .on_conflict(OnConflict::columns(key).value(Column::Activities, more).to_owned())
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

/// The activities that are deleted and whose events may not be, and since when the oldest may be on the bus.
pub(crate) async fn pending_events(connection: &impl ConnectionTrait, erasure_id: Uuid) -> Result<Vec<Uuid>> {
    let of = erased_activity::Column::ErasureId.eq(erasure_id);
    let ids = erased_activity::Entity::find().select_only().column(erased_activity::Column::ActivityId).filter(of);
    Ok(ids.into_tuple().all(connection).await?)
}

/// The events are deleted too: nothing is left to note.
pub(crate) async fn forget(tx: &Tx, erasure_id: Uuid) -> Result<()> {
    let of = erased_activity::Column::ErasureId.eq(erasure_id);
    erased_activity::Entity::delete_many().filter(of).exec(&**tx).await?;
    Ok(())
}

/// Deletes what is kept of the person, or was set aside, among what comes after `after`: returns how many rows, and where
/// to go on.
pub(crate) async fn delete_kept(
    tx: &Tx,
    erasure_id: Uuid,
    person: &Person,
    is_theirs: impl Fn(&str, &Content) -> bool,
    after: Option<Uuid>,
) -> Result<(u64, Option<Uuid>)> {
    use quarantined_activity::{Column, Entity};
    let mut query = Entity::find().order_by_asc(Column::QuarantineId).limit(BATCH);
    if let Some(after) = after {
        query = query.filter(Column::QuarantineId.gt(after));
    }
    let rows = query.all(&**tx).await?;
    let next = rows.last().map(|row| row.quarantine_id);
    let (mut theirs, mut in_ledger) = (Vec::new(), Vec::new());
    for row in rows {
        let kept = Quarantined::try_from(row)?;
        match &kept.content {
            None => in_ledger.push(kept.quarantine_id),
            Some(content) if is_theirs(&kept.source, content) => theirs.push(kept.quarantine_id),
            Some(_) => {}
        }
    }
    let set_aside = activity::Entity::find_in_state(State::Quarantined)
        .filter(activity::Column::ActivityId.is_in(in_ledger))
        .all(&**tx)
        .await?;
    let mut deleted = theirs.len() as u64;
    let of_person = |row: &activity::Model| -> Result<bool> {
        let activity = Activity::try_from(row.clone())?;
        Ok(person.is(&activity.source, &activity.payload.identity))
    };
    let mut gone = Vec::new();
    for row in set_aside {
        if of_person(&row)? {
            theirs.push(row.activity_id);
            gone.push(row);
        }
    }
    deleted += delete(tx, erasure_id, gone).await?;
    if !theirs.is_empty() {
        Entity::delete_many().filter(Column::QuarantineId.is_in(theirs)).exec(&**tx).await?;
    }
    Ok((deleted, next))
}

/// Takes the person's name out of activities of these accounts that were never told to be theirs, and with it what was
/// said. They stay activities of the account. Returns how many there were among those after `after`, and where to go on.
pub(crate) async fn take_name_out(
    tx: &Tx,
    person: &Person,
    account_ids: &[Uuid],
    after: Option<Uuid>,
) -> Result<(u64, Option<Uuid>)> {
    let mut query = activity::Entity::find()
        .filter(activity::Column::AccountId.is_in(account_ids.iter().copied()))
        .filter(activity::Column::ContactId.is_null())
        .order_by_asc(activity::Column::ActivityId)
        .limit(BATCH);
    if let Some(after) = after {
        query = query.filter(activity::Column::ActivityId.gt(after));
    }
    let rows = query.all(&**tx).await?;
    let next = rows.last().map(|row| row.activity_id);
    let mut changed = 0;
    for row in rows {
        let mut activity = Activity::try_from(row)?;
        if person.is_called(&activity.payload.identity) {
            activity.payload.forget();
            let nameless = Identity {
                given_name: String::new(),
                family_name: String::new(),
                job_title: String::new(),
                phone: String::new(),
                ..activity.payload.identity.clone()
            };
            correct_identity(tx, activity, nameless).await?;
            changed += 1;
        }
    }
    Ok((changed, next))
}
