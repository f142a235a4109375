//! The settings of contact.

use leadflow_platform::{
    config::{ServiceConfig, url},
    secret::SecretKey,
    vars::{Error, Vars},
};

use crate::{PORT, ROLE};

/// The settings of contact.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every role has.
    pub service: ServiceConfig,
    /// Who announces what activities say about contacting people.
    pub activity_ingest_url: String,
    /// Of the hashes by which those who were erased are known again.
    pub suppression_key: SecretKey,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one cannot be used; the error names it.
    pub fn from_vars(vars: &Vars) -> Result<Self, Error> {
        Ok(Self {
            service: ServiceConfig::from_vars(ROLE, vars)?,
            activity_ingest_url: url("activity-ingest", 7102, vars),
            suppression_key: SecretKey::from_vars(ROLE, PORT, "SUPPRESSION_KEY", vars)?,
        })
    }
}
