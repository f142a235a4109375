//! How accounts buy.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct SiteMap;

impl MigrationName for SiteMap {
    fn name(&self) -> &'static str {
        "m20261126_000002_site_map"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SiteMap {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("site_map.sql")).await
    }
}
