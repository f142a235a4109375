//! The service's tables, and the queries on them that return domain types.

use leadflow_platform::{
    Result,
    db::{column_of, from_rows, platform_and, run_script},
};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait, FromQueryResult as _, Iterable as _};
use sea_orm_migration::prelude::*;

pub(crate) mod account_lists;
pub(crate) mod accounts;
pub(crate) mod consents;
pub(crate) mod contacts;
pub(crate) mod directory;
mod entity;
pub(crate) mod erasures;
pub(crate) mod hierarchy;
pub(crate) mod import;
pub(crate) mod matches;
pub(crate) mod merges;
mod migrations;
pub(crate) mod person;
pub(crate) mod profile_fields;
pub(crate) mod reviews;
pub(crate) mod site_map;

/// Brings the tables up to date.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        platform_and(vec![
            Box::new(Tables),
            Box::new(migrations::merges::Merges),
            Box::new(migrations::consents::Consents),
            Box::new(migrations::erasures::Erasures),
            Box::new(migrations::matching::Matching),
            Box::new(migrations::hierarchy::Hierarchy),
            Box::new(migrations::site_map::SiteMap),
            Box::new(migrations::employers::Employers),
            Box::new(migrations::merged_accounts::MergedAccounts),
            Box::new(migrations::lifts::Lifts),
            Box::new(migrations::roll_up::RollUp),
            Box::new(migrations::mobiles::Mobiles),
            Box::new(migrations::profile_fields::ProfileFields),
            Box::new(migrations::confirmations::Confirmations),
        ])
    }
}

struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "m20261124_000001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("tables.sql")).await
    }
}

/// Keys in one question, within the limits on bound values: SQLite takes 32,766.
const CHUNK: usize = 500;

/// The rows with one of these primary keys. All of its three columns are named, so that it finds the rows.
async fn with_keys<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    key: [E::Column; 3],
    asked: impl Iterator<Item = (&'static str, String, String)>,
) -> Result<Vec<E::Model>> {
    let backend = connection.get_database_backend();
    let asked: Vec<_> = asked.map(|(kind, a, b)| vec![kind.into(), a.into(), b.into()]).collect();
    let mut found = Vec::new();
    for chunk in asked.chunks(CHUNK) {
        let is =
            |(column, number): (E::Column, usize)| Expr::col(column.as_column_ref()).eq(column_of("asked", number));
        let same = key.into_iter().zip(1..).map(is).fold(Condition::all(), Condition::add);
        let query = from_rows(backend, chunk.to_vec(), "asked", |asked| {
            Query::select()
                .columns(E::Column::iter().map(|column| column.as_column_ref()))
                .from(asked)
                .inner_join(E::default(), same)
                .to_owned()
        });
        found.extend(E::Model::find_by_statement(query).all(connection).await?);
    }
    Ok(found)
}

fn from_json<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> leadflow_platform::Result<T> {
    serde_json::from_value(json)
        .map_err(|cause| leadflow_platform::Error::internal("unreadable JSON in the database").because(cause))
}
