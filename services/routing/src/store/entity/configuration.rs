use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "configurations")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) version: i64,
    pub(crate) create_time: i64,
    pub(crate) principal: String,
    pub(crate) content: Json,
}

impl ActiveModelBehavior for ActiveModel {}
