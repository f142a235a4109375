//! The use cases of scoring, one transaction each.

use std::{collections::BTreeMap, sync::Arc};

use leadflow_platform::{
    Error, Result,
    clock::Clock,
    db::{Database, Tx},
};
use tokio::sync::RwLock;
use uuid::Uuid;

use self::memory::{Memory, Remembered};
use crate::{
    domain::{Categories, CompiledModel, lead::Lead},
    metrics::Metrics,
    store::{accounts::Account, models},
};

pub(crate) mod change;
pub(crate) mod configure;
pub(crate) mod digest;
pub(crate) mod erase;
pub(crate) mod explain;
pub(crate) mod intake;
mod known;
mod memory;
mod origins;
mod outcome;
pub(crate) mod query;
mod reattribution;
mod rescore;
pub(crate) mod sweep;

/// What the use cases work with.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    models: Models,
    memory: Memory,
}

/// A lead as it is shown: at the account that counts for its own, with that one's name.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct NamedLead {
    pub(crate) lead: Lead,
    pub(crate) account_name: String,
}

impl NamedLead {
    fn of(lead: Lead, accounts: &BTreeMap<Uuid, Account>) -> Self {
        let account_id = accounts.get(&lead.account_id).map_or(lead.account_id, |account| account.survivor_id);
        let account_name = accounts.get(&account_id).map(|account| account.name.clone()).unwrap_or_default();
        Self { lead: Lead { account_id, ..lead }, account_name }
    }
}

impl App {
    pub(crate) fn new(database: Database, clock: Clock, metrics: Metrics) -> Self {
        Self { database, clock, metrics, models: Models::default(), memory: Memory::default() }
    }

    /// Scores in a transaction, and remembers after it what `work` says that is held of accounts then.
    async fn score<F, Fut>(&self, work: F) -> Result<()>
    where
        F: FnOnce(Self, Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Vec<Remembered>>> + Send,
    {
        let app = self.clone();
        let held = self.database.write(move |tx| work(app, tx)).await?;
        self.memory.keep(held);
        Ok(())
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}

/// The newest model, compiled. Whether there is a newer one is asked each time, which is cheap; compiling is not.
#[derive(Clone, Debug, Default)]
struct Models(Arc<RwLock<Option<Cached>>>);

#[derive(Clone, Debug)]
struct Cached {
    number: i64,
    categories: Vec<models::Category>,
    model: Arc<CompiledModel>,
}

impl Models {
    /// The model that is published now; none before the first.
    async fn newest(&self, connection: &impl sea_orm::ConnectionTrait) -> Result<Option<Arc<CompiledModel>>> {
        let Some(number) = models::newest_number(connection).await? else { return Ok(None) };
        let categories = models::categories(connection).await?;
        if let Some(cached) = self.0.read().await.as_ref()
            && cached.number == number
            && cached.categories == categories
        {
            return Ok(Some(cached.model.clone()));
        }
        let version = models::published(connection, None)
            .await?
            .ok_or_else(|| Error::internal("a model version without a model"))?;
        let model = Arc::new(CompiledModel::compile(version.number, version.model, tree(&categories))?);
        *self.0.write().await = Some(Cached { number, categories, model: model.clone() });
        Ok(Some(model))
    }
}

fn tree(categories: &[models::Category]) -> Categories {
    Categories::new(categories.iter().map(|category| (category.name.clone(), category.parent.clone())))
}
