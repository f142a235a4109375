use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "consents")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) consent_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) contact_id: Uuid,
    pub(crate) channels: Json,
    pub(crate) purpose: String,
    pub(crate) state: String,
    pub(crate) basis: Option<String>,
    pub(crate) source: String,
    pub(crate) proof: String,
    pub(crate) imported: bool,
    pub(crate) from_activity: bool,
    pub(crate) expire_time: Option<i64>,
    pub(crate) occur_time: i64,
    pub(crate) record_time: i64,
    pub(crate) principal: String,
}

impl ActiveModelBehavior for ActiveModel {}
