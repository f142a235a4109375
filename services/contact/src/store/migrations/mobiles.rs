//! Mobiles that were verified to be a person's own.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Mobiles;

impl MigrationName for Mobiles {
    fn name(&self) -> &'static str {
        "m20261126_000003_mobiles"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Mobiles {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("mobiles.sql")).await
    }
}
