//! Ids that are gone for good, such as those of a person who was erased, so that what is still on its way finds nobody.
//!
//! Who takes something in asks, in its transaction and before it writes, which of its ids are gone; who buries ids waits
//! for all that have asked before. So what was taken in before stands there to be deleted, and nothing comes after it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sea_orm::{Set, entity::prelude::*, sea_query::OnConflict};

use crate::{
    db::{Database, Tx, known},
    error::Result,
};

/// What stands for all tombstones among the advisory locks.
const LOCK: i64 = 7101;
/// Ids of one statement.
const CHUNK: usize = 500;

/// One id that is gone.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tombstones")]
pub struct Model {
    /// What is gone.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Unix milliseconds.
    pub create_time: i64,
}

impl ActiveModelBehavior for ActiveModel {}

/// Buries these ids, in a transaction of its own: when it returns, nobody takes in anything of them any more. Safe to
/// repeat.
///
/// # Errors
/// When the database fails.
pub async fn bury(database: &Database, ids: Vec<Uuid>, now: Timestamp) -> Result<()> {
    database
        .write(move |tx| async move {
            tx.lock(LOCK).await?;
            for chunk in ids.chunks(CHUNK) {
                let row = |id: &Uuid| ActiveModel { id: Set(*id), create_time: Set(now.as_millisecond()) };
                Entity::insert_many(chunk.iter().map(row))
                    .on_conflict(OnConflict::column(Column::Id).do_nothing().to_owned())
                    .exec_without_returning(&*tx)
                    .await?;
            }
            Ok(())
        })
        .await
}

/// Which of these ids are gone; it stays so until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn among(tx: &Tx, ids: &[Uuid]) -> Result<BTreeSet<Uuid>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    tx.lock_shared(LOCK).await?;
    Ok(known::<Entity>(&**tx, Column::Id, ids).await?.into_iter().collect())
}
