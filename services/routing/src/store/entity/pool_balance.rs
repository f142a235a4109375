use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "pool_balances")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) pool: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) rep: String,
    pub(crate) balance: f64,
    pub(crate) offered: i64,
}

impl ActiveModelBehavior for ActiveModel {}
