//! The versions of the scoring model, and the product categories.

use leadflow_platform::{Result, db::Tx};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
    sea_query::OnConflict,
};

use super::{entity::product_category, entity::scoring_model, from_json, to_json};
use crate::domain::Model;

/// A published version.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) number: i32,
    pub(crate) model: Model,
    pub(crate) publish_time: i64,
    pub(crate) principal: String,
}

/// A product category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Category {
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) parent: Option<String>,
}

/// The version that was published last, or last until `at`.
pub(crate) async fn published(connection: &impl ConnectionTrait, at: Option<i64>) -> Result<Option<Version>> {
    let mut query = scoring_model::Entity::find();
    if let Some(at) = at {
        query = query.filter(scoring_model::Column::PublishTime.lte(at));
    }
    let row = query.order_by_desc(scoring_model::Column::Version).one(connection).await?;
    row.map(to_version).transpose()
}

/// The first version.
pub(crate) async fn first(connection: &impl ConnectionTrait) -> Result<Option<Version>> {
    let row = scoring_model::Entity::find().order_by_asc(scoring_model::Column::Version).one(connection).await?;
    row.map(to_version).transpose()
}

/// The number and the time of the newest version, and how many categories there are: cheap to ask, to see whether
/// anything is new.
pub(crate) async fn newest_number(connection: &impl ConnectionTrait) -> Result<Option<i64>> {
    let number = scoring_model::Entity::find()
        .select_only()
        .column_as(scoring_model::Column::Version.max(), "newest")
        .into_tuple::<Option<i64>>()
        .one(connection)
        .await?;
    Ok(number.flatten())
}

/// A page of versions, the newest first.
pub(crate) async fn list(connection: &impl ConnectionTrait, before: Option<i32>, limit: u64) -> Result<Vec<Version>> {
    let mut query = scoring_model::Entity::find();
    if let Some(before) = before {
        query = query.filter(scoring_model::Column::Version.lt(i64::from(before)));
    }
    let rows = query.order_by_desc(scoring_model::Column::Version).limit(limit).all(connection).await?;
    rows.into_iter().map(to_version).collect()
}

/// Publishes a version.
pub(crate) async fn publish(tx: &Tx, version: &Version) -> Result<()> {
    let row = scoring_model::ActiveModel {
        version: Set(version.number.into()),
        content: Set(to_json(&version.model)?),
        publish_time: Set(version.publish_time),
        publish_principal: Set(version.principal.clone()),
    };
    scoring_model::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

/// All product categories, by name.
pub(crate) async fn categories(connection: &impl ConnectionTrait) -> Result<Vec<Category>> {
    let rows = product_category::Entity::find().order_by_asc(product_category::Column::Name).all(connection).await?;
    Ok(rows
        .into_iter()
        .map(|row| Category { name: row.name, display_name: row.display_name, parent: row.parent })
        .collect())
}

/// Writes these categories, new or changed.
pub(crate) async fn save_categories(tx: &Tx, categories: &[Category]) -> Result<()> {
    if categories.is_empty() {
        return Ok(());
    }
    let rows = categories.iter().map(|category| product_category::ActiveModel {
        name: Set(category.name.clone()),
        display_name: Set(category.display_name.clone()),
        parent: Set(category.parent.clone()),
    });
    product_category::Entity::insert_many(rows)
        .on_conflict(
            OnConflict::column(product_category::Column::Name)
                .update_columns([product_category::Column::DisplayName, product_category::Column::Parent])
                .to_owned(),
        )
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

fn to_version(row: scoring_model::Model) -> Result<Version> {
    Ok(Version {
        number: i32::try_from(row.version).unwrap_or(i32::MAX),
        model: from_json(row.content)?,
        publish_time: row.publish_time,
        principal: row.publish_principal,
    })
}
