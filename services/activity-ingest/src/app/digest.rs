//! What others may have missed of the ledger, announced again.

use async_trait::async_trait;
use leadflow_platform::{
    Result,
    clock::Clock,
    db::{Database, Tx},
    digest::{Facts, Producer},
};
use uuid::Uuid;

use super::announce;
use crate::store;

/// The identified activities.
#[derive(Clone, Debug)]
pub(crate) struct Activities {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
}

#[async_trait]
impl Producer for Activities {
    fn kind(&self) -> &'static str {
        "activities"
    }

    fn facts(&self) -> Facts {
        store::announced::facts()
    }

    async fn settled_millis(&self) -> Result<u64> {
        store::announced::settled_millis(self.database.reader()).await
    }

    async fn announce_again(&self, tx: &Tx, ids: Vec<Uuid>) -> Result<()> {
        announce::activities(tx, &store::announced::get(tx, &ids).await?, self.clock.now()).await
    }
}

/// What identified activities say about contacting people.
#[derive(Clone, Debug)]
pub(crate) struct Statements {
    pub(crate) clock: Clock,
}

#[async_trait]
impl Producer for Statements {
    fn kind(&self) -> &'static str {
        "consents"
    }

    fn facts(&self) -> Facts {
        store::statements::facts()
    }

    async fn announce_again(&self, tx: &Tx, ids: Vec<Uuid>) -> Result<()> {
        announce::statements(tx, &store::announced::get(tx, &ids).await?, self.clock.now()).await
    }
}

/// Those that were moved to another account.
#[derive(Clone, Debug)]
pub(crate) struct Reattributions {
    pub(crate) clock: Clock,
}

#[async_trait]
impl Producer for Reattributions {
    fn kind(&self) -> &'static str {
        "reattributions"
    }

    fn facts(&self) -> Facts {
        store::announced::reattributed()
    }

    async fn announce_again(&self, tx: &Tx, ids: Vec<Uuid>) -> Result<()> {
        announce::reattributions(tx, &store::announced::get(tx, &ids).await?, self.clock.now()).await
    }
}
