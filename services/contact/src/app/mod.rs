//! The use cases of contact, one transaction each.

use std::sync::Arc;

use leadflow_platform::{Result, clock::Clock, db::Database, db::Tx, outbox};

use crate::{
    domain::{Account, Contact, suppression::Suppressor},
    metrics::Metrics,
    wire,
};

pub(crate) mod accounts;
pub(crate) mod configure;
pub(crate) mod consents;
pub(crate) mod contacts;
pub(crate) mod digest;
mod joined;
pub(crate) mod merge;
pub(crate) mod privacy;
pub(crate) mod resolve;
pub(crate) mod reviews;

/// What the use cases work with.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    /// Knows those who were erased.
    pub(crate) suppressor: Suppressor,
}

impl App {
    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Announces accounts and contacts as they are now.
    async fn announce<'a>(
        &self,
        tx: &Tx,
        accounts: impl IntoIterator<Item = &'a Account>,
        contacts: impl IntoIterator<Item = &'a Contact>,
    ) -> Result<()> {
        let accounts =
            accounts.into_iter().map(|account| ("leadflow.account.v1.changed", wire::account_changed(account)));
        let contacts =
            contacts.into_iter().map(|contact| ("leadflow.contact.v1.changed", wire::contact_changed(contact)));
        let messages = accounts.chain(contacts).map(|(subject, message)| (subject.to_owned(), message)).collect();
        outbox::announce_all(tx, messages, self.clock.now()).await
    }
}
