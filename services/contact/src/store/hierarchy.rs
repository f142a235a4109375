//! Which account belongs to which.

use std::collections::{BTreeSet, HashMap};

use leadflow_platform::{Result, db::Tx};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use uuid::Uuid;

use super::{
    CHUNK,
    entity::account::{Column, Entity},
};

/// The lock of the whole hierarchy. Two changes that are right by themselves may make a circle together.
const LOCK: i64 = 71_010_001;

/// Waits until nobody else changes who belongs to whom. Comes before all other locks, so that nobody waits in a circle.
pub(crate) async fn lock(tx: &Tx) -> Result<()> {
    tx.lock(LOCK).await
}

/// What people call these accounts: the reference, or the id where there is none.
pub(crate) async fn references(
    connection: &impl ConnectionTrait,
    ids: BTreeSet<Uuid>,
) -> Result<HashMap<Uuid, String>> {
    let ids: Vec<_> = ids.into_iter().collect();
    let mut found = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let rows: Vec<(Uuid, Option<String>)> = Entity::find()
            .select_only()
            .columns([Column::AccountId, Column::Reference])
            .filter(Column::AccountId.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(connection)
            .await?;
        found.extend(rows.into_iter().map(|(id, reference)| (id, reference.unwrap_or_else(|| id.to_string()))));
    }
    Ok(found)
}
