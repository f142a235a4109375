//! What could not be recorded.

use jiff::Timestamp;
use leadflow_platform::{
    Error, Result,
    clock::from_millis,
    db::Tx,
    ids,
    page::Page,
    plant::{self, Plant},
};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::NotSet,
    Condition, ConnectionTrait, Iterable as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
    Set,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};
use serde::Serialize;

use crate::{
    domain::{
        activity::Activity,
        door::Door,
        quarantine::{Content, Kept, Place, Problem, Quarantined, Resolution, State},
        resolution::Refusal,
    },
    store::entities::quarantined_activity::{ActiveModel, Column, Entity},
};

/// Keeps what was refused, of whom it came from, each content once, and says where. In the order of their keys, so that
/// replicas that keep the same ones wait for each other and do not deadlock.
pub(crate) async fn keep(tx: &Tx, refused: &[(&Kept, &str)], now: Timestamp) -> Result<Vec<Place>> {
    if plant::is(Plant::DropQuarantine) {
        return Ok(refused.iter().map(|_| Place { quarantine_id: ids::new(), replayed_as: None }).collect());
    }
    // The ids in the order in which they came.
    let mut order: Vec<_> = refused.iter().map(|it| (ids::new(), it)).enumerate().collect();
    order.sort_by_key(|(_, (_, (kept, _)))| (kept.door.as_str(), &kept.source, kept.digest));
    let mut places = Vec::with_capacity(refused.len());
    // Rare, and large: a statement each.
    for (index, (id, (kept, principal))) in order {
        let row = Entity::insert(new_row(id, kept, principal, now)?)
            .on_conflict(
                OnConflict::columns([Column::Door, Column::Source, Column::ContentDigest])
                    .value(Column::ReceiveCount, Expr::col((Entity, Column::ReceiveCount)).add(1))
                    .update_column(Column::LastReceiveTime)
                    .to_owned(),
            )
            .exec_with_returning(&**tx)
            .await?;
        places.push((index, Place { quarantine_id: row.quarantine_id, replayed_as: row.activity_id }));
    }
    places.sort_by_key(|(index, _)| *index);
    Ok(places.into_iter().map(|(_, place)| place).collect())
}

fn new_row(quarantine_id: Uuid, kept: &Kept, principal: &str, now: Timestamp) -> Result<ActiveModel> {
    let (activity, raw) = match kept.content.clone() {
        Content::Activity(message) => (Some(message), None),
        Content::Raw(bytes) => (None, Some(bytes)),
    };
    Ok(ActiveModel {
        door: Set(Some(kept.door.as_str().to_owned())),
        source: Set(kept.source.clone()),
        reason: Set(kept.problem.reason.clone()),
        message: Set(kept.problem.message.clone()),
        fields: Set(fields(&kept.problem)?),
        activity: Set(activity),
        raw: Set(raw),
        content_size: Set(i64::try_from(kept.content_size).unwrap_or(i64::MAX)),
        content_digest: Set(Some(kept.digest.to_vec())),
        principal: Set(principal.to_owned()),
        ..open(quarantine_id, now)
    })
}

fn fields(problem: &Problem) -> Result<Json> {
    serde_json::to_value(&problem.fields).map_err(|cause| Error::internal("fields without JSON").because(cause))
}

/// Notes that an activity was set aside in the ledger. One that was put back, and is set aside again, is open again.
pub(crate) async fn note_set_aside(tx: &Tx, activity: &Activity, refusal: &Refusal, now: Timestamp) -> Result<()> {
    let row = ActiveModel {
        source: Set(activity.source.clone()),
        reason: Set(refusal.reason.clone()),
        message: Set(refusal.message.clone()),
        fields: Set(Json::Array(Vec::new())),
        content_size: Set(0),
        principal: Set(activity.principal.clone()),
        activity_id: Set(Some(activity.activity_id)),
        ..open(activity.activity_id, now)
    };
    let again = [
        Column::Reason,
        Column::Message,
        Column::LastReceiveTime,
        Column::State,
        Column::ResolvePrincipal,
        Column::ResolveTime,
        Column::ResolveNote,
    ];
    Entity::insert(row)
        .on_conflict(
            OnConflict::column(Column::QuarantineId)
                .value(Column::ReceiveCount, Expr::col((Entity, Column::ReceiveCount)).add(1))
                .value(Column::Revision, Expr::col((Entity, Column::Revision)).add(1))
                .update_columns(again)
                .to_owned(),
        )
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// Which ones are asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Filter {
    pub(crate) door: Option<Door>,
    pub(crate) source: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) state: Option<State>,
}

/// What is kept, in the order of the ids, that after `after`. Without what came.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Quarantined>> {
    let rows = Entity::find()
        .select_only()
        .columns(Column::iter().filter(|column| !matches!(column, Column::Activity | Column::Raw)))
        .expr_as(Expr::value(Option::<Vec<u8>>::None), "activity")
        .expr_as(Expr::value(Option::<Vec<u8>>::None), "raw")
        .filter(filter.condition())
        .apply_if(after, |query, after| query.filter(Column::QuarantineId.gt(after)))
        .order_by_asc(Column::QuarantineId)
        .limit(limit)
        .all(connection)
        .await?;
    rows.into_iter().map(Quarantined::try_from).collect()
}

impl Filter {
    fn condition(&self) -> Condition {
        Condition::all()
            .add_option(self.door.map(|door| Column::Door.eq(door.as_str())))
            .add_option(self.source.as_ref().map(|source| Column::Source.eq(source)))
            .add_option(self.reason.as_ref().map(|reason| Column::Reason.eq(reason)))
            // With the word in the text, so that the small index serves what is open.
            .add_option(self.state.map(|state| Expr::cust(format!("state = '{}'", state.as_str()))))
    }
}

/// One of them, with what came.
pub(crate) async fn get(connection: &impl ConnectionTrait, quarantine_id: Uuid) -> Result<Option<Quarantined>> {
    Entity::find_by_id(quarantine_id).one(connection).await?.map(Quarantined::try_from).transpose()
}

/// Which ones somebody decides on.
#[derive(Debug)]
pub(crate) enum Selection {
    /// These.
    Ids(Vec<Uuid>),
    /// A page of the open ones that the filter lets through.
    Filter(Filter, Page<Uuid>),
}

/// What a selection comes to.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) ids: Vec<Uuid>,
    /// Those of them that are there.
    pub(crate) kept: Vec<Quarantined>,
    pub(crate) next_page_token: String,
}

/// Reads what was selected, and locks it.
pub(crate) async fn choose(connection: &impl ConnectionTrait, selection: Selection) -> Result<Chosen> {
    let (ids, next_page_token) = match selection {
        Selection::Ids(ids) => (ids, String::new()),
        Selection::Filter(filter, page) => {
            let filter = Filter { state: Some(State::Open), ..filter };
            let rows = list(connection, &filter, page.after().copied(), page.limit()).await?;
            let (rows, next_page_token) = page.finish(rows, |kept| kept.quarantine_id);
            (rows.into_iter().map(|kept| kept.quarantine_id).collect(), next_page_token)
        }
    };
    Ok(Chosen { kept: lock(connection, &ids).await?, ids, next_page_token })
}

/// Those of these ids that are there, with what came, locked in the order of their ids.
pub(crate) async fn lock(connection: &impl ConnectionTrait, quarantine_ids: &[Uuid]) -> Result<Vec<Quarantined>> {
    if quarantine_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = Entity::find()
        .filter(Column::QuarantineId.is_in(quarantine_ids.iter().copied()))
        .order_by_asc(Column::QuarantineId)
        .lock_exclusive()
        .all(connection)
        .await?;
    rows.into_iter().map(Quarantined::try_from).collect()
}

/// Replaces what is kept.
pub(crate) async fn correct(tx: &Tx, before: &Quarantined, activity: Option<Vec<u8>>) -> Result<()> {
    let row = ActiveModel {
        quarantine_id: Set(before.quarantine_id),
        activity: activity.map_or(NotSet, |message| Set(Some(message))),
        revision: Set(before.revision + 1),
        ..Default::default()
    };
    row.update(&**tx).await?;
    Ok(())
}

/// Writes that it is decided, and what it has become.
pub(crate) async fn resolve(
    tx: &Tx,
    before: &Quarantined,
    state: State,
    activity_id: Option<Uuid>,
    resolution: &Resolution,
) -> Result<()> {
    let row = ActiveModel {
        quarantine_id: Set(before.quarantine_id),
        state: Set(state.as_str().to_owned()),
        activity_id: activity_id.map_or(NotSet, |id| Set(Some(id))),
        revision: Set(before.revision + 1),
        resolve_principal: Set(Some(resolution.principal.clone())),
        resolve_time: Set(Some(resolution.time.as_millisecond())),
        resolve_note: Set(Some(resolution.note.clone())),
        ..Default::default()
    };
    row.update(&**tx).await?;
    Ok(())
}

/// Writes why it stays.
pub(crate) async fn refuse_again(tx: &Tx, before: &Quarantined, problem: &Problem) -> Result<()> {
    let row = ActiveModel {
        quarantine_id: Set(before.quarantine_id),
        reason: Set(problem.reason.clone()),
        message: Set(problem.message.clone()),
        fields: Set(fields(problem)?),
        ..Default::default()
    };
    row.update(&**tx).await?;
    Ok(())
}

/// How many are open, and since when the oldest of them is.
pub(crate) async fn backlog(connection: &impl ConnectionTrait) -> Result<(u64, Option<Timestamp>)> {
    let open = || Filter { state: Some(State::Open), ..Filter::default() }.condition();
    let count = Entity::find().filter(open()).count(connection).await?;
    let oldest: Option<i64> = Entity::find()
        .select_only()
        .column(Column::RecordTime)
        .filter(open())
        .order_by_asc(Column::QuarantineId)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    Ok((count, oldest.map(from_millis)))
}

/// A row that came now and is not decided.
fn open(quarantine_id: Uuid, now: Timestamp) -> ActiveModel {
    ActiveModel {
        quarantine_id: Set(quarantine_id),
        door: NotSet,
        record_time: Set(now.as_millisecond()),
        last_receive_time: Set(now.as_millisecond()),
        receive_count: Set(1),
        state: Set(State::Open.as_str().to_owned()),
        revision: Set(1),
        resolve_principal: Set(None),
        resolve_time: Set(None),
        resolve_note: Set(None),
        ..Default::default()
    }
}
