//! All roles in one process.

use std::net::SocketAddr;

use leadflow_platform::{
    Error, Result,
    clock::Clock,
    config::{Addresses, variable},
    service::{Listeners, listen},
    vars::Vars,
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// The roles, in the order in which they start.
pub const ROLES: [(&str, u16); 4] = [
    (leadflow_contact::ROLE, leadflow_contact::PORT),
    (leadflow_scoring::ROLE, leadflow_scoring::PORT),
    (leadflow_routing::ROLE, leadflow_routing::PORT),
    (leadflow_activity_ingest::ROLE, leadflow_activity_ingest::PORT),
];

/// Where the roles listen.
#[derive(Clone, Debug)]
pub struct Listening {
    roles: Vec<(&'static str, Addresses)>,
    /// The HTTP edge of activity-ingest.
    pub http: SocketAddr,
}

impl Listening {
    /// Where clients call a role: `http://127.0.0.1:7101`.
    pub fn url(&self, role: &str) -> String {
        self.of(role).map(|addresses| format!("http://{}", addresses.rpc)).unwrap_or_default()
    }

    /// The role's addresses.
    pub fn of(&self, role: &str) -> Option<Addresses> {
        self.roles.iter().find(|(name, _)| *name == role).map(|(_, addresses)| *addresses)
    }

    /// Each role with its addresses.
    pub fn roles(&self) -> &[(&'static str, Addresses)] {
        &self.roles
    }

    /// The base address of the HTTP edge.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.http)
    }
}

/// All roles, running.
#[derive(Debug)]
pub struct Suite {
    /// Where they listen.
    pub listening: Listening,
    shutdown: CancellationToken,
    running: JoinSet<(&'static str, Result<()>)>,
}

impl Suite {
    /// Opens the ports, brings the tables up to date, and starts every role. Port 0 in an address means a free one.
    ///
    /// # Errors
    /// The first thing that keeps a role from starting.
    pub async fn start(vars: Vars, clock: Clock) -> Result<Self> {
        let (listening, mut listeners, http) = open_ports(&vars).await?;
        let vars = ROLES.iter().fold(vars, |vars, (role, _)| vars.or(&variable(role, "URL"), listening.url(role)));
        for (role, _) in ROLES {
            migrate(role, &vars).await?;
        }
        let contact = read(leadflow_contact::Config::from_vars(&vars))?.build(clock.clone()).await?;
        let scoring = read(leadflow_scoring::Config::from_vars(&vars))?.build(clock.clone()).await?;
        let routing = read(leadflow_routing::Config::from_vars(&vars))?.build(clock.clone()).await?;
        let ingest = read(leadflow_activity_ingest::Config::from_vars(&vars))?.build(clock).await?;

        let shutdown = CancellationToken::new();
        let mut running = JoinSet::new();
        let mut next = || listeners.remove(0);
        let (at, stop) = (next(), shutdown.clone());
        running.spawn(async move { (leadflow_contact::ROLE, contact.run(at, stop).await) });
        let (at, stop) = (next(), shutdown.clone());
        running.spawn(async move { (leadflow_scoring::ROLE, scoring.run(at, stop).await) });
        let (at, stop) = (next(), shutdown.clone());
        running.spawn(async move { (leadflow_routing::ROLE, routing.run(at, stop).await) });
        let (at, stop) = (next(), shutdown.clone());
        running.spawn(async move { (leadflow_activity_ingest::ROLE, ingest.run(at, http, stop).await) });
        Ok(Self { listening, shutdown, running })
    }

    /// Waits until a role ends, which it does only when something is wrong or after [`Suite::stop`] was asked for.
    pub async fn ended(&mut self) -> Result<()> {
        match self.running.join_next().await {
            Some(Ok((_, result))) => result,
            Some(Err(cause)) => Err(Error::internal("a role failed").because(cause)),
            None => Ok(()),
        }
    }

    /// Ends every role and waits for it.
    ///
    /// # Errors
    /// The first thing that went wrong in a role.
    pub async fn stop(mut self) -> Result<()> {
        self.shutdown.cancel();
        let mut result = Ok(());
        while !self.running.is_empty() {
            result = result.and(self.ended().await);
        }
        result
    }
}

async fn open_ports(vars: &Vars) -> Result<(Listening, Vec<Listeners>, TcpListener)> {
    let mut roles = Vec::new();
    let mut all = Vec::new();
    for (role, port) in ROLES {
        let listeners = Listeners::open(read(Addresses::from_vars(role, port, vars))?).await?;
        roles.push((role, Addresses { rpc: address(&listeners.rpc)?, admin: address(&listeners.admin)? }));
        all.push(listeners);
    }
    let http = listen(read(leadflow_activity_ingest::Config::from_vars(vars))?.http_listen).await?;
    Ok((Listening { roles, http: address(&http)? }, all, http))
}

fn address(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().map_err(|cause| Error::internal("a port without an address").because(cause))
}

/// Brings the tables of a role up to date.
///
/// # Errors
/// When the role is unknown, a setting cannot be used, or the migration fails.
pub async fn migrate(role: &str, vars: &Vars) -> Result<()> {
    match role {
        leadflow_contact::ROLE => leadflow_contact::migrate(&read(leadflow_contact::Config::from_vars(vars))?).await,
        leadflow_scoring::ROLE => leadflow_scoring::migrate(&read(leadflow_scoring::Config::from_vars(vars))?).await,
        leadflow_routing::ROLE => leadflow_routing::migrate(&read(leadflow_routing::Config::from_vars(vars))?).await,
        leadflow_activity_ingest::ROLE => {
            leadflow_activity_ingest::migrate(&read(leadflow_activity_ingest::Config::from_vars(vars))?).await
        }
        other => Err(unknown_role(other)),
    }
}

/// Runs one role until shutdown.
///
/// # Errors
/// When the role is unknown, a setting cannot be used, or the role fails.
pub async fn serve(role: &str, vars: &Vars, shutdown: CancellationToken) -> Result<()> {
    let clock = Clock::system();
    let port = ROLES.iter().find(|(name, _)| *name == role).map(|(_, port)| *port).ok_or_else(|| unknown_role(role))?;
    let listeners = Listeners::open(read(Addresses::from_vars(role, port, vars))?).await?;
    match role {
        leadflow_contact::ROLE => {
            read(leadflow_contact::Config::from_vars(vars))?.build(clock).await?.run(listeners, shutdown).await
        }
        leadflow_scoring::ROLE => {
            read(leadflow_scoring::Config::from_vars(vars))?.build(clock).await?.run(listeners, shutdown).await
        }
        leadflow_routing::ROLE => {
            read(leadflow_routing::Config::from_vars(vars))?.build(clock).await?.run(listeners, shutdown).await
        }
        _ => {
            let config = read(leadflow_activity_ingest::Config::from_vars(vars))?;
            let http = listen(config.http_listen).await?;
            config.build(clock).await?.run(listeners, http, shutdown).await
        }
    }
}

fn unknown_role(role: &str) -> Error {
    let known: Vec<_> = ROLES.iter().map(|(name, _)| *name).collect();
    Error::invalid("role", format!("`{role}` is none: use {}", known.join(", ")))
}

/// The settings of [`Suite`] that make every port a free one.
pub fn free_ports() -> Vars {
    let any = "127.0.0.1:0";
    let keys = ROLES.iter().flat_map(|(role, _)| [variable(role, "LISTEN"), variable(role, "ADMIN_LISTEN")]);
    keys.map(|key| (key, any.to_owned())).collect::<Vars>().with("LEADFLOW_ACTIVITY_INGEST_HTTP_LISTEN", any)
}

fn read<T>(setting: Result<T, leadflow_platform::vars::Error>) -> Result<T> {
    setting.map_err(|error| Error::precondition("SETTING", error.to_string()))
}
