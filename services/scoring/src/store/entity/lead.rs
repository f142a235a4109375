use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "leads")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) lead_id: Uuid,
    pub(crate) account_id: Uuid,
    pub(crate) product_category: String,
    pub(crate) round: i64,
    pub(crate) status: String,
    pub(crate) status_reason: String,
    pub(crate) band: String,
    pub(crate) score_milli: i64,
    pub(crate) score_time: i64,
    pub(crate) next_check_time: Option<i64>,
    pub(crate) contacts: i64,
    pub(crate) channels: i64,
    pub(crate) valid_activities: i64,
    pub(crate) activities: i64,
    pub(crate) hand_over: i64,
    pub(crate) ready_time: Option<i64>,
    pub(crate) reject_time: Option<i64>,
    pub(crate) assignment_id: Option<Uuid>,
    pub(crate) assigned_rep: String,
    pub(crate) open_time: i64,
    pub(crate) close_time: Option<i64>,
    pub(crate) close_reason: Option<String>,
    pub(crate) close_note: String,
    pub(crate) model_version: i64,
    pub(crate) revision: i64,
    pub(crate) traceparent: Option<String>,
    pub(crate) merged_into: Option<Uuid>,
    pub(crate) sides: Option<Json>,
}

impl ActiveModelBehavior for ActiveModel {}
