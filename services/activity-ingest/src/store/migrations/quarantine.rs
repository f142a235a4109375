//! What could not be recorded.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Quarantine;

impl MigrationName for Quarantine {
    fn name(&self) -> &'static str {
        "m20261125_000001_quarantine"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Quarantine {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("quarantine.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "DROP TABLE quarantined_activities;\n").await
    }
}
