use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "scoring_models")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) version: i64,
    pub(crate) content: Json,
    pub(crate) publish_time: i64,
    pub(crate) publish_principal: String,
}

impl ActiveModelBehavior for ActiveModel {}
