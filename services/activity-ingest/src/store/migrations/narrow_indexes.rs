//! Indexes of the ledger without those of whom it is not known yet who they are or where.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct NarrowIndexes;

impl MigrationName for NarrowIndexes {
    fn name(&self) -> &'static str {
        "m20261127_000002_narrow_indexes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for NarrowIndexes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(
            manager,
            "DROP INDEX ix_activities_account;\n\
             DROP INDEX ix_activities_contact;\n\
             CREATE INDEX ix_activities_account ON activities (account_id, activity_id) WHERE account_id IS NOT NULL;\n\
             CREATE INDEX ix_activities_contact ON activities (contact_id, activity_id) WHERE contact_id IS NOT NULL;\n",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(
            manager,
            "DROP INDEX ix_activities_account;\n\
             DROP INDEX ix_activities_contact;\n\
             CREATE INDEX ix_activities_account ON activities (account_id, activity_id);\n\
             CREATE INDEX ix_activities_contact ON activities (contact_id, activity_id);\n",
        )
        .await
    }
}
