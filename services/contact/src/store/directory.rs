//! The part of the directory that a batch of claims may be about.
//!
//! Two batches that share a key wait for each other: the first thing a batch does is to lock all its keys, in order. The
//! order of all locks stands in the README of this crate.
//! The unique keys of the tables are the last line of defence.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use leadflow_platform::{
    Result,
    db::{Tx, is_any},
};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter as _, QuerySelect as _, TryGetableMany};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    CHUNK, accounts, contacts,
    entity::{account, contact},
    matches, merges, reviews,
};
use crate::domain::{
    Claim, Contact, Directory, Key,
    footing::Footing,
    matching::{Profile, Subject},
};

/// Locks the keys, and loads all that they lead to, and those who may be meant where none leads to anybody. Where these
/// people are then to be put at other accounts, these are locked too, and all sides of the people.
pub(crate) async fn load(tx: &Tx, claims: &[Claim], put_at: Option<&[Uuid]>) -> Result<Directory> {
    let keys: BTreeSet<_> = claims.iter().flat_map(Claim::keys).collect();
    let keys: Vec<_> = keys.into_iter().collect();
    lock_keys(tx, &keys).await?;
    let contact_of = contacts::owners(&**tx, &keys).await?;
    let account_of = accounts::owners(&**tx, &keys).await?;
    let (people, organisations) = to_match(claims, &contact_of, &account_of);
    let mut matching = matches::load(&**tx, &people, &organisations).await?;
    let phones: Vec<_> =
        keys.iter().filter_map(|key| if let Key::Phone(phone) = key { Some(phone.clone()) } else { None }).collect();
    let phones = contacts::phones(&**tx, &phones).await?;
    // Of a phone that several have, only those who have nothing else may be meant.
    let callers: Vec<Uuid> = phones.values().flatten().copied().collect();
    let with_more = contacts::keys_of(&**tx, &callers).await?;
    let may_be_meant = phones
        .values()
        .flat_map(|owners| owners.iter().filter(|&id| owners.len() == 1 || !with_more.contains_key(id)))
        .copied();
    let mut meant: BTreeSet<Uuid> = matching.meant(Subject::Person, &people).collect();
    let people: BTreeSet<Uuid> =
        contact_of.values().copied().chain(may_be_meant).chain(meant.iter().copied()).collect();
    let mut people: Vec<_> = people.into_iter().collect();
    if put_at.is_some() {
        people = merges::all_joined(&**tx, &people).await?.into_iter().collect();
    }
    let contacts = contacts::lock(tx, &people).await?;
    // Read again under the locks: another batch may have found out more.
    let mut keys_of = with_more;
    keys_of.extend(contacts::keys_of(&**tx, &people).await?);

    let merged: Vec<_> = contacts.values().filter(|it| it.merged_into.is_some()).map(|it| it.contact_id).collect();
    let mut survivors = merges::survivors(&**tx, &merged).await?;
    let accounts_of_merged = accounts_of(&**tx, &contacts, &survivors).await?;

    let at = contacts.values().filter_map(|contact| contact.account_id).chain(accounts_of_merged.values().copied());
    let likely: Vec<_> = matching.meant(Subject::Organisation, &organisations).collect();
    meant.extend(&likely);
    let at = at.chain(likely).chain(put_at.into_iter().flatten().copied());
    let organisations: BTreeSet<Uuid> = account_of.values().copied().chain(at).collect();
    let accounts = accounts::lock(tx, organisations).await?;
    let merged: Vec<_> = accounts.values().filter(|it| it.merged_into.is_some()).map(|it| it.account_id).collect();
    survivors.extend(merges::survivors(&**tx, &merged).await?);
    // As they are under the locks; who is not among the locked ones was erased since it was found.
    matching.profiles.retain(|id, known| {
        if let Some(contact) = contacts.get(id) {
            *known = contact.profile(contact.account_id.and_then(|id| accounts.get(&id)));
        } else if let Some(account) = accounts.get(id) {
            *known = account.profile();
        } else {
            return !meant.contains(id);
        }
        true
    });
    let known = Directory { contact_of, keys_of, phones, account_of, contacts, accounts, ..Directory::default() };
    Ok(Directory { survivors, accounts_of_merged, matching, ..known })
}

/// Where those are who were merged into somebody, and of whom nothing else says where they are.
async fn accounts_of(
    connection: &impl ConnectionTrait,
    contacts: &BTreeMap<Uuid, Contact>,
    survivors: &HashMap<Uuid, Uuid>,
) -> Result<HashMap<Uuid, Uuid>> {
    let homeless = contacts.values().filter(|contact| contact.account_id.is_none());
    let of: Vec<_> = homeless.filter_map(|it| Some((it.contact_id, *survivors.get(&it.contact_id)?))).collect();
    let ids: Vec<_> = of.iter().map(|(_, survivor)| *survivor).collect();
    let people = contacts::by_ids(connection, &ids).await?;
    let at = |(id, survivor): (Uuid, Uuid)| Some((id, people.get(&survivor)?.account_id?));
    Ok(of.into_iter().filter_map(at).collect())
}

/// What is said of people and organisations that no strong key leads to. For all others nothing needs to be searched.
fn to_match(
    claims: &[Claim],
    contact_of: &HashMap<Key, Uuid>,
    account_of: &HashMap<Key, Uuid>,
) -> (Vec<Profile>, Vec<Profile>) {
    let unknown_person = |claim: &&Claim| {
        let (mut strong, mut known) = (0, 0);
        for key in claim.keys() {
            match key {
                Key::Email(_) if contact_of.contains_key(&key) => return false,
                Key::Email(_) | Key::Mobile(_) | Key::ExternalId(..) | Key::AnonymousId(_) => {
                    strong += 1;
                    known += usize::from(contact_of.contains_key(&key));
                }
                _ => {}
            }
        }
        strong == 0 || known < strong
    };
    let unknown_organisation = |claim: &&Claim| {
        let told = !claim.city.is_empty() || !claim.street.is_empty();
        told || claim.keys().iter().all(|key| !matches!(key, Key::Name(..)) || !account_of.contains_key(key))
    };
    let people = claims.iter().filter(unknown_person).filter_map(Claim::person_profile);
    let organisations = claims.iter().filter(unknown_organisation).filter_map(Claim::organisation_profile);
    (people.collect(), organisations.collect())
}

/// What the keys of claims lead to, and whom they name, to look at. Nobody is searched for whom no key leads to.
pub(crate) async fn look(connection: &impl ConnectionTrait, claims: &[Claim]) -> Result<Directory> {
    let keys: BTreeSet<_> = claims.iter().flat_map(Claim::person_keys).collect();
    let contact_of = contacts::owners(connection, &keys.into_iter().collect::<Vec<_>>()).await?;
    // A stranger is not recognised, wherever they say they are.
    let may_be_known = claims.iter().filter(|claim| !claim.is_of_a_stranger(&contact_of));
    let keys: BTreeSet<_> = may_be_known.flat_map(Claim::keys).collect();
    let account_of = accounts::owners(connection, &keys.into_iter().collect::<Vec<_>>()).await?;
    let named = claims.iter().filter_map(|claim| claim.contact_id);
    let people: BTreeSet<Uuid> = contact_of.values().copied().chain(named).collect();
    let people: Vec<_> = people.into_iter().collect();
    let contacts = contacts::by_ids(connection, &people).await?;
    let keys_of = contacts::keys_of(connection, &people).await?;
    let merged: Vec<_> = contacts.values().filter(|it| it.merged_into.is_some()).map(|it| it.contact_id).collect();
    let mut survivors = merges::survivors(connection, &merged).await?;
    let accounts_of_merged = accounts_of(connection, &contacts, &survivors).await?;
    let at = contacts.values().filter_map(|contact| contact.account_id).chain(accounts_of_merged.values().copied());
    let organisations: BTreeSet<Uuid> = account_of.values().copied().chain(at).collect();
    let accounts = accounts::by_ids(connection, &organisations.into_iter().collect::<Vec<_>>()).await?;
    let merged: Vec<_> = accounts.values().filter(|it| it.merged_into.is_some()).map(|it| it.account_id).collect();
    survivors.extend(merges::survivors(connection, &merged).await?);
    let known = Directory { contact_of, keys_of, account_of, contacts, accounts, ..Directory::default() };
    Ok(Directory { survivors, accounts_of_merged, ..known })
}

/// Which of these are still as they were. Contacts and accounts are asked for one after the other, each by its key: to join
/// them, PostgreSQL may read all accounts.
pub(crate) async fn standing(connection: &impl ConnectionTrait, footings: &[Footing]) -> Result<HashSet<Footing>> {
    let people = footings.iter().map(|footing| footing.contact_id).collect();
    let columns = [contact::Column::ContactId, contact::Column::Revision, contact::Column::AccountId];
    let people: Vec<(Uuid, i64, Option<Uuid>)> = by_key::<contact::Entity, _>(connection, people, &columns).await?;
    let at = people.iter().filter_map(|&(.., account_id)| account_id).collect();
    let columns = [account::Column::AccountId, account::Column::Revision];
    let accounts: Vec<(Uuid, i64)> = by_key::<account::Entity, _>(connection, at, &columns).await?;
    let accounts: HashMap<_, _> = accounts.into_iter().collect();
    let footing = |(contact_id, contact_revision, account_id): (Uuid, i64, Option<Uuid>)| {
        let account_id = account_id?;
        let account_revision = *accounts.get(&account_id)?;
        Some(Footing { contact_id, contact_revision, account_id, account_revision })
    };
    Ok(people.into_iter().filter_map(footing).collect())
}

/// These columns, the first of which is the key, of the rows with these keys.
async fn by_key<E: EntityTrait, T: TryGetableMany>(
    connection: &impl ConnectionTrait,
    keys: BTreeSet<Uuid>,
    columns: &[E::Column],
) -> Result<Vec<T>> {
    let mut found = Vec::with_capacity(keys.len());
    for chunk in keys.into_iter().collect::<Vec<_>>().chunks(CHUNK) {
        let these = is_any(connection, columns[0], chunk.iter().copied());
        let rows = E::find().select_only().columns(columns.iter().copied()).filter(these);
        found.extend(rows.into_tuple::<T>().all(connection).await?);
    }
    Ok(found)
}

/// Waits until no other transaction is at these keys.
pub(crate) async fn lock_keys(tx: &Tx, keys: &[Key]) -> Result<()> {
    tx.lock_all(keys.iter().map(lock_of).collect()).await
}

/// The number that stands for a key among the locks.
fn lock_of(key: &Key) -> i64 {
    let digest = Sha256::digest(format!("{key:?}"));
    i64::from_le_bytes(digest[..8].try_into().unwrap_or_default())
}

/// Writes what the batch has changed.
pub(crate) async fn save(tx: &Tx, directory: &Directory, now: i64) -> Result<()> {
    accounts::save(tx, directory.changed_accounts.iter().filter_map(|id| directory.accounts.get(id))).await?;
    let changed: Vec<_> = directory.changed_contacts.iter().filter_map(|id| directory.contacts.get(id)).collect();
    contacts::save(tx, &changed).await?;
    accounts::add_keys(tx, directory.new_keys.clone()).await?;
    contacts::add_keys(tx, directory.new_keys.clone()).await?;
    matches::save(tx, &directory.matching.new_blocks).await?;
    reviews::add(tx, &directory.matching.found, now).await
}
