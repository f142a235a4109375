//! What is announced about contacting people.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Statements;

impl MigrationName for Statements {
    fn name(&self) -> &'static str {
        "m20261126_000001_statements"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Statements {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("statements.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "DROP TABLE announced_statements;\n").await
    }
}
