use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) account_id: Uuid,
    pub(crate) name: String,
    pub(crate) revision: i64,
    pub(crate) wanted_revision: i64,
    pub(crate) due_time: Option<i64>,
    pub(crate) merged_into: Option<Uuid>,
    pub(crate) rolls_up_to: Option<Uuid>,
    pub(crate) survivor_id: Option<Uuid>,
    pub(crate) joined: bool,
    pub(crate) version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
