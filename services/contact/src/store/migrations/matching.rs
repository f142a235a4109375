//! Whom names and places tell: blocks, what was found, and what is compared.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Matching;

impl MigrationName for Matching {
    fn name(&self) -> &'static str {
        "m20261126_000002_matching"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Matching {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("matching.sql")).await
    }
}
