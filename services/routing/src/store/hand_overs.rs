//! Hand-overs with the traces of their decisions. The primary key is the inbox: a hand-over that is there has had its
//! effect.

use std::collections::HashMap;

use leadflow_platform::{
    Result,
    clock::from_millis,
    db::{Tx, insert_all, is_any},
    page::Page,
    trace::Origin,
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DerivePartialModel, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{CHUNK, entity::hand_over, from_json, from_text, small, text_of, to_json};
use crate::domain::{
    decision::Trace,
    hand_over::{HandOver, Reason, State},
};

use hand_over::{ActiveModel, Column, Entity};

/// A hand-over without its trace, which is long.
#[derive(Clone, Debug, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
struct Row {
    lead_id: Uuid,
    hand_over: i64,
    state: String,
    reason: Option<String>,
    deadline_time: Option<i64>,
    assignment_id: Option<Uuid>,
    create_time: i64,
    traceparent: Option<String>,
}

/// The place of a hand-over among the held ones: the oldest first.
pub(crate) type HeldKey = (i64, Uuid, i32);

/// All hand-overs of these leads.
pub(crate) async fn of_leads(
    connection: &impl ConnectionTrait,
    leads: &[Uuid],
) -> Result<HashMap<Uuid, Vec<HandOver>>> {
    let mut found: HashMap<Uuid, Vec<HandOver>> = HashMap::new();
    for chunk in leads.chunks(CHUNK) {
        let query = Entity::find().filter(is_any(connection, Column::LeadId, chunk.iter().copied()));
        for row in query.into_partial_model::<Row>().all(connection).await? {
            found.entry(row.lead_id).or_default().push(to_hand_over(row)?);
        }
    }
    Ok(found)
}

/// One hand-over.
pub(crate) async fn get(connection: &impl ConnectionTrait, lead_id: Uuid, hand_over: i32) -> Result<Option<HandOver>> {
    let query = Entity::find_by_id((lead_id, hand_over.into()));
    query.into_partial_model::<Row>().one(connection).await?.map(to_hand_over).transpose()
}

/// The decision on one hand-over, and the assignment that it led to.
pub(crate) async fn trace(
    connection: &impl ConnectionTrait,
    lead_id: Uuid,
    hand_over: Option<i32>,
) -> Result<Option<(Trace, Option<Uuid>)>> {
    let mut query = Entity::find().filter(Column::LeadId.eq(lead_id)).filter(Column::Trace.is_not_null());
    if let Some(hand_over) = hand_over {
        query = query.filter(Column::HandOver.eq(i64::from(hand_over)));
    }
    let Some(row) = query.order_by_desc(Column::HandOver).one(connection).await? else { return Ok(None) };
    let Some(trace) = row.trace else { return Ok(None) };
    Ok(Some((from_json(trace)?, row.assignment_id)))
}

/// The newest decisions on those of these leads' hand-overs that are held.
pub(crate) async fn held_traces(tx: &Tx, leads: &[Uuid]) -> Result<HashMap<(Uuid, i32), Trace>> {
    let mut found = HashMap::new();
    for chunk in leads.chunks(CHUNK) {
        let query = Entity::find()
            .filter(Column::State.eq("held"))
            .filter(is_any(&**tx, Column::LeadId, chunk.iter().copied()))
            .filter(Column::Trace.is_not_null());
        for row in query.all(&**tx).await? {
            if let Some(trace) = row.trace {
                found.insert((row.lead_id, small(row.hand_over)?), from_json(trace)?);
            }
        }
    }
    Ok(found)
}

/// Held ones after `after`, the oldest first.
pub(crate) async fn held(
    connection: &impl ConnectionTrait,
    after: Option<HeldKey>,
    limit: u64,
) -> Result<Vec<HeldKey>> {
    let mut query = Entity::find().filter(Column::State.eq("held"));
    if let Some((time, lead_id, number)) = after {
        let same_time = Condition::all().add(Column::CreateTime.eq(time)).add(after_key(lead_id, number));
        query = query.filter(Condition::any().add(Column::CreateTime.gt(time)).add(same_time));
    }
    let rows: Vec<(i64, Uuid, i64)> = query
        .select_only()
        .columns([Column::CreateTime, Column::LeadId, Column::HandOver])
        .order_by_asc(Column::CreateTime)
        .order_by_asc(Column::LeadId)
        .order_by_asc(Column::HandOver)
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await?;
    rows.into_iter().map(|(time, lead_id, number)| Ok((time, lead_id, small(number)?))).collect()
}

/// How many are held, by reason, and since when the oldest one is.
pub(crate) async fn count_held(connection: &impl ConnectionTrait) -> Result<(HashMap<Reason, u64>, Option<i64>)> {
    let rows: Vec<(Option<String>, i64, i64)> = Entity::find()
        .filter(Column::State.eq("held"))
        .select_only()
        .column(Column::Reason)
        .column_as(Column::LeadId.count(), "held")
        .column_as(Column::CreateTime.min(), "oldest")
        .group_by(Column::Reason)
        .into_tuple()
        .all(connection)
        .await?;
    let oldest = rows.iter().map(|(_, _, oldest)| *oldest).min();
    let mut counts = HashMap::new();
    for (reason, count, _) in rows {
        if let Some(reason) = reason {
            counts.insert(from_text(reason)?, u64::try_from(count).unwrap_or(0));
        }
    }
    Ok((counts, oldest))
}

/// A page of them, by lead and number.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    state: Option<State>,
    page: &Page<(Uuid, i32)>,
) -> Result<Vec<HandOver>> {
    let mut query = Entity::find();
    if let Some(state) = state {
        query = query.filter(Column::State.eq(text_of(&state)?));
    }
    if let Some(&(lead_id, number)) = page.after() {
        query = query.filter(after_key(lead_id, number));
    }
    let rows = query
        .order_by_asc(Column::LeadId)
        .order_by_asc(Column::HandOver)
        .limit(page.limit())
        .into_partial_model::<Row>()
        .all(connection)
        .await?;
    rows.into_iter().map(to_hand_over).collect()
}

fn after_key(lead_id: Uuid, number: i32) -> Condition {
    let same_lead = Condition::all().add(Column::LeadId.eq(lead_id)).add(Column::HandOver.gt(i64::from(number)));
    Condition::any().add(Column::LeadId.gt(lead_id)).add(same_lead)
}

/// Writes hand-overs as they are now. A trace that is not given stays as it is.
pub(crate) async fn save(tx: &Tx, hand_overs: &[(HandOver, Option<Trace>)]) -> Result<()> {
    let (decided, others): (Vec<_>, Vec<_>) = hand_overs.iter().partition(|(_, trace)| trace.is_some());
    for (rows, with_trace) in [(decided, true), (others, false)] {
        let mut columns = vec![Column::State, Column::Reason, Column::DeadlineTime, Column::AssignmentId];
        if with_trace {
            columns.push(Column::Trace);
        }
        let rows: Vec<_> =
            rows.into_iter().map(|(hand_over, trace)| to_row(hand_over, trace.as_ref())).collect::<Result<_>>()?;
        let change = OnConflict::columns([Column::LeadId, Column::HandOver]).update_columns(columns).to_owned();
        insert_all(tx, rows, Some(change)).await?;
    }
    Ok(())
}

fn to_row(hand_over: &HandOver, trace: Option<&Trace>) -> Result<ActiveModel> {
    Ok(ActiveModel {
        lead_id: Set(hand_over.lead_id),
        hand_over: Set(hand_over.hand_over.into()),
        state: Set(text_of(&hand_over.state)?),
        reason: Set(hand_over.reason.map(|reason| text_of(&reason)).transpose()?),
        deadline_time: Set(hand_over.deadline_time.map(jiff::Timestamp::as_millisecond)),
        assignment_id: Set(hand_over.assignment_id),
        create_time: Set(hand_over.create_time.as_millisecond()),
        trace: Set(trace.map(to_json).transpose()?),
        traceparent: Set(hand_over.origin.traceparent()),
    })
}

fn to_hand_over(row: Row) -> Result<HandOver> {
    Ok(HandOver {
        lead_id: row.lead_id,
        hand_over: small(row.hand_over)?,
        state: from_text(row.state)?,
        reason: row.reason.map(from_text).transpose()?,
        deadline_time: row.deadline_time.map(from_millis),
        assignment_id: row.assignment_id,
        create_time: from_millis(row.create_time),
        origin: row.traceparent.as_deref().map(Origin::parse).unwrap_or_default(),
    })
}
