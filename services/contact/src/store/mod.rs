//! The service's tables, and the queries on them that return domain types.

use leadflow_platform::db::{platform_and, run_script};
use sea_orm_migration::prelude::*;

pub(crate) mod accounts;
pub(crate) mod contacts;
pub(crate) mod directory;
mod entity;
pub(crate) mod merges;
mod migrations;

/// Brings the tables up to date.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        platform_and(vec![Box::new(Tables), Box::new(migrations::merges::Merges)])
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

/// Keys in one question, within the limits on bound values: SQLite takes 32,766.
const CHUNK: usize = 2000;
