//! Read copies of contacts' profiles, every revision of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use leadflow_platform::{
    Result,
    db::{Tx, is_any},
};
use sea_orm::{ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _, Set, TryInsertResult};
use uuid::Uuid;

use super::{
    CHUNK,
    accounts::Revision,
    entity::contact_revision::{ActiveModel, Column, Entity},
    from_json, to_json,
};
use crate::domain::Profile;

/// Keeps revisions of contacts' profiles, and returns those that were not there, by contact and revision.
pub(crate) async fn add_revisions(tx: &Tx, revisions: &[Revision]) -> Result<HashSet<(Uuid, i64)>> {
    let mut rows = BTreeMap::new();
    for Revision { id, account_id, profile, .. } in revisions {
        let row = ActiveModel {
            contact_id: Set(*id),
            revision: Set(profile.revision),
            account_id: Set(*account_id),
            record_time: Set(profile.record_time),
            facts: Set(to_json(&profile.facts)?),
        };
        rows.insert((*id, profile.revision), row);
    }
    let mut added = HashSet::new();
    let key = [Column::ContactId, Column::Revision];
    for chunk in rows.into_values().collect::<Vec<_>>().chunks(CHUNK) {
        let result =
            Entity::insert_many(chunk.to_vec()).on_conflict_do_nothing_on(key).exec_with_returning_keys(&**tx).await?;
        if let TryInsertResult::Inserted(keys) = result {
            added.extend(keys);
        }
    }
    Ok(added)
}

/// The accounts that these contacts are at, and those that they were at when they did something for them.
pub(crate) async fn accounts_of(connection: &impl ConnectionTrait, contacts: &[Uuid]) -> Result<BTreeSet<Uuid>> {
    let mut found = BTreeSet::new();
    for chunk in contacts.chunks(CHUNK) {
        let accounts: Vec<Option<Uuid>> = Entity::find()
            .select_only()
            .column(Column::AccountId)
            .distinct()
            .filter(is_any(connection, Column::ContactId, chunk.iter().copied()))
            .into_tuple()
            .all(connection)
            .await?;
        found.extend(accounts.into_iter().flatten());
    }
    Ok(found)
}

/// All revisions of these contacts.
pub(crate) async fn revisions(
    connection: &impl ConnectionTrait,
    contacts: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Profile>>> {
    let mut found: HashMap<Uuid, Vec<Profile>> = HashMap::new();
    for chunk in contacts.chunks(CHUNK) {
        let rows =
            Entity::find().filter(is_any(connection, Column::ContactId, chunk.iter().copied())).all(connection).await?;
        for row in rows {
            let facts = from_json(row.facts)?;
            let profile = Profile { revision: row.revision, record_time: row.record_time, facts };
            found.entry(row.contact_id).or_default().push(profile);
        }
    }
    Ok(found)
}
