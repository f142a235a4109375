//! Accounts that were merged, to be found by what they say.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct MergedAccounts;

impl MigrationName for MergedAccounts {
    fn name(&self) -> &'static str {
        "m20261127_000002_merged_accounts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for MergedAccounts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("merged_accounts.sql")).await
    }
}
