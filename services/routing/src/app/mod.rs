//! The use cases of routing, one transaction each.
//!
//! Locks are taken in one order: leads by id, then pools and reps. Whoever changes a lead's assignment holds the lead.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use leadflow_platform::{Result, clock::Clock, db::Database};
use sea_orm::ConnectionTrait;
use tokio::sync::{Notify, RwLock};

use crate::{
    domain::decision::Rules,
    error,
    metrics::Metrics,
    store::{configurations, hand_overs},
};

mod answer;
mod configure;
mod decide;
pub(crate) mod digest;
mod drain;
mod follow;
mod query;

pub(crate) use {
    crate::store::assignments::Filter as AssignmentFilter, decide::NamedHandOver, follow::News, query::PoolStatus,
};

/// What the use cases work with.
#[derive(Clone, Debug)]
pub(crate) struct App {
    database: Database,
    pub(crate) clock: Clock,
    metrics: Metrics,
    hold_deadline: Duration,
    rulebook: Rulebook,
    /// Rung when somebody may have become eligible.
    bell: Arc<Notify>,
}

impl App {
    pub(crate) fn new(database: Database, clock: Clock, metrics: Metrics, hold_deadline: Duration) -> Self {
        let (rulebook, bell) = (Rulebook::default(), Arc::new(Notify::new()));
        Self { database, clock, metrics, hold_deadline, rulebook, bell }
    }

    /// Refreshes the gauges.
    pub(crate) async fn measure(&self) -> Result<()> {
        let (counts, oldest) = hand_overs::count_held(self.database.reader()).await?;
        let age = oldest.map_or(0, |oldest| self.now().as_millisecond() - oldest);
        self.metrics.held(&counts, age as f64 / 1000.0);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn rules(&self, connection: &impl ConnectionTrait) -> Result<Arc<Rules>> {
        self.rulebook.newest(connection).await
    }
}

/// The newest configuration, compiled. Whether there is a newer one is asked each time, which is cheap; compiling is not.
#[derive(Clone, Debug, Default)]
struct Rulebook(Arc<RwLock<Option<Arc<Rules>>>>);

impl Rulebook {
    async fn newest(&self, connection: &impl ConnectionTrait) -> Result<Arc<Rules>> {
        let version = configurations::newest_version(connection).await?;
        if let Some(rules) = self.0.read().await.as_ref().filter(|rules| rules.version == version) {
            return Ok(rules.clone());
        }
        let (version, configuration) = configurations::newest(connection).await?;
        let rules = Rules::compile(version, configuration)
            .map_err(|problems| error::unusable_configuration(version, &problems))?;
        let rules = Arc::new(rules);
        *self.0.write().await = Some(rules.clone());
        Ok(rules)
    }
}
