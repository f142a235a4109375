use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "adjustments")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) adjustment_id: Uuid,
    pub(crate) lead_id: Uuid,
    pub(crate) points_milli: i64,
    pub(crate) reason: String,
    pub(crate) principal: String,
    pub(crate) create_time: i64,
    pub(crate) expire_time: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
