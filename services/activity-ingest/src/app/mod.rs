//! The use cases.

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    auth::Principal,
    clock::Clock,
    db::Database,
    page::Page,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    app::{catalogue::CatalogueCache, ledger::Ledger},
    domain::{
        activity::{Activity, Draft},
        check::check,
        configuration::{Change, Configuration, plan},
        form,
        source::Source,
    },
    error,
    metrics::{Door, Instruments},
    store::{self, activities::Filter},
};

pub(crate) mod catalogue;
pub(crate) mod identifier;
pub(crate) mod ledger;

/// What became of an activity that may enter the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// Its own, or for a repetition that of the first.
    pub(crate) activity_id: Uuid,
    /// It was there before.
    pub(crate) duplicate: bool,
    /// It came without an id of its own.
    pub(crate) derived: bool,
    /// It was there before, with another content.
    pub(crate) conflicting: bool,
}

/// What the doors may ask for.
#[derive(Clone, Debug)]
pub(crate) struct App {
    database: Database,
    clock: Clock,
    catalogue: CatalogueCache,
    ledger: Ledger,
    metrics: Instruments,
}

impl App {
    /// The use cases over this database and this ledger.
    pub(crate) fn new(database: Database, clock: Clock, ledger: Ledger, metrics: Instruments) -> Self {
        Self { catalogue: CatalogueCache::new(database.clone()), database, clock, ledger, metrics }
    }

    /// Takes activities into the ledger, and returns after they are committed. Each has a result of its own.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` or `UNAVAILABLE` for all of them; then none may be in the ledger, or all.
    pub(crate) async fn record(
        &self,
        drafts: Vec<Result<Draft>>,
        principal: &Principal,
        door: Door,
    ) -> Result<Vec<Result<Recorded>>> {
        self.metrics.received(door, drafts.len());
        let count = drafts.len();
        let results = self.check_and_write(drafts, principal).await;
        match &results {
            Ok(results) => results.iter().for_each(|result| self.metrics.answered(door, result)),
            Err(error) => self.metrics.rejected(door, error, count),
        }
        results
    }

    /// Takes what a form of this source says into the ledger, as [`App::record`] does; with the address that the
    /// source sends people to, or an empty one.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` in the words of the form, and as [`App::record`].
    pub(crate) async fn record_form(&self, source: &str, fields: Vec<(String, String)>) -> Result<(Recorded, String)> {
        let registered = self.source(source).await;
        let redirect_url = registered.as_ref().map(|source| source.redirect_url.clone()).unwrap_or_default();
        let draft = registered.and_then(|source| form::draft(&source, fields));
        let principal = Principal::new(format!("form:{source}"));
        let results = self.record(vec![draft], &principal, Door::Form).await?;
        let result = results.into_iter().next().unwrap_or_else(|| Err(error::stopping()));
        result.map(|recorded| (recorded, redirect_url)).map_err(form::in_form_words)
    }

    /// Counts a form that could not even be read.
    pub(crate) fn refused_form(&self, error: &Error) {
        self.metrics.received(Door::Form, 1);
        self.metrics.rejected(Door::Form, error, 1);
    }

    async fn source(&self, name: &str) -> Result<Source> {
        let begin = Instant::now();
        let known = self.catalogue.get().await?.sources.get(name).cloned();
        let source = match known {
            Some(source) => Some(source),
            None => self.catalogue.reload(begin).await?.sources.get(name).cloned(),
        };
        source.ok_or_else(|| error::unknown_source(name))
    }

    async fn check_and_write(
        &self,
        drafts: Vec<Result<Draft>>,
        principal: &Principal,
    ) -> Result<Vec<Result<Recorded>>> {
        let begin = Instant::now();
        let mut catalogue = self.catalogue.get().await?;
        if !drafts.iter().flatten().all(|draft| catalogue.knows(draft)) {
            // It may have been registered through another replica a moment ago.
            catalogue = self.catalogue.reload(begin).await?;
        }
        let now = self.clock.now();
        let mut entries = Vec::with_capacity(drafts.len());
        let mut keep = |draft: Result<Draft>| -> Result<()> {
            entries.push(check(draft?, &catalogue, now)?);
            Ok(())
        };
        let checked: Vec<_> = drafts.into_iter().map(&mut keep).collect();
        let mut recorded = self.ledger.write(entries, principal.as_str()).await?.into_iter();
        Ok(checked
            .into_iter()
            .map(|checked| checked.and_then(|()| recorded.next().ok_or_else(error::stopping)))
            .collect())
    }

    /// One activity.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub(crate) async fn activity(&self, activity_id: Uuid) -> Result<Activity> {
        store::activities::get(self.database.reader(), activity_id)
            .await?
            .ok_or_else(|| Error::not_found("activity", activity_id))
    }

    /// A page of activities, and the token of the next.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn activities(&self, filter: &Filter, page: &Page<Uuid>) -> Result<(Vec<Activity>, String)> {
        let after = page.after().copied();
        let rows = store::activities::list(self.database.reader(), filter, after, page.limit()).await?;
        Ok(page.finish(rows, |activity| activity.activity_id))
    }

    /// A page of sources, and the token of the next.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn sources(&self, page: &Page<String>) -> Result<(Vec<Source>, String)> {
        let rows = store::catalogue::list_sources(self.database.reader(), page.after(), page.limit()).await?;
        Ok(page.finish(rows, |source| source.name.clone()))
    }

    /// Makes sources and product categories be as wanted, or only says what would change.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` that names all fields at fault; then nothing is written.
    pub(crate) async fn apply(
        &self,
        wanted: Configuration,
        validate_only: bool,
        principal: Principal,
    ) -> Result<Vec<Change>> {
        if validate_only {
            let present = store::catalogue::load(self.database.reader()).await?;
            return Ok(plan(&present, wanted)?.changes);
        }
        let mutation = Mutation::new(principal, "ApplyConfiguration", "configuration", self.clock.now());
        let changes = mutate(&self.database, mutation, |tx| async move {
            store::catalogue::lock(&tx).await?;
            let mut plan = plan(&store::catalogue::load(&*tx).await?, wanted)?;
            let changes = std::mem::take(&mut plan.changes);
            store::catalogue::write(&tx, plan).await?;
            Ok(changes)
        })
        .await?;
        if let Err(error) = self.catalogue.reload(Instant::now()).await {
            tracing::warn!(%error, "the new configuration is seen in a few seconds");
        }
        Ok(changes)
    }
}
