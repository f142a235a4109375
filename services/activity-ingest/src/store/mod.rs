//! The tables, and the queries that return domain types.

use leadflow_platform::db::platform_and;
use sea_orm_migration::prelude::*;

pub(crate) mod activities;
pub(crate) mod announced;
pub(crate) mod catalogue;
mod entities;
mod migrations;
pub(crate) mod pending;
pub(crate) mod quarantine;

/// All migrations of this service, in their order.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        platform_and(vec![
            Box::new(migrations::ledger::Ledger),
            Box::new(migrations::quarantine::Quarantine),
            Box::new(migrations::traceparent::Traceparent),
            Box::new(migrations::webhook::Webhook),
        ])
    }
}

/// Rows in one question, within the limits on bound values: SQLite takes 32,766.
const CHUNK: usize = 5000;
