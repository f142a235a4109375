use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "merges")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) merge_id: Uuid,
    pub(crate) kind: String,
    pub(crate) survivor_id: Uuid,
    pub(crate) merged_id: Uuid,
    pub(crate) note: String,
    pub(crate) merge_time: i64,
    pub(crate) merge_principal: String,
    pub(crate) undo_time: Option<i64>,
    pub(crate) undo_principal: Option<String>,
    pub(crate) undo_note: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
