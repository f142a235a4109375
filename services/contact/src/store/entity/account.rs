use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) account_id: Uuid,
    pub(crate) reference: Option<String>,
    pub(crate) name: String,
    pub(crate) sort_name: String,
    pub(crate) country: String,
    pub(crate) region: String,
    pub(crate) postal_code: String,
    pub(crate) street: String,
    pub(crate) city: String,
    pub(crate) phones: Json,
    pub(crate) industry: String,
    pub(crate) employees: Option<i64>,
    pub(crate) revenue: Option<i64>,
    pub(crate) relation: String,
    pub(crate) owner_rep: String,
    pub(crate) parent_account_id: Option<Uuid>,
    pub(crate) roll_up: bool,
    pub(crate) sites: Json,
    pub(crate) profile: Json,
    pub(crate) revision: i64,
    pub(crate) create_time: i64,
    pub(crate) update_time: i64,
    pub(crate) merged_into: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
