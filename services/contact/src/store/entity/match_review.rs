use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "match_reviews")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) review_id: Uuid,
    pub(crate) subject: String,
    pub(crate) state: String,
    pub(crate) known_id: Uuid,
    pub(crate) other_id: Option<Uuid>,
    pub(crate) weight: f64,
    pub(crate) lines: Json,
    pub(crate) create_time: i64,
    pub(crate) decide_time: Option<i64>,
    pub(crate) principal: String,
    pub(crate) note: String,
}

impl ActiveModelBehavior for ActiveModel {}
