//! What lets a replica see whether anything of an account has changed since it looked.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Versions;

impl MigrationName for Versions {
    fn name(&self) -> &'static str {
        "m20261127_000001_versions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Versions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE accounts ADD COLUMN version bigint NOT NULL DEFAULT 0").await
    }
}
