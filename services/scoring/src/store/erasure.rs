//! Deleting what is held of people who are to be forgotten.

use leadflow_platform::{Result, db::Tx};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use uuid::Uuid;

use super::{
    CHUNK,
    entity::{contact_revision, evidence},
};

/// The activities of these contacts, with their accounts.
pub(crate) async fn of_contacts(
    connection: &impl ConnectionTrait,
    contact_ids: &[Uuid],
) -> Result<Vec<(Uuid, Option<Uuid>)>> {
    let query = evidence::Entity::find()
        .select_only()
        .columns([evidence::Column::ActivityId, evidence::Column::AccountId])
        .filter(evidence::Column::ContactId.is_in(contact_ids.iter().copied()));
    Ok(query.into_tuple().all(connection).await?)
}

/// Deletes these activities, and says how many there were.
pub(crate) async fn delete_evidence(tx: &Tx, activity_ids: &[Uuid]) -> Result<u64> {
    let mut deleted = 0;
    for chunk in activity_ids.chunks(CHUNK) {
        let these = evidence::Column::ActivityId.is_in(chunk.iter().copied());
        deleted += evidence::Entity::delete_many().filter(these).exec(&**tx).await?.rows_affected;
    }
    Ok(deleted)
}

/// Deletes the profiles of these contacts, and says how many there were.
pub(crate) async fn delete_profiles(tx: &Tx, contact_ids: &[Uuid]) -> Result<u64> {
    let theirs = contact_revision::Column::ContactId.is_in(contact_ids.iter().copied());
    Ok(contact_revision::Entity::delete_many().filter(theirs).exec(&**tx).await?.rows_affected)
}
