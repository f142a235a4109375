//! Forgetting a person: what they have done is taken out of the set, and nothing of them is kept.

use std::collections::HashSet;

use leadflow_platform::{Result, bus::Bus, clock::Clock, db::Database, outbox, quarantine, tombstones};
use leadflow_proto::activity::v1::{ActivityReattributed, ActivityRecorded, ConsentRecorded};
use prost::Message as _;
use uuid::Uuid;

use crate::{
    STREAM,
    contact::Contact,
    domain::{erasure::Person, quarantine::Content},
    store::erasure,
    wire,
};

/// A person who is to be forgotten.
#[derive(Clone, Debug)]
pub(crate) struct Erased {
    pub(crate) erasure_id: Uuid,
    pub(crate) contact_ids: Vec<Uuid>,
}

/// Forgets persons.
#[derive(Clone, Debug)]
pub(crate) struct Eraser {
    pub(crate) database: Database,
    pub(crate) bus: Bus,
    pub(crate) contact: Contact,
    pub(crate) clock: Clock,
}

impl Eraser {
    /// Forgets these persons, and reports it to contact. Safe to repeat.
    ///
    /// # Errors
    /// `UNAVAILABLE` when contact, the bus or the database are; what was done stays done.
    pub(crate) async fn erase(&self, all: Vec<Erased>) -> Result<()> {
        for one in all {
            let (person, account_ids) = self.contact.erased_person(one.erasure_id).await?;
            // From here on nothing of these contacts is identified any more.
            tombstones::bury(&self.database, one.contact_ids.clone(), self.clock.now()).await?;
            let deleted = self.delete_done(&one).await?
                + self.delete_kept(&one, &person).await?
                + self.delete_set_aside(&one, &person).await?
                + self.take_name_out(&person, &account_ids).await?;
            self.forget_events(one.erasure_id).await?;
            self.contact.report_erasure(one.erasure_id, deleted).await?;
        }
        Ok(())
    }

    async fn delete_done(&self, one: &Erased) -> Result<u64> {
        let mut deleted = 0;
        loop {
            let Erased { erasure_id, contact_ids } = one.clone();
            let rows =
                self.database.write(move |tx| async move { erasure::delete_of(&tx, erasure_id, &contact_ids).await });
            match rows.await? {
                0 => return Ok(deleted),
                rows => deleted += rows,
            }
        }
    }

    async fn delete_kept(&self, one: &Erased, person: &Person) -> Result<u64> {
        let (mut deleted, mut after) = (0, None);
        loop {
            let (erasure_id, person) = (one.erasure_id, person.clone());
            let work = self.database.write(move |tx| async move {
                let is_theirs = |source: &str, content: &Content| is_of(&person, source, content);
                erasure::delete_kept(&tx, erasure_id, &person, is_theirs, after).await
            });
            let (rows, next) = work.await?;
            deleted += rows;
            if next.is_none() {
                return Ok(deleted);
            }
            after = next;
        }
    }

    /// What came from other services and could not be handled may name them, too.
    async fn delete_set_aside(&self, one: &Erased, person: &Person) -> Result<u64> {
        let words = one.contact_ids.iter().map(Uuid::to_string).chain(person.words().cloned()).collect();
        self.database.write(move |tx| async move { quarantine::forget(&tx, &words).await }).await
    }

    async fn take_name_out(&self, person: &Person, account_ids: &[Uuid]) -> Result<u64> {
        let (mut changed, mut after) = (0, None);
        loop {
            let (person, account_ids) = (person.clone(), account_ids.to_vec());
            let work = self
                .database
                .write(move |tx| async move { erasure::take_name_out(&tx, &person, &account_ids, after).await });
            let (rows, next) = work.await?;
            changed += rows;
            if next.is_none() {
                return Ok(changed);
            }
            after = next;
        }
    }

    /// Deletes the events of the activities that are deleted: what a source declares may name somebody all the same.
    async fn forget_events(&self, erasure_id: Uuid) -> Result<()> {
        let gone = erasure::pending_events(self.database.reader(), erasure_id).await?;
        if gone.is_empty() {
            return Ok(());
        }
        // Whatever the outbox holds of them is on the stream then.
        outbox::drained(&self.database).await?;
        let gone: HashSet<String> = gone.iter().map(Uuid::to_string).collect();
        self.bus
            .forget(STREAM.name, |subject, body| activity_of(subject, body).is_some_and(|id| gone.contains(&id)))
            .await?;
        self.database.write(move |tx| async move { erasure::forget(&tx, erasure_id).await }).await
    }
}

/// Whether what is kept from this source is of the person: an activity by its identity, anything by an address in it.
fn is_of(person: &Person, source: &str, content: &Content) -> bool {
    let (Content::Activity(bytes) | Content::Raw(bytes)) = content;
    let is_activity = matches!(content, Content::Activity(_));
    let draft = is_activity.then(|| wire::kept_draft(bytes).ok()).flatten();
    draft.is_some_and(|draft| person.is(source, &draft.identity)) || person.is_in(bytes)
}

/// The activity that an event of ours is about.
fn activity_of(subject: &str, body: &[u8]) -> Option<String> {
    let (_, fact) = subject.rsplit_once('.')?;
    match fact {
        "recorded" => ActivityRecorded::decode(body).ok().map(|event| event.activity_id),
        "reattributed" => ActivityReattributed::decode(body).ok()?.activity.map(|event| event.activity_id),
        "consent_recorded" => ConsentRecorded::decode(body).ok().map(|event| event.activity_id),
        _ => None,
    }
}
