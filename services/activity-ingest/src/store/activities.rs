//! The ledger.

use std::collections::HashMap;

use jiff::Timestamp;
use leadflow_platform::{
    Error, Result,
    clock::from_millis,
    db::{Tx, column_of, from_rows, insert_new, known},
    trace::Origin,
};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::NotSet,
    ConnectionTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set, Statement, Value,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait as _, OnConflict, Query, SelectStatement},
};
use serde::Serialize;

use crate::{
    domain::{
        activity::{Activity, Entry, Identity, Payload, State},
        digest::Digest,
        resolution::Party,
    },
    store::entities::activity::{ActiveModel, Column, Entity},
};

/// An entry with all that the ledger adds to it.
#[derive(Clone, Debug)]
pub(crate) struct NewActivity<'a> {
    pub(crate) activity_id: Uuid,
    pub(crate) entry: &'a Entry,
    /// Who did it, where it is known.
    pub(crate) party: Option<Party>,
    source_event_id: String,
    record_time: Timestamp,
    principal: &'a str,
    origin: Origin,
}

impl<'a> NewActivity<'a> {
    /// An activity accepted now. Without an id of its own it gets a derived one.
    pub(crate) fn new(
        activity_id: Uuid,
        entry: &'a Entry,
        party: Option<Party>,
        principal: &'a str,
        origin: Origin,
        now: Timestamp,
    ) -> Self {
        let source_event_id = entry.source_event_id.clone().unwrap_or_else(|| format!("derived-{activity_id}"));
        let origin = entry.origin.or(origin);
        Self { activity_id, entry, party, source_event_id, record_time: now, principal, origin }
    }

    /// Whether it came without an id of its own.
    pub(crate) fn is_derived(&self) -> bool {
        self.entry.source_event_id.is_none()
    }

    /// What makes it unique.
    pub(crate) fn key(&self) -> EventKey {
        (self.entry.source.clone(), self.source_event_id.clone())
    }

    /// As it stands in the ledger when it is new.
    pub(crate) fn in_ledger(&self) -> Activity {
        let Self { activity_id, entry, record_time, .. } = *self;
        let Party { contact_id, account_id, account_revision, .. } = self.party.unwrap_or_default();
        Activity {
            activity_id,
            source: entry.source.clone(),
            source_event_id: self.source_event_id.clone(),
            activity_type: entry.activity_type.clone(),
            channel: entry.channel,
            product_category: entry.product_category.clone(),
            occur_time: entry.occur_time.unwrap_or(record_time),
            record_time,
            object_id: entry.object_id.clone(),
            payload: entry.payload.clone(),
            contact_id,
            account_id,
            account_revision,
            state: self.state(),
            attempts: 0,
            principal: self.principal.to_owned(),
            origin: self.origin,
        }
    }

    fn state(&self) -> State {
        if self.party.is_some() { State::Identified } else { State::Pending }
    }

    fn row(&self, lease_end: Option<Timestamp>) -> Result<ActiveModel> {
        let Self { activity_id, entry, record_time, .. } = *self;
        let Party { contact_id, account_id, account_revision, .. } = self.party.unwrap_or_default();
        let state = self.state();
        let lease_end = lease_end.filter(|_| state == State::Pending);
        Ok(ActiveModel {
            activity_id: Set(activity_id),
            source: Set(entry.source.clone()),
            source_event_id: Set(self.source_event_id.clone()),
            activity_type: Set(entry.activity_type.clone()),
            channel: Set(entry.channel.as_str().to_owned()),
            product_category: Set(entry.product_category.clone()),
            occur_time: Set(entry.occur_time.unwrap_or(record_time).as_millisecond()),
            record_time: Set(record_time.as_millisecond()),
            object_id: Set(entry.object_id.clone()),
            payload: Set(to_json(&entry.payload)?),
            content_digest: Set(entry.digest.to_vec()),
            derived: Set(self.is_derived()),
            contact_id: Set(contact_id),
            account_id: Set(account_id),
            account_revision: Set(account_revision),
            state: Set(state.as_str().to_owned()),
            attempts: Set(0),
            next_attempt_time: Set(lease_end.map(|end| end.as_millisecond())),
            error_reason: NotSet,
            error_message: NotSet,
            principal: Set(self.principal.to_owned()),
            traceparent: Set(self.origin.traceparent()),
            attribution: NotSet,
        })
    }
}

/// What stands in the ledger under an id that came again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct First {
    pub(crate) activity_id: Uuid,
    pub(crate) digest: Vec<u8>,
}

/// A source and its id of an event.
pub(crate) type EventKey = (String, String);

/// Writes what is new and returns the ids of what was; what has to be identified is claimed until `lease_end`. Rows are
/// written in the order of their keys, so that replicas that write the same ones wait for each other and do not deadlock.
pub(crate) async fn insert(tx: &Tx, new: &[&NewActivity<'_>], lease_end: Option<Timestamp>) -> Result<Vec<Uuid>> {
    let mut new = new.to_vec();
    new.sort_by(|a, b| (&a.entry.source, &a.source_event_id).cmp(&(&b.entry.source, &b.source_event_id)));
    let ids: Vec<_> = new.iter().map(|activity| activity.activity_id).collect();
    let rows = new.into_iter().map(|activity| activity.row(lease_end)).collect::<Result<Vec<_>>>()?;
    let there = OnConflict::columns([Column::Source, Column::SourceEventId]).do_nothing().to_owned();
    if insert_new(tx, rows, there).await? == ids.len() as u64 {
        return Ok(ids);
    }
    known::<Entity>(&**tx, Column::ActivityId, &ids).await
}

/// What stands in the ledger under these keys.
pub(crate) async fn find_firsts(tx: &Tx, keys: &[EventKey]) -> Result<HashMap<EventKey, First>> {
    let mut firsts = HashMap::new();
    if keys.is_empty() {
        return Ok(firsts);
    }
    let wanted = keys.iter().map(|(source, id)| vec![source.clone().into(), id.clone().into()]);
    let query = select_wanted(tx, wanted.collect(), [Column::Source, Column::SourceEventId], |_| {});
    for row in tx.query_all_raw(query).await? {
        let key = (row.try_get("", "source")?, row.try_get("", "source_event_id")?);
        let (activity_id, digest) = (row.try_get("", "activity_id")?, row.try_get("", "content_digest")?);
        firsts.insert(key, First { activity_id, digest });
    }
    Ok(firsts)
}

/// The activities without an id of their own, recorded after `since`, that have one of these contents.
pub(crate) async fn find_derived(
    tx: &Tx,
    contents: &[(String, Digest)],
    since: Timestamp,
) -> Result<HashMap<Digest, Uuid>> {
    let mut found = HashMap::new();
    if contents.is_empty() {
        return Ok(found);
    }
    let wanted = contents.iter().map(|(source, digest)| vec![source.clone().into(), digest.to_vec().into()]);
    let query = select_wanted(tx, wanted.collect(), [Column::Source, Column::ContentDigest], |query| {
        query
            .and_where(Expr::cust("derived"))
            .and_where(Expr::col((Entity, Column::RecordTime)).gt(since.as_millisecond()));
    });
    for row in tx.query_all_raw(query).await? {
        let (activity_id, digest): (Uuid, Vec<u8>) =
            (row.try_get("", "activity_id")?, row.try_get("", "content_digest")?);
        let digest = Digest::try_from(digest).map_err(|_| Error::internal("a digest of another length"))?;
        // One content stands once in a window; should two clocks disagree, the first is the first.
        let first = found.entry(digest).or_insert(activity_id);
        *first = std::cmp::min(*first, activity_id);
    }
    Ok(found)
}

/// The activities whose two columns have one of the wanted pairs of values. As a join with the list of them: SQLite
/// reads the whole table for `(a, b) IN (…)`, and looks each pair up for this.
fn select_wanted(
    tx: &Tx,
    wanted: Vec<Vec<Value>>,
    columns: [Column; 2],
    more: impl FnOnce(&mut SelectStatement),
) -> Statement {
    let is_wanted = |column: Column, number| Expr::col((Entity, column)).eq(column_of("wanted", number));
    let [first, second] = columns;
    from_rows(tx.get_database_backend(), wanted, "wanted", |table| {
        let mut query = Query::select();
        query
            .columns([Column::ActivityId, Column::Source, Column::SourceEventId, Column::ContentDigest])
            .from(table)
            .inner_join(Entity, is_wanted(first, 1).and(is_wanted(second, 2)));
        more(&mut query);
        query
    })
}

/// Which activities are asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Filter {
    pub(crate) source: Option<String>,
    pub(crate) account_id: Option<Uuid>,
    pub(crate) contact_id: Option<Uuid>,
    pub(crate) state: Option<State>,
    pub(crate) record_time_before: Option<Timestamp>,
}

/// All ids of the account and of the contact that a filter names; none where it names none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Of {
    pub(crate) accounts: Option<Vec<Uuid>>,
    pub(crate) contacts: Option<Vec<Uuid>>,
}

/// Activities in the order of their ids, those after `after`.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter,
    of: &Of,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Activity>> {
    let query = filter.state.map_or_else(Entity::find, Entity::find_in_state);
    let before = filter.record_time_before.map(|time| time.as_millisecond());
    let rows = query
        .filter_if(after.map(|after| Column::ActivityId.gt(after)))
        .filter_if(filter.source.as_ref().map(|source| Column::Source.eq(source)))
        .filter_if(of.accounts.as_ref().map(|ids| Column::AccountId.is_in(ids.iter().copied())))
        .filter_if(of.contacts.as_ref().map(|ids| Column::ContactId.is_in(ids.iter().copied())))
        .filter_if(before.map(|before| Column::RecordTime.lt(before)))
        .order_by_asc(Column::ActivityId)
        .limit(limit)
        .all(connection)
        .await?;
    rows.into_iter().map(Activity::try_from).collect()
}

/// One activity.
pub(crate) async fn get(connection: &impl ConnectionTrait, activity_id: Uuid) -> Result<Option<Activity>> {
    Entity::find_by_id(activity_id).one(connection).await?.map(Activity::try_from).transpose()
}

/// Whether there is an event of this source with this id.
pub(crate) async fn exists(connection: &impl ConnectionTrait, source: &str, source_event_id: &str) -> Result<bool> {
    let event = Entity::find().filter(Column::Source.eq(source)).filter(Column::SourceEventId.eq(source_event_id));
    Ok(event.count(connection).await? > 0)
}

/// Writes who did it, as somebody has corrected it. The digest stays that of what was sent, so that a repetition is one.
pub(crate) async fn correct_identity(tx: &Tx, mut activity: Activity, identity: Identity) -> Result<()> {
    activity.payload.identity = identity;
    let row = ActiveModel {
        activity_id: Set(activity.activity_id),
        payload: Set(to_json(&activity.payload)?),
        ..Default::default()
    };
    row.update(&**tx).await?;
    Ok(())
}

fn to_json(payload: &Payload) -> Result<Json> {
    serde_json::to_value(payload).map_err(|cause| Error::internal("an activity without JSON").because(cause))
}

/// How many activities wait to be identified, and since when the oldest of them does.
pub(crate) async fn backlog(connection: &impl ConnectionTrait) -> Result<(u64, Option<Timestamp>)> {
    let count = Entity::find_pending().count(connection).await?;
    let oldest: Option<i64> = Entity::find_pending()
        .select_only()
        .column(Column::RecordTime)
        .order_by_asc(Column::ActivityId)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    Ok((count, oldest.map(from_millis)))
}

/// A condition that may not be there.
trait FilterIf: Sized {
    fn filter_if(self, condition: Option<Expr>) -> Self;
}

impl FilterIf for sea_orm::Select<Entity> {
    fn filter_if(self, condition: Option<Expr>) -> Self {
        match condition {
            Some(condition) => self.filter(condition),
            None => self,
        }
    }
}
