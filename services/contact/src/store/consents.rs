//! What people have said about being contacted.

use std::collections::{BTreeMap, BTreeSet};

use leadflow_platform::{Error, Result, db::Tx, digest::Facts};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _, Set,
    sea_query::OnConflict,
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    CHUNK, contacts,
    entity::{
        consent::{ActiveModel, Column, Entity, Model},
        contact,
    },
    merges,
};
use crate::domain::consent::Consent;

/// All that these contacts have said.
pub(crate) async fn of(connection: &impl ConnectionTrait, contact_ids: &[Uuid]) -> Result<Vec<Consent>> {
    let mut found = Vec::new();
    for chunk in contact_ids.chunks(CHUNK) {
        let rows = Entity::find().filter(Column::ContactId.is_in(chunk.iter().copied())).all(connection).await?;
        for row in rows {
            found.push(to_consent(row)?);
        }
    }
    Ok(found)
}

/// Each of these contacts that there is, with all that are one person with it.
pub(crate) async fn sides(
    connection: &impl ConnectionTrait,
    contact_ids: &BTreeSet<Uuid>,
) -> Result<BTreeMap<Uuid, Vec<Uuid>>> {
    let ids: Vec<_> = contact_ids.iter().copied().collect();
    let mut found = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let known = contact::Entity::find()
            .select_only()
            .column(contact::Column::ContactId)
            .filter(contact::Column::ContactId.is_in(chunk.iter().copied()))
            .into_tuple::<Uuid>()
            .all(connection)
            .await?;
        let survivors = merges::survivors(connection, &known).await?;
        let survivor = |id: &Uuid| survivors.get(id).copied().unwrap_or(*id);
        let all: BTreeSet<_> = known.iter().map(survivor).collect();
        let merged = merges::merged_into(connection, &all.into_iter().collect::<Vec<_>>()).await?;
        found.extend(known.iter().map(|id| {
            let survivor = survivor(id);
            (*id, std::iter::once(survivor).chain(merged.get(&survivor).into_iter().flatten().copied()).collect())
        }));
    }
    Ok(found)
}

/// The same, and it stays so until the transaction ends: whoever merges contacts locks them too.
pub(crate) async fn lock_sides(tx: &Tx, contact_ids: &BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, Vec<Uuid>>> {
    let found = sides(&**tx, contact_ids).await?;
    let all: BTreeSet<_> = found.into_values().flatten().collect();
    contacts::lock(tx, &all.into_iter().collect::<Vec<_>>()).await?;
    sides(&**tx, contact_ids).await
}

/// All that are one person with this contact.
pub(crate) async fn sides_of(connection: &impl ConnectionTrait, contact_id: Uuid) -> Result<Vec<Uuid>> {
    let mut found = sides(connection, &BTreeSet::from([contact_id])).await?;
    found.remove(&contact_id).ok_or_else(|| Error::not_found("contact", contact_id))
}

/// Adds to what was said; what is there stays.
pub(crate) async fn add(tx: &Tx, consents: &[Consent]) -> Result<()> {
    for chunk in consents.chunks(CHUNK) {
        let rows = chunk.iter().map(to_row).collect::<Result<Vec<_>>>()?;
        Entity::insert_many(rows)
            .on_conflict(OnConflict::columns([Column::ConsentId, Column::ContactId]).do_nothing().to_owned())
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

/// Of those that activities have said, each once: they never change.
pub(crate) fn facts() -> Facts {
    let consents =
        Entity::find().select_only().column(Column::ConsentId).distinct().filter(Column::FromActivity.eq(true));
    Facts::new(consents.into_query(), Column::ConsentId)
}

fn to_row(consent: &Consent) -> Result<ActiveModel> {
    Ok(ActiveModel {
        consent_id: Set(consent.consent_id),
        contact_id: Set(consent.contact_id),
        channels: Set(json(&consent.channels)?),
        purpose: Set(consent.purpose.clone()),
        state: Set(word(&consent.state)?),
        basis: Set(consent.basis.as_ref().map(word).transpose()?),
        source: Set(consent.source.clone()),
        proof: Set(consent.proof.clone()),
        imported: Set(consent.imported),
        from_activity: Set(consent.from_activity),
        expire_time: Set(consent.expire_time),
        occur_time: Set(consent.occur_time),
        record_time: Set(consent.record_time),
        principal: Set(consent.principal.clone()),
    })
}

fn to_consent(row: Model) -> Result<Consent> {
    Ok(Consent {
        consent_id: row.consent_id,
        contact_id: row.contact_id,
        channels: read(row.channels)?,
        purpose: row.purpose,
        state: read(row.state.into())?,
        basis: row.basis.map(|basis| read(basis.into())).transpose()?,
        source: row.source,
        proof: row.proof,
        imported: row.imported,
        from_activity: row.from_activity,
        expire_time: row.expire_time,
        occur_time: row.occur_time,
        record_time: row.record_time,
        principal: row.principal,
    })
}

/// The word of an enum in the database.
fn word(value: &impl Serialize) -> Result<String> {
    match json(value)? {
        serde_json::Value::String(word) => Ok(word),
        _ => Err(Error::internal("an enum without a word")),
    }
}

fn json(value: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|cause| Error::internal("a consent without JSON").because(cause))
}

fn read<T: DeserializeOwned>(json: serde_json::Value) -> Result<T> {
    serde_json::from_value(json).map_err(|cause| Error::internal("a consent that cannot be read").because(cause))
}
