//! Configuration as code: named accounts, found again by their reference.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    db::Tx,
    ids,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{App, hierarchy::check_roll_up};
use crate::{
    domain::{
        Account, Key,
        profile::{Field, Subject, Values},
    },
    error,
    store::{accounts, directory, hierarchy},
};

/// An account as a manifest says it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) account: Account,
    /// The reference of the account that it belongs to.
    pub(crate) parent: Option<String>,
}

/// What an account is, and what it is to be.
struct Plan {
    before: Option<Account>,
    account: Account,
}

/// What was, or would be, done to one account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) before: Option<Json>,
    pub(crate) after: Json,
}

impl App {
    /// Declares profile fields and makes the accounts be as given, or only says what would change.
    pub(crate) async fn configure(
        &self,
        mutation: Mutation,
        fields: Vec<Field>,
        wanted: Vec<Named>,
        validate_only: bool,
    ) -> Result<Vec<Change>> {
        let app = self.clone();
        let work = move |tx: Tx| async move {
            let mut changes = app.declare(&tx, fields).await?;
            changes.extend(app.configure_in(&tx, wanted).await?);
            Ok(changes)
        };
        if validate_only { self.rehearse(work).await } else { mutate(&self.database, mutation, work).await }
    }

    async fn configure_in(&self, tx: &Tx, wanted: Vec<Named>) -> Result<Vec<Change>> {
        check_unique(&wanted)?;
        hierarchy::lock(tx).await?;
        let keys: Vec<_> = wanted.iter().flat_map(|named| named.account.keys()).collect();
        directory::lock_keys(tx, &keys).await?;
        let own = wanted.iter().filter_map(|named| named.account.reference.clone());
        let references: Vec<_> = own.chain(wanted.iter().filter_map(|named| named.parent.clone())).collect();
        let mut by_reference = accounts::by_references(&**tx, &references).await?;
        let owners = accounts::owners(&**tx, &keys).await?;
        let ids = by_reference.values().chain(owners.values()).copied().collect();
        let mut known = accounts::lock(tx, ids).await?;
        let plans = self.plan(wanted, &owners, &mut by_reference, &mut known)?;
        self.carry_out(tx, plans).await
    }

    /// What each account is now and what it is to be. All of them have their ids before the first is written, so that a
    /// parent may stand behind its child.
    fn plan(
        &self,
        wanted: Vec<Named>,
        owners: &HashMap<Key, Uuid>,
        by_reference: &mut HashMap<String, Uuid>,
        known: &mut BTreeMap<Uuid, Account>,
    ) -> Result<Vec<Plan>> {
        let mut plans = Vec::with_capacity(wanted.len());
        let mut parents = Vec::with_capacity(wanted.len());
        for Named { account: new, parent } in wanted {
            let reference = new.reference.clone().unwrap_or_default();
            let id = by_reference.get(&reference).copied().or_else(|| adopted(&new, owners, known));
            let before = id.and_then(|id| known.get(&id)).cloned();
            let account = match &before {
                Some(before) => merged(before, new),
                None => Account { account_id: ids::new(), create_time: self.now(), ..new },
            };
            by_reference.insert(reference, account.account_id);
            known.insert(account.account_id, account.clone());
            plans.push(Plan { before, account });
            parents.push(parent);
        }
        for (index, (plan, parent)) in plans.iter_mut().zip(parents).enumerate() {
            if let Some(parent) = parent {
                let found = by_reference.get(&parent).copied();
                plan.account.parent_account_id =
                    Some(found.ok_or_else(|| {
                        error::unknown_parent(&format!("accounts[{index}].parent_reference"), &parent)
                    })?);
            }
        }
        Ok(plans)
    }

    async fn carry_out(&self, tx: &Tx, plans: Vec<Plan>) -> Result<Vec<Change>> {
        let mut changes = Vec::with_capacity(plans.len());
        let (mut parents, mut moved) = (BTreeSet::new(), Vec::new());
        for (index, Plan { before, account }) in plans.into_iter().enumerate() {
            let parent = before.as_ref().and_then(|before| before.parent_account_id);
            parents.extend(parent.into_iter().chain(account.parent_account_id));
            if account.parent_account_id != parent {
                moved.push((index, account.clone()));
            }
            let at = format!("accounts[{index}].");
            if before.as_ref() != Some(&account) {
                check_roll_up(&account, &format!("{at}roll_up"))?;
                let nothing = Values::new();
                let known = before.as_ref().map_or(&nothing, |before| &before.profile);
                self.check_profile(tx, Subject::Account, (known, &account.profile), &format!("{at}profile")).await?;
                self.check_free(tx, &account, &[account.account_id]).await.map_err(|error| error.within(&at))?;
                self.store_account(tx, account.clone()).await?;
            }
            changes.push((before, account));
        }
        for (index, account) in moved {
            self.check_parents(tx, &account, &format!("accounts[{index}].parent_reference")).await?;
        }
        let parents = hierarchy::references(&**tx, parents).await?;
        let change = |(before, account): (Option<Account>, Account)| Change {
            kind: "Account".to_owned(),
            name: account.reference.clone().unwrap_or_default(),
            before: before.filter(|before| before.reference.is_some()).map(|before| shown(&before, &parents)),
            after: shown(&account, &parents),
        };
        Ok(changes.into_iter().map(change).collect())
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

fn check_unique(accounts: &[Named]) -> Result<()> {
    let (mut references, mut domains) = (HashSet::new(), BTreeMap::new());
    for (index, Named { account, .. }) in accounts.iter().enumerate() {
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

/// The known account with what the manifest says. What has been found beyond it stays: domains, where it is, the profile.
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
        profile: known.profile.clone().into_iter().chain(new.profile).collect(),
        revision: known.revision,
        create_time: known.create_time,
        update_time: known.update_time,
        merged_into: known.merged_into,
        ..new
    }
}

/// The account as a manifest would say it, with the references of the parents.
fn shown(account: &Account, parents: &HashMap<Uuid, String>) -> Json {
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
        "parent": account.parent_account_id.and_then(|id| parents.get(&id)),
        "roll_up": account.roll_up.then_some(true),
        "sites": account.sites,
        "profile": account.profile,
    });
    let set = |value: &Json| !value.is_null() && value != "" && value != &json!([]) && value != &json!({});
    let fields = all.as_object().cloned().unwrap_or_default();
    fields.into_iter().filter(|(_, value)| set(value)).collect::<serde_json::Map<_, _>>().into()
}
