//! What has brought an activity into the ledger, for whoever picks it up later.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Traceparent;

impl MigrationName for Traceparent {
    fn name(&self) -> &'static str {
        "m20261125_000010_traceparent"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Traceparent {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE activities ADD COLUMN traceparent text").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE activities DROP COLUMN traceparent").await
    }
}
