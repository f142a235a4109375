//! Contacts, and the identities that lead to them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadflow_platform::{Error, Result, db::Tx, digest::Facts};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _, Set, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    CHUNK,
    entity::contact::{ActiveModel, Column, Entity, Model},
    entity::{contact_phone, identity},
};
use crate::domain::{Contact, Key};

/// These contacts.
pub(crate) async fn by_ids(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Contact>> {
    let mut found = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        for row in Entity::find().filter(Column::ContactId.is_in(chunk.iter().copied())).all(connection).await? {
            found.insert(row.contact_id, to_contact(row)?);
        }
    }
    Ok(found)
}

/// These contacts, locked in the order of their ids.
pub(crate) async fn lock(tx: &Tx, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Contact>> {
    let mut locked = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = Entity::find()
            .filter(Column::ContactId.is_in(chunk.iter().copied()))
            .order_by_asc(Column::ContactId)
            .lock_exclusive()
            .all(&**tx)
            .await?;
        for row in rows {
            locked.insert(row.contact_id, to_contact(row)?);
        }
    }
    Ok(locked)
}

/// The names of these contacts, as people read them.
pub(crate) async fn names(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeMap<Uuid, String>> {
    let mut found = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let rows: Vec<(Uuid, String, String)> = Entity::find()
            .select_only()
            .columns([Column::ContactId, Column::GivenName, Column::FamilyName])
            .filter(Column::ContactId.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(connection)
            .await?;
        found.extend(rows.into_iter().map(|(id, given, family)| (id, format!("{given} {family}").trim().to_owned())));
    }
    Ok(found)
}

/// Which contacts these keys lead to; phones are not among them.
pub(crate) async fn owners(connection: &impl ConnectionTrait, keys: &[Key]) -> Result<HashMap<Key, Uuid>> {
    let mut by_kind: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    for (kind, scope, value) in keys.iter().filter_map(key_columns) {
        by_kind.entry(kind).or_default().push((scope, value));
    }
    let mut found = HashMap::new();
    for (kind, columns) in by_kind {
        for chunk in columns.chunks(CHUNK) {
            // All columns of the primary key, so that it finds the rows.
            let rows = identity::Entity::find()
                .filter(identity::Column::Kind.eq(kind))
                .filter(identity::Column::Scope.is_in(chunk.iter().map(|(scope, _)| scope.clone())))
                .filter(identity::Column::Value.is_in(chunk.iter().map(|(_, value)| value.clone())))
                .all(connection)
                .await?;
            found.extend(rows.into_iter().map(|row| (row.contact_id, to_key(row))).map(|(id, key)| (key, id)));
        }
    }
    let asked: BTreeSet<_> = keys.iter().collect();
    found.retain(|key, _| asked.contains(key));
    Ok(found)
}

/// All keys that lead to these contacts; nothing for one that only has a phone.
pub(crate) async fn keys_of(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<HashMap<Uuid, BTreeSet<Key>>> {
    let mut found: HashMap<Uuid, BTreeSet<Key>> = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = identity::Entity::find()
            .filter(identity::Column::ContactId.is_in(chunk.iter().copied()))
            .all(connection)
            .await?;
        for row in rows {
            found.entry(row.contact_id).or_default().insert(to_key(row));
        }
    }
    Ok(found)
}

fn to_key(row: identity::Model) -> Key {
    match row.kind.as_str() {
        "email" => Key::Email(row.value),
        "external_id" => Key::ExternalId(row.scope, row.value),
        _ => Key::AnonymousId(row.value),
    }
}

fn key_columns(key: &Key) -> Option<(&'static str, String, String)> {
    match key {
        Key::Email(email) => Some(("email", String::new(), email.clone())),
        Key::ExternalId(source, id) => Some(("external_id", source.clone(), id.clone())),
        Key::AnonymousId(id) => Some(("anonymous_id", String::new(), id.clone())),
        Key::Phone(_) | Key::Domain(_) | Key::Name(..) | Key::Reference(_) | Key::Description(_) => None,
    }
}

/// Who has these phones.
pub(crate) async fn phones(
    connection: &impl ConnectionTrait,
    phones: &[String],
) -> Result<HashMap<String, BTreeSet<Uuid>>> {
    let mut found: HashMap<String, BTreeSet<Uuid>> = HashMap::new();
    for chunk in phones.chunks(CHUNK) {
        let rows = contact_phone::Entity::find()
            .filter(contact_phone::Column::Phone.is_in(chunk.iter().cloned()))
            .all(connection)
            .await?;
        for row in rows {
            found.entry(row.phone).or_default().insert(row.contact_id);
        }
    }
    Ok(found)
}

/// Writes contacts, new or changed.
pub(crate) async fn save(tx: &Tx, contacts: &[&Contact]) -> Result<()> {
    for chunk in contacts.chunks(CHUNK) {
        Entity::insert_many(chunk.iter().map(|contact| to_row(contact)))
            .on_conflict(
                OnConflict::column(Column::ContactId)
                    .update_columns([
                        Column::AccountId,
                        Column::GivenName,
                        Column::FamilyName,
                        Column::JobTitle,
                        Column::Emails,
                        Column::Phones,
                        Column::Street,
                        Column::City,
                        Column::Region,
                        Column::PostalCode,
                        Column::Role,
                        Column::Function,
                        Column::Seniority,
                        Column::Stage,
                        Column::Country,
                        Column::Revision,
                        Column::UpdateTime,
                        Column::MergedInto,
                    ])
                    .to_owned(),
            )
            .exec_without_returning(&**tx)
            .await?;
        let phones: Vec<_> = chunk
            .iter()
            .flat_map(|contact| contact.phones.iter().map(|phone| (phone.clone(), contact.contact_id)))
            .map(|(phone, id)| contact_phone::ActiveModel { phone: Set(phone), contact_id: Set(id) })
            .collect();
        if !phones.is_empty() {
            contact_phone::Entity::insert_many(phones)
                .on_conflict(
                    OnConflict::columns([contact_phone::Column::Phone, contact_phone::Column::ContactId])
                        .do_nothing()
                        .to_owned(),
                )
                .exec_without_returning(&**tx)
                .await?;
        }
    }
    Ok(())
}

/// Lets identities lead to contacts. One that leads elsewhere already is a unique violation.
pub(crate) async fn add_keys(tx: &Tx, keys: impl IntoIterator<Item = (Key, Uuid)>) -> Result<()> {
    let rows: Vec<_> = keys
        .into_iter()
        .filter_map(|(key, contact_id)| {
            let (kind, scope, value) = key_columns(&key)?;
            Some(identity::ActiveModel {
                kind: Set(kind.to_owned()),
                scope: Set(scope),
                value: Set(value),
                contact_id: Set(contact_id),
            })
        })
        .collect();
    for chunk in rows.chunks(CHUNK) {
        identity::Entity::insert_many(chunk.to_vec()).exec_without_returning(&**tx).await?;
    }
    Ok(())
}

/// Each with its revision, which is all that tells its states apart.
pub(crate) fn facts() -> Facts {
    let contacts = Entity::find().select_only().columns([Column::ContactId, Column::Revision]);
    Facts::new(contacts.into_query(), Column::ContactId)
}

/// A page of contacts, the newest first; only those at one of these accounts, where some are given.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    accounts: Option<&[Uuid]>,
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Contact>> {
    // Who was merged is shown as whom they were merged into.
    let mut query = Entity::find().filter(Column::MergedInto.is_null());
    if let Some(accounts) = accounts {
        query = query.filter(Column::AccountId.is_in(accounts.iter().copied()));
    }
    if let Some(before) = before {
        query = query.filter(Column::ContactId.lt(before));
    }
    let rows = query.order_by_desc(Column::ContactId).limit(limit).all(connection).await?;
    rows.into_iter().map(to_contact).collect()
}

fn to_row(contact: &Contact) -> ActiveModel {
    ActiveModel {
        contact_id: Set(contact.contact_id),
        account_id: Set(contact.account_id),
        given_name: Set(contact.given_name.clone()),
        family_name: Set(contact.family_name.clone()),
        job_title: Set(contact.job_title.clone()),
        emails: Set(contact.emails.clone().into()),
        phones: Set(contact.phones.clone().into()),
        street: Set(contact.street.clone()),
        city: Set(contact.city.clone()),
        region: Set(contact.region.clone()),
        postal_code: Set(contact.postal_code.clone()),
        role: Set(contact.role.clone()),
        function: Set(contact.function.clone()),
        seniority: Set(contact.seniority.clone()),
        stage: Set(contact.stage.clone()),
        country: Set(contact.country.clone()),
        revision: Set(contact.revision),
        create_time: Set(contact.create_time),
        update_time: Set(contact.update_time),
        merged_into: Set(contact.merged_into),
    }
}

fn to_contact(row: Model) -> Result<Contact> {
    let list = |json| {
        serde_json::from_value(json).map_err(|cause| Error::internal("unreadable JSON in the database").because(cause))
    };
    Ok(Contact {
        contact_id: row.contact_id,
        account_id: row.account_id,
        given_name: row.given_name,
        family_name: row.family_name,
        job_title: row.job_title,
        emails: list(row.emails)?,
        phones: list(row.phones)?,
        street: row.street,
        city: row.city,
        region: row.region,
        postal_code: row.postal_code,
        role: row.role,
        function: row.function,
        seniority: row.seniority,
        stage: row.stage,
        country: row.country,
        revision: row.revision,
        create_time: row.create_time,
        update_time: row.update_time,
        merged_into: row.merged_into,
    })
}
