//! What visitors did before it was known where they are.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Reattribution;

impl MigrationName for Reattribution {
    fn name(&self) -> &'static str {
        "m20261126_000001_reattribution"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Reattribution {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("reattribution.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let script = "DROP INDEX ix_activities_reattributed;\nDROP INDEX ix_activities_without_account;\n\
                      ALTER TABLE activities DROP COLUMN attribution;\n";
        run_script(manager, script).await
    }
}
