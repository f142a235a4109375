use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_phones")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) phone: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) contact_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
