use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erasure_steps")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) erasure_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) service: String,
    pub(crate) complete_time: Option<i64>,
    pub(crate) deleted: i64,
}

impl ActiveModelBehavior for ActiveModel {}
