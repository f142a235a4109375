//! Consents that a person has to confirm.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Confirmations;

impl MigrationName for Confirmations {
    fn name(&self) -> &'static str {
        "m20261127_000001_confirmations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Confirmations {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("confirmations.sql")).await
    }
}
