//! What is announced about contacting people.

use leadflow_platform::{Result, db::Tx, digest::Facts};
use sea_orm::{QuerySelect as _, QueryTrait as _, Set, entity::prelude::*, sea_query::OnConflict};

use crate::store::{
    chunks,
    entities::announced_statement::{ActiveModel, Column, Entity},
};

/// Notes that these activities' statements are announced.
pub(crate) async fn note(tx: &Tx, activity_ids: &[Uuid]) -> Result<()> {
    for chunk in chunks(activity_ids) {
        let rows = chunk.iter().map(|id| ActiveModel { activity_id: Set(*id) });
        Entity::insert_many(rows)
            .on_conflict(OnConflict::column(Column::ActivityId).do_nothing().to_owned())
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

/// They never change.
pub(crate) fn facts() -> Facts {
    Facts::new(Entity::find().select_only().column(Column::ActivityId).into_query(), Column::ActivityId)
}
