//! What scoring may have missed of accounts and contacts, announced again.

use async_trait::async_trait;
use leadflow_platform::{
    Result,
    db::Tx,
    digest::{Facts, Producer},
};
use uuid::Uuid;

use super::App;
use crate::store::{accounts, contacts};

/// All accounts, in their present revisions.
#[derive(Clone, Debug)]
pub(crate) struct Accounts(pub(crate) App);

#[async_trait]
impl Producer for Accounts {
    fn kind(&self) -> &'static str {
        "accounts"
    }

    fn facts(&self) -> Facts {
        accounts::facts()
    }

    async fn announce_again(&self, tx: &Tx, ids: Vec<Uuid>) -> Result<()> {
        self.0.announce(tx, accounts::lock(tx, ids.into_iter().collect()).await?.values(), []).await
    }
}

/// All contacts, in their present revisions.
#[derive(Clone, Debug)]
pub(crate) struct Contacts(pub(crate) App);

#[async_trait]
impl Producer for Contacts {
    fn kind(&self) -> &'static str {
        "contacts"
    }

    fn facts(&self) -> Facts {
        contacts::facts()
    }

    async fn announce_again(&self, tx: &Tx, ids: Vec<Uuid>) -> Result<()> {
        self.0.announce(tx, [], contacts::lock(tx, &ids).await?.values()).await
    }
}
