use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
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

    /// Where JetStream's files lie.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("jetstream")
    }

    /// Publishes with headers as they are, beginning with `NATS/1.0` and ending with an empty line, readable or not.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn publish_raw(&self, subject: &str, headers: &[u8], body: &[u8]) -> Result<()> {
        publish_raw(self.port, subject, headers, body)
    }

    /// Kills the server, as a crash would.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Whether the server does not run any more.
    pub fn has_ended(&mut self) -> bool {
        self.server.as_mut().is_none_or(Server::has_ended)
    }

    /// Deletes all that JetStream has stored. Only while the server is down.
    ///
    /// # Errors
    /// When the files cannot be deleted.
    pub fn forget(&self) -> Result<()> {
        std::fs::remove_dir_all(self.files()).context("cannot delete JetStream's files")
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

/// Says to a server by the bytes of its protocol what no client lets out.
fn publish_raw(port: u16, subject: &str, headers: &[u8], body: &[u8]) -> Result<()> {
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    let (before, all) = (headers.len(), headers.len() + body.len());
    let connect = r#"CONNECT {"headers":true,"verbose":false}"#;
    socket.write_all(format!("{connect}\r\nHPUB {subject} {before} {all}\r\n").as_bytes())?;
    socket.write_all(&[headers, body, b"\r\nPING\r\n"].concat())?;
    for line in BufReader::new(socket).lines() {
        let line = line?;
        ensure!(!line.starts_with("-ERR"), "the server refuses: {line}");
        if line == "PONG" {
            return Ok(());
        }
    }
    bail!("the server has gone")
}

fn binary() -> PathBuf {
    ["/usr/sbin/nats-server", "/usr/local/bin/nats-server"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        .unwrap_or_else(|| "nats-server".into())
}
