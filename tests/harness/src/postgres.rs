use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Signal, geteuid};
use sea_orm::{ConnectionTrait as _, Database};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{free_port, process::Server, scratch};

/// The variable that names a server which somebody has started for many tests (`leadflow-harness`, `make test`).
const SHARED_URL: &str = "LEADFLOW_TEST_POSTGRES_URL";

/// A PostgreSQL server for tests: one that was started for all of them, or a private one.
#[derive(Debug)]
pub struct Postgres {
    /// Without a database: `postgres://postgres@127.0.0.1:PORT`.
    base_url: String,
    private: Option<Private>,
}

#[derive(Debug)]
struct Private {
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    server: Option<Server>,
}

impl Postgres {
    /// The server that was started for many tests, or else a private one.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    #[expect(clippy::disallowed_methods, reason = "tests are told of the server by the environment")]
    pub async fn shared() -> Result<Self> {
        match std::env::var(SHARED_URL) {
            Ok(base_url) => Ok(Self { base_url, private: None }),
            Err(_) => tokio::task::spawn_blocking(Self::start).await?,
        }
    }

    /// Starts a private server on a free port, without `fsync`: what it holds is gone with the test.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start() -> Result<Self> {
        Self::start_with(scratch()?, &["fsync=off", "max_connections=400", "shared_buffers=128MB"])
    }

    /// Starts a private server that keeps what it has committed, as in production: for benches and crashes.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start_durable() -> Result<Self> {
        let settings = [
            "fsync=on",
            "synchronous_commit=on",
            "max_connections=200",
            "shared_buffers=1GB",
            "max_wal_size=8GB",
            "checkpoint_timeout=15min",
        ];
        Self::start_with(scratch()?, &settings)
    }

    /// Starts a private server whose files are in a folder of their own below `parent`.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start_below(parent: &Path, settings: &[&str]) -> Result<Self> {
        Self::start_with(TempDir::new_in(parent)?, settings)
    }

    fn start_with(folder: TempDir, settings: &[&str]) -> Result<Self> {
        let bin = binaries()?;
        let data = folder.path().join("data");
        if geteuid().is_root() {
            // PostgreSQL refuses root; the package has made the user.
            let owned = Command::new("chown").arg("postgres").arg(folder.path()).status()?;
            ensure!(owned.success(), "cannot give the folder to the user `postgres`");
        }
        let made = unprivileged(&bin.join("initdb"))
            .args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .output()?;
        ensure!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));

        let port = free_port()?;
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut private = Private { folder, port, settings, server: None };
        private.start()?;
        let base_url = format!("postgres://postgres@127.0.0.1:{port}");
        Ok(Self { base_url, private: Some(private) })
    }

    /// Kills the postmaster, as a crash would; its children notice it and end.
    pub fn kill(&mut self) {
        if let Some(private) = &mut self.private {
            private.server = None;
        }
    }

    /// Whether the private server does not run any more.
    pub fn has_ended(&mut self) -> bool {
        self.private.as_mut().is_some_and(|private| private.server.as_mut().is_none_or(Server::has_ended))
    }

    /// Starts the private server again, on the same port and the same files, as soon as the children of the one that was
    /// killed are gone.
    ///
    /// # Errors
    /// When it does not start within thirty seconds.
    pub fn restart(&mut self) -> Result<()> {
        self.kill();
        let Some(private) = &mut self.private else { return Ok(()) };
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Err(error) = private.start() {
            ensure!(Instant::now() < deadline, error);
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// The address without a database.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The postmaster's process id, while it runs; its children serve the connections.
    pub fn pid(&self) -> Option<u32> {
        Some(self.private.as_ref()?.server.as_ref()?.pid())
    }

    /// Makes an empty database and returns its address.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn create_database(&self) -> Result<String> {
        let name = format!("t{}", Uuid::new_v4().simple());
        let connection = Database::connect(format!("{}/postgres", self.base_url)).await?;
        connection.execute_unprepared(&format!("CREATE DATABASE {name} STRATEGY wal_log")).await?;
        connection.close().await?;
        Ok(format!("{}/{name}", self.base_url))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // Its children end with it, as they do not when it is killed.
        if let Some(server) = &mut self.server {
            server.end(Signal::QUIT);
        }
    }
}

impl Private {
    fn start(&mut self) -> Result<()> {
        let data = self.folder.path().join("data");
        let mut server = Server::start(
            unprivileged(&binaries()?.join("postgres"))
                .arg("-D")
                .arg(&data)
                .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"])
                .args(["-c", "unix_socket_directories="])
                .args(self.settings.iter().flat_map(|setting| ["-c", setting]))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        // The wrapper that drops privileges has become the server; after a crash the file of the former one is still there.
        let own = server.pid().to_string();
        let ready = || {
            let text = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            let lines: Vec<_> = text.lines().map(str::trim).collect();
            lines.first() == Some(&own.as_str()) && lines.get(7) == Some(&"ready")
        };
        server.wait_until("postgres", ready)?;
        self.server = Some(server);
        Ok(())
    }
}

fn unprivileged(program: &Path) -> Command {
    if geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
        command.current_dir("/");
        command
    } else {
        Command::new(program)
    }
}

/// The folder of the newest installed PostgreSQL.
fn binaries() -> Result<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .context("is the package `postgresql` installed?")?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    let version = |bin: &PathBuf| {
        bin.parent().and_then(Path::file_name).and_then(|name| name.to_string_lossy().parse::<u32>().ok())
    };
    found.sort_by_key(version);
    found.pop().context("is the package `postgresql` installed? There is no /usr/lib/postgresql/*/bin/initdb")
}
