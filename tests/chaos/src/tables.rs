//! Looks into the services' tables, past all troubles on the ways.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, Statement};

/// A reader of each role's database.
#[derive(Debug)]
pub(crate) struct Tables(BTreeMap<&'static str, DatabaseConnection>);

impl Tables {
    /// Connects when it is used, and again after a crash.
    ///
    /// # Errors
    /// When an address is none.
    pub(crate) async fn open(databases: &BTreeMap<&'static str, String>) -> Result<Self> {
        let mut open = BTreeMap::new();
        for (role, url) in databases {
            let mut options = ConnectOptions::new(url);
            options.max_connections(2).connect_lazy(true).acquire_timeout(Duration::from_secs(3)).sqlx_logging(false);
            open.insert(*role, Database::connect(options).await?);
        }
        Ok(Self(open))
    }

    /// The first column of a query, as texts.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn column(&self, role: &str, sql: &str) -> Result<Vec<String>> {
        let connection = self.0.get(role).context("no such role")?;
        let query = Statement::from_string(connection.get_database_backend(), sql);
        let rows = tokio::time::timeout(Duration::from_secs(5), connection.query_all_raw(query)).await??;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    /// Two columns of a query, as texts.
    ///
    /// # Errors
    /// As [`Tables::column`].
    pub(crate) async fn pairs(&self, role: &str, sql: &str) -> Result<Vec<(String, String)>> {
        let connection = self.0.get(role).context("no such role")?;
        let query = Statement::from_string(connection.get_database_backend(), sql);
        let rows = tokio::time::timeout(Duration::from_secs(5), connection.query_all_raw(query)).await??;
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
    }
}
