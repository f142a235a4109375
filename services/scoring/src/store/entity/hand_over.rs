use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "hand_overs")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) lead_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) hand_over: i64,
    pub(crate) hand_over_time: i64,
    pub(crate) explanation: Json,
}

impl ActiveModelBehavior for ActiveModel {}
