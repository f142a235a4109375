//! The service's tables, and the queries on them that return domain types.

use leadflow_platform::{
    Error, Result,
    db::{platform_and, run_script},
    plant::{self, Plant},
};
use sea_orm_migration::prelude::{DbErr, MigrationName, MigrationTrait, MigratorTrait, SchemaManager};

pub(crate) mod assignments;
pub(crate) mod configurations;
pub(crate) mod digest;
mod entity;
pub(crate) mod hand_overs;
pub(crate) mod leads;
pub(crate) mod standing;

/// Brings the tables up to date.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        platform_and(vec![Box::new(Tables), Box::new(Traceparent)])
    }
}

struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "m20261124_000001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut script = include_str!("tables.sql").to_owned();
        if plant::is(Plant::DoubleOffer) {
            script = script.replace("CREATE UNIQUE INDEX uq_assignments_live", "CREATE INDEX uq_assignments_live");
        }
        run_script(manager, &script).await
    }
}

/// What has brought a hand-over about, for whoever finds a rep later.
struct Traceparent;

impl MigrationName for Traceparent {
    fn name(&self) -> &'static str {
        "m20261125_000010_traceparent"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Traceparent {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE hand_overs ADD COLUMN traceparent text").await
    }
}

/// Rows of one statement, within the limits on bound values.
const CHUNK: usize = 500;

/// The text of a unit enum variant as serde writes it.
fn text_of(value: &impl serde::Serialize) -> Result<String> {
    match to_json(value)? {
        serde_json::Value::String(text) => Ok(text),
        _ => Err(Error::internal("an enum without a text")),
    }
}

/// The unit enum variant of a text in the database.
fn from_text<T: serde::de::DeserializeOwned>(text: String) -> Result<T> {
    from_json(serde_json::Value::String(text))
}

fn to_json(value: &impl serde::Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|cause| Error::internal("no JSON").because(cause))
}

fn from_json<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> Result<T> {
    serde_json::from_value(json).map_err(|cause| Error::internal("unreadable JSON in the database").because(cause))
}

/// A small number that is stored as `bigint`.
fn small(number: i64) -> Result<i32> {
    i32::try_from(number).map_err(|cause| Error::internal("a number out of range in the database").because(cause))
}
