//! The settings of scoring.

use std::time::Duration;

use leadflow_platform::{
    config::ServiceConfig,
    vars::{Error, Vars},
};

use crate::ROLE;

/// The settings of scoring.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every role has.
    pub service: ServiceConfig,
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
            sweep_interval: vars.duration("LEADFLOW_SCORING_SWEEP_INTERVAL", Duration::from_secs(5))?,
        })
    }
}
