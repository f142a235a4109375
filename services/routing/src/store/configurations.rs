//! The configuration, every version of it as one document.

use jiff::Timestamp;
use leadflow_platform::{Result, db::Tx};
use sea_orm::{ActiveModelTrait as _, ConnectionTrait, EntityTrait as _, QueryOrder as _, QuerySelect as _, Set};

use super::{entity::configuration, from_json, small, to_json};
use crate::domain::configuration::Configuration;

use configuration::{ActiveModel, Column, Entity};

/// The number of the newest version; 0 before the first.
pub(crate) async fn newest_version(connection: &impl ConnectionTrait) -> Result<i32> {
    let version: Option<i64> = Entity::find()
        .select_only()
        .column(Column::Version)
        .order_by_desc(Column::Version)
        .into_tuple()
        .one(connection)
        .await?;
    small(version.unwrap_or(0))
}

/// The newest version with its number; an empty one before the first.
pub(crate) async fn newest(connection: &impl ConnectionTrait) -> Result<(i32, Configuration)> {
    match Entity::find().order_by_desc(Column::Version).one(connection).await? {
        Some(row) => Ok((small(row.version)?, from_json(row.content)?)),
        None => Ok((0, Configuration::default())),
    }
}

/// Adds a version.
pub(crate) async fn add(
    tx: &Tx,
    version: i32,
    configuration: &Configuration,
    principal: &str,
    now: Timestamp,
) -> Result<()> {
    let row = ActiveModel {
        version: Set(version.into()),
        create_time: Set(now.as_millisecond()),
        principal: Set(principal.to_owned()),
        content: Set(to_json(configuration)?),
    };
    row.insert(&**tx).await?;
    Ok(())
}
