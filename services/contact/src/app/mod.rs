//! The use cases of contact, one transaction each.

use std::{future::Future, sync::Arc};

use leadflow_platform::{Error, Result, clock::Clock, db::Database, db::Tx, outbox};

pub(crate) use self::memory::Memory;
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
mod hierarchy;
pub(crate) mod import;
mod joined;
mod memory;
pub(crate) mod merge;
pub(crate) mod mobile;
pub(crate) mod privacy;
pub(crate) mod profile;
pub(crate) mod resolve;
pub(crate) mod reviews;
pub(crate) mod site_map;

/// What ends a transaction that was only to be tried.
const DRY_RUN: &str = "DRY_RUN";

/// What the use cases work with.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    /// Knows those who were erased.
    pub(crate) suppressor: Suppressor,
    pub(crate) memory: Memory,
}

impl App {
    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Says what `work` would answer. It is the real work, taken back: so it finds what the real one would.
    async fn rehearse<T, F, Fut>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T>> + Send,
    {
        let (send, receive) = std::sync::mpsc::channel();
        let result: Result<()> = self
            .database
            .write(move |tx| async move {
                let answer = work(tx).await?;
                drop(send.send(answer));
                Err(Error::precondition(DRY_RUN, "taken back"))
            })
            .await;
        match (receive.try_recv(), result) {
            (Ok(answer), _) => Ok(answer),
            (Err(_), Err(error)) => Err(error),
            (Err(_), Ok(())) => Err(Error::internal("a rehearsal without an answer")),
        }
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
