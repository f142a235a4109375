//! What people have said about being contacted.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Consents;

impl MigrationName for Consents {
    fn name(&self) -> &'static str {
        "m20261126_000001_consents"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Consents {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("consents.sql")).await
    }
}
