//! The ledger, the sources and the product categories.

use leadflow_platform::db::run_script;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(in crate::store) struct Ledger;

impl MigrationName for Ledger {
    fn name(&self) -> &'static str {
        "m20261124_000001_ledger"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Ledger {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("ledger.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "DROP TABLE product_categories;\nDROP TABLE sources;\nDROP TABLE activities;\n").await
    }
}
