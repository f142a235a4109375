//! The part of the directory that a batch of claims may be about.
//!
//! Two batches that share a key wait for each other: the first thing a batch does is to lock all its keys, in order.
//! The unique keys of the tables are the last line of defence.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadflow_platform::{Result, db::Tx};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{accounts, contacts, merges};
use crate::domain::{Contact, Directory, Key};

/// Locks the keys, and loads all that they lead to.
pub(crate) async fn load(tx: &Tx, keys: Vec<Key>) -> Result<Directory> {
    lock_keys(tx, &keys).await?;
    let contact_of = contacts::owners(&**tx, &keys).await?;
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
    let people: BTreeSet<Uuid> = contact_of.values().copied().chain(may_be_meant).collect();
    let people: Vec<_> = people.into_iter().collect();
    let contacts = contacts::lock(tx, &people).await?;
    // Read again under the locks: another batch may have found out more.
    let mut keys_of = with_more;
    keys_of.extend(contacts::keys_of(&**tx, &people).await?);

    let merged: Vec<_> = contacts.values().filter(|it| it.merged_into.is_some()).map(|it| it.contact_id).collect();
    let mut survivors = merges::survivors(&**tx, &merged).await?;
    let accounts_of_merged = accounts_of(tx, &contacts, &survivors).await?;

    let account_of = accounts::owners(&**tx, &keys).await?;
    let at = contacts.values().filter_map(|contact| contact.account_id).chain(accounts_of_merged.values().copied());
    let organisations: BTreeSet<Uuid> = account_of.values().copied().chain(at).collect();
    let accounts = accounts::lock(tx, organisations).await?;
    let merged: Vec<_> = accounts.values().filter(|it| it.merged_into.is_some()).map(|it| it.account_id).collect();
    survivors.extend(merges::survivors(&**tx, &merged).await?);
    Ok(Directory {
        contact_of,
        keys_of,
        phones,
        account_of,
        contacts,
        accounts,
        survivors,
        accounts_of_merged,
        ..Directory::default()
    })
}

/// Where those are who were merged into somebody, and of whom nothing else says where they are.
async fn accounts_of(
    tx: &Tx,
    contacts: &BTreeMap<Uuid, Contact>,
    survivors: &HashMap<Uuid, Uuid>,
) -> Result<HashMap<Uuid, Uuid>> {
    let homeless = contacts.values().filter(|contact| contact.account_id.is_none());
    let of: Vec<_> = homeless.filter_map(|it| Some((it.contact_id, *survivors.get(&it.contact_id)?))).collect();
    let ids: Vec<_> = of.iter().map(|(_, survivor)| *survivor).collect();
    let people = contacts::by_ids(&**tx, &ids).await?;
    let at = |(id, survivor): (Uuid, Uuid)| Some((id, people.get(&survivor)?.account_id?));
    Ok(of.into_iter().filter_map(at).collect())
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
pub(crate) async fn save(tx: &Tx, directory: &Directory) -> Result<()> {
    accounts::save(tx, directory.changed_accounts.iter().filter_map(|id| directory.accounts.get(id))).await?;
    let changed: Vec<_> = directory.changed_contacts.iter().filter_map(|id| directory.contacts.get(id)).collect();
    contacts::save(tx, &changed).await?;
    accounts::add_keys(tx, directory.new_keys.clone()).await?;
    contacts::add_keys(tx, directory.new_keys.clone()).await
}
