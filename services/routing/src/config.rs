//! The settings of routing.

use std::time::Duration;

use leadflow_platform::{
    config::{ServiceConfig, url},
    vars::{Error, Vars},
};

use crate::ROLE;

const HOLD_DEADLINE: &str = "LEADFLOW_ROUTING_HOLD_DEADLINE";
const DRAIN_INTERVAL: &str = "LEADFLOW_ROUTING_DRAIN_INTERVAL";

/// The settings of routing.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every role has.
    pub service: ServiceConfig,
    /// Who announces leads.
    pub scoring_url: String,
    /// By when somebody has to act on a held lead.
    pub hold_deadline: Duration,
    /// How often a rep is looked for again for what is held.
    pub drain_interval: Duration,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one cannot be used; the error names it.
    pub fn from_vars(vars: &Vars) -> Result<Self, Error> {
        let drain_interval = vars.duration(DRAIN_INTERVAL, Duration::from_secs(10))?;
        if drain_interval.is_zero() {
            return Err(Error::new(DRAIN_INTERVAL, "must be longer than zero"));
        }
        let hold_deadline = vars.duration(HOLD_DEADLINE, Duration::from_secs(4 * 3600))?;
        if hold_deadline > Duration::from_secs(366 * 86_400) {
            return Err(Error::new(HOLD_DEADLINE, "must be at most a year"));
        }
        let (service, scoring_url) = (ServiceConfig::from_vars(ROLE, vars)?, url("scoring", 7103, vars));
        Ok(Self { service, scoring_url, hold_deadline, drain_interval })
    }
}
