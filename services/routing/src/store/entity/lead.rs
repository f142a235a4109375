use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "leads")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) lead_id: Uuid,
    pub(crate) revision: i64,
    pub(crate) account: Json,
    pub(crate) product_category: String,
    pub(crate) score_milli: i64,
    pub(crate) round: i64,
    pub(crate) hand_over: i64,
    pub(crate) close_reason: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
