//! The part of the directory that a batch of claims may be about.
//!
//! Two batches that share a key wait for each other: the first thing a batch does is to lock all its keys, in order.
//! The unique keys of the tables are the last line of defence.

use std::collections::BTreeSet;

use leadflow_platform::{Result, db::Tx};
use sea_orm::ConnectionTrait;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{accounts, contacts, merges};
use crate::domain::{Directory, Key};

/// Locks the keys and all that they lead to, and loads it.
pub(crate) async fn load(tx: &Tx, keys: &[Key]) -> Result<Directory> {
    lock_keys(tx, keys).await?;
    read(&**tx, keys, true).await
}

/// All that the keys lead to, to look at.
pub(crate) async fn read(connection: &impl ConnectionTrait, keys: &[Key], lock: bool) -> Result<Directory> {
    let contact_of = contacts::owners(connection, keys).await?;
    let phones: Vec<_> =
        keys.iter().filter_map(|key| if let Key::Phone(phone) = key { Some(phone.clone()) } else { None }).collect();
    let phones = contacts::phones(connection, &phones).await?;
    // Of a phone that several have, only those who have nothing else may be meant.
    let callers: Vec<Uuid> = phones.values().flatten().copied().collect();
    let with_more = contacts::keys_of(connection, &callers).await?;
    let may_be_meant = phones
        .values()
        .flat_map(|owners| owners.iter().filter(|&id| owners.len() == 1 || !with_more.contains_key(id)))
        .copied();
    let people: BTreeSet<Uuid> = contact_of.values().copied().chain(may_be_meant).collect();
    let people: Vec<_> = people.into_iter().collect();
    let contacts = contacts::find(connection, &people, lock).await?;
    // Read again under the locks: another batch may have found out more.
    let mut keys_of = with_more;
    keys_of.extend(contacts::keys_of(connection, &people).await?);

    let account_of = accounts::owners(connection, keys).await?;
    let at = contacts.values().filter_map(|contact| contact.account_id);
    let organisations: BTreeSet<Uuid> = account_of.values().copied().chain(at).collect();
    let accounts = accounts::find(connection, &organisations.into_iter().collect::<Vec<_>>(), lock).await?;
    let merged = contacts.values().filter(|contact| contact.merged_into.is_some()).map(|contact| contact.contact_id);
    let merged = merged.chain(accounts.values().filter(|it| it.merged_into.is_some()).map(|it| it.account_id));
    let survivors = merges::survivors(connection, &merged.collect::<Vec<_>>()).await?;
    Ok(Directory { contact_of, keys_of, phones, account_of, contacts, accounts, survivors, ..Directory::default() })
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
