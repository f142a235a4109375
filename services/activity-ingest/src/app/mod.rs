//! The use cases.

use jiff::Timestamp;
use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    auth::Principal,
    clock::Clock,
    db::Database,
    page::Page,
    trace::{self, SpanKind},
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    app::{
        catalogue::CatalogueCache,
        ledger::{Group, Ledger, Written},
    },
    contact::Contact,
    domain::{
        activity::{Activity, Entry},
        catalogue::Catalogue,
        check::admit,
        configuration::{Change, Configuration, plan},
        door::Door,
        form,
        link::Links,
        quarantine::{Incoming, Kept, Place},
        source::Source,
    },
    error,
    metrics::Instruments,
    store::{
        self,
        activities::{Filter, Of},
    },
    wire,
};

mod announce;
pub(crate) mod catalogue;
mod decide;
pub(crate) mod digest;
pub(crate) mod erase;
pub(crate) mod handed;
pub(crate) mod identifier;
pub(crate) mod ledger;
pub(crate) mod link;
mod planted;
mod quarantine;
pub(crate) mod recogniser;
pub(crate) mod webhook;

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

/// What became of one item that came through a door.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is in the ledger.
    Recorded(Recorded),
    /// It is kept under this id, and why it is not in the ledger.
    Quarantined(Uuid, Error),
    /// It is nowhere: the sender has to mend it.
    Rejected(Error),
}

/// What the doors may ask for.
#[derive(Clone, Debug)]
pub(crate) struct App {
    database: Database,
    clock: Clock,
    catalogue: CatalogueCache,
    ledger: Ledger,
    contact: Contact,
    links: Links,
    metrics: Instruments,
}

impl App {
    /// The use cases over this database and this ledger.
    pub(crate) fn new(
        database: Database,
        clock: Clock,
        ledger: Ledger,
        contact: Contact,
        links: Links,
        metrics: Instruments,
    ) -> Self {
        Self { catalogue: CatalogueCache::new(database.clone()), database, clock, ledger, contact, links, metrics }
    }

    /// A mutation that `principal` asks for now.
    pub(crate) fn mutation(&self, principal: Principal, method: &'static str, of: impl ToString) -> Mutation {
        Mutation::new(principal, method, of.to_string(), self.clock.now())
    }

    /// Takes activities into the ledger, and what a one-way door lets in and cannot be recorded into the quarantine;
    /// returns after both are committed. Each item has an outcome of its own.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` or `UNAVAILABLE` for all of them; then none may be written, or all.
    pub(crate) async fn record(
        &self,
        incoming: Vec<Incoming>,
        principal: &Principal,
        door: Door,
    ) -> Result<Vec<Outcome>> {
        self.metrics.received(door, incoming.len());
        let count = incoming.len();
        let outcomes = self.check_and_write(incoming, principal, door).await;
        match &outcomes {
            Ok(outcomes) => outcomes.iter().for_each(|outcome| self.metrics.answered(door, outcome)),
            Err(error) => self.metrics.rejected(door, error, count),
        }
        outcomes
    }

    /// Takes one item by itself. What our own fault keeps out of the ledger is kept, to be replayed when that is mended.
    ///
    /// # Errors
    /// As [`App::record`].
    pub(crate) async fn record_or_keep(
        &self,
        incoming: Incoming,
        principal: &Principal,
        door: Door,
    ) -> Result<Vec<Outcome>> {
        let draft = incoming.as_ref().ok().cloned();
        match (self.record(vec![incoming], principal, door).await, draft) {
            (Err(error), Some(draft)) if !error.is_transient() => {
                error.log();
                self.record(vec![Err(Box::new(wire::refused(&draft, error)))], principal, door).await
            }
            (outcomes, _) => outcomes,
        }
    }

    /// Takes what a form of this source says into the ledger, as [`App::record`] does; with the address that the
    /// source sends people to, or an empty one.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` in the words of the form, and as [`App::record`].
    pub(crate) async fn record_form(&self, source: &str, fields: Vec<(String, String)>) -> Result<(Recorded, String)> {
        let registered = self.source(source).await;
        let redirect_url = registered.as_ref().map(|source| source.redirect_url.clone()).unwrap_or_default();
        let draft =
            registered.and_then(|source| form::draft(&source, fields)).inspect_err(|it| self.refused_form(it))?;
        let principal = Principal::new(format!("form:{source}"));
        let outcomes = self.record(vec![Ok(draft)], &principal, Door::Form).await?;
        match outcomes.into_iter().next() {
            Some(Outcome::Recorded(recorded)) => Ok((recorded, redirect_url)),
            Some(Outcome::Rejected(error) | Outcome::Quarantined(_, error)) => Err(form::in_form_words(error)),
            None => Err(error::stopping()),
        }
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
        incoming: Vec<Incoming>,
        principal: &Principal,
        door: Door,
    ) -> Result<Vec<Outcome>> {
        let begin = Instant::now();
        let mut catalogue = self.catalogue.get().await?;
        let unknown = |it: &Incoming| matches!(it, Ok(draft) if !catalogue.knows(draft));
        if incoming.iter().any(unknown) {
            // It may have been registered through another replica a moment ago.
            catalogue = self.catalogue.reload(begin).await?;
        }
        let now = self.clock.now();
        let span = trace::child(SpanKind::Internal, "record activities");
        let mut group = Group { principal: principal.as_str().to_owned(), origin: span.origin(), ..Group::default() };
        // Of each item, why it is refused, if it is.
        let mut errors = Vec::with_capacity(incoming.len());
        for it in incoming {
            errors.push(match examine(it, door, &catalogue, now) {
                Ok(entry) => {
                    group.entries.push(entry);
                    None
                }
                Err(refused) => {
                    let (error, kept) = *refused;
                    group.kept.extend(kept);
                    Some(error)
                }
            });
        }
        let written = span.run(self.ledger.write(group)).await;
        let Written { recorded, kept, .. } = written.inspect_err(|error| span.fail(error.reason()))?;
        let (mut recorded, mut kept) = (recorded.into_iter(), kept.into_iter());
        let outcome = |error: Option<Error>| match error {
            None => recorded.next().map(Outcome::Recorded),
            Some(error) if !door.keeps() => Some(Outcome::Rejected(error)),
            Some(error) => kept.next().map(|place| kept_outcome(place, error)),
        };
        errors.into_iter().map(outcome).collect::<Option<_>>().ok_or_else(error::stopping)
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

    /// A page of activities, and the token of the next. Those of a person or an account are those of all that are one with
    /// it: the ledger keeps the side that the identity belongs to, and only contact knows what was merged.
    ///
    /// # Errors
    /// When the database fails; `UNAVAILABLE` when contact is asked and cannot be reached.
    pub(crate) async fn activities(&self, filter: &Filter, page: &Page<Uuid>) -> Result<(Vec<Activity>, String)> {
        let mut of = Of::default();
        if let Some(id) = filter.account_id {
            of.accounts = Some(self.contact.ids_of_account(id).await?);
        }
        if let Some(id) = filter.contact_id {
            of.contacts = Some(self.contact.ids_of_contact(id).await?);
        }
        let after = page.after().copied();
        let rows = store::activities::list(self.database.reader(), filter, &of, after, page.limit()).await?;
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
        let mutation = self.mutation(principal, "ApplyConfiguration", "configuration");
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

/// What may enter the ledger; or why it may not, and what the door keeps of it.
fn examine(
    incoming: Incoming,
    door: Door,
    catalogue: &Catalogue,
    now: Timestamp,
) -> Result<Entry, Box<(Error, Option<Kept>)>> {
    let refused = match incoming {
        Ok(draft) if !door.keeps() => {
            return admit(draft, door, catalogue, now).map_err(|error| Box::new((error, None)));
        }
        Ok(draft) => match admit(draft.clone(), door, catalogue, now) {
            Ok(entry) => return Ok(entry),
            Err(error) => wire::refused(&draft, error),
        },
        Err(refused) => *refused,
    };
    let kept = door.keeps().then(|| Kept::new(door, &refused));
    Err(Box::new((refused.error, kept)))
}

/// What came before and was replayed since has had its effect.
fn kept_outcome(place: Place, error: Error) -> Outcome {
    match place.replayed_as {
        Some(activity_id) => {
            Outcome::Recorded(Recorded { activity_id, duplicate: true, derived: false, conflicting: false })
        }
        None => Outcome::Quarantined(place.quarantine_id, error),
    }
}
