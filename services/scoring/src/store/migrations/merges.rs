//! What was merged: accounts and contacts that count for another, leads that were joined.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Merges;

impl MigrationName for Merges {
    fn name(&self) -> &'static str {
        "m20261126_000001_merges"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Merges {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("merges.sql")).await
    }
}
