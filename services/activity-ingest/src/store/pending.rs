//! What waits to be identified: claimed for a while, then decided.

use jiff::Timestamp;
use leadflow_platform::{
    Result,
    db::{Tx, is_any, update_all},
};
use sea_orm::{
    ActiveModelTrait as _, Condition, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
    entity::prelude::*,
    sea_query::{Expr, LockBehavior, LockType},
};

use crate::{
    domain::{
        activity::{Activity, State},
        resolution::{Party, Refusal},
    },
    store::{
        chunks,
        entities::activity::{ActiveModel, Column, Entity},
        quarantine,
    },
};

/// Why nothing of an activity is kept.
const SUPPRESSED: &str = "SUPPRESSED";

/// Takes up to `limit` activities whose time has come, and keeps them from others until `lease_end`; after a crash
/// that is when they are free again.
pub(crate) async fn claim(tx: &Tx, now: Timestamp, lease_end: Timestamp, limit: u64) -> Result<Vec<Activity>> {
    let due =
        Condition::any().add(Column::NextAttemptTime.is_null()).add(Column::NextAttemptTime.lte(now.as_millisecond()));
    let rows = Entity::find_pending()
        .filter(due)
        .order_by_asc(Column::ActivityId)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(&**tx)
        .await?;
    let ids: Vec<_> = rows.iter().map(|row| row.activity_id).collect();
    set_next_attempt(tx, &ids, Some(lease_end)).await?;
    rows.into_iter().map(Activity::try_from).collect()
}

/// Lets claimed activities go.
pub(crate) async fn release(tx: &Tx, activity_ids: &[Uuid]) -> Result<()> {
    let pending = lock(tx, activity_ids).await?;
    set_next_attempt(tx, &pending, None).await
}

/// Lets all claims go: who made them is gone, or does its work once more, which has no second effect.
pub(crate) async fn release_all(tx: &Tx) -> Result<()> {
    let claimed: Vec<Uuid> = Entity::find_pending()
        .select_only()
        .column(Column::ActivityId)
        .filter(Column::NextAttemptTime.is_not_null())
        .into_tuple()
        .all(&**tx)
        .await?;
    for ids in chunks(&claimed) {
        release(tx, ids).await?;
    }
    Ok(())
}

/// Of these activities, those that still wait, locked in the order of their ids.
pub(crate) async fn lock(tx: &Tx, activity_ids: &[Uuid]) -> Result<Vec<Uuid>> {
    if activity_ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(Entity::find_pending()
        .select_only()
        .column(Column::ActivityId)
        .filter(is_any(&**tx, Column::ActivityId, activity_ids.iter().copied()))
        .order_by_asc(Column::ActivityId)
        .lock_exclusive()
        .into_tuple()
        .all(&**tx)
        .await?)
}

/// Writes who did these activities.
pub(crate) async fn identify(tx: &Tx, identified: &[(Activity, Party)]) -> Result<()> {
    let rows = identified.iter().map(|(activity, party)| {
        let Party { contact_id, account_id, account_revision, .. } = *party;
        vec![activity.activity_id.into(), contact_id.into(), account_id.into(), account_revision.into()]
    });
    let columns = [Column::ContactId, Column::AccountId, Column::AccountRevision];
    update_all(tx, Column::ActivityId, &columns, rows.collect(), |update| {
        update.value(Column::State, State::Identified.as_str()).value(Column::NextAttemptTime, Option::<i64>::None);
    })
    .await
}

/// Keeps nothing of these activities but that they were: they are of nobody.
pub(crate) async fn suppress(tx: &Tx, suppressed: &[Activity]) -> Result<()> {
    for activity in suppressed {
        let row = ActiveModel {
            activity_id: Set(activity.activity_id),
            source_event_id: Set(activity.source_event_id.clone()),
            object_id: Set(None),
            payload: Set(Json::Object(serde_json::Map::new())),
            content_digest: Set(Vec::new()),
            state: Set(State::Identified.as_str().to_owned()),
            next_attempt_time: Set(None),
            error_reason: Set(Some(SUPPRESSED.to_owned())),
            ..Default::default()
        };
        row.update(&**tx).await?;
    }
    Ok(())
}

/// Sets activities aside until somebody decides, with the reason.
pub(crate) async fn set_aside(tx: &Tx, refused: Vec<(Activity, Refusal)>, now: Timestamp) -> Result<()> {
    // Rare, and each with words of its own: a statement each.
    for (activity, refusal) in refused {
        quarantine::note_set_aside(tx, &activity, &refusal, now).await?;
        let row = ActiveModel {
            activity_id: Set(activity.activity_id),
            state: Set(State::Quarantined.as_str().to_owned()),
            next_attempt_time: Set(None),
            error_reason: Set(Some(refusal.reason)),
            error_message: Set(Some(refusal.message)),
            ..Default::default()
        };
        row.update(&**tx).await?;
    }
    Ok(())
}

/// Lets an activity that was set aside wait again, as if it had just come.
pub(crate) async fn put_back(tx: &Tx, activity_id: Uuid) -> Result<()> {
    let row = ActiveModel {
        activity_id: Set(activity_id),
        state: Set(State::Pending.as_str().to_owned()),
        attempts: Set(0),
        next_attempt_time: Set(None),
        error_reason: Set(None),
        error_message: Set(None),
        ..Default::default()
    };
    row.update(&**tx).await?;
    Ok(())
}

/// Notes a failed attempt, and when the next one is due.
pub(crate) async fn postpone(tx: &Tx, failed: Vec<(Uuid, i32, Timestamp, Refusal)>) -> Result<()> {
    for (activity_id, attempts, next_attempt, refusal) in failed {
        let row = ActiveModel {
            activity_id: Set(activity_id),
            attempts: Set(attempts),
            next_attempt_time: Set(Some(next_attempt.as_millisecond())),
            error_reason: Set(Some(refusal.reason)),
            error_message: Set(Some(refusal.message)),
            ..Default::default()
        };
        row.update(&**tx).await?;
    }
    Ok(())
}

async fn set_next_attempt(tx: &Tx, activity_ids: &[Uuid], next: Option<Timestamp>) -> Result<()> {
    if !activity_ids.is_empty() {
        Entity::update_many()
            .col_expr(Column::NextAttemptTime, Expr::value(next.map(|time| time.as_millisecond())))
            .filter(is_any(&**tx, Column::ActivityId, activity_ids.iter().copied()))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}
