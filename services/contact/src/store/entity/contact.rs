use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "contacts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) contact_id: Uuid,
    pub(crate) account_id: Option<Uuid>,
    pub(crate) left_account_ids: Json,
    pub(crate) given_name: String,
    pub(crate) family_name: String,
    pub(crate) job_title: String,
    pub(crate) emails: Json,
    pub(crate) phones: Json,
    pub(crate) mobiles: Json,
    pub(crate) street: String,
    pub(crate) city: String,
    pub(crate) region: String,
    pub(crate) postal_code: String,
    pub(crate) role: String,
    pub(crate) function: String,
    pub(crate) seniority: String,
    pub(crate) stage: String,
    pub(crate) country: String,
    pub(crate) profile: Json,
    pub(crate) revision: i64,
    pub(crate) create_time: i64,
    pub(crate) update_time: i64,
    pub(crate) merged_into: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
