//! People who were erased and come back.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Lifts;

impl MigrationName for Lifts {
    fn name(&self) -> &'static str {
        "m20261127_000003_lifts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Lifts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("lifts.sql")).await
    }
}
