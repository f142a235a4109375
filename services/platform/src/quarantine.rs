//! Events that can never be handled. They are kept with the reason, so that healthy ones pass and nothing vanishes, until
//! somebody redrives or discards them.

use std::collections::{BTreeMap, BTreeSet};

use async_nats::HeaderMap;
use jiff::Timestamp;
use sea_orm::{
    Condition, PaginatorTrait as _, QueryOrder as _, QuerySelect as _, Set,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};

use crate::{
    bus::Delivery,
    db::{Database, Tx},
    error::{Code, Error, Result},
};

pub use crate::quarantine::{
    handlers::Handler,
    serve::{Server, Service},
};
pub(crate) use crate::quarantine::{handlers::Handlers, serve::server};

mod handlers;
mod serve;

/// The shortest word by which an event is told to be somebody's: a shorter one may be anything.
pub const MIN_WORD: usize = 6;
/// Events that are read at once.
const CHUNK: u64 = 500;

/// One event that was set aside.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quarantined_events")]
pub struct Model {
    /// The durable consumer that could not handle it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub consumer: String,
    /// The event's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: String,
    /// What it was published on.
    pub subject: String,
    /// The stable reason of the error.
    pub reason: String,
    /// The error in words.
    pub message: String,
    /// What stood before the body: the values of each header. None when it cannot be read.
    pub headers: Option<Json>,
    /// The body as it came.
    pub payload: Vec<u8>,
    /// Unix milliseconds.
    pub create_time: i64,
}

impl ActiveModelBehavior for ActiveModel {}

/// Keeps an event that cannot be handled.
///
/// # Errors
/// When the database fails.
pub async fn set_aside(
    database: &Database,
    consumer: &'static str,
    event: &Delivery,
    error: &Error,
    now: Timestamp,
) -> Result<()> {
    let row = ActiveModel {
        consumer: Set(consumer.to_owned()),
        event_id: Set(text(&event.id)),
        subject: Set(text(&event.subject)),
        reason: Set(error.reason().to_owned()),
        message: Set(text(&error.to_string())),
        headers: Set(event.headers().map(to_json)),
        payload: Set(event.payload.to_vec()),
        create_time: Set(now.as_millisecond()),
    };
    database
        .write(move |tx| async move {
            Entity::insert(row)
                .on_conflict(OnConflict::columns([Column::Consumer, Column::EventId]).do_nothing().to_owned())
                .exec_without_returning(&*tx)
                .await?;
            Ok(())
        })
        .await
}

/// Deletes the events that hold one of these words, in whatever case: the ids and addresses of somebody who is to be
/// forgotten. Words of less than [`MIN_WORD`] bytes are left out. Returns how many events there were.
///
/// It reads all that is set aside: only what is broken is there, and erasures are rare.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &Tx, words: &BTreeSet<String>) -> Result<u64> {
    let words: Vec<_> = words.iter().filter(|word| word.len() >= MIN_WORD).map(|word| word.to_lowercase()).collect();
    let holds_one = |event: &&Model| {
        let headers = event.headers.as_ref().map(Json::to_string).unwrap_or_default();
        let texts = [&String::from_utf8_lossy(&event.payload), event.message.as_str(), &event.event_id, &headers];
        words.iter().any(|word| texts.iter().any(|text| text.to_lowercase().contains(word)))
    };
    let (mut deleted, mut after) = (0, None);
    loop {
        let mut query = Entity::find().order_by_asc(Column::EventId).order_by_asc(Column::Consumer).limit(CHUNK);
        if let Some(Model { event_id, consumer, .. }) = &after {
            let same = Column::EventId.eq(event_id).and(Column::Consumer.gt(consumer));
            query = query.filter(Column::EventId.gt(event_id).or(same));
        }
        let events = query.all(&**tx).await?;
        for event in events.iter().filter(holds_one) {
            let key = (event.consumer.clone(), event.event_id.clone());
            deleted += Entity::delete_by_id(key).exec(&**tx).await?.rows_affected;
        }
        after = events.into_iter().last();
        if after.is_none() {
            return Ok(deleted);
        }
    }
}

/// How many events are set aside.
///
/// # Errors
/// When the database fails.
pub async fn depth(database: &Database) -> Result<u64> {
    Ok(Entity::find().count(database.reader()).await?)
}

/// PostgreSQL's text has no NUL, and what came in may have one.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn to_json(headers: &HeaderMap) -> Json {
    let values = |values: &[async_nats::HeaderValue]| values.iter().map(|value| text(value.as_str())).collect();
    headers.iter().map(|(name, all)| (text(name.as_ref()), values(all))).collect::<serde_json::Map<_, Json>>().into()
}

fn from_json(json: Json) -> Result<HeaderMap> {
    let unreadable = |cause| Error::internal("the headers of a quarantined event").because(cause);
    let all: BTreeMap<String, Vec<String>> = serde_json::from_value(json).map_err(unreadable)?;
    let mut headers = HeaderMap::new();
    for (name, values) in &all {
        values.iter().for_each(|value| headers.append(name.as_str(), value.as_str()));
    }
    Ok(headers)
}

/// Which event, of which consumer.
type Key = (String, String);

/// The event as it came.
fn delivery(row: Model) -> Result<Delivery> {
    let headers = row.headers.map(from_json).transpose()?;
    Ok(Delivery::again(row.event_id, row.subject, row.payload, headers))
}

/// One of them.
async fn get(database: &Database, (consumer, event_id): &Key) -> Result<Model> {
    let row = Entity::find_by_id((consumer.clone(), event_id.clone())).one(database.reader()).await?;
    row.ok_or_else(|| gone(consumer, event_id))
}

/// A page of them, without headers and bodies.
async fn list(
    database: &Database,
    (consumer, reason): (&str, &str),
    after: Option<&Key>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut wanted = Condition::all();
    if !consumer.is_empty() {
        wanted = wanted.add(Column::Consumer.eq(consumer));
    }
    if !reason.is_empty() {
        wanted = wanted.add(Column::Reason.eq(reason));
    }
    if let Some((consumer, event_id)) = after {
        let same = Condition::all().add(Column::Consumer.eq(consumer)).add(Column::EventId.gt(event_id));
        wanted = wanted.add(Condition::any().add(Column::Consumer.gt(consumer)).add(same));
    }
    let rows: Vec<(String, String, String, String, String, i64)> = Entity::find()
        .select_only()
        .columns([Column::Consumer, Column::EventId, Column::Subject])
        .columns([Column::Reason, Column::Message, Column::CreateTime])
        .filter(wanted)
        .order_by_asc(Column::Consumer)
        .order_by_asc(Column::EventId)
        .limit(limit)
        .into_tuple()
        .all(database.reader())
        .await?;
    let row = |(consumer, event_id, subject, reason, message, create_time)| Model {
        consumer,
        event_id,
        subject,
        reason,
        message,
        headers: None,
        payload: Vec::new(),
        create_time,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Keeps one no longer.
async fn remove(tx: &Tx, (consumer, event_id): &Key) -> Result<()> {
    let deleted = Entity::delete_by_id((consumer.clone(), event_id.clone())).exec(&**tx).await?;
    if deleted.rows_affected == 0 { Err(gone(consumer, event_id)) } else { Ok(()) }
}

/// Says of one why it cannot be handled by now.
async fn note(tx: &Tx, (consumer, event_id): &Key, reason: &str, message: &str) -> Result<()> {
    let noted = Entity::update_many()
        .col_expr(Column::Reason, Expr::value(reason))
        .col_expr(Column::Message, Expr::value(text(message)))
        .filter(Column::Consumer.eq(consumer))
        .filter(Column::EventId.eq(event_id))
        .exec(&**tx)
        .await?;
    if noted.rows_affected == 0 { Err(gone(consumer, event_id)) } else { Ok(()) }
}

fn gone(consumer: &str, event_id: &str) -> Error {
    let message = format!(
        "`{consumer}` has no event `{event_id}` set aside: it was redriven or discarded, or it never came here"
    );
    Error::new(Code::NotFound, "NOT_FOUND", message)
}
