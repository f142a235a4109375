//! The part of the directory that a batch of claims may be about.
//!
//! Two batches that share a key wait for each other: the first thing a batch does is to lock all its keys, in order.
//! The unique keys of the tables are the last line of defence.

use std::collections::BTreeSet;

use leadflow_platform::{Result, db::Tx};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{accounts, contacts};
use crate::domain::{Directory, Key};

/// Locks the keys, and loads all that they lead to.
pub(crate) async fn load(tx: &Tx, keys: Vec<Key>) -> Result<Directory> {
    lock_keys(tx, &keys).await?;
    let contact_of = contacts::owners(&**tx, &keys).await?;
    let phones: Vec<_> =
        keys.iter().filter_map(|key| if let Key::Phone(phone) = key { Some(phone.clone()) } else { None }).collect();
    let phones = contacts::phones(&**tx, &phones).await?;
    let people: BTreeSet<Uuid> = contact_of.values().copied().chain(phones.values().flatten().copied()).collect();
    let contacts = contacts::lock(tx, &people.into_iter().collect::<Vec<_>>()).await?;

    let account_of = accounts::owners(&**tx, &keys).await?;
    let at = contacts.values().filter_map(|contact| contact.account_id);
    let organisations: BTreeSet<Uuid> = account_of.values().copied().chain(at).collect();
    let accounts = accounts::lock(tx, &organisations.into_iter().collect::<Vec<_>>()).await?;
    Ok(Directory { contact_of, phones, account_of, contacts, accounts, ..Directory::default() })
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
