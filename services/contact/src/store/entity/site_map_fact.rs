use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "site_map_facts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) fact_id: Uuid,
    pub(crate) account_id: Uuid,
    pub(crate) kind: String,
    pub(crate) product_category: String,
    pub(crate) content: String,
    pub(crate) role: Option<String>,
    pub(crate) contact_id: Option<Uuid>,
    pub(crate) player_name: String,
    pub(crate) job_title: String,
    pub(crate) amount: Option<i64>,
    pub(crate) confidence: i32,
    pub(crate) source: String,
    pub(crate) said_by_contact_id: Option<Uuid>,
    pub(crate) said_by: String,
    pub(crate) observe_time: i64,
    pub(crate) principal: String,
    pub(crate) create_time: i64,
    pub(crate) retract_reason: Option<String>,
    pub(crate) retract_principal: Option<String>,
    pub(crate) retract_time: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
