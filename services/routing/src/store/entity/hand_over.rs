use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "hand_overs")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) lead_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) hand_over: i64,
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    pub(crate) deadline_time: Option<i64>,
    pub(crate) assignment_id: Option<Uuid>,
    pub(crate) create_time: i64,
    pub(crate) trace: Option<Json>,
    pub(crate) traceparent: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
