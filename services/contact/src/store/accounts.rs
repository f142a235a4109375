//! Accounts, and the keys (domains and names) that lead to them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadflow_platform::{
    Error, Result,
    db::{Tx, insert_all, is_any},
    digest::Facts,
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, Set, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    CHUNK,
    entity::account::{ActiveModel, Column, Entity, Model},
    entity::account_key,
    profile_fields, with_keys,
};
use crate::domain::{Account, Key, Relation};

const DOMAIN: &str = "domain";
pub(super) const NAME: &str = "name";

/// The name by which accounts are sorted.
pub(crate) fn sort_name(account: &Account) -> String {
    account.name.to_lowercase()
}

/// One account.
pub(crate) async fn get(connection: &impl ConnectionTrait, account_id: Uuid) -> Result<Account> {
    let row = Entity::find_by_id(account_id).one(connection).await?;
    let row = row.ok_or_else(|| Error::not_found("account", account_id))?;
    Ok(with_domains(connection, vec![row]).await?.remove(0))
}

/// These accounts.
pub(crate) async fn by_ids(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Account>> {
    find(connection, ids, false).await
}

/// These accounts, locked in the order of their ids.
pub(crate) async fn lock(tx: &Tx, ids: BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, Account>> {
    find(&**tx, &ids.into_iter().collect::<Vec<_>>(), true).await
}

/// These accounts; to be changed, they are locked in the order of their ids.
pub(super) async fn find(
    connection: &impl ConnectionTrait,
    ids: &[Uuid],
    lock: bool,
) -> Result<BTreeMap<Uuid, Account>> {
    let mut found = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let these = is_any(connection, Column::AccountId, chunk.iter().copied());
        let mut query = Entity::find().filter(these).order_by_asc(Column::AccountId);
        if lock {
            query = query.lock_exclusive();
        }
        let accounts = with_domains(connection, query.all(connection).await?).await?;
        found.extend(accounts.into_iter().map(|account| (account.account_id, account)));
    }
    Ok(found)
}

/// The ids of the accounts with these references.
pub(crate) async fn by_references(
    connection: &impl ConnectionTrait,
    references: &[String],
) -> Result<HashMap<String, Uuid>> {
    let mut found = HashMap::new();
    for chunk in references.chunks(CHUNK) {
        let rows: Vec<(Option<String>, Uuid)> = Entity::find()
            .select_only()
            .columns([Column::Reference, Column::AccountId])
            .filter(is_any(connection, Column::Reference, chunk.iter().cloned()))
            .into_tuple()
            .all(connection)
            .await?;
        found.extend(rows.into_iter().filter_map(|(reference, id)| Some((reference?, id))));
    }
    Ok(found)
}

/// Which accounts these keys lead to.
pub(crate) async fn owners(connection: &impl ConnectionTrait, keys: &[Key]) -> Result<HashMap<Key, Uuid>> {
    let key = [account_key::Column::Kind, account_key::Column::Value, account_key::Column::Country];
    let rows = with_keys::<account_key::Entity>(connection, key, keys.iter().filter_map(key_columns)).await?;
    Ok(rows.into_iter().map(|row| (row.account_id, to_key(row))).map(|(id, key)| (key, id)).collect())
}

fn to_key(row: account_key::Model) -> Key {
    if row.kind == DOMAIN { Key::Domain(row.value) } else { Key::Name(row.value, row.country) }
}

fn key_columns(key: &Key) -> Option<(&'static str, String, String)> {
    match key {
        Key::Domain(domain) => Some((DOMAIN, domain.clone(), String::new())),
        Key::Name(name, country) => Some((NAME, name.clone(), country.clone())),
        _ => None,
    }
}

/// Writes accounts, new or changed.
pub(crate) async fn save(tx: &Tx, accounts: impl IntoIterator<Item = &Account>) -> Result<()> {
    let changed = OnConflict::column(Column::AccountId)
        .update_columns([
            Column::Reference,
            Column::Name,
            Column::SortName,
            Column::Country,
            Column::Region,
            Column::PostalCode,
            Column::Street,
            Column::City,
            Column::Phones,
            Column::Industry,
            Column::Employees,
            Column::Revenue,
            Column::Relation,
            Column::OwnerRep,
            Column::ParentAccountId,
            Column::RollUp,
            Column::Sites,
            Column::Profile,
            Column::Revision,
            Column::UpdateTime,
            Column::MergedInto,
        ])
        .to_owned();
    insert_all(tx, accounts.into_iter().map(to_row).collect::<Result<_>>()?, Some(changed)).await
}

/// Lets keys lead to accounts. A domain that leads elsewhere already is a unique violation; a name leads to the account
/// that had it first.
pub(crate) async fn add_keys(tx: &Tx, keys: impl IntoIterator<Item = (Key, Uuid)>) -> Result<()> {
    let (mut names, mut domains) = (Vec::new(), Vec::new());
    for (key, account_id) in keys {
        let Some((kind, value, country)) = key_columns(&key) else { continue };
        let (kind_of_row, value, country) = (Set(kind.to_owned()), Set(value), Set(country));
        let row = account_key::ActiveModel { kind: kind_of_row, value, country, account_id: Set(account_id) };
        if kind == NAME { names.push(row) } else { domains.push(row) }
    }
    let key = [account_key::Column::Kind, account_key::Column::Value, account_key::Column::Country];
    insert_all(tx, domains, None).await?;
    insert_all(tx, names, Some(OnConflict::columns(key).do_nothing().to_owned())).await
}

/// Takes the keys of an account away that are not its own any more: all domains, and all names but its own, in its
/// country or told without one.
pub(crate) async fn drop_keys(tx: &Tx, account: &Account) -> Result<()> {
    let mut gone = Condition::any().add(account_key::Column::Kind.eq(DOMAIN));
    gone = match account.name_key() {
        Some(Key::Name(name, country)) => gone
            .add(account_key::Column::Value.ne(name))
            .add(account_key::Column::Country.is_not_in([country, String::new()])),
        _ => gone.add(account_key::Column::Kind.eq(NAME)),
    };
    let own = account_key::Column::AccountId.eq(account.account_id);
    account_key::Entity::delete_many().filter(own).filter(gone).exec(&**tx).await?;
    Ok(())
}

/// Each with its revision, which is all that tells its states apart.
pub(crate) fn facts() -> Facts {
    let accounts = Entity::find().select_only().columns([Column::AccountId, Column::Revision]);
    Facts::new(accounts.into_query(), Column::AccountId)
}

/// What the rows say, with the domains.
pub(super) async fn with_domains(connection: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<Account>> {
    let ids: Vec<_> = rows.iter().map(|row| row.account_id).collect();
    let mut domains: HashMap<Uuid, Vec<String>> = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let these = is_any(connection, account_key::Column::AccountId, chunk.iter().copied());
        // With the names: asked for domains only, PostgreSQL may read those of all accounts.
        let keys = account_key::Entity::find().filter(these).order_by_asc(account_key::Column::Value);
        for key in keys.all(connection).await?.into_iter().filter(|key| key.kind == DOMAIN) {
            domains.entry(key.account_id).or_default().push(key.value);
        }
    }
    rows.into_iter()
        .map(|row| {
            let domains = domains.remove(&row.account_id).unwrap_or_default();
            to_account(row, domains)
        })
        .collect()
}

fn to_row(account: &Account) -> Result<ActiveModel> {
    let sites = serde_json::to_value(&account.sites);
    let relation = match account.relation {
        Relation::Prospect => "prospect",
        Relation::Customer => "customer",
        Relation::FormerCustomer => "former_customer",
    };
    Ok(ActiveModel {
        account_id: Set(account.account_id),
        reference: Set(account.reference.clone()),
        name: Set(account.name.clone()),
        sort_name: Set(sort_name(account)),
        country: Set(account.country.clone()),
        region: Set(account.region.clone()),
        postal_code: Set(account.postal_code.clone()),
        street: Set(account.street.clone()),
        city: Set(account.city.clone()),
        phones: Set(account.phones.clone().into()),
        industry: Set(account.industry.clone()),
        employees: Set(account.employees),
        revenue: Set(account.revenue),
        relation: Set(relation.to_owned()),
        owner_rep: Set(account.owner_rep.clone()),
        parent_account_id: Set(account.parent_account_id),
        roll_up: Set(account.roll_up),
        sites: Set(sites.map_err(|cause| Error::internal("sites without JSON").because(cause))?),
        profile: Set(profile_fields::json(&account.profile)?),
        revision: Set(account.revision),
        create_time: Set(account.create_time),
        update_time: Set(account.update_time),
        merged_into: Set(account.merged_into),
    })
}

fn to_account(row: Model, domains: Vec<String>) -> Result<Account> {
    Ok(Account {
        account_id: row.account_id,
        reference: row.reference,
        name: row.name,
        domains,
        country: row.country,
        region: row.region,
        postal_code: row.postal_code,
        street: row.street,
        city: row.city,
        phones: serde_json::from_value(row.phones)
            .map_err(|cause| Error::internal("unreadable JSON in the database").because(cause))?,
        industry: row.industry,
        employees: row.employees,
        revenue: row.revenue,
        relation: match row.relation.as_str() {
            "prospect" => Relation::Prospect,
            "customer" => Relation::Customer,
            "former_customer" => Relation::FormerCustomer,
            other => return Err(Error::internal(format!("the relation `{other}` in the database"))),
        },
        owner_rep: row.owner_rep,
        parent_account_id: row.parent_account_id,
        roll_up: row.roll_up,
        sites: serde_json::from_value(row.sites)
            .map_err(|cause| Error::internal("unreadable JSON in the database").because(cause))?,
        profile: profile_fields::values(row.profile)?,
        revision: row.revision,
        create_time: row.create_time,
        update_time: row.update_time,
        merged_into: row.merged_into,
    })
}
