//! Consents that the persons have to confirm.

use jiff::Timestamp;
use leadflow_platform::{
    Result,
    db::{Tx, insert_all},
};
use sea_orm::{
    ConnectionTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _, Set, entity::prelude::*,
    sea_query::OnConflict,
};

use crate::{
    domain::activity::Activity,
    store::entities::{
        activity,
        pending_confirmation::{ActiveModel, Column, Entity},
    },
};

/// Notes what these activities have asked for, each until when it can be confirmed.
pub(crate) async fn note(tx: &Tx, asked: &[(Uuid, Timestamp)]) -> Result<()> {
    let rows = asked.iter().map(|(activity_id, expire_time)| ActiveModel {
        activity_id: Set(*activity_id),
        expire_time: Set(expire_time.as_millisecond()),
    });
    let there = OnConflict::column(Column::ActivityId).do_nothing().to_owned();
    insert_all(tx, rows.collect(), Some(there)).await
}

/// What these activities have asked for is confirmed.
pub(crate) async fn settle(tx: &Tx, activity_ids: Vec<Uuid>) -> Result<()> {
    if !activity_ids.is_empty() {
        Entity::delete_many().filter(Column::ActivityId.is_in(activity_ids)).exec(&**tx).await?;
    }
    Ok(())
}

/// The activities that have asked for what is not confirmed and still can be, in the order of their ids.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    now: Timestamp,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Activity>> {
    let in_time = Column::ExpireTime.gt(now.as_millisecond());
    let pending = Entity::find().select_only().column(Column::ActivityId).filter(in_time).into_query();
    let mut query = activity::Entity::find()
        .filter(activity::Column::ActivityId.in_subquery(pending))
        .order_by_asc(activity::Column::ActivityId)
        .limit(limit);
    if let Some(after) = after {
        query = query.filter(activity::Column::ActivityId.gt(after));
    }
    query.all(connection).await?.into_iter().map(Activity::try_from).collect()
}
