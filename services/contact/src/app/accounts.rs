//! Accounts, as people keep them.

use std::collections::BTreeSet;

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    db::Tx,
    page::Page,
};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{App, hierarchy::check_roll_up, joined};
use crate::{
    domain::{
        Account, Joined, Key, matching,
        profile::{Subject, Values},
    },
    error,
    store::{
        account_lists::{self, Filter, PageKey, Shown},
        accounts, directory, hierarchy, matches, merges,
    },
};

/// Where the parent stands in a request about one account.
const PARENT: &str = "account.parent_account_id";
/// Where it stands whether leads go up to it.
const ROLL_UP: &str = "account.roll_up";
/// Where its profile stands.
const PROFILE: &str = "account.profile";

impl App {
    /// The account that the id leads to.
    pub(crate) async fn account(&self, account_id: Uuid) -> Result<Joined<Account>> {
        joined::get(self.database.reader(), account_id).await
    }

    /// A page of accounts.
    pub(crate) async fn accounts(
        &self,
        filter: &Filter,
        page: &Page<PageKey>,
    ) -> Result<(Vec<Joined<Account>>, String)> {
        let connection = self.database.reader();
        let parents = match filter.parent_account_id {
            Some(parent) => Some(merges::joined(connection, parent).await?),
            None => None,
        };
        let shown = Shown { filter, parents: parents.as_deref() };
        let also = also_shown(connection, &shown).await?;
        let rows = account_lists::list(connection, &shown, &also, page.after(), page.limit()).await?;
        let (rows, next) = page.finish(rows, |account| PageKey {
            sort_name: accounts::sort_name(account),
            account_id: account.account_id,
        });
        Ok((joined::all(connection, rows).await?, next))
    }

    /// Creates an account with the id that it has.
    pub(crate) async fn create_account(&self, mutation: Mutation, account: Account) -> Result<Account> {
        let app = self.clone();
        mutate(&self.database, mutation, move |tx| async move {
            if account.parent_account_id.is_some() {
                hierarchy::lock(&tx).await?;
            }
            directory::lock_keys(&tx, &account.keys()).await?;
            check_roll_up(&account, ROLL_UP)?;
            app.check_profile(&tx, Subject::Account, (&Values::new(), &account.profile), PROFILE).await?;
            app.check_parents(&tx, &account, PARENT).await?;
            app.check_free(&tx, &account, &[account.account_id]).await?;
            app.store_account(&tx, Account { create_time: app.now(), ..account }).await
        })
        .await
    }

    /// Changes an account by `change`, which gets it as it is.
    pub(crate) async fn update_account(
        &self,
        mutation: Mutation,
        account_id: Uuid,
        etag: String,
        change: impl Fn(&mut Account) + Send + Sync + 'static,
    ) -> Result<Joined<Account>> {
        let app = self.clone();
        mutate(&self.database, mutation, move |tx| async move {
            // Keys are locked before rows, by all who change accounts: so they cannot wait for each other in a circle.
            let before = joined::get::<Account>(&*tx, account_id).await?;
            let mut keys: Vec<_> = before.sides().flat_map(Account::keys).collect();
            let mut wanted = before.shown();
            change(&mut wanted);
            keys.extend(wanted.keys());
            if wanted.parent_account_id.is_some() {
                hierarchy::lock(&tx).await?;
            }
            directory::lock_keys(&tx, &keys).await?;
            // The parent too, whose row a new child locks at the commit.
            let rows = before.sides().map(|side| side.account_id).chain(wanted.parent_account_id);
            accounts::lock(&tx, rows.collect()).await?;
            let before = joined::lock::<Account>(&tx, account_id).await?;
            if !etag.is_empty() && etag != before.etag() {
                return Err(Error::stale_etag("account"));
            }
            let mut wanted = before.shown();
            change(&mut wanted);
            let sides: Vec<_> = before.sides().map(|side| side.account_id).collect();
            check_roll_up(&wanted, ROLL_UP)?;
            app.check_profile(&tx, Subject::Account, (&before.shown().profile, &wanted.profile), PROFILE).await?;
            app.check_free(&tx, &wanted, &sides).await?;
            if wanted.parent_account_id != before.shown().parent_account_id {
                app.check_parents(&tx, &wanted, PARENT).await?;
            }
            for side in before.spread(&wanted) {
                app.store_account(&tx, side).await?;
            }
            joined::get(&*tx, account_id).await
        })
        .await
    }

    /// Makes sure that no account but these has the account's reference or one of its domains. They are locked already.
    pub(super) async fn check_free(&self, tx: &Tx, account: &Account, own: &[Uuid]) -> Result<()> {
        let domains: Vec<_> = account.domains.iter().cloned().map(Key::Domain).collect();
        for (key, owner) in accounts::owners(&**tx, &domains).await? {
            if let Key::Domain(domain) = key
                && !own.contains(&owner)
            {
                let other = accounts::get(&**tx, owner).await?;
                return Err(error::domain_taken(&domain, &other.name));
            }
        }
        if let Some(reference) = &account.reference {
            let owner = accounts::by_references(&**tx, std::slice::from_ref(reference)).await?.remove(reference);
            if owner.is_some_and(|owner| !own.contains(&owner)) {
                return Err(error::reference_taken(reference));
            }
        }
        Ok(())
    }

    /// Writes the account with its keys under the next revision, and announces it.
    pub(super) async fn store_account(&self, tx: &Tx, mut account: Account) -> Result<Account> {
        account.revision += 1;
        account.update_time = self.now();
        accounts::save(tx, [&account]).await?;
        accounts::drop_keys(tx, &account).await?;
        accounts::add_keys(tx, account.keys().into_iter().map(|key| (key, account.account_id))).await?;
        matches::replace(tx, matching::Subject::Organisation, account.account_id, &account.profile()).await?;
        self.announce(tx, [&account], []).await?;
        Ok(account)
    }
}

/// The accounts that are shown as what is asked for because of what was merged into them.
async fn also_shown(connection: &impl ConnectionTrait, shown: &Shown<'_>) -> Result<Vec<Uuid>> {
    let merged = shown.merged(connection).await?;
    let survivors: BTreeSet<_> = merges::survivors(connection, &merged).await?.into_values().collect();
    let survivors = accounts::by_ids(connection, &survivors.into_iter().collect::<Vec<_>>()).await?;
    let found = joined::all::<Account>(connection, survivors.into_values().collect()).await?;
    Ok(found.iter().filter(|one| shown.is(&one.shown())).map(|one| one.survivor.account_id).collect())
}
