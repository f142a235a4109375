//! What this service is configured with.

use std::net::SocketAddr;

use leadflow_platform::{
    config::{ServiceConfig, url, variable},
    secret::SecretKey,
    vars::{Error, Vars},
};

use crate::{PORT, ROLE, domain::configuration::is_web_address};

/// The settings of activity-ingest.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every role has.
    pub service: ServiceConfig,
    /// The contact service.
    pub contact_url: String,
    /// Where the HTTP edge listens.
    pub http_listen: SocketAddr,
    /// Where people reach the edge, when that is not where it listens: links in messages lead there.
    pub http_url: Option<String>,
    /// Signs those links.
    pub link_key: SecretKey,
    /// Have signed links that are still about.
    pub former_link_keys: Vec<SecretKey>,
}

impl Config {
    /// Reads what every role has, `LEADFLOW_CONTACT_URL`, and `LEADFLOW_ACTIVITY_INGEST_*` for the edge and the links to it.
    /// The edge asks nobody for a login, so it listens to the world only with `…_HTTP_PUBLIC=true`; and then it has to be
    /// said under which address the world reaches it.
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
        let url_key = variable(ROLE, "HTTP_URL");
        let http_url = vars.get(&url_key).map(str::to_owned);
        let example = "such as `https://go.example.com`: links in messages to people lead there";
        match &http_url {
            None if !http_listen.ip().is_loopback() => {
                return Err(Error::new(url_key, format!("is not set: give the address of the edge, {example}")));
            }
            Some(url) if !is_web_address(url) || url.contains(['?', '#']) => {
                return Err(Error::new(url_key, format!("`{url}` is no address, {example}")));
            }
            _ => {}
        }
        Ok(Self {
            service: ServiceConfig::from_vars(ROLE, vars)?,
            contact_url: url("contact", 7101, vars),
            http_listen,
            http_url,
            link_key: SecretKey::from_vars(ROLE, PORT, "LINK_KEY", vars)?,
            former_link_keys: SecretKey::several(ROLE, "FORMER_LINK_KEYS", vars)?,
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
        let public = vars.with("LEADFLOW_ACTIVITY_INGEST_HTTP_PUBLIC", "true");
        let error = Config::from_vars(&public).unwrap_err().to_string();
        assert!(error.starts_with("LEADFLOW_ACTIVITY_INGEST_HTTP_URL: "), "links have to lead somewhere: {error}");
        Config::from_vars(&public.with("LEADFLOW_ACTIVITY_INGEST_HTTP_URL", "https://go.example.com")).unwrap();
    }

    #[test]
    fn links_lead_to_an_address_and_to_nothing_else() {
        for url in ["go.example.com", "ftp://go.example.com", "https://go.example.com/?to=x"] {
            let vars = Vars::from_iter([("LEADFLOW_ACTIVITY_INGEST_HTTP_URL", url)]);
            let error = Config::from_vars(&vars).unwrap_err().to_string();
            assert!(error.starts_with("LEADFLOW_ACTIVITY_INGEST_HTTP_URL: "), "{error}");
        }
    }
}
