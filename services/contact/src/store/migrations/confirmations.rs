//! Consents that a person has to confirm.

use leadflow_platform::db::run_script;
use sea_orm::DatabaseBackend;
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
    fn use_transaction(&self) -> Option<bool> {
        // Else SQLite would have half of a table after a crash.
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let script = match manager.get_database_backend() {
            // In place, for replicas of before still write into it.
            DatabaseBackend::Postgres => {
                "ALTER TABLE consents ADD COLUMN expire_time bigint, DROP CONSTRAINT ck_consents_state, \
                 ADD CONSTRAINT ck_consents_state CHECK (state IN ('pending', 'granted', 'withdrawn'))"
            }
            _ => include_str!("confirmations.sql"),
        };
        run_script(manager, script).await
    }
}
