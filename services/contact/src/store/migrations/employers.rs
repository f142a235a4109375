//! Whom people have left for another account.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Employers;

impl MigrationName for Employers {
    fn name(&self) -> &'static str {
        "m20261127_000001_employers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Employers {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("employers.sql")).await
    }
}
