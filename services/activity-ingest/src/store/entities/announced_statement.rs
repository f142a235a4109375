use sea_orm::entity::prelude::*;

/// An activity whose statement about contacting the person is announced.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "announced_statements")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) activity_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
