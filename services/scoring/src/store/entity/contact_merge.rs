use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_merges")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) contact_id: Uuid,
    pub(crate) revision: i64,
    pub(crate) merged_into: Option<Uuid>,
    pub(crate) survivor_id: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
