//! The private NATS server of `leadflow up`: started on a free port, ended by its process id, found again after a crash.

use std::{
    convert::Infallible,
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use async_nats::jetstream::{self, response::Response};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use tokio::{net::TcpStream, process::Child, process::Command};

/// How often it is asked for its streams, and how long it may take to answer.
const LOOK: Duration = Duration::from_secs(2);
/// After so many answers in a row that did not come it is started anew: one may be late.
const SILENT: u32 = 3;

/// A running server. Dropping it leaves the process to [`EmbeddedNats::stop`] or to the next start.
#[derive(Debug)]
pub struct EmbeddedNats {
    folder: PathBuf,
    port: u16,
    child: Child,
}

impl EmbeddedNats {
    /// Starts a server whose files lie in `folder`. One that was left over from a crash is ended first.
    ///
    /// # Errors
    /// When `nats-server` is not installed, or does not start.
    pub async fn start(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        end_left_over(&folder).await;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let child = spawn(&folder, port)?;
        let mut nats = Self { folder, port, child };
        nats.wait_until_ready().await?;
        Ok(nats)
    }

    /// `nats://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The server's process id.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Starts the server again each time that it has ended, or that it keeps no streams any more, for ever.
    pub async fn keep_alive(&mut self) -> Infallible {
        loop {
            let url = self.url();
            tokio::select! {
                status = self.child.wait() => {
                    let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                    tracing::warn!(status, "nats-server has ended; starting it again");
                }
                () = streams_are_gone(&url) => {
                    tracing::warn!("nats-server keeps no streams any more, as when its disk was full; starting it anew");
                    self.end().await;
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            if let Err(error) = self.revive().await {
                tracing::error!(error = format!("{error:#}"), "nats-server does not start; trying again");
                self.end().await;
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        }
    }

    async fn revive(&mut self) -> Result<()> {
        self.child = spawn(&self.folder, self.port)?;
        self.wait_until_ready().await
    }

    /// Ends the server.
    pub async fn stop(mut self) {
        self.end().await;
        let _ = std::fs::remove_file(pid_file(&self.folder));
    }

    async fn end(&mut self) {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).unwrap_or(0))) {
            let _ = kill_process(pid, Signal::TERM);
        }
        if tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("nats-server ended with {status}; its log is {}", self.folder.join("nats.log").display());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        bail!("nats-server does not answer within ten seconds")
    }
}

fn spawn(folder: &Path, port: u16) -> Result<Child> {
    let log = File::options().create(true).append(true).open(folder.join("nats.log"))?;
    Command::new(binary())
        .args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"])
        .arg(folder)
        .arg("-P")
        .arg(pid_file(folder))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // Ctrl-C reaches the whole group of the terminal: the server must outlive the roles that still publish.
        .process_group(0)
        .spawn()
        .context("cannot start nats-server: install the package `nats-server`, or set LEADFLOW_NATS_URL")
}

/// Waits until nothing is heard of streams any more, several times in a row. A nats-server that could not write to its disk
/// goes on without them, and does not take them up again by itself.
async fn streams_are_gone(url: &str) {
    let mut silent = 0;
    while silent < SILENT {
        tokio::time::sleep(LOOK).await;
        silent = if keeps_streams(url).await { 0 } else { silent + 1 };
    }
}

async fn keeps_streams(url: &str) -> bool {
    let ask = async {
        let client = async_nats::connect(url).await.ok()?;
        // As it comes: what servers say of an account differs from version to version.
        jetstream::new(client).request("INFO", &json!({})).await.ok()
    };
    let answer: Option<Response<Value>> = tokio::time::timeout(LOOK, ask).await.ok().flatten();
    matches!(answer, Some(Response::Ok(_)))
}

fn binary() -> &'static str {
    // Debian installs it where the search path of plain users does not look.
    if Path::new("/usr/sbin/nats-server").exists() { "/usr/sbin/nats-server" } else { "nats-server" }
}

fn pid_file(folder: &Path) -> PathBuf {
    folder.join("nats.pid")
}

/// Ends a server that serves our folder and has outlived a crash of ours.
async fn end_left_over(folder: &Path) {
    let Some(pid) = left_over(folder) else { return };
    tracing::info!(pid = pid.as_raw_nonzero().get(), "ending a nats-server that was left over");
    let _ = kill_process(pid, Signal::TERM);
    for attempt in 0..400 {
        if test_kill_process(pid).is_err() {
            return;
        }
        if attempt == 200 {
            let _ = kill_process(pid, Signal::KILL);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// The process that the file names, when it really is a server of this folder: ids are used again.
fn left_over(folder: &Path) -> Option<Pid> {
    let id: i32 = std::fs::read_to_string(pid_file(folder)).ok()?.trim().parse().ok()?;
    let command = std::fs::read(format!("/proc/{id}/cmdline")).ok()?;
    let words: Vec<_> = command.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let ours = words.first().is_some_and(|program| program.contains("nats-server"))
        && words.iter().any(|word| Path::new(&**word) == folder);
    if ours { Pid::from_raw(id) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_outlived_a_crash_is_ended_and_a_stranger_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let crashed = EmbeddedNats::start(folder.path()).await.unwrap();
        let first = crashed.pid();
        std::mem::forget(crashed);
        let second = EmbeddedNats::start(folder.path()).await.unwrap();
        assert_ne!(second.pid(), first);
        second.stop().await;

        let own = std::process::id();
        std::fs::write(pid_file(folder.path()), own.to_string()).unwrap();
        assert!(left_over(folder.path()).is_none(), "this test is no nats-server");
    }

    #[tokio::test]
    async fn a_server_that_keeps_no_streams_any_more_is_told_from_one_that_does() {
        let folder = tempfile::tempdir().unwrap();
        let server = EmbeddedNats::start(folder.path()).await.unwrap();
        assert!(keeps_streams(&server.url()).await);
        let url = server.url();
        server.stop().await;
        assert!(!keeps_streams(&url).await);

        // As one is that could not write to its disk: it answers, and has no streams.
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut bare = Command::new(binary()).args(["-a", "127.0.0.1", "-p", &port.to_string()]).spawn().unwrap();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let url = format!("nats://127.0.0.1:{port}");
        assert!(!keeps_streams(&url).await);
        tokio::time::timeout(Duration::from_secs(60), streams_are_gone(&url)).await.unwrap();
        bare.kill().await.unwrap();
    }
}
