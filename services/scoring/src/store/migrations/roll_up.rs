//! Accounts whose leads go up to their parents.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct RollUp;

impl MigrationName for RollUp {
    fn name(&self) -> &'static str {
        "m20261126_000003_roll_up"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for RollUp {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("roll_up.sql")).await
    }
}
