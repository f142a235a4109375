//! Events that can never be handled. They are kept with the reason, so that healthy ones pass and nothing vanishes.

use jiff::Timestamp;
use sea_orm::{PaginatorTrait as _, Set, entity::prelude::*, sea_query::OnConflict};

use crate::{
    bus::Delivery,
    db::Database,
    error::{Error, Result},
};

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
    // PostgreSQL's text has no NUL, and what came in may have one.
    let text = |text: &str| Set(text.replace('\0', "\u{fffd}"));
    let row = ActiveModel {
        consumer: Set(consumer.to_owned()),
        event_id: text(&event.id),
        subject: text(&event.subject),
        reason: Set(error.reason().to_owned()),
        message: text(&error.to_string()),
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

/// How many events are set aside.
///
/// # Errors
/// When the database fails.
pub async fn depth(database: &Database) -> Result<u64> {
    Ok(Entity::find().count(database.reader()).await?)
}
