//! The embedded default as a process of its own.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use leadflow_harness::{
    Server,
    fleet::{Env, ROLES, is_ready},
    free_port,
};
use leadflow_platform::config::variable;

use crate::world::{RECONCILE_SECONDS, lock};

/// `leadflow up` as a process of its own, killed when dropped.
#[derive(Clone, Debug)]
pub(crate) struct Embedded {
    binary: PathBuf,
    data: PathBuf,
    log: PathBuf,
    env: Env,
    admin_ports: Vec<u16>,
    /// Where clients find the roles.
    pub(crate) client_env: Env,
    server: Arc<Mutex<Option<Server>>>,
}

impl Embedded {
    /// Chooses ports and starts it.
    ///
    /// # Errors
    /// When it does not become ready.
    pub(crate) fn start(binary: &Path, data: PathBuf, log: PathBuf) -> Result<Self> {
        let (mut env, mut client_env, mut admin_ports) = (Env::new(), Env::new(), Vec::new());
        for role in ROLES {
            let (port, admin_port) = (free_port()?, free_port()?);
            env.insert(variable(role, "LISTEN"), format!("127.0.0.1:{port}"));
            env.insert(variable(role, "ADMIN_LISTEN"), format!("127.0.0.1:{admin_port}"));
            client_env.insert(variable(role, "URL"), format!("http://127.0.0.1:{port}"));
            admin_ports.push(admin_port);
        }
        let http = format!("127.0.0.1:{}", free_port()?);
        client_env.insert("LEADFLOW_ACTIVITY_INGEST_HTTP_URL".into(), format!("http://{http}"));
        env.insert("LEADFLOW_ACTIVITY_INGEST_HTTP_LISTEN".into(), http);
        env.insert("LEADFLOW_RECONCILE_INTERVAL".into(), format!("{}s", RECONCILE_SECONDS));
        env.insert("RUST_LOG".into(), "warn".into());
        let binary = binary.to_owned();
        let embedded = Self { binary, data, log, env, admin_ports, client_env, server: Arc::default() };
        embedded.revive()?;
        for _ in 0..1200 {
            if embedded.is_ready() {
                return Ok(embedded);
            }
            ensure!(!embedded.has_ended(), "`leadflow up` ended before it was ready: see {}", embedded.log.display());
            std::thread::sleep(Duration::from_millis(25));
        }
        anyhow::bail!("`leadflow up` was not ready within 30 seconds: see {}", embedded.log.display())
    }

    /// Starts it when it does not run.
    ///
    /// # Errors
    /// When the program is not there.
    pub(crate) fn revive(&self) -> Result<bool> {
        let mut server = lock(&self.server);
        if !server.as_mut().is_none_or(Server::has_ended) {
            return Ok(false);
        }
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.binary);
        command.arg("up").arg("--data-dir").arg(&self.data).envs(&self.env).stdin(Stdio::null());
        *server = Some(Server::start(command.stdout(log.try_clone()?).stderr(log))?);
        Ok(true)
    }

    /// Whether all roles say that they are ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.admin_ports.iter().all(|port| is_ready(*port))
    }

    fn has_ended(&self) -> bool {
        lock(&self.server).as_mut().is_none_or(Server::has_ended)
    }

    /// Where its NATS server listens, as it has said when it started last.
    pub(crate) fn nats_url(&self) -> Result<String> {
        let log = std::fs::read_to_string(&self.log)?;
        let mut words = log.split_whitespace().filter(|word| word.starts_with("nats://"));
        words.next_back().map(str::to_owned).context("`leadflow up` has not said where NATS is")
    }

    /// By role: its database.
    pub(crate) fn databases(&self) -> BTreeMap<&'static str, String> {
        let path = |role| self.data.join(format!("{role}.sqlite")).display().to_string();
        ROLES.into_iter().map(|role| (role, format!("sqlite:{}", path(role)))).collect()
    }
}
