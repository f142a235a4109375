//! The settings of scoring.

use std::time::Duration;

use leadflow_platform::{
    config::{ServiceConfig, url},
    vars::{Error, Vars},
};

use crate::ROLE;

/// The settings of scoring.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every role has.
    pub service: ServiceConfig,
    /// Who announces activities.
    pub activity_ingest_url: String,
    /// Who announces accounts and contacts.
    pub contact_url: String,
    /// Who announces assignments.
    pub routing_url: String,
    /// How often what is due is looked for.
    pub sweep_interval: Duration,
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
            contact_url: url("contact", 7101, vars),
            routing_url: url("routing", 7104, vars),
            sweep_interval: vars.duration("LEADFLOW_SCORING_SWEEP_INTERVAL", Duration::from_secs(5))?,
        })
    }
}
