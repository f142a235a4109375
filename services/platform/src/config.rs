//! What all services are configured with.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use crate::{
    auth::{Auth, Credentials},
    bus, db, trace,
    vars::{Error, Vars},
};

const RECONCILE_INTERVAL: &str = "LEADFLOW_RECONCILE_INTERVAL";

/// The settings that every role has.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// Where the role keeps its data.
    pub database: db::Config,
    /// The NATS server.
    pub nats: bus::Config,
    /// Who may call.
    pub auth: Auth,
    /// How the role shows itself to the others.
    pub credentials: Credentials,
    /// Where its spans go.
    pub traces: trace::Config,
    /// How often it compares what it holds with what others have announced.
    pub reconcile_interval: Duration,
}

impl ServiceConfig {
    /// Reads the settings of `role`, for example `activity-ingest`: `LEADFLOW_ACTIVITY_INGEST_DATABASE_URL` and the
    /// shared `LEADFLOW_NATS_*`, `LEADFLOW_AUTH_*`, `LEADFLOW_DATA_DIR`, `LEADFLOW_RECONCILE_INTERVAL`, `OTEL_*`.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn from_vars(role: &str, vars: &Vars) -> Result<Self, Error> {
        let reconcile_interval = vars.duration(RECONCILE_INTERVAL, Duration::from_secs(600))?;
        if reconcile_interval.is_zero() {
            return Err(Error::new(RECONCILE_INTERVAL, "must be longer than zero"));
        }
        Ok(Self {
            database: db::Config::from_vars(role, vars)?,
            nats: bus::Config::from_vars(vars)?,
            auth: Auth::from_vars(vars)?,
            credentials: Credentials::from_vars(role, vars)?,
            traces: trace::Config::from_vars(vars)?,
            reconcile_interval,
        })
    }
}

/// The listening addresses of one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// gRPC.
    pub rpc: SocketAddr,
    /// Health and metrics, plain.
    pub admin: SocketAddr,
}

impl Addresses {
    /// Reads `LEADFLOW_<ROLE>_LISTEN` and `LEADFLOW_<ROLE>_ADMIN_LISTEN`; by default loopback, `port` and `port` + 1000.
    ///
    /// # Errors
    /// When an address cannot be read, or is not loopback while nobody is asked for a token.
    pub fn from_vars(role: &str, port: u16, vars: &Vars) -> Result<Self, Error> {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let key = variable(role, "LISTEN");
        let rpc = vars.parsed(&key, loopback(port))?;
        if !rpc.ip().is_loopback() && !Auth::from_vars(vars)?.asks_for_tokens() {
            return Err(Error::new(
                key,
                format!("`{rpc}` can be reached from outside: set LEADFLOW_AUTH_JWKS_FILE, or listen on loopback"),
            ));
        }
        Ok(Self { rpc, admin: vars.parsed(&variable(role, "ADMIN_LISTEN"), loopback(port + 1000))? })
    }
}

/// The name of a role's own variable: `variable("activity-ingest", "LISTEN")` is `LEADFLOW_ACTIVITY_INGEST_LISTEN`.
pub fn variable(role: &str, key: &str) -> String {
    format!("LEADFLOW_{}_{key}", role.to_uppercase().replace('-', "_"))
}

/// Where a role is called: its `LEADFLOW_<ROLE>_URL`, or `port` on this machine.
pub fn url(role: &str, port: u16, vars: &Vars) -> String {
    vars.get(&variable(role, "URL")).map_or_else(|| format!("http://127.0.0.1:{port}"), str::to_owned)
}

/// The folder for the embedded defaults: `LEADFLOW_DATA_DIR`, or `data`.
pub fn data_dir(vars: &Vars) -> PathBuf {
    vars.get("LEADFLOW_DATA_DIR").unwrap_or("data").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_to_the_world_without_tokens_is_refused() {
        let vars = Vars::from_iter([("LEADFLOW_CONTACT_LISTEN", "0.0.0.0:7101")]);
        let error = Addresses::from_vars("contact", 7101, &vars).unwrap_err().to_string();
        assert!(error.starts_with("LEADFLOW_CONTACT_LISTEN: "), "{error}");
    }

    #[test]
    fn with_nothing_set_a_role_listens_on_loopback() {
        let addresses = Addresses::from_vars("contact", 7101, &Vars::default()).unwrap();
        assert_eq!(addresses.rpc, "127.0.0.1:7101".parse().unwrap());
        assert_eq!(addresses.admin, "127.0.0.1:8101".parse().unwrap());
    }
}
