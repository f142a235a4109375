//! Evidence: the activities that scoring holds. Its primary key is the inbox: an activity that is there has had its
//! effect.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use leadflow_platform::{
    Error, Result,
    db::{self, Tx, insert_new, is_any},
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DatabaseBackend, EntityTrait as _, FromQueryResult, Order,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Select, Set, Statement,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};
use uuid::Uuid;

use super::{CHUNK, entity::evidence, from_json, from_text, text_of, to_json};
use crate::domain::{Activity, Disposition};

use evidence::{ActiveModel, Column, Entity, Model};

/// An activity with whose it is and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    pub(crate) account_id: Option<Uuid>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) disposition: Disposition,
    /// How often the ledger has moved it to another account.
    pub(crate) attribution: i64,
}

/// Which evidence a list shows.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(crate) struct Filter {
    /// Whose: of an account and all that are one with it.
    pub(crate) accounts: Option<Vec<Uuid>>,
    pub(crate) disposition: Option<Disposition>,
    pub(crate) record_time_before: Option<i64>,
}

/// Which of these activities are there.
pub(crate) async fn known(tx: &Tx, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    Ok(db::known::<Entity>(&**tx, Column::ActivityId, ids).await?.into_iter().collect())
}

/// Adds these, none of which was there.
///
/// # Errors
/// `UNAVAILABLE` when somebody else has added one meanwhile: the same again will do.
pub(crate) async fn add(tx: &Tx, rows: &[Evidence]) -> Result<()> {
    let there = OnConflict::column(Column::ActivityId).do_nothing().to_owned();
    let new = rows.iter().map(to_row).collect::<Result<Vec<_>>>()?;
    if insert_new(tx, new, there).await? < rows.len() as u64 {
        return Err(Error::unavailable("activities are being taken in by somebody else: try again"));
    }
    Ok(())
}

/// Where these are by now, and how often each was moved, for those that are there.
pub(crate) async fn whereabouts(tx: &Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, (Option<Uuid>, i64)>> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let rows: Vec<(Uuid, Option<Uuid>, i64)> = Entity::find()
            .select_only()
            .columns([Column::ActivityId, Column::AccountId, Column::Attribution])
            .filter(is_any(&**tx, Column::ActivityId, chunk.iter().copied()))
            .into_tuple()
            .all(&**tx)
            .await?;
        found.extend(rows.into_iter().map(|(id, account, attribution)| (id, (account, attribution))));
    }
    Ok(found)
}

/// Lets an activity belong to another account, unless it was moved later still.
pub(crate) async fn move_to(tx: &Tx, evidence: &Evidence) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::AccountId, Expr::value(evidence.account_id))
        .col_expr(Column::Attribution, Expr::value(evidence.attribution))
        .filter(Column::ActivityId.eq(evidence.activity.activity_id))
        .filter(Column::Attribution.lt(evidence.attribution))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// The index holds each account's activities in this order, but for those that happened at the same time.
const LATEST: &str = "SELECT latest.* FROM unnest($1) AS wanted (account_id) CROSS JOIN LATERAL (\
     SELECT * FROM evidence WHERE evidence.account_id = wanted.account_id AND occur_time > $2 AND reclassify_time IS NULL \
     ORDER BY occur_time DESC, source DESC, source_event_id DESC LIMIT $3) AS latest";

/// The latest `limit` activities of each account that happened after `after` (those that any lead can count), the
/// latest first, each with what became of it so far.
pub(crate) async fn latest(
    connection: &impl ConnectionTrait,
    accounts: &[Uuid],
    after: i64,
    limit: usize,
) -> Result<HashMap<Uuid, Vec<(Arc<Activity>, Disposition)>>> {
    let mut found: HashMap<Uuid, Vec<_>> = HashMap::new();
    for chunk in accounts.chunks(CHUNK) {
        let statement = match connection.get_database_backend() {
            DatabaseBackend::Postgres => {
                let values = [chunk.to_vec().into(), after.into(), (limit as u64).into()];
                Statement::from_sql_and_values(DatabaseBackend::Postgres, LATEST, values)
            }
            // It has no LATERAL.
            backend => {
                let marks = vec!["?"; chunk.len()].join(", ");
                let sql = format!(
                    "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY account_id \
                     ORDER BY occur_time DESC, source DESC, source_event_id DESC) AS place \
                     FROM evidence WHERE occur_time > {after} AND reclassify_time IS NULL \
                     AND account_id IN ({marks})) AS ranked WHERE place <= {limit}"
                );
                Statement::from_sql_and_values(backend, sql, chunk.iter().map(|id| (*id).into()))
            }
        };
        for row in Model::find_by_statement(statement).all(connection).await? {
            let (account, became) = (row.account_id.unwrap_or_default(), from_text(&row.disposition)?);
            found.entry(account).or_default().push((to_activity(row)?, became));
        }
    }
    Ok(found)
}

/// Each account by itself, by the index of those that bear answers; `OFFSET 0` keeps PostgreSQL from joining them with the
/// whole table instead.
const ANSWERING: &str = "SELECT answering.* FROM unnest($1) AS wanted (account_id) CROSS JOIN LATERAL (\
     SELECT * FROM evidence WHERE evidence.account_id = wanted.account_id AND answers IS NOT NULL OFFSET 0) AS answering";

/// The activities of these accounts that bear answers, of all time.
pub(crate) async fn answering(
    connection: &impl ConnectionTrait,
    accounts: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Arc<Activity>>>> {
    let rows = match connection.get_database_backend() {
        DatabaseBackend::Postgres => {
            let values = [accounts.to_vec().into()];
            let query = Statement::from_sql_and_values(DatabaseBackend::Postgres, ANSWERING, values);
            Model::find_by_statement(query).all(connection).await?
        }
        _ => {
            let these = is_any(connection, Column::AccountId, accounts.iter().copied());
            Entity::find().filter(these).filter(Column::Answers.is_not_null()).all(connection).await?
        }
    };
    let mut found: HashMap<Uuid, Vec<Arc<Activity>>> = HashMap::new();
    for row in rows {
        let (account, activity) = (row.account_id.unwrap_or_default(), to_activity(row)?);
        found.entry(account).or_default().push(activity);
    }
    Ok(found)
}

/// What happened at these accounts until a moment, at each of them after a moment of its own, which is mostly the same.
fn within(connection: &impl ConnectionTrait, accounts: &[(Uuid, i64)], until: i64, known_at: i64) -> Select<Entity> {
    let mut by_begin: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
    for &(account, after) in accounts {
        by_begin.entry(after).or_default().push(account);
    }
    let at = |(after, accounts)| is_any(connection, Column::AccountId, accounts).and(Column::OccurTime.gt(after));
    Entity::find()
        .filter(by_begin.into_iter().map(at).fold(Condition::any(), Condition::add))
        .filter(Column::OccurTime.lte(until))
        .filter(Column::RecordTime.lte(known_at))
        .filter(Condition::any().add(Column::ReclassifyTime.is_null()).add(Column::ReclassifyTime.gt(known_at)))
}

/// How many activities of each of these accounts happened after the moment beside it and until another, as known at
/// `known_at`.
pub(crate) async fn count(
    connection: &impl ConnectionTrait,
    accounts: &[(Uuid, i64)],
    until: i64,
    known_at: i64,
) -> Result<u64> {
    Ok(sea_orm::PaginatorTrait::count(within(connection, accounts, until, known_at), connection).await?)
}

/// As [`count`] says, but the latest `limit` themselves, and how many more there are.
pub(crate) async fn as_of(
    connection: &impl ConnectionTrait,
    accounts: &[(Uuid, i64)],
    until: i64,
    known_at: i64,
    limit: usize,
) -> Result<(Vec<Arc<Activity>>, u64)> {
    let count = count(connection, accounts, until, known_at).await?;
    let rows = within(connection, accounts, until, known_at)
        .order_by(Column::OccurTime, Order::Desc)
        .order_by(Column::Source, Order::Desc)
        .order_by(Column::SourceEventId, Order::Desc)
        .limit(limit as u64)
        .all(connection)
        .await?;
    let beyond = count.saturating_sub(rows.len() as u64);
    Ok((rows.into_iter().map(to_activity).collect::<Result<_>>()?, beyond))
}

/// Sets what became of each of these activities.
pub(crate) async fn dispose(tx: &Tx, changes: BTreeMap<Uuid, Disposition>) -> Result<()> {
    let mut by_disposition: HashMap<Disposition, Vec<Uuid>> = HashMap::new();
    for (id, disposition) in changes {
        by_disposition.entry(disposition).or_default().push(id);
    }
    for (disposition, ids) in by_disposition {
        let text = text_of(&disposition)?;
        for chunk in ids.chunks(CHUNK) {
            Entity::update_many()
                .col_expr(Column::Disposition, Expr::value(text.clone()))
                .filter(is_any(&**tx, Column::ActivityId, chunk.iter().copied()))
                .exec(&**tx)
                .await?;
        }
    }
    Ok(())
}

/// A page of evidence in the order of ids.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Evidence>> {
    let mut query = Entity::find();
    if let Some(accounts) = &filter.accounts {
        query = query.filter(is_any(connection, Column::AccountId, accounts.iter().copied()));
    }
    if let Some(disposition) = filter.disposition {
        query = query.filter(Column::Disposition.eq(text_of(&disposition)?));
    }
    if let Some(before) = filter.record_time_before {
        query = query.filter(Column::RecordTime.lt(before));
    }
    if let Some(after) = after {
        query = query.filter(Column::ActivityId.gt(after));
    }
    let rows = query.order_by_asc(Column::ActivityId).limit(limit).all(connection).await?;
    rows.into_iter().map(to_evidence).collect()
}

fn to_row(evidence: &Evidence) -> Result<ActiveModel> {
    let activity = &evidence.activity;
    let facts = |facts: &crate::domain::history::Facts| -> Result<_> {
        if facts.is_empty() { Ok(None) } else { to_json(facts).map(Some) }
    };
    Ok(ActiveModel {
        activity_id: Set(activity.activity_id),
        account_id: Set(evidence.account_id),
        contact_id: Set(activity.contact_id),
        source: Set(activity.source.to_string()),
        source_event_id: Set(activity.source_event_id.to_string()),
        activity_type: Set(activity.activity_type.to_string()),
        channel: Set(activity.channel.to_string()),
        product_category: Set(activity.product_category.as_deref().map(str::to_owned)),
        occur_time: Set(activity.occur_time),
        record_time: Set(activity.record_time),
        object_id: Set(activity.object_id.as_deref().map(str::to_owned)),
        attributes: Set(facts(&activity.attributes)?),
        answers: Set(facts(&activity.answers)?),
        reclassify_time: Set(activity.reclassify_time),
        disposition: Set(text_of(&evidence.disposition)?),
        attribution: Set(evidence.attribution),
    })
}

fn to_evidence(row: Model) -> Result<Evidence> {
    Ok(Evidence {
        account_id: row.account_id,
        disposition: from_text(&row.disposition)?,
        attribution: row.attribution,
        activity: to_activity(row)?,
    })
}

fn to_activity(row: Model) -> Result<Arc<Activity>> {
    let facts =
        |json: Option<serde_json::Value>| json.map_or(Ok(Default::default()), |json| from_json(json).map(Arc::new));
    Ok(Arc::new(Activity {
        activity_id: row.activity_id,
        source: row.source.into(),
        source_event_id: row.source_event_id.into(),
        activity_type: row.activity_type.into(),
        channel: row.channel.into(),
        product_category: row.product_category.map(Into::into),
        occur_time: row.occur_time,
        record_time: row.record_time,
        contact_id: row.contact_id,
        object_id: row.object_id.map(Into::into),
        attributes: facts(row.attributes)?,
        answers: facts(row.answers)?,
        reclassify_time: row.reclassify_time,
        account_id: row.account_id,
    }))
}
