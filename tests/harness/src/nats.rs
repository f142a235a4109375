use std::{
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::{free_port, process::Server, scratch};

/// A private NATS server with JetStream. Killed when dropped.
#[derive(Debug)]
pub struct Nats {
    port: u16,
    config: String,
    folder: TempDir,
    server: Option<Server>,
}

impl Nats {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When `nats-server` is not installed or does not start.
    pub fn start() -> Result<Self> {
        Self::configured("")
    }

    /// Starts one with more configuration than where it listens and where its files lie, for example users.
    ///
    /// # Errors
    /// As [`Nats::start`]; or when the configuration is none.
    pub fn configured(config: &str) -> Result<Self> {
        let mut nats = Self { port: free_port()?, config: config.to_owned(), folder: scratch()?, server: None };
        nats.restart()?;
        Ok(nats)
    }

    /// `nats://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The server's process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Server::pid)
    }

    /// Kills the server, as a crash would.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Deletes all that JetStream has stored. Only while the server is down.
    ///
    /// # Errors
    /// When the files cannot be deleted.
    pub fn forget(&self) -> Result<()> {
        std::fs::remove_dir_all(self.folder.path().join("jetstream")).context("cannot delete JetStream's files")
    }

    /// Starts the server again, on the same port and the same files.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.kill();
        let config = self.folder.path().join("nats.conf");
        std::fs::write(&config, &self.config)?;
        let mut server = Server::start(
            Command::new(binary())
                .args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-js", "-sd"])
                .arg(self.folder.path())
                .arg("-c")
                .arg(config)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )
        .context("is the package `nats-server` installed?")?;
        let port = self.port;
        server.wait_until("nats-server", || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        self.server = Some(server);
        Ok(())
    }
}

fn binary() -> PathBuf {
    ["/usr/sbin/nats-server", "/usr/local/bin/nats-server"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        .unwrap_or_else(|| "nats-server".into())
}
