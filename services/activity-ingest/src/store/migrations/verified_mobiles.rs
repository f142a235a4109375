//! Which sources make sure whose mobile it is.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct VerifiedMobiles;

impl MigrationName for VerifiedMobiles {
    fn name(&self) -> &'static str {
        "m20261126_000006_verified_mobiles"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for VerifiedMobiles {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE sources ADD COLUMN verifies_mobile boolean NOT NULL DEFAULT FALSE;\n").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE sources DROP COLUMN verifies_mobile;\n").await
    }
}
