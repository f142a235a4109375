//! What people have done who were erased.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Erasures;

impl MigrationName for Erasures {
    fn name(&self) -> &'static str {
        "m20261126_000005_erasures"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Erasures {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("erasures.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "DROP TABLE erased_activities;\nDROP TABLE erased_totals;\n").await
    }
}
