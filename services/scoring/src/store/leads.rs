//! Leads and the adjustments that people made to them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadflow_platform::{
    Error, Result,
    db::{Tx, insert_all, is_any, update_all},
    trace::Origin,
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set, Value,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CHUNK, entity::adjustment, entity::lead, from_json, from_text, joined, text_of, to_json};
use crate::domain::{
    Adjustment, Band, Validations,
    lead::{Lead, State, Status},
};

use lead::{ActiveModel, Column, Entity, Model};

/// Scores in one step of the order by score, as the database computes it.
const SCORE_STEP_MILLI: i64 = 10_000;

/// Which leads a list shows.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Filter {
    pub(crate) band: Option<Band>,
    pub(crate) status: Option<Status>,
    pub(crate) product_category: String,
    /// Whose leads: of an account and all that are one with it.
    pub(crate) accounts: Option<Vec<Uuid>>,
    pub(crate) assigned_rep: String,
    pub(crate) show_closed: bool,
    pub(crate) by_id: bool,
}

/// Where a page of leads begins.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) score_milli: i64,
    pub(crate) lead_id: Uuid,
}

/// All leads of these accounts, closed ones too, and those of others whose closing has ended what these did.
pub(crate) async fn of_accounts(connection: &impl ConnectionTrait, accounts: &[Uuid]) -> Result<Vec<Lead>> {
    let about = joined::leads_about(connection, accounts).await?;
    let mut found = BTreeMap::new();
    for (column, ids) in [(Column::AccountId, accounts), (Column::LeadId, &about)] {
        for chunk in ids.chunks(CHUNK) {
            for row in Entity::find().filter(is_any(connection, column, chunk.iter().copied())).all(connection).await? {
                found.insert(row.lead_id, to_lead(row)?);
            }
        }
    }
    let here: BTreeSet<_> = accounts.iter().collect();
    let is_theirs = |lead: &Lead| here.contains(&lead.account_id) || lead.sides.iter().any(|side| here.contains(side));
    let mut leads: Vec<_> = found.into_values().filter(is_theirs).collect();
    leads.sort_by(|a, b| {
        (a.account_id, &a.product_category, a.round).cmp(&(b.account_id, &b.product_category, b.round))
    });
    Ok(leads)
}

/// One lead.
pub(crate) async fn get(connection: &impl ConnectionTrait, lead_id: Uuid) -> Result<Lead> {
    let row = Entity::find_by_id(lead_id).one(connection).await?;
    to_lead(row.ok_or_else(|| Error::not_found("lead", lead_id))?)
}

/// The accounts of these leads.
pub(crate) async fn accounts_of(connection: &impl ConnectionTrait, leads: &[Uuid]) -> Result<HashMap<Uuid, Uuid>> {
    let rows: Vec<(Uuid, Uuid)> = Entity::find()
        .select_only()
        .columns([Column::LeadId, Column::AccountId])
        .filter(is_any(connection, Column::LeadId, leads.iter().copied()))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Writes these leads, new or changed.
pub(crate) async fn save(tx: &Tx, leads: &[Lead]) -> Result<()> {
    let rows = leads.iter().map(to_row).collect::<Result<Vec<_>>>()?;
    let change = OnConflict::column(Column::LeadId)
        .update_columns([
            Column::Status,
            Column::StatusReason,
            Column::Band,
            Column::ScoreMilli,
            Column::ScoreTime,
            Column::NextCheckTime,
            Column::Contacts,
            Column::Channels,
            Column::ValidActivities,
            Column::Activities,
            Column::HandOver,
            Column::ReadyTime,
            Column::RejectTime,
            Column::AssignmentId,
            Column::AssignedRep,
            Column::CloseTime,
            Column::CloseReason,
            Column::CloseNote,
            Column::ModelVersion,
            Column::Revision,
            Column::Traceparent,
            Column::MergedInto,
            Column::Sides,
        ])
        .to_owned();
    insert_all(tx, rows, Some(change)).await?;
    joined::note_sides(tx, leads.iter().map(|lead| (lead.lead_id, lead.sides.clone()))).await
}

/// Writes the scores of these leads, which are there, and of which nothing else has changed: a lead moves again and again,
/// and has much that stays.
pub(crate) async fn save_scores(tx: &Tx, leads: &[Lead]) -> Result<()> {
    let row = |lead: &Lead| -> Vec<Value> {
        let state = &lead.state;
        let counts = [state.validations.contacts, state.validations.channels, state.validations.activities];
        let numbers = counts.into_iter().chain([state.activities, state.model_version]).map(i64::from);
        let mut row = vec![lead.lead_id.into(), state.score_milli.into(), state.score_time.into()];
        row.extend(numbers.map(Value::from));
        row.extend([Value::from(lead.next_check_time), Value::from(lead.origin.traceparent())]);
        row
    };
    let columns = [
        Column::ScoreMilli,
        Column::ScoreTime,
        Column::Contacts,
        Column::Channels,
        Column::ValidActivities,
        Column::Activities,
        Column::ModelVersion,
        Column::NextCheckTime,
        Column::Traceparent,
    ];
    update_all(tx, Column::LeadId, &columns, leads.iter().map(row).collect(), |_| {}).await
}

/// A page of leads, by score or by id.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter,
    after: Option<&Key>,
    limit: u64,
) -> Result<Vec<Lead>> {
    let mut wanted = Condition::all();
    if let Some(band) = filter.band {
        wanted = wanted.add(Column::Band.eq(text_of(&band)?));
    }
    if let Some(status) = filter.status {
        wanted = wanted.add(Column::Status.eq(text_of(&status)?));
    }
    if !filter.product_category.is_empty() {
        wanted = wanted.add(Column::ProductCategory.eq(filter.product_category.as_str()));
    }
    if let Some(accounts) = &filter.accounts {
        wanted = wanted.add(is_any(connection, Column::AccountId, accounts.iter().copied()));
    }
    if !filter.assigned_rep.is_empty() {
        wanted = wanted.add(Column::AssignedRep.eq(filter.assigned_rep.as_str()));
    }
    if !filter.show_closed && filter.status != Some(Status::Closed) {
        wanted = wanted.add(Column::CloseTime.is_null());
    }
    let query = if filter.by_id {
        if let Some(key) = after {
            wanted = wanted.add(Column::LeadId.gt(key.lead_id));
        }
        Entity::find().order_by_asc(Column::LeadId)
    } else {
        if let Some(key) = after {
            let same = Condition::all().add(Column::ScoreMilli.eq(key.score_milli)).add(Column::LeadId.lt(key.lead_id));
            wanted = wanted.add(Condition::any().add(Column::ScoreMilli.lt(key.score_milli)).add(same));
            // By which the index finds where to begin.
            wanted = wanted.add(score_step().lte(key.score_milli / SCORE_STEP_MILLI));
        }
        let by_step = Entity::find().order_by_desc(score_step());
        by_step.order_by_desc(Column::ScoreMilli).order_by_desc(Column::LeadId)
    };
    let rows = query.filter(wanted).limit(limit).all(connection).await?;
    rows.into_iter().map(to_lead).collect()
}

/// A column that the database computes. Its index is in this order, which is that of the scores but for those within a step.
fn score_step() -> Expr {
    Expr::cust("leads.score_step")
}

/// How many open leads each band has.
pub(crate) async fn open_by_band(connection: &impl ConnectionTrait) -> Result<Vec<(Band, u64)>> {
    let mut counts = Vec::new();
    for band in [Band::Cold, Band::Warm, Band::Hot] {
        let query = Entity::find().filter(Column::CloseTime.is_null()).filter(Column::Band.eq(text_of(&band)?));
        counts.push((band, query.count(connection).await?));
    }
    Ok(counts)
}

/// The adjustments of these leads.
pub(crate) async fn adjustments(
    connection: &impl ConnectionTrait,
    leads: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Adjustment>>> {
    let mut found: HashMap<Uuid, Vec<Adjustment>> = HashMap::new();
    for chunk in leads.chunks(CHUNK) {
        let rows = adjustment::Entity::find()
            .filter(is_any(connection, adjustment::Column::LeadId, chunk.iter().copied()))
            .all(connection)
            .await?;
        for row in rows {
            found.entry(row.lead_id).or_default().push(Adjustment {
                adjustment_id: row.adjustment_id,
                points_milli: row.points_milli,
                create_time: row.create_time,
                expire_time: row.expire_time,
                reason: row.reason,
                principal: row.principal,
            });
        }
    }
    Ok(found)
}

/// Adds an adjustment.
pub(crate) async fn adjust(tx: &Tx, lead_id: Uuid, adjustment: &Adjustment) -> Result<()> {
    let row = adjustment::ActiveModel {
        adjustment_id: Set(adjustment.adjustment_id),
        lead_id: Set(lead_id),
        points_milli: Set(adjustment.points_milli),
        reason: Set(adjustment.reason.clone()),
        principal: Set(adjustment.principal.clone()),
        create_time: Set(adjustment.create_time),
        expire_time: Set(adjustment.expire_time),
    };
    adjustment::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

fn to_row(lead: &Lead) -> Result<ActiveModel> {
    let state = &lead.state;
    Ok(ActiveModel {
        lead_id: Set(lead.lead_id),
        account_id: Set(lead.account_id),
        product_category: Set(lead.product_category.clone()),
        round: Set(lead.round.into()),
        status: Set(text_of(&state.status)?),
        status_reason: Set(lead.status_reason.clone()),
        band: Set(text_of(&state.band)?),
        score_milli: Set(state.score_milli),
        score_time: Set(state.score_time),
        next_check_time: Set(lead.next_check_time),
        contacts: Set(state.validations.contacts.into()),
        channels: Set(state.validations.channels.into()),
        valid_activities: Set(state.validations.activities.into()),
        activities: Set(state.activities.into()),
        hand_over: Set(state.hand_over.into()),
        ready_time: Set(lead.ready_time),
        reject_time: Set(state.reject_time),
        assignment_id: Set(lead.assignment_id),
        assigned_rep: Set(lead.assigned_rep.clone()),
        open_time: Set(lead.open_time),
        close_time: Set(lead.closed.map(|(time, _)| time)),
        close_reason: Set(lead.closed.map(|(_, reason)| text_of(&reason)).transpose()?),
        close_note: Set(lead.close_note.clone()),
        model_version: Set(state.model_version.into()),
        revision: Set(lead.revision),
        traceparent: Set(lead.origin.traceparent()),
        merged_into: Set(lead.merged_into),
        sides: Set(if lead.sides.is_empty() { None } else { Some(to_json(&lead.sides)?) }),
    })
}

fn to_lead(row: Model) -> Result<Lead> {
    let small = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    let closed = match (row.close_time, row.close_reason) {
        (Some(time), Some(reason)) => Some((time, from_text(&reason)?)),
        _ => None,
    };
    Ok(Lead {
        lead_id: row.lead_id,
        account_id: row.account_id,
        product_category: row.product_category,
        round: small(row.round),
        state: State {
            status: from_text(&row.status)?,
            band: from_text(&row.band)?,
            score_milli: row.score_milli,
            score_time: row.score_time,
            validations: Validations {
                contacts: small(row.contacts),
                channels: small(row.channels),
                activities: small(row.valid_activities),
            },
            activities: small(row.activities),
            hand_over: small(row.hand_over),
            reject_time: row.reject_time,
            model_version: small(row.model_version),
        },
        next_check_time: row.next_check_time,
        ready_time: row.ready_time,
        status_reason: row.status_reason,
        assignment_id: row.assignment_id,
        assigned_rep: row.assigned_rep,
        open_time: row.open_time,
        closed,
        close_note: row.close_note,
        merged_into: row.merged_into,
        sides: row.sides.map_or(Ok(Vec::new()), from_json)?,
        revision: row.revision,
        origin: row.traceparent.as_deref().map(Origin::parse).unwrap_or_default(),
    })
}
