//! Who posts a source's events.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Webhook;

impl MigrationName for Webhook {
    fn name(&self) -> &'static str {
        "m20261125_000002_webhook"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Webhook {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE sources ADD COLUMN webhook jsonb;\n").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE sources DROP COLUMN webhook;\n").await
    }
}
