//! The service's tables, and the queries on them that return domain types.

use leadflow_platform::db::{platform_and, run_script};
use sea_orm_migration::prelude::*;
use serde::de::value::StrDeserializer;

pub(crate) mod accounts;
pub(crate) mod contacts;
pub(crate) mod digest;
mod entity;
pub(crate) mod erasure;
pub(crate) mod evidence;
pub(crate) mod hand_overs;
pub(crate) mod joined;
pub(crate) mod leads;
mod migrations;
pub(crate) mod models;

/// Brings the tables up to date.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        platform_and(vec![
            Box::new(Tables),
            Box::new(Traceparent),
            Box::new(migrations::merges::Merges),
            Box::new(migrations::reattribution::Reattribution),
            Box::new(migrations::sides::Sides),
            Box::new(migrations::roll_up::RollUp),
            Box::new(migrations::versions::Versions),
            Box::new(migrations::score_steps::ScoreSteps),
        ])
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
        run_script(manager, include_str!("tables.sql")).await
    }
}

/// What a lead has come from, for what is announced of it later.
struct Traceparent;

impl MigrationName for Traceparent {
    fn name(&self) -> &'static str {
        "m20261125_000010_traceparent"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Traceparent {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE leads ADD COLUMN traceparent text").await
    }
}

/// Rows of one statement, within the limits on bound values.
const CHUNK: usize = 500;

/// The text of a unit enum variant as serde writes it.
fn text_of(value: &impl serde::Serialize) -> leadflow_platform::Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        _ => Err(leadflow_platform::Error::internal("an enum without a text")),
    }
}

/// The unit enum variant of a text in the database.
fn from_text<T: serde::de::DeserializeOwned>(text: &str) -> leadflow_platform::Result<T> {
    T::deserialize(StrDeserializer::<serde::de::value::Error>::new(text))
        .map_err(|cause| leadflow_platform::Error::internal(format!("`{text}` in the database")).because(cause))
}

fn to_json(value: &impl serde::Serialize) -> leadflow_platform::Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|cause| leadflow_platform::Error::internal("no JSON").because(cause))
}

fn from_json<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> leadflow_platform::Result<T> {
    serde_json::from_value(json)
        .map_err(|cause| leadflow_platform::Error::internal("unreadable JSON in the database").because(cause))
}
