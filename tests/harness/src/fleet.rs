//! The suite as it runs in production: a process per role, on PostgreSQL and NATS.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use crate::{free_port, process::Server};

/// The roles in the order in which they start.
pub const ROLES: [&str; 4] = ["contact", "activity-ingest", "scoring", "routing"];

/// Variables of one process.
pub type Env = BTreeMap<String, String>;

/// A secret key for tests: so that no file with one is made where they run.
pub const SECRET: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

/// Where one process of a role listens, and the process.
#[derive(Debug)]
pub struct Member {
    /// The role's name.
    pub role: &'static str,
    /// gRPC.
    pub port: u16,
    /// Health and metrics.
    pub admin_port: u16,
    /// The HTTP edge; of activity-ingest only.
    pub http_port: u16,
    env: Env,
    server: Option<Server>,
}

/// Processes of the roles, killed when dropped.
#[derive(Debug)]
pub struct Fleet {
    binary: PathBuf,
    /// The processes: all roles, then the second replicas where there are any.
    pub members: Vec<Member>,
    /// For the command line: where the roles are.
    pub client_env: Env,
}

impl Fleet {
    /// Brings the tables up to date and starts `replicas` processes of each role, with `databases` by role, the bus at
    /// `nats_url`, and `extra` variables for all.
    ///
    /// # Errors
    /// When a port is taken, a migration fails, or a role does not become ready.
    pub fn start(
        binary: PathBuf,
        databases: &BTreeMap<&'static str, String>,
        nats_url: &str,
        extra: &Env,
        replicas: usize,
    ) -> Result<Self> {
        let mut fleet = Self { binary, members: Vec::new(), client_env: Env::new() };
        for index in 0..replicas * ROLES.len() {
            let role = ROLES[index % ROLES.len()];
            let (port, admin_port, http_port) = (free_port()?, free_port()?, free_port()?);
            let key = |name: &str| format!("LEADFLOW_{}_{name}", role.to_uppercase().replace('-', "_"));
            let mut env = extra.clone();
            env.insert("LEADFLOW_NATS_URL".into(), nats_url.to_owned());
            env.insert("LEADFLOW_CONTACT_SUPPRESSION_KEY".into(), SECRET.to_owned());
            env.insert(key("DATABASE_URL"), databases.get(role).context("a role without a database")?.clone());
            env.insert(key("LISTEN"), format!("127.0.0.1:{port}"));
            env.insert(key("ADMIN_LISTEN"), format!("127.0.0.1:{admin_port}"));
            env.insert("LEADFLOW_ACTIVITY_INGEST_HTTP_LISTEN".into(), format!("127.0.0.1:{http_port}"));
            if index < ROLES.len() {
                fleet.client_env.insert(key("URL"), format!("http://127.0.0.1:{port}"));
                if role == "activity-ingest" {
                    let http = format!("http://127.0.0.1:{http_port}");
                    fleet.client_env.insert("LEADFLOW_ACTIVITY_INGEST_HTTP_URL".into(), http);
                }
            }
            fleet.members.push(Member { role, port, admin_port, http_port, env, server: None });
        }
        // Every process may have to call every role.
        for member in &mut fleet.members {
            member.env.extend(fleet.client_env.clone());
        }
        for role in ROLES {
            fleet.migrate(role)?;
        }
        for index in 0..fleet.members.len() {
            fleet.restart(index)?;
        }
        for index in 0..fleet.members.len() {
            fleet.wait_until_ready(index)?;
        }
        Ok(fleet)
    }

    fn migrate(&self, role: &'static str) -> Result<()> {
        let member = self.members.iter().find(|member| member.role == role).context("no such role")?;
        let output = Command::new(&self.binary).args(["migrate", role]).envs(&member.env).output()?;
        ensure!(output.status.success(), "migrate {role}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Runs the command line against this fleet and returns what it prints.
    ///
    /// # Errors
    /// When the command fails.
    pub fn cli(&self, words: &[&str]) -> Result<String> {
        let output = Command::new(&self.binary)
            .args(words)
            .args(["--as", "operator"])
            .envs(&self.client_env)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .output()?;
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "leadflow {}: {out}{error}", words.join(" "));
        Ok(out.into_owned())
    }

    /// Starts a process anew; one that still runs is killed, as a crash would.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn restart(&mut self, index: usize) -> Result<()> {
        let binary = self.binary.clone();
        let member = self.members.get_mut(index).context("no such process")?;
        member.server = None;
        let mut command = Command::new(binary);
        command.args(["serve", member.role]).envs(&member.env).stdin(Stdio::null()).stdout(Stdio::null());
        member.server = Some(Server::start(&mut command)?);
        Ok(())
    }

    /// Kills a process, as a crash would.
    pub fn kill(&mut self, index: usize) {
        if let Some(member) = self.members.get_mut(index) {
            member.server = None;
        }
    }

    /// The process id, while it runs.
    pub fn pid(&self, index: usize) -> Option<u32> {
        self.members.get(index)?.server.as_ref().map(Server::pid)
    }

    /// Waits until a process says that it is ready.
    ///
    /// # Errors
    /// When it ends before, or takes longer than thirty seconds.
    pub fn wait_until_ready(&mut self, index: usize) -> Result<()> {
        let member = self.members.get_mut(index).context("no such process")?;
        let (role, port) = (member.role, member.admin_port);
        let server = member.server.as_mut().with_context(|| format!("{role} does not run"))?;
        server.wait_until(role, || get(port, "/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")))
    }

    /// What `/metrics` of a process answers.
    pub fn metrics(&self, index: usize) -> Option<String> {
        get(self.members.get(index)?.admin_port, "/metrics")
    }
}

/// The whole answer to a plain HTTP request on loopback.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
