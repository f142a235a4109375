//! What others may have missed of the ledger, announced again.

use async_trait::async_trait;
use leadflow_platform::{
    Result,
    clock::Clock,
    db::{Database, Tx},
    digest::{Facts, Producer},
    outbox,
};
use prost::Message as _;
use uuid::Uuid;

use super::announce::{self, REATTRIBUTED};
use crate::{store, wire};

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
        let activities = store::announced::get(tx, &ids).await?;
        let event =
            |(activity, party)| (REATTRIBUTED.to_owned(), wire::reattributed(&activity, &party).encode_to_vec());
        outbox::announce_all(tx, activities.into_iter().map(event).collect(), self.clock.now()).await
    }
}
