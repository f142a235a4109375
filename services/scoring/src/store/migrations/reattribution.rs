//! Activities that the ledger has moved to another account.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Reattribution;

impl MigrationName for Reattribution {
    fn name(&self) -> &'static str {
        "m20261126_000002_reattribution"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Reattribution {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("reattribution.sql")).await
    }
}
