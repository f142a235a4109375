//! The registered sources and product categories, kept at hand.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use leadflow_platform::{Result, db::Database};
use tokio::{sync::Mutex, time::Instant};

use crate::{domain::catalogue::Catalogue, store};

/// How long a change that was made through another replica may stay unseen here.
const MAX_AGE: Duration = Duration::from_secs(5);

/// A copy of what is registered, at most five seconds old.
#[derive(Clone, Debug)]
pub(crate) struct CatalogueCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Database,
    copy: RwLock<Option<Copy>>,
    /// Held while the copy is made, so that many who miss something ask once.
    loading: Mutex<()>,
}

#[derive(Clone, Debug)]
struct Copy {
    /// Before the first table was read.
    begin: Instant,
    catalogue: Arc<Catalogue>,
}

impl CatalogueCache {
    /// An empty copy, filled at the first question.
    pub(crate) fn new(database: Database) -> Self {
        Self(Arc::new(Inner { database, copy: RwLock::default(), loading: Mutex::default() }))
    }

    /// What is registered, as of the last five seconds.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn get(&self) -> Result<Arc<Catalogue>> {
        match self.copy() {
            Some(copy) if copy.begin.elapsed() < MAX_AGE => Ok(copy.catalogue),
            _ => self.reload(Instant::now()).await,
        }
    }

    /// What is registered, read after `since`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn reload(&self, since: Instant) -> Result<Arc<Catalogue>> {
        let _one_at_a_time = self.0.loading.lock().await;
        if let Some(copy) = self.copy().filter(|copy| copy.begin >= since) {
            return Ok(copy.catalogue);
        }
        let begin = Instant::now();
        let catalogue = Arc::new(store::catalogue::load(self.0.database.reader()).await?);
        let copy = Copy { begin, catalogue: catalogue.clone() };
        *self.0.copy.write().unwrap_or_else(PoisonError::into_inner) = Some(copy);
        Ok(catalogue)
    }

    fn copy(&self) -> Option<Copy> {
        self.0.copy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
