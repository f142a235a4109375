//! Which account belongs to which, and where accounts work.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Hierarchy;

impl MigrationName for Hierarchy {
    fn name(&self) -> &'static str {
        "m20261126_000001_hierarchy"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Hierarchy {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("hierarchy.sql")).await
    }
}
