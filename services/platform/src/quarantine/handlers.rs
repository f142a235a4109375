//! How a role's consumers handle what comes: what was set aside goes the same way again.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use futures::future::BoxFuture;

use crate::{
    bus::Delivery,
    error::{Error, Result},
};

/// Handles a batch of events.
pub type Handler = Arc<dyn Fn(Vec<Delivery>) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// The handlers of a role, by the durable name of the consumer.
#[derive(Clone, Default)]
pub(crate) struct Handlers(Arc<Mutex<BTreeMap<&'static str, Handler>>>);

impl Handlers {
    /// Adds one.
    pub(crate) fn add(&self, durable: &'static str, handler: Handler) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(durable, handler);
    }

    /// The one of this consumer.
    ///
    /// # Errors
    /// `FAILED_PRECONDITION` when the role has none.
    pub(super) fn of(&self, durable: &str) -> Result<Handler> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(durable).cloned();
        found.ok_or_else(|| {
            let message = format!("this version of the role has no consumer `{durable}`: discard the event");
            Error::precondition("NO_SUCH_CONSUMER", message)
        })
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handlers")
    }
}
