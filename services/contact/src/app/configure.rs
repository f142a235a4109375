//! Configuration as code: named accounts, found again by their reference.

use std::collections::{BTreeMap, HashMap, HashSet};

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    db::Tx,
    ids,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::App;
use crate::{
    domain::{Account, Key},
    store::{accounts, directory},
};

/// What was, or would be, done to one account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) name: String,
    pub(crate) before: Option<Json>,
    pub(crate) after: Json,
}

/// What ends a transaction that was only to be tried.
const DRY_RUN: &str = "DRY_RUN";

impl App {
    /// Makes the accounts be as given, or only says what would change.
    pub(crate) async fn configure(
        &self,
        mutation: Mutation,
        wanted: Vec<Account>,
        validate_only: bool,
    ) -> Result<Vec<Change>> {
        let app = self.clone();
        if !validate_only {
            return mutate(&self.database, mutation, move |tx| async move { app.configure_in(&tx, wanted).await })
                .await;
        }
        // The dry run is the real one, taken back: so it finds what the real one would.
        let (send, receive) = std::sync::mpsc::channel();
        let result: Result<()> = self
            .database
            .write(move |tx| async move {
                let changes = app.configure_in(&tx, wanted).await?;
                drop(send.send(changes));
                Err(Error::precondition(DRY_RUN, "taken back"))
            })
            .await;
        match (result, receive.try_recv()) {
            (_, Ok(changes)) => Ok(changes),
            (Err(error), Err(_)) => Err(error),
            (Ok(()), Err(_)) => Ok(Vec::new()),
        }
    }

    async fn configure_in(&self, tx: &Tx, wanted: Vec<Account>) -> Result<Vec<Change>> {
        check_unique(&wanted)?;
        let keys: Vec<_> = wanted.iter().flat_map(Account::keys).collect();
        directory::lock_keys(tx, &keys).await?;
        let references: Vec<_> = wanted.iter().filter_map(|account| account.reference.clone()).collect();
        let by_reference = accounts::by_references(&**tx, &references).await?;
        let owners = accounts::owners(&**tx, &keys).await?;
        let ids = by_reference.values().chain(owners.values()).copied().collect();
        let mut known = accounts::lock(tx, ids).await?;
        let mut changes = Vec::with_capacity(wanted.len());
        for (index, new) in wanted.into_iter().enumerate() {
            let reference = new.reference.clone().unwrap_or_default();
            let id = by_reference.get(&reference).copied().or_else(|| adopted(&new, &owners, &known));
            let before = id.and_then(|id| known.get(&id));
            let mut account = match before {
                Some(before) => merged(before, new),
                None => Account { account_id: ids::new(), create_time: self.now(), ..new },
            };
            let named = before.filter(|before| before.reference.is_some()).map(shown);
            changes.push(Change { name: reference, before: named, after: shown(&account) });
            if before != Some(&account) {
                let at = format!("accounts[{index}].");
                self.check_free(tx, &account, &[account.account_id]).await.map_err(|error| error.within(&at))?;
                account = self.store_account(tx, account).await?;
                known.insert(account.account_id, account);
            }
        }
        Ok(changes)
    }
}

/// The account that activities have made before, by one of its domains, or by its name when the domains do not say that
/// it is another one. It is adopted, not made a second time.
fn adopted(new: &Account, owners: &HashMap<Key, Uuid>, known: &BTreeMap<Uuid, Account>) -> Option<Uuid> {
    let made_by_activities = |key: &Key| {
        let found = known.get(owners.get(key)?).filter(|found| found.reference.is_none())?;
        let same = !matches!(key, Key::Name(..)) || new.domains.is_empty() || found.domains.is_empty();
        same.then_some(found.account_id)
    };
    new.keys().iter().find_map(made_by_activities)
}

fn check_unique(accounts: &[Account]) -> Result<()> {
    let (mut references, mut domains) = (HashSet::new(), BTreeMap::new());
    for (index, account) in accounts.iter().enumerate() {
        let Some(reference) = account.reference.as_deref() else {
            return Err(Error::invalid(
                format!("accounts[{index}].reference"),
                "is required: the account is found by it",
            ));
        };
        if !references.insert(reference) {
            return Err(Error::invalid(format!("accounts[{index}].reference"), "is there twice"));
        }
        for domain in &account.domains {
            if let Some(other) = domains.insert(domain, reference) {
                let problem = format!("`{domain}` is also a domain of `{other}`: it belongs to one account");
                return Err(Error::field("DOMAIN_TAKEN", format!("accounts[{index}].domains"), problem));
            }
        }
    }
    Ok(())
}

/// The known account with what the manifest says. What activities have found beyond it stays: domains, and where it is.
fn merged(known: &Account, new: Account) -> Account {
    let mut domains = known.domains.clone();
    domains.extend(new.domains.iter().filter(|domain| !known.domains.contains(domain)).cloned());
    domains.sort();
    let said_or = |said: String, known: &String| if said.is_empty() { known.clone() } else { said };
    Account {
        account_id: known.account_id,
        domains,
        country: said_or(new.country, &known.country),
        region: said_or(new.region, &known.region),
        postal_code: said_or(new.postal_code, &known.postal_code),
        city: said_or(new.city, &known.city),
        street: said_or(new.street, &known.street),
        phones: known.phones.clone(),
        revision: known.revision,
        create_time: known.create_time,
        update_time: known.update_time,
        merged_into: known.merged_into,
        ..new
    }
}

/// The account as a manifest would say it.
fn shown(account: &Account) -> Json {
    let all = json!({
        "name": account.name,
        "domains": account.domains,
        "country": account.country,
        "region": account.region,
        "postal_code": account.postal_code,
        "city": account.city,
        "street": account.street,
        "industry": account.industry,
        "employees": account.employees,
        "revenue": account.revenue,
        "relation": account.relation,
        "owner_rep": account.owner_rep,
    });
    let set = |value: &Json| !value.is_null() && value != "" && value != &json!([]);
    let fields = all.as_object().cloned().unwrap_or_default();
    fields.into_iter().filter(|(_, value)| set(value)).collect::<serde_json::Map<_, _>>().into()
}
