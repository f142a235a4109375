use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "erasures")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) erasure_id: Uuid,
    pub(crate) contact_ids: Json,
    pub(crate) person: Option<Json>,
    pub(crate) reason: String,
    pub(crate) principal: String,
    pub(crate) create_time: i64,
    pub(crate) complete_time: Option<i64>,
    pub(crate) lift_time: Option<i64>,
    pub(crate) lift_principal: Option<String>,
    pub(crate) lift_reason: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
