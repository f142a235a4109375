//! Private servers for tests: NATS and PostgreSQL on free ports, from the installed binaries, stopped by process id.
//!
//! `on_each_database!` runs a test on SQLite and on PostgreSQL; `eventually!` waits for a condition, never for time.

pub mod collector;
mod eventually;
pub mod fleet;
mod nats;
mod postgres;
mod process;
mod publisher;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

pub use nats::Nats;
pub use postgres::Postgres;
pub use process::Server;
pub use publisher::Publisher;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file of its own.
    Sqlite,
    /// A database of its own on a private server.
    Postgres,
}

/// An empty database for one test. Gone when dropped.
#[derive(Debug)]
pub struct TestDatabase {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    _folder: Option<TempDir>,
    _server: Option<Postgres>,
}

impl TestDatabase {
    /// Makes one.
    ///
    /// # Errors
    /// When no server can be started; the message says what to install.
    pub async fn create(backend: Backend) -> Result<Self> {
        match backend {
            Backend::Sqlite => {
                let folder = scratch()?;
                let url = format!("sqlite:{}", folder.path().join("test.sqlite").display());
                Ok(Self { url, _folder: Some(folder), _server: None })
            }
            Backend::Postgres => {
                let server = Postgres::shared().await?;
                let url = server.create_database().await?;
                Ok(Self { url, _folder: None, _server: Some(server) })
            }
        }
    }
}

/// A folder for one test, gone when dropped.
///
/// # Errors
/// When it cannot be made.
pub fn scratch() -> Result<TempDir> {
    tempfile::Builder::new().prefix("leadflow-test-").tempdir().context("cannot make a folder for the test")
}

/// A port that is free right now, below those that the system gives to outgoing connections: one of these would take it
/// before the server that it is meant for.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    const FIRST: u16 = 10_000;
    const COUNT: u128 = 20_000;
    for _ in 0..1000 {
        let port = FIRST + u16::try_from(uuid::Uuid::new_v4().as_u128() % COUNT)?;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("none of the ports from {FIRST} on is free")
}

/// The folder of the repository.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Makes each test run on SQLite (`sqlite::name`) and on PostgreSQL (`postgres::name`).
///
/// ```ignore
/// on_each_database! {
///     async fn an_account_is_found_by_its_domain(database) {
///         // `database` is a TestDatabase
///     }
/// }
/// ```
#[macro_export]
macro_rules! on_each_database {
    ($($(#[$meta:meta])* async fn $name:ident($database:ident) $body:block)+) => {
        $(async fn $name($database: $crate::TestDatabase) $body)+

        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            $(#[$meta])*
            async fn $name() {
                super::$name($crate::TestDatabase::create($crate::Backend::Sqlite).await.unwrap()).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            $(#[$meta])*
            async fn $name() {
                super::$name($crate::TestDatabase::create($crate::Backend::Postgres).await.unwrap()).await;
            })+
        }
    };
}
