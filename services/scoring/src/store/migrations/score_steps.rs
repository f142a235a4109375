//! Indexes that do not have to be written when a score moves a little. PostgreSQL writes a row anew in all its indexes as
//! soon as one column of one index has changed, and only in the table where none has.

use leadflow_platform::db::run_script;
use sea_orm::DatabaseBackend;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct ScoreSteps;

impl MigrationName for ScoreSteps {
    fn name(&self) -> &'static str {
        "m20261127_000002_score_steps"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ScoreSteps {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_postgres = manager.get_database_backend() == DatabaseBackend::Postgres;
        // Neither knows the other's kind.
        let kind = if is_postgres { "STORED" } else { "VIRTUAL" };
        run_script(manager, &include_str!("score_steps.sql").replace("STORED", kind)).await?;
        if is_postgres {
            // Room beside a lead for its next version, or it would have to go elsewhere, and all its indexes with it.
            run_script(manager, "ALTER TABLE leads SET (fillfactor = 80)").await?;
        }
        Ok(())
    }
}
