//! The suite as it runs in production: a process per role, on PostgreSQL and NATS.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
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
    log: Option<PathBuf>,
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
        let env = |role: &'static str| {
            let mut env = extra.clone();
            env.insert("LEADFLOW_NATS_URL".into(), nats_url.to_owned());
            env.insert(key(role, "DATABASE_URL"), databases.get(role).cloned().unwrap_or_default());
            env
        };
        let mut fleet = Self::plan(binary, replicas, env)?;
        fleet.begin()?;
        Ok(fleet)
    }

    /// Finds ports for `replicas` processes of each role and starts nothing yet. `env` are the variables of a role; where
    /// the roles are is added where they do not say it.
    ///
    /// # Errors
    /// When there is no port.
    pub fn plan(binary: PathBuf, replicas: usize, env: impl Fn(&'static str) -> Env) -> Result<Self> {
        let mut fleet = Self { binary, members: Vec::new(), client_env: Env::new() };
        for index in 0..replicas * ROLES.len() {
            let role = ROLES[index % ROLES.len()];
            let (port, admin_port, http_port) = (free_port()?, free_port()?, free_port()?);
            let mut env = env(role);
            env.insert("LEADFLOW_CONTACT_SUPPRESSION_KEY".into(), SECRET.to_owned());
            env.insert("LEADFLOW_ACTIVITY_INGEST_LINK_KEY".into(), SECRET.to_owned());
            env.insert(key(role, "LISTEN"), format!("127.0.0.1:{port}"));
            env.insert(key(role, "ADMIN_LISTEN"), format!("127.0.0.1:{admin_port}"));
            env.insert("LEADFLOW_ACTIVITY_INGEST_HTTP_LISTEN".into(), format!("127.0.0.1:{http_port}"));
            if index < ROLES.len() {
                fleet.client_env.insert(key(role, "URL"), format!("http://127.0.0.1:{port}"));
                if role == "activity-ingest" {
                    let http = format!("http://127.0.0.1:{http_port}");
                    fleet.client_env.insert("LEADFLOW_ACTIVITY_INGEST_HTTP_URL".into(), http);
                }
            }
            fleet.members.push(Member { role, port, admin_port, http_port, env, log: None, server: None });
        }
        // Every process may have to call every role.
        for member in &mut fleet.members {
            for (key, value) in &fleet.client_env {
                member.env.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(fleet)
    }

    /// Lets each process add what it logs to a file of its own in `folder`, instead of showing it.
    pub fn log_to(&mut self, folder: &Path) {
        for (index, member) in self.members.iter_mut().enumerate() {
            member.log = Some(folder.join(format!("{}-{}.log", member.role, index / ROLES.len() + 1)));
        }
    }

    /// Brings the tables up to date and starts every process.
    ///
    /// # Errors
    /// When a port is taken, a migration fails, or a role does not become ready.
    pub fn begin(&mut self) -> Result<()> {
        for role in ROLES {
            self.migrate(role)?;
        }
        for index in 0..self.members.len() {
            self.restart(index)?;
        }
        for index in 0..self.members.len() {
            self.wait_until_ready(index)?;
        }
        Ok(())
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
        run(self.command(words))
    }

    /// The command line against this fleet, not started yet.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(words).args(["--as", "operator"]).envs(&self.client_env).env("RUST_LOG", "warn");
        command
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
        if let Some(log) = &member.log {
            command.stderr(File::options().create(true).append(true).open(log)?);
        }
        member.server = Some(Server::start(&mut command)?);
        Ok(())
    }

    /// Kills a process, as a crash would.
    pub fn kill(&mut self, index: usize) {
        if let Some(member) = self.members.get_mut(index) {
            member.server = None;
        }
    }

    /// Whether a process that was started does not run any more.
    pub fn has_ended(&mut self, index: usize) -> bool {
        self.members.get_mut(index).is_some_and(|member| member.server.as_mut().is_none_or(Server::has_ended))
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
        server.wait_until(role, || is_ready(port))
    }

    /// What `/metrics` of a process answers.
    pub fn metrics(&self, index: usize) -> Option<String> {
        get(self.members.get(index)?.admin_port, "/metrics")
    }
}

/// Runs a command and returns what it prints.
///
/// # Errors
/// When it fails; with all that it has said.
pub fn run(mut command: Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?}: {out}{error}");
    Ok(out.into_owned())
}

/// Whether a process says on its port for operators that it is ready.
pub fn is_ready(admin_port: u16) -> bool {
    get(admin_port, "/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn key(role: &str, name: &str) -> String {
    format!("LEADFLOW_{}_{name}", role.to_uppercase().replace('-', "_"))
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
