//! People who were erased: how far it has come, and by what they are known again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadflow_platform::{
    Error, Result,
    db::{Tx, insert_all, is_any},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
    sea_query::{Expr, OnConflict},
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{
    CHUNK,
    entity::{
        erasure::{ActiveModel, Column, Entity, Model},
        erasure_step, suppression,
    },
};
use crate::domain::erasure::{Erasure, Lift, Person, Step};

/// Keeps these hashes for good, as those of one person.
pub(crate) async fn suppress(tx: &Tx, digests: BTreeSet<Vec<u8>>, erasure: &Erasure) -> Result<()> {
    // Who was let in again may be erased again. What an earlier one is known by, who was not let in, stays that one's.
    let changes = [suppression::Column::CreateTime, suppression::Column::ErasureId];
    let is_let_in = Expr::cust(
        "suppressions.erasure_id IS NULL OR EXISTS (SELECT 1 FROM erasures \
         WHERE erasures.erasure_id = suppressions.erasure_id AND erasures.lift_time IS NOT NULL)",
    );
    let again =
        OnConflict::column(suppression::Column::Digest).update_columns(changes).action_and_where(is_let_in).to_owned();
    let row = |digest| suppression::ActiveModel {
        digest: Set(digest),
        create_time: Set(erasure.create_time),
        erasure_id: Set(Some(erasure.erasure_id)),
    };
    insert_all(tx, digests.into_iter().map(row).collect(), Some(again)).await
}

/// Which of these hashes are kept, each with the erasure that it comes from; without those who were let in again.
pub(crate) async fn suppressed(
    connection: &impl ConnectionTrait,
    digests: &BTreeSet<Vec<u8>>,
) -> Result<BTreeMap<Vec<u8>, Option<Uuid>>> {
    let mut found = BTreeMap::new();
    for chunk in digests.iter().cloned().collect::<Vec<_>>().chunks(CHUNK) {
        let rows = suppression::Entity::find()
            .filter(is_any(connection, suppression::Column::Digest, chunk.iter().cloned()))
            .all(connection)
            .await?;
        found.extend(rows.into_iter().map(|row| (row.digest, row.erasure_id)));
    }
    let erasures: BTreeSet<Uuid> = found.values().flatten().copied().collect();
    if !erasures.is_empty() {
        let lifted = Entity::find().select_only().column(Column::ErasureId).filter(Column::LiftTime.is_not_null());
        let lifted = lifted.filter(Column::ErasureId.is_in(erasures)).into_tuple::<Uuid>().all(connection).await?;
        found.retain(|_, erasure| erasure.is_none_or(|erasure| !lifted.contains(&erasure)));
    }
    Ok(found)
}

/// Writes an erasure as it is now, with what is to be looked for as long as it is not complete.
pub(crate) async fn save(tx: &Tx, erasure: &Erasure, person: Option<&Person>) -> Result<()> {
    let lift = erasure.lift.as_ref();
    let row = ActiveModel {
        erasure_id: Set(erasure.erasure_id),
        contact_ids: Set(to_json(&erasure.contact_ids)?),
        person: Set(person.filter(|_| erasure.complete_time.is_none()).map(to_json).transpose()?),
        reason: Set(erasure.reason.clone()),
        principal: Set(erasure.principal.clone()),
        create_time: Set(erasure.create_time),
        complete_time: Set(erasure.complete_time),
        lift_time: Set(lift.map(|lift| lift.time)),
        lift_principal: Set(lift.map(|lift| lift.principal.clone())),
        lift_reason: Set(lift.map(|lift| lift.reason.clone())),
    };
    let changes = [Column::Person, Column::CompleteTime, Column::LiftTime, Column::LiftPrincipal, Column::LiftReason];
    Entity::insert(row)
        .on_conflict(OnConflict::column(Column::ErasureId).update_columns(changes).to_owned())
        .exec_without_returning(&**tx)
        .await?;
    let steps = erasure.steps.iter().map(|step| erasure_step::ActiveModel {
        erasure_id: Set(erasure.erasure_id),
        service: Set(step.service.clone()),
        complete_time: Set(step.complete_time),
        deleted: Set(step.deleted),
    });
    let changes = [erasure_step::Column::CompleteTime, erasure_step::Column::Deleted];
    let key = [erasure_step::Column::ErasureId, erasure_step::Column::Service];
    erasure_step::Entity::insert_many(steps)
        .on_conflict(OnConflict::columns(key).update_columns(changes).to_owned())
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// One erasure.
pub(crate) async fn get(connection: &impl ConnectionTrait, erasure_id: Uuid) -> Result<Erasure> {
    let row = Entity::find_by_id(erasure_id).one(connection).await?.ok_or_else(|| unknown(erasure_id))?;
    Ok(with_steps(connection, vec![row]).await?.remove(0))
}

/// One erasure, locked, with what is to be looked for.
pub(crate) async fn lock(tx: &Tx, erasure_id: Uuid) -> Result<(Erasure, Option<Person>)> {
    let row = Entity::find_by_id(erasure_id).lock_exclusive().one(&**tx).await?;
    let row = row.ok_or_else(|| unknown(erasure_id))?;
    let person = row.person.clone().map(read).transpose()?;
    Ok((with_steps(&**tx, vec![row]).await?.remove(0), person))
}

/// What is to be looked for; nothing when it is complete.
pub(crate) async fn person(connection: &impl ConnectionTrait, erasure_id: Uuid) -> Result<Person> {
    let row = Entity::find_by_id(erasure_id).one(connection).await?.ok_or_else(|| unknown(erasure_id))?;
    row.person.map_or(Ok(Person::default()), read)
}

/// Erasures, the newest first.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    open_only: bool,
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Erasure>> {
    let mut query = Entity::find();
    if open_only {
        query = query.filter(Column::CompleteTime.is_null());
    }
    if let Some(before) = before {
        query = query.filter(Column::ErasureId.lt(before));
    }
    let rows = query.order_by_desc(Column::ErasureId).limit(limit).all(connection).await?;
    with_steps(connection, rows).await
}

fn unknown(erasure_id: Uuid) -> Error {
    Error::not_found("erasure", erasure_id)
}

async fn with_steps(connection: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<Erasure>> {
    let ids = rows.iter().map(|row| row.erasure_id);
    let steps = erasure_step::Entity::find()
        .filter(erasure_step::Column::ErasureId.is_in(ids))
        .order_by_asc(erasure_step::Column::Service)
        .all(connection)
        .await?;
    let mut of: HashMap<Uuid, Vec<Step>> = HashMap::new();
    for erasure_step::Model { erasure_id, service, complete_time, deleted, .. } in steps {
        of.entry(erasure_id).or_default().push(Step { service, complete_time, deleted });
    }
    rows.into_iter()
        .map(|row| {
            Ok(Erasure {
                steps: of.remove(&row.erasure_id).unwrap_or_default(),
                erasure_id: row.erasure_id,
                contact_ids: read(row.contact_ids)?,
                reason: row.reason,
                principal: row.principal,
                create_time: row.create_time,
                complete_time: row.complete_time,
                lift: row.lift_time.map(|time| Lift {
                    time,
                    principal: row.lift_principal.unwrap_or_default(),
                    reason: row.lift_reason.unwrap_or_default(),
                }),
            })
        })
        .collect()
}

fn to_json(value: &impl serde::Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|cause| Error::internal("an erasure without JSON").because(cause))
}

fn read<T: DeserializeOwned>(json: serde_json::Value) -> Result<T> {
    serde_json::from_value(json).map_err(|cause| Error::internal("an erasure that cannot be read").because(cause))
}
