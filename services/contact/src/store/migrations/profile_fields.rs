//! What a company declares of its accounts and contacts.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct ProfileFields;

impl MigrationName for ProfileFields {
    fn name(&self) -> &'static str {
        "m20261126_000004_profile_fields"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ProfileFields {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("profile_fields.sql")).await
    }
}
