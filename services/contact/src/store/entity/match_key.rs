use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "match_keys")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) block: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) owner_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
