//! The journal of merges, and what the merges that hold make of ids.

use std::collections::{BTreeSet, HashMap};

use leadflow_platform::{
    Error, Result,
    db::{Tx, insert_all},
};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set,
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    CHUNK,
    entity::merge::{ActiveModel, Column, Entity, Model},
};
use crate::domain::merge::{Kind, Merge, Undo};

/// Which merges a list shows.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Filter {
    pub(crate) kind: Option<Kind>,
    pub(crate) resource_id: Option<Uuid>,
    pub(crate) active: bool,
}

/// One merge.
pub(crate) async fn get(connection: &impl ConnectionTrait, merge_id: Uuid) -> Result<Merge> {
    let row = Entity::find_by_id(merge_id).one(connection).await?;
    to_merge(row.ok_or_else(|| Error::not_found("merge", merge_id))?)
}

/// Enters new merges.
pub(crate) async fn enter(tx: &Tx, merges: &[Merge]) -> Result<()> {
    insert_all(tx, merges.iter().map(to_row).collect(), None).await
}

/// Enters that a merge was undone.
pub(crate) async fn enter_undo(tx: &Tx, merge: &Merge) -> Result<()> {
    to_row(merge).reset_all().update(&**tx).await?;
    Ok(())
}

/// A page of merges, the newest first.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter,
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Merge>> {
    let mut wanted = Condition::all();
    if let Some(kind) = filter.kind {
        wanted = wanted.add(Column::Kind.eq(kind.as_str()));
    }
    if let Some(id) = filter.resource_id {
        wanted = wanted.add(Condition::any().add(Column::SurvivorId.eq(id)).add(Column::MergedId.eq(id)));
    }
    if filter.active {
        wanted = wanted.add(Column::UndoTime.is_null());
    }
    if let Some(before) = before {
        wanted = wanted.add(Column::MergeId.lt(before));
    }
    let rows = Entity::find().filter(wanted).order_by_desc(Column::MergeId).limit(limit).all(connection).await?;
    rows.into_iter().map(to_merge).collect()
}

/// Which one each of these ids leads to, for those that were merged into another.
pub(crate) async fn survivors(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<HashMap<Uuid, Uuid>> {
    let mut leads_to: HashMap<Uuid, Uuid> = rows(connection, Column::MergedId, ids).await?.into_iter().collect();
    loop {
        let reached: Vec<_> = leads_to.values().copied().collect();
        let next: HashMap<Uuid, Uuid> = rows(connection, Column::MergedId, &reached).await?.into_iter().collect();
        if next.is_empty() {
            return Ok(leads_to);
        }
        leads_to.values_mut().for_each(|to| *to = next.get(to).copied().unwrap_or(*to));
    }
}

/// Those that were merged into each of these, directly or by way of others; the oldest first.
pub(crate) async fn merged_into(
    connection: &impl ConnectionTrait,
    survivors: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Uuid>>> {
    let mut found: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    // Whom each one that was reached counts for.
    let mut reached: HashMap<Uuid, Uuid> = survivors.iter().map(|&id| (id, id)).collect();
    while !reached.is_empty() {
        let at: Vec<_> = reached.keys().copied().collect();
        let mut below = HashMap::new();
        for (merged, into) in rows(connection, Column::SurvivorId, &at).await? {
            let survivor = reached[&into];
            found.entry(survivor).or_default().push(merged);
            below.insert(merged, survivor);
        }
        reached = below;
    }
    found.values_mut().for_each(|merged| merged.sort_unstable());
    Ok(found)
}

/// All that are one with this one: the survivor first, then those that were merged into it. Whatever belongs to a person
/// or an organisation belongs to one of these ids.
pub(crate) async fn joined(connection: &impl ConnectionTrait, id: Uuid) -> Result<Vec<Uuid>> {
    let survivor = survivors(connection, &[id]).await?.remove(&id).unwrap_or(id);
    let merged = merged_into(connection, &[survivor]).await?.remove(&survivor).unwrap_or_default();
    Ok(std::iter::once(survivor).chain(merged).collect())
}

/// All that are one with one of these.
pub(crate) async fn all_joined(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeSet<Uuid>> {
    let leads_to = survivors(connection, ids).await?;
    let mut all: BTreeSet<Uuid> = ids.iter().map(|id| leads_to.get(id).copied().unwrap_or(*id)).collect();
    let merged = merged_into(connection, &all.iter().copied().collect::<Vec<_>>()).await?;
    all.extend(merged.into_values().flatten());
    Ok(all)
}

/// What was merged and into what, by the merges that hold and have one of these ids in the column.
async fn rows(connection: &impl ConnectionTrait, of: Column, ids: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let rows: Vec<(Uuid, Uuid)> = Entity::find()
            .select_only()
            .columns([Column::MergedId, Column::SurvivorId])
            .filter(of.is_in(chunk.iter().copied()))
            .filter(Column::UndoTime.is_null())
            .order_by_asc(Column::MergeId)
            .into_tuple()
            .all(connection)
            .await?;
        found.extend(rows);
    }
    Ok(found)
}

fn to_row(merge: &Merge) -> ActiveModel {
    ActiveModel {
        merge_id: Set(merge.merge_id),
        kind: Set(merge.kind.as_str().to_owned()),
        survivor_id: Set(merge.survivor_id),
        merged_id: Set(merge.merged_id),
        note: Set(merge.note.clone()),
        merge_time: Set(merge.merge_time),
        merge_principal: Set(merge.merge_principal.clone()),
        undo_time: Set(merge.undo.as_ref().map(|undo| undo.time)),
        undo_principal: Set(merge.undo.as_ref().map(|undo| undo.principal.clone())),
        undo_note: Set(merge.undo.as_ref().map(|undo| undo.note.clone())),
    }
}

fn to_merge(row: Model) -> Result<Merge> {
    let kind = Kind::from_name(&row.kind).ok_or_else(|| Error::internal(format!("the kind `{}`", row.kind)))?;
    let undo = row.undo_time.map(|time| Undo {
        time,
        principal: row.undo_principal.unwrap_or_default(),
        note: row.undo_note.unwrap_or_default(),
    });
    Ok(Merge {
        merge_id: row.merge_id,
        kind,
        survivor_id: row.survivor_id,
        merged_id: row.merged_id,
        note: row.note,
        merge_time: row.merge_time,
        merge_principal: row.merge_principal,
        undo,
    })
}
