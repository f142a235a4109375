//! The one way to open a database and the one way to change it. What differs between PostgreSQL and SQLite stands
//! here and nowhere else.
//!
//! Times are stored as `bigint` milliseconds since the epoch: exact, the same on both, and the number that the score
//! is computed from.

use std::{
    future::{Future, ready},
    ops::Deref,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction,
    EntityTrait as _, IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sqlx::{
        Connection as _,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};
use sea_orm_migration::{MigratorTrait, SchemaManager, seaql_migrations};
use tokio::sync::Notify;

use crate::{
    config::{data_dir, variable},
    error::{Error, Result},
    trace,
    vars::{self, Vars},
};

pub(crate) use crate::db::faults::is_transient;
pub use crate::db::{
    many::{column_of, from_rows, insert_all, insert_new, insert_returning, is_any, known, update_all},
    tables::{platform_and, run_script},
};

mod faults;
mod many;
mod tables;

/// How long closing waits for transactions that still run.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// The relay holds one connection while it publishes, a migration two.
const MIN_CONNECTIONS: u32 = 3;

/// Where a role keeps its data.
#[derive(Clone, Debug)]
pub struct Config {
    /// `postgres://…` or `sqlite:PATH`.
    pub url: String,
    /// Connections at the most (PostgreSQL; SQLite has one writer and four readers).
    pub max_connections: u32,
}

impl Config {
    /// Reads `LEADFLOW_<ROLE>_DATABASE_URL` (or `…_FILE`), by default a SQLite file in the data folder, and
    /// `LEADFLOW_DATABASE_MAX_CONNECTIONS` (16, at least 3).
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn from_vars(role: &str, vars: &Vars) -> Result<Self, vars::Error> {
        let key = variable(role, "DATABASE_URL");
        let url = match vars.secret(&key)? {
            Some(url) => url,
            None => format!("sqlite:{}", data_dir(vars).join(format!("{role}.sqlite")).display()),
        };
        if !url.starts_with("postgres") && !url.starts_with("sqlite:") {
            return Err(vars::Error::new(key, "must begin with `postgres://` or `sqlite:`"));
        }
        if url.starts_with("sqlite::memory:") {
            return Err(vars::Error::new(key, "must name a file: each connection would have a memory of its own"));
        }
        let max_connections = vars.parsed("LEADFLOW_DATABASE_MAX_CONNECTIONS", 16)?;
        if max_connections < MIN_CONNECTIONS {
            return Err(vars::Error::new(
                "LEADFLOW_DATABASE_MAX_CONNECTIONS",
                format!("`{max_connections}` is too few: at least {MIN_CONNECTIONS} are needed"),
            ));
        }
        Ok(Self { url, max_connections })
    }
}

/// A service's database.
#[derive(Clone, Debug)]
pub struct Database {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    outbox: Arc<Notify>,
}

impl Database {
    /// Opens the database; a SQLite file is created where there is none.
    ///
    /// # Errors
    /// `UNAVAILABLE` when it cannot be reached.
    pub async fn open(config: &Config) -> Result<Self> {
        let options = |connections: u32| {
            let mut options = ConnectOptions::new(config.url.clone());
            options
                .max_connections(connections)
                .acquire_timeout(Duration::from_secs(10))
                .sqlx_logging(false)
                // A plan that was made for a small table would serve a large one until somebody analyses it. Statements are
                // for many rows, so that it costs next to nothing to plan each time.
                // They look for single rows of large tables, on disks where that costs little more than the next one: a table that
                // grows faster than it is analysed would be read as a whole otherwise.
                .map_sqlx_postgres_opts(|postgres| {
                    postgres.options([("plan_cache_mode", "force_custom_plan"), ("random_page_cost", "1.1")])
                })
                // SQLite may take a transaction back by itself when its disk is full, and then refuses the rollback that
                // follows. The connection would take itself to be in a transaction for ever: what it commits would be a
                // part of that one, and nobody's, and lost.
                .map_sqlx_sqlite_before_acquire(|sqlite, _| Box::pin(ready(Ok(!sqlite.is_in_transaction()))))
                .map_sqlx_sqlite_opts(|sqlite| {
                    sqlite
                        .create_if_missing(true)
                        .journal_mode(SqliteJournalMode::Wal)
                        .synchronous(SqliteSynchronous::Full)
                        .busy_timeout(Duration::from_secs(10))
                        .foreign_keys(true)
                });
            options
        };
        if let Some(folder) =
            config.url.strip_prefix("sqlite:").and_then(|path| Path::new(path.trim_start_matches("//")).parent())
        {
            std::fs::create_dir_all(folder)
                .map_err(|cause| Error::internal(format!("cannot create {}", folder.display())).because(cause))?;
        }
        let (writer, reader) = if config.url.starts_with("sqlite:") {
            let writer = sea_orm::Database::connect(options(1)).await?;
            (writer, sea_orm::Database::connect(options(4)).await?)
        } else {
            let pool = sea_orm::Database::connect(options(config.max_connections)).await?;
            (pool.clone(), pool)
        };
        Ok(Self { reader, writer, outbox: Arc::new(Notify::new()) })
    }

    /// For queries that change nothing.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Runs `work` in a transaction that changes data, and commits when it returns `Ok`.
    ///
    /// It runs in a task of its own, so that a caller who goes away cannot cancel a transaction half way, and takes
    /// SQLite's write lock at the beginning. `work` hands every error of the database on: PostgreSQL has given the
    /// transaction up by then, and a commit would write nothing.
    ///
    /// # Errors
    /// What `work` returns, or `UNAVAILABLE` when the database fails; then nothing is written.
    pub async fn write<T, F, Fut>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T>> + Send,
    {
        let options = TransactionOptions {
            sqlite_transaction_mode: (self.backend() == DatabaseBackend::Sqlite)
                .then_some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        self.run(self.writer.clone(), options, work).await
    }

    /// Runs queries that all see what was there at one moment, in a task of its own as [`Database::write`] does.
    ///
    /// # Errors
    /// What `work` returns, or `UNAVAILABLE` when the database fails.
    pub async fn read<T, F, Fut>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T>> + Send,
    {
        let options = match self.backend() {
            DatabaseBackend::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..Default::default()
            },
            // Every transaction of SQLite sees one moment.
            _ => TransactionOptions::default(),
        };
        self.run(self.reader.clone(), options, work).await
    }

    async fn run<T, F, Fut>(&self, connection: DatabaseConnection, options: TransactionOptions, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T>> + Send,
    {
        let database = self.clone();
        tokio::spawn(trace::carry(async move { database.run_here(connection, options, work).await }))
            .await
            .map_err(|cause| Error::internal("a transaction panicked").because(cause))?
    }

    async fn run_here<T, F, Fut>(
        &self,
        connection: DatabaseConnection,
        options: TransactionOptions,
        work: F,
    ) -> Result<T>
    where
        F: FnOnce(Tx) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let inner = Arc::new(Inner {
            transaction: connection.begin_with_options(options).await?,
            wrote_outbox: AtomicBool::new(false),
        });
        let result = work(Tx(inner.clone())).await;
        let inner = Arc::into_inner(inner);
        match result {
            Ok(value) => {
                let inner = inner.ok_or_else(|| Error::internal("a transaction was kept beyond its work"))?;
                inner.transaction.commit().await?;
                if inner.wrote_outbox.into_inner() {
                    self.outbox.notify_one();
                }
                Ok(value)
            }
            Err(error) => {
                if let Some(inner) = inner
                    && let Err(failure) = inner.transaction.rollback().await
                {
                    // The connection is gone, and the transaction with it; what went wrong first says more.
                    tracing::warn!(%failure, "a transaction could not be rolled back");
                }
                Err(error)
            }
        }
    }

    /// PostgreSQL or SQLite.
    pub fn backend(&self) -> DatabaseBackend {
        self.writer.get_database_backend()
    }

    /// Waits until a committed transaction has written to the outbox.
    pub(crate) async fn outbox_written(&self) {
        self.outbox.notified().await;
    }

    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Brings the tables up to date. With PostgreSQL only one process at a time does it; a SQLite file belongs to one.
    ///
    /// # Errors
    /// When the database cannot be reached, or a migration fails.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<()> {
        // An advisory lock belongs to a connection, so the lock has one of its own: a transaction that stays open.
        let lock = match self.backend() {
            DatabaseBackend::Postgres => {
                let lock = self.writer.begin().await?;
                lock.execute_unprepared("SELECT pg_advisory_xact_lock(7100)").await?;
                Some(lock)
            }
            _ => None,
        };
        let result = M::up(&self.writer, None).await;
        if let Some(lock) = lock {
            lock.rollback().await?;
        }
        Ok(result?)
    }

    /// Whether all migrations of `M` were applied. Newer ones may have been too: tables grow before replicas do.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn is_migrated<M: MigratorTrait>(&self) -> Result<bool> {
        if !SchemaManager::new(&self.reader).has_table("seaql_migrations").await? {
            return Ok(false);
        }
        let applied = seaql_migrations::Entity::find().all(&self.reader).await?;
        Ok(M::migrations().iter().all(|migration| applied.iter().any(|model| model.version == migration.name())))
    }

    /// Closes all connections, after the transactions that still run have ended.
    pub async fn close(self) {
        for connection in [self.writer, self.reader] {
            match tokio::time::timeout(CLOSE_TIMEOUT, connection.close()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the database did not close"),
                Err(_) => tracing::warn!("the database did not close within {CLOSE_TIMEOUT:?}"),
            }
        }
    }
}

/// A transaction in progress; a [`DatabaseTransaction`] by `&*tx`.
#[derive(Clone)]
pub struct Tx(Arc<Inner>);

struct Inner {
    transaction: DatabaseTransaction,
    wrote_outbox: AtomicBool,
}

impl Tx {
    /// Waits until no other transaction holds a lock on `key`, and holds it until the end. Take several in the order
    /// of their keys. SQLite has one writer anyway.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock(&self, key: i64) -> Result<()> {
        if self.get_database_backend() == DatabaseBackend::Postgres {
            self.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({key})")).await?;
        }
        Ok(())
    }

    /// Waits until no other transaction holds `key` by [`Tx::lock`], and lets none have it until the end; others may share
    /// it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_shared(&self, key: i64) -> Result<()> {
        if self.get_database_backend() == DatabaseBackend::Postgres {
            self.execute_unprepared(&format!("SELECT pg_advisory_xact_lock_shared({key})")).await?;
        }
        Ok(())
    }

    /// As [`Tx::lock`] for several keys at once, taken in their order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_all(&self, mut keys: Vec<i64>) -> Result<()> {
        if self.get_database_backend() == DatabaseBackend::Postgres && !keys.is_empty() {
            keys.sort_unstable();
            keys.dedup();
            // Counted, so that there is one answer and not one for each.
            let lock = "SELECT count(pg_advisory_xact_lock(key)) FROM unnest($1) AS key";
            let backend = DatabaseBackend::Postgres;
            self.execute_raw(Statement::from_sql_and_values(backend, lock, [keys.into()])).await?;
        }
        Ok(())
    }

    /// Waits until no other transaction has changed or locked a row of `table`, and lets none do so until the end. Take it
    /// before any row of it. SQLite has one writer anyway.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_table(&self, table: &str) -> Result<()> {
        if self.get_database_backend() == DatabaseBackend::Postgres {
            self.execute_unprepared(&format!("LOCK TABLE {table} IN EXCLUSIVE MODE")).await?;
        }
        Ok(())
    }

    pub(crate) fn wrote_outbox(&self) {
        self.0.wrote_outbox.store(true, Ordering::Relaxed);
    }
}

impl Deref for Tx {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.0.transaction
    }
}
