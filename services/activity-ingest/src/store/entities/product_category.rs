use sea_orm::{Set, entity::prelude::*};

use crate::domain::source::ProductCategory;

/// What an interest may be in.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "product_categories")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) parent: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for ProductCategory {
    fn from(row: Model) -> Self {
        Self { name: row.name, display_name: row.display_name, parent: row.parent.unwrap_or_default() }
    }
}

impl From<ProductCategory> for ActiveModel {
    fn from(category: ProductCategory) -> Self {
        Self {
            name: Set(category.name),
            display_name: Set(category.display_name),
            parent: Set((!category.parent.is_empty()).then_some(category.parent)),
        }
    }
}
