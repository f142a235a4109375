//! Erasing a person, here and everywhere, and giving a person all that is held.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use leadflow_platform::{
    Error, Result,
    audit::{self, Mutation, mutate},
    clock::from_millis,
    db::Tx,
    ids, outbox,
    page::Page,
    quarantine,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    App,
    site_map::{Shown, shown},
};
use crate::{
    domain::{
        Account, Claim, Contact, Key,
        consent::Consent,
        erasure::{CONTACT, Erasure, Lift, Person, REPORTING},
        review::Review,
        site_map::Fact,
        suppression::telling_keys,
    },
    error,
    store::{accounts, consents, contacts, directory, erasures, merges, person, reviews, site_map},
    wire,
};

/// On which it is announced that a person is to be erased.
const ERASED: &str = "leadflow.contact.v1.erased";
/// Erasures that are announced again at once.
const OPEN: u64 = 100;

/// All that contact holds of a person.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) contacts: Vec<Contact>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) identities: Vec<(Uuid, Key)>,
    pub(crate) consents: Vec<Consent>,
    pub(crate) facts: Vec<Shown>,
    pub(crate) reviews: Vec<Review>,
}

impl App {
    /// Deletes a person here, keeps the hashes by which they are known again, and has all others do the same.
    pub(crate) async fn erase(&self, mutation: Mutation, contact_id: Uuid, reason: String) -> Result<Erasure> {
        let app = self.clone();
        let principal = mutation.principal.as_str().to_owned();
        mutate(&self.database, mutation, move |tx| async move {
            let sides =
                consents::sides_of(&*tx, contact_id).await.map_err(|error| error::of_contact(error, contact_id))?;
            let (found, keys) = lock_person(&tx, &sides).await?;
            // Somebody may have joined the person while the locks were waited for.
            let now: BTreeSet<_> = consents::sides_of(&*tx, contact_id).await?.into_iter().collect();
            if now != sides.iter().copied().collect() {
                return Err(Error::unavailable("the contact is being merged by somebody else"));
            }
            let shared = contacts::phones(&*tx, &phones(&found)).await?;
            let own_phone = |phone: &String| shared.get(phone).is_none_or(|of| of.iter().all(|id| sides.contains(id)));
            let own_phones: BTreeSet<_> = phones(&found).into_iter().filter(own_phone).collect();
            let led_here = keys.iter().cloned().chain(own_phones.iter().cloned().map(Key::Phone));
            let digests = led_here.filter_map(|key| app.suppressor.hash(&key)).collect();
            let person = person(&found, keys, own_phones);
            let words = sides.iter().map(Uuid::to_string).chain(person.words().cloned()).collect();
            let deleted = person::delete(&tx, &sides).await?
                + audit::forget(&tx, &sides).await?
                + quarantine::forget(&tx, &words).await?;

            let mut erasure = Erasure::begin(ids::new(), sides, reason, principal, app.now());
            erasure.report(CONTACT, i64::try_from(deleted).unwrap_or(i64::MAX), app.now());
            erasures::save(&tx, &erasure, Some(&person)).await?;
            erasures::suppress(&tx, digests, &erasure).await?;
            announce(&tx, &[erasure.clone()], app.now()).await?;
            Ok(erasure)
        })
        .await
    }

    /// One erasure.
    pub(crate) async fn erasure(&self, erasure_id: Uuid) -> Result<Erasure> {
        erasures::get(self.database.reader(), erasure_id).await
    }

    /// A page of erasures, the newest first.
    pub(crate) async fn erasures(&self, open_only: bool, page: &Page<Uuid>) -> Result<(Vec<Erasure>, String)> {
        let before = page.after().copied();
        let rows = erasures::list(self.database.reader(), open_only, before, page.limit()).await?;
        Ok(page.finish(rows, |erasure| erasure.erasure_id))
    }

    /// What a service has to look for.
    pub(crate) async fn erased_person(&self, erasure_id: Uuid) -> Result<Person> {
        erasures::person(self.database.reader(), erasure_id).await
    }

    /// Takes in that a service has nothing left of a person.
    pub(crate) async fn report(&self, mutation: Mutation, id: Uuid, service: String, deleted: i64) -> Result<Erasure> {
        let app = self.clone();
        mutate(&self.database, mutation, move |tx| async move {
            let (mut erasure, person) = erasures::lock(&tx, id).await?;
            if !REPORTING.contains(&service.as_str()) || !erasure.report(&service, deleted, app.now()) {
                return Err(error::no_reporting_service(&service));
            }
            erasures::save(&tx, &erasure, person.as_ref()).await?;
            Ok(erasure)
        })
        .await
    }

    /// Lets somebody who was erased and has come back be known again, by all that they were known by. Returns the erasures
    /// that count no more.
    pub(crate) async fn lift(&self, mutation: Mutation, claim: Claim, reason: String) -> Result<Vec<Erasure>> {
        let app = self.clone();
        let principal = mutation.principal.as_str().to_owned();
        mutate(&self.database, mutation, move |tx| async move {
            let hashes = telling_keys(&claim).into_iter().filter_map(|key| app.suppressor.hash(&key)).collect();
            let found = erasures::suppressed(&*tx, &hashes).await?;
            let ids: BTreeSet<_> = found.into_values().flatten().collect();
            let mut lifted = Vec::with_capacity(ids.len());
            for id in ids {
                let (mut erasure, person) = erasures::lock(&tx, id).await?;
                if erasure.complete_time.is_none() {
                    return Err(error::erasure_open(id));
                }
                erasure.lift = Some(Lift { time: app.now(), principal: principal.clone(), reason: reason.clone() });
                erasures::save(&tx, &erasure, person.as_ref()).await?;
                lifted.push(erasure);
            }
            if lifted.is_empty() { Err(error::not_suppressed()) } else { Ok(lifted) }
        })
        .await
    }

    /// All that is held of a person.
    pub(crate) async fn held(&self, contact_id: Uuid) -> Result<Held> {
        let reader = self.database.reader();
        let sides =
            consents::sides_of(reader, contact_id).await.map_err(|error| error::of_contact(error, contact_id))?;
        let mut held = Held { reviews: reviews::of_contacts(reader, &sides).await?, ..Held::default() };
        held.contacts.extend(contacts::by_ids(reader, &sides).await?.into_values());
        for (side, keys) in contacts::keys_of(reader, &sides).await? {
            held.identities.extend(keys.into_iter().map(|key| (side, key)));
        }
        let phones = held.contacts.iter().flat_map(|it| it.phones.iter().map(|phone| (it.contact_id, phone.clone())));
        held.identities.extend(phones.map(|(side, phone)| (side, Key::Phone(phone))).collect::<Vec<_>>());
        held.identities.sort();
        let at: Vec<_> = accounts_of(&held.contacts).into_iter().collect();
        held.accounts.extend(accounts::by_ids(reader, &at).await?.into_values());
        held.consents = consents::of(reader, &sides).await?;
        held.consents.sort_by_key(|consent| (consent.occur_time, consent.consent_id, consent.contact_id));
        let mut of_accounts: BTreeMap<Uuid, Vec<Fact>> = BTreeMap::new();
        for fact in site_map::about(reader, &sides).await? {
            of_accounts.entry(fact.account_id).or_default().push(fact);
        }
        let names = contacts::names(reader, &sides).await?;
        for (account, facts) in of_accounts {
            let joined: Vec<_> = merges::all_joined(reader, &[account]).await?.into_iter().collect();
            held.facts.extend(shown(&site_map::of_account(reader, &joined).await?, facts, &names));
        }
        Ok(held)
    }

    /// Announces again, every `interval` until shutdown, what has not been reported by all: an event may be lost.
    pub(crate) async fn follow_erasures(self, interval: Duration, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if let Err(error) = self.announce_open().await {
                tracing::warn!(%error, "erasures that are not complete are not announced again; trying again");
            }
            let _ = tokio::time::timeout(interval, shutdown.cancelled()).await;
        }
    }

    async fn announce_open(&self) -> Result<()> {
        let app = self.clone();
        self.database
            .write(move |tx| async move {
                let open = erasures::list(&*tx, true, None, OPEN).await?;
                announce(&tx, &open, app.now()).await
            })
            .await
    }

    /// Of each claim, whether it names somebody who was erased. Whose keys are known was not.
    pub(super) async fn suppressed(
        &self,
        tx: &Tx,
        claims: &[Claim],
        is_known: impl Fn(&Key) -> bool,
    ) -> Result<Vec<bool>> {
        let hashes = |claim: &Claim| -> Vec<Vec<u8>> {
            let unknown = telling_keys(claim).into_iter().filter(|key| !is_known(key));
            unknown.filter_map(|key| self.suppressor.hash(&key)).collect()
        };
        let asked: Vec<_> = claims.iter().map(hashes).collect();
        let gone = erasures::suppressed(&**tx, &asked.iter().flatten().cloned().collect()).await?;
        Ok(asked.iter().map(|hashes| hashes.iter().any(|hash| gone.contains_key(hash))).collect())
    }
}

/// Locks a person, in the order of all who change people (keys before rows), and reads what leads to them: all that ever
/// will, since whoever adds a key to them has their rows in hand.
///
/// # Errors
/// `UNAVAILABLE` when somebody has added one meanwhile: the same again will do.
async fn lock_person(tx: &Tx, sides: &[Uuid]) -> Result<(Vec<Contact>, BTreeSet<Key>)> {
    let keys = |of: std::collections::HashMap<Uuid, BTreeSet<Key>>| of.into_values().flatten().collect::<BTreeSet<_>>();
    let mut lead_here = keys(contacts::keys_of(&**tx, sides).await?);
    let found: Vec<_> = contacts::by_ids(&**tx, sides).await?.into_values().collect();
    lead_here.extend(phones(&found).into_iter().map(Key::Phone));
    directory::lock_keys(tx, &lead_here.iter().cloned().collect::<Vec<_>>()).await?;
    let found = contacts::lock(tx, sides).await?.into_values().collect();
    let now = keys(contacts::keys_of(&**tx, sides).await?);
    if !now.is_subset(&lead_here) {
        return Err(Error::unavailable("the contact is being changed by somebody else"));
    }
    Ok((found, now))
}

fn phones(found: &[Contact]) -> Vec<String> {
    found.iter().flat_map(|contact| contact.phones.iter().cloned()).collect()
}

/// Where they are, and were.
fn accounts_of(found: &[Contact]) -> BTreeSet<Uuid> {
    found.iter().flat_map(|contact| contact.account_id.iter().chain(&contact.left_account_ids)).copied().collect()
}

fn person(found: &[Contact], keys: BTreeSet<Key>, phones: BTreeSet<String>) -> Person {
    let mut person = Person {
        phones,
        names: found.iter().map(|it| (it.given_name.clone(), it.family_name.clone())).collect(),
        account_ids: accounts_of(found),
        emails: found.iter().flat_map(|contact| contact.emails.iter().cloned()).collect(),
        ..Person::default()
    };
    for key in keys {
        match key {
            Key::Email(email) => {
                person.emails.insert(email);
            }
            Key::ExternalId(source, id) => {
                person.external_ids.insert((source, id));
            }
            Key::AnonymousId(id) => {
                person.anonymous_ids.insert(id);
            }
            // Where nobody else has the number, it is among the phones.
            Key::Mobile(_)
            | Key::Phone(_)
            | Key::Domain(_)
            | Key::Name(..)
            | Key::Reference(_)
            | Key::Description(_) => {}
        }
    }
    person
}

async fn announce(tx: &Tx, erasures: &[Erasure], now: i64) -> Result<()> {
    let event = |erasure: &Erasure| (ERASED.to_owned(), wire::contact_erased(erasure));
    outbox::announce_all(tx, erasures.iter().map(event).collect(), from_millis(now)).await
}
