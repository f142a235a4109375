//! Sources and product categories.

use leadflow_platform::{
    Result,
    db::{Tx, insert_all},
};
use sea_orm::{
    ConnectionTrait, Iterable as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, entity::prelude::*,
    sea_query::OnConflict,
};

use crate::{
    domain::{
        catalogue::Catalogue,
        configuration::Plan,
        source::{ProductCategory, Source},
    },
    store::entities::{product_category, source},
};

/// The lock under which the configuration is read and changed, so that two changes together make no cycle.
const LOCK: i64 = 7102;

/// All that is registered.
pub(crate) async fn load(connection: &impl ConnectionTrait) -> Result<Catalogue> {
    let sources = source::Entity::find().all(connection).await?;
    let sources = sources.into_iter().map(Source::try_from).collect::<Result<Vec<_>>>()?;
    let categories = product_category::Entity::find().all(connection).await?;
    Ok(Catalogue::new(sources, categories.into_iter().map(ProductCategory::from)))
}

/// Keeps everybody else from changing the configuration until the end of the transaction.
pub(crate) async fn lock(tx: &Tx) -> Result<()> {
    tx.lock(LOCK).await
}

/// Writes what a plan says.
pub(crate) async fn write(tx: &Tx, plan: Plan) -> Result<()> {
    let sources = plan.sources.into_iter().map(source::ActiveModel::try_from).collect::<Result<Vec<_>>>()?;
    let all = source::Column::iter().filter(|column| !matches!(column, source::Column::Name));
    let changed = OnConflict::column(source::Column::Name).update_columns(all).to_owned();
    insert_all(tx, sources, Some(changed)).await?;
    let categories: Vec<_> = plan.product_categories.into_iter().map(product_category::ActiveModel::from).collect();
    let all = product_category::Column::iter().filter(|column| !matches!(column, product_category::Column::Name));
    let changed = OnConflict::column(product_category::Column::Name).update_columns(all).to_owned();
    insert_all(tx, categories, Some(changed)).await
}

/// Sources by name, those after `after`.
pub(crate) async fn list_sources(
    connection: &impl ConnectionTrait,
    after: Option<&String>,
    limit: u64,
) -> Result<Vec<Source>> {
    let mut query = source::Entity::find().order_by_asc(source::Column::Name).limit(limit);
    if let Some(after) = after {
        query = query.filter(source::Column::Name.gt(after));
    }
    query.all(connection).await?.into_iter().map(Source::try_from).collect()
}
