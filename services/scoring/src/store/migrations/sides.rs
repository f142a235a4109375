//! Leads that are also about other accounts than their own.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Sides;

impl MigrationName for Sides {
    fn name(&self) -> &'static str {
        "m20261126_000003_sides"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sides {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("sides.sql")).await
    }
}
