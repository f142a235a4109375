//! What this service is configured with.

use std::net::SocketAddr;

use leadflow_platform::{
    config::{ServiceConfig, url, variable},
    vars::{Error, Vars},
};

use crate::ROLE;

/// The settings of activity-ingest.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every role has.
    pub service: ServiceConfig,
    /// The contact service.
    pub contact_url: String,
    /// Where the HTTP edge listens.
    pub http_listen: SocketAddr,
}

impl Config {
    /// Reads what every role has, `LEADFLOW_CONTACT_URL` and `LEADFLOW_ACTIVITY_INGEST_HTTP_LISTEN`. The edge asks
    /// nobody for a login, so it listens to the world only with `LEADFLOW_ACTIVITY_INGEST_HTTP_PUBLIC=true`.
    ///
    /// # Errors
    /// When a setting cannot be used; the error names it.
    pub fn from_vars(vars: &Vars) -> Result<Self, Error> {
        let key = variable(ROLE, "HTTP_LISTEN");
        let http_listen = vars.parsed(&key, SocketAddr::from(([127, 0, 0, 1], 7180)))?;
        let public_key = variable(ROLE, "HTTP_PUBLIC");
        if !http_listen.ip().is_loopback() && !vars.parsed(&public_key, false)? {
            let problem = format!("`{http_listen}` takes forms from anybody: set {public_key}=true, or use loopback");
            return Err(Error::new(key, problem));
        }
        Ok(Self {
            service: ServiceConfig::from_vars(ROLE, vars)?,
            contact_url: url("contact", 7101, vars),
            http_listen,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_nothing_set_the_edge_listens_on_loopback() {
        let config = Config::from_vars(&Vars::default()).unwrap();
        assert_eq!(config.http_listen, "127.0.0.1:7180".parse().unwrap());
        assert_eq!(config.contact_url, "http://127.0.0.1:7101");
    }

    #[test]
    fn forms_from_the_world_are_taken_only_on_purpose() {
        let vars = Vars::from_iter([("LEADFLOW_ACTIVITY_INGEST_HTTP_LISTEN", "0.0.0.0:7180")]);
        let error = Config::from_vars(&vars).unwrap_err().to_string();
        assert!(error.starts_with("LEADFLOW_ACTIVITY_INGEST_HTTP_LISTEN: "), "{error}");
        Config::from_vars(&vars.with("LEADFLOW_ACTIVITY_INGEST_HTTP_PUBLIC", "true")).unwrap();
    }
}
