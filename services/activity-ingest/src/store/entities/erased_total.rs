use sea_orm::entity::prelude::*;

/// How many activities of a kind people have done in a month who were erased.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erased_totals")]
pub(crate) struct Model {
    /// `2026-11`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) month: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) source: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) activity_type: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) channel: String,
    /// Empty: none.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) product_category: String,
    pub(crate) activities: i64,
}

impl ActiveModelBehavior for ActiveModel {}
