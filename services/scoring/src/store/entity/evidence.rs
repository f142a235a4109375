use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "evidence")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) activity_id: Uuid,
    pub(crate) account_id: Option<Uuid>,
    pub(crate) contact_id: Option<Uuid>,
    pub(crate) source: String,
    pub(crate) source_event_id: String,
    pub(crate) activity_type: String,
    pub(crate) channel: String,
    pub(crate) product_category: Option<String>,
    pub(crate) occur_time: i64,
    pub(crate) record_time: i64,
    pub(crate) object_id: Option<String>,
    pub(crate) attributes: Option<Json>,
    pub(crate) answers: Option<Json>,
    pub(crate) reclassify_time: Option<i64>,
    pub(crate) disposition: String,
    pub(crate) attribution: i64,
}

impl ActiveModelBehavior for ActiveModel {}
