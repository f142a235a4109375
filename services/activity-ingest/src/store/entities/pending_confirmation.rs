use sea_orm::entity::prelude::*;

/// An activity that asked for a consent which the person has to confirm.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pending_confirmations")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) activity_id: Uuid,
    /// Unix milliseconds.
    pub(crate) expire_time: i64,
}

impl ActiveModelBehavior for ActiveModel {}
