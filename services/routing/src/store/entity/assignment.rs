use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "assignments")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) assignment_id: Uuid,
    pub(crate) lead_id: Uuid,
    pub(crate) hand_over: i64,
    pub(crate) account_id: Uuid,
    pub(crate) account_name: String,
    pub(crate) product_category: String,
    pub(crate) rep: String,
    pub(crate) territory: Option<String>,
    pub(crate) pool: Option<String>,
    pub(crate) state: String,
    pub(crate) offer_time: i64,
    pub(crate) decide_time: Option<i64>,
    pub(crate) reason: String,
    pub(crate) note: String,
    pub(crate) principal: String,
    pub(crate) revision: i64,
}

impl ActiveModelBehavior for ActiveModel {}
