use sea_orm::entity::prelude::*;

/// An activity that is deleted, and whose events are not yet.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erased_activities")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) activity_id: Uuid,
    pub(crate) erasure_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
