//! Assignments. The partial unique index `uq_assignments_live` keeps at most one live per lead, whatever the code does.

use std::collections::HashMap;

use leadflow_platform::{
    Error, Result,
    clock::from_millis,
    db::{Tx, insert_all, is_any},
    page::Page,
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set, sea_query::OnConflict,
};
use serde::Serialize;
use uuid::Uuid;

use super::{CHUNK, entity::assignment, from_text, small, text_of};
use crate::domain::assignment::{Assignment, State};

use assignment::{ActiveModel, Column, Entity, Model};

/// The states that occupy a rep.
const LIVE: [&str; 2] = ["offered", "accepted"];

/// Which assignments a list shows.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Filter {
    pub(crate) rep: String,
    pub(crate) state: Option<State>,
    pub(crate) lead_id: Option<Uuid>,
}

/// One assignment.
pub(crate) async fn get(connection: &impl ConnectionTrait, assignment_id: Uuid) -> Result<Assignment> {
    let row = Entity::find_by_id(assignment_id).one(connection).await?;
    to_assignment(row.ok_or_else(|| Error::not_found("assignment", assignment_id))?)
}

/// These assignments.
pub(crate) async fn by_ids(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Assignment>> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let rows = Entity::find()
            .filter(is_any(connection, Column::AssignmentId, chunk.iter().copied()))
            .all(connection)
            .await?;
        for row in rows {
            found.push(to_assignment(row)?);
        }
    }
    Ok(found)
}

/// The live assignments of these leads.
pub(crate) async fn live(tx: &Tx, leads: &[Uuid]) -> Result<HashMap<Uuid, Assignment>> {
    let mut found = HashMap::new();
    for chunk in leads.chunks(CHUNK) {
        let query = Entity::find()
            .filter(is_any(&**tx, Column::LeadId, chunk.iter().copied()))
            .filter(Column::State.is_in(LIVE));
        for row in query.all(&**tx).await? {
            found.insert(row.lead_id, to_assignment(row)?);
        }
    }
    Ok(found)
}

/// How many live assignments each of these reps has.
pub(crate) async fn count_live(tx: &Tx, reps: &[String]) -> Result<HashMap<String, i64>> {
    let mut counts = HashMap::new();
    for chunk in reps.chunks(CHUNK) {
        let rows: Vec<(String, i64)> = Entity::find()
            .filter(is_any(&**tx, Column::Rep, chunk.iter().map(String::as_str)))
            .filter(Column::State.is_in(LIVE))
            .select_only()
            .column(Column::Rep)
            .column_as(Column::AssignmentId.count(), "live")
            .group_by(Column::Rep)
            .into_tuple()
            .all(&**tx)
            .await?;
        counts.extend(rows);
    }
    Ok(counts)
}

/// A page of them, the newest first.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter,
    page: &Page<(i64, Uuid)>,
) -> Result<Vec<Assignment>> {
    let mut query = Entity::find();
    if !filter.rep.is_empty() {
        query = query.filter(Column::Rep.eq(filter.rep.as_str()));
    }
    if let Some(state) = filter.state {
        query = query.filter(Column::State.eq(text_of(&state)?));
    }
    if let Some(lead_id) = filter.lead_id {
        query = query.filter(Column::LeadId.eq(lead_id));
    }
    if let Some(&(time, id)) = page.after() {
        let same_time = Condition::all().add(Column::OfferTime.eq(time)).add(Column::AssignmentId.lt(id));
        query = query.filter(Condition::any().add(Column::OfferTime.lt(time)).add(same_time));
    }
    let rows = query
        .order_by_desc(Column::OfferTime)
        .order_by_desc(Column::AssignmentId)
        .limit(page.limit())
        .all(connection)
        .await?;
    rows.into_iter().map(to_assignment).collect()
}

/// Writes assignments as they are now.
pub(crate) async fn save(tx: &Tx, assignments: &[Assignment]) -> Result<()> {
    let rows: Vec<ActiveModel> = assignments.iter().map(to_row).collect::<Result<_>>()?;
    let change = OnConflict::column(Column::AssignmentId)
        .update_columns([
            Column::State,
            Column::DecideTime,
            Column::Reason,
            Column::Note,
            Column::Principal,
            Column::Revision,
        ])
        .to_owned();
    insert_all(tx, rows, Some(change)).await
}

fn to_row(assignment: &Assignment) -> Result<ActiveModel> {
    let assignment = assignment.clone();
    Ok(ActiveModel {
        assignment_id: Set(assignment.assignment_id),
        lead_id: Set(assignment.lead_id),
        hand_over: Set(assignment.hand_over.into()),
        account_id: Set(assignment.account_id),
        account_name: Set(assignment.account_name),
        product_category: Set(assignment.product_category),
        rep: Set(assignment.rep),
        territory: Set(assignment.territory),
        pool: Set(assignment.pool),
        state: Set(text_of(&assignment.state)?),
        offer_time: Set(assignment.offer_time.as_millisecond()),
        decide_time: Set(assignment.decide_time.map(jiff::Timestamp::as_millisecond)),
        reason: Set(assignment.reason),
        note: Set(assignment.note),
        principal: Set(assignment.principal),
        revision: Set(assignment.revision),
    })
}

fn to_assignment(row: Model) -> Result<Assignment> {
    Ok(Assignment {
        assignment_id: row.assignment_id,
        lead_id: row.lead_id,
        hand_over: small(row.hand_over)?,
        account_id: row.account_id,
        account_name: row.account_name,
        product_category: row.product_category,
        rep: row.rep,
        territory: row.territory,
        pool: row.pool,
        state: from_text(row.state)?,
        offer_time: from_millis(row.offer_time),
        decide_time: row.decide_time.map(from_millis),
        reason: row.reason,
        note: row.note,
        principal: row.principal,
        revision: row.revision,
    })
}
