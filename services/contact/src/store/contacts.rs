//! Contacts, and the identities that lead to them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadflow_platform::{
    Error, Result,
    db::{Tx, insert_all, is_any},
    digest::Facts,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _, Set, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    CHUNK,
    entity::contact::{ActiveModel, Column, Entity, Model},
    entity::{contact_phone, identity},
    from_json, profile_fields, with_keys,
};
use crate::domain::{Contact, Key};

/// These contacts.
pub(crate) async fn by_ids(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Contact>> {
    find(connection, ids, false).await
}

/// These contacts, locked in the order of their ids.
pub(crate) async fn lock(tx: &Tx, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Contact>> {
    find(&**tx, ids, true).await
}

/// These contacts; to be changed, they are locked in the order of their ids.
pub(super) async fn find(
    connection: &impl ConnectionTrait,
    ids: &[Uuid],
    lock: bool,
) -> Result<BTreeMap<Uuid, Contact>> {
    let mut found = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let these = is_any(connection, Column::ContactId, chunk.iter().copied());
        let mut query = Entity::find().filter(these).order_by_asc(Column::ContactId);
        if lock {
            query = query.lock_exclusive();
        }
        for row in query.all(connection).await? {
            found.insert(row.contact_id, to_contact(row)?);
        }
    }
    Ok(found)
}

/// The names of these contacts, as people read them.
pub(crate) async fn names(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeMap<Uuid, String>> {
    let mut found = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let rows: Vec<(Uuid, String, String)> = Entity::find()
            .select_only()
            .columns([Column::ContactId, Column::GivenName, Column::FamilyName])
            .filter(is_any(connection, Column::ContactId, chunk.iter().copied()))
            .into_tuple()
            .all(connection)
            .await?;
        found.extend(rows.into_iter().map(|(id, given, family)| (id, format!("{given} {family}").trim().to_owned())));
    }
    Ok(found)
}

/// Which contacts these keys lead to; phones are not among them.
pub(crate) async fn owners(connection: &impl ConnectionTrait, keys: &[Key]) -> Result<HashMap<Key, Uuid>> {
    let key = [identity::Column::Kind, identity::Column::Scope, identity::Column::Value];
    let rows = with_keys::<identity::Entity>(connection, key, keys.iter().filter_map(key_columns)).await?;
    Ok(rows.into_iter().map(|row| (row.contact_id, to_key(row))).map(|(id, key)| (key, id)).collect())
}

/// All keys that lead to these contacts; nothing for one that only has a phone.
pub(crate) async fn keys_of(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<HashMap<Uuid, BTreeSet<Key>>> {
    let mut found: HashMap<Uuid, BTreeSet<Key>> = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let these = is_any(connection, identity::Column::ContactId, chunk.iter().copied());
        for row in identity::Entity::find().filter(these).all(connection).await? {
            found.entry(row.contact_id).or_default().insert(to_key(row));
        }
    }
    Ok(found)
}

fn to_key(row: identity::Model) -> Key {
    match row.kind.as_str() {
        "email" => Key::Email(row.value),
        "mobile" => Key::Mobile(row.value),
        "external_id" => Key::ExternalId(row.scope, row.value),
        _ => Key::AnonymousId(row.value),
    }
}

fn key_columns(key: &Key) -> Option<(&'static str, String, String)> {
    match key {
        Key::Email(email) => Some(("email", String::new(), email.clone())),
        Key::Mobile(mobile) => Some(("mobile", String::new(), mobile.clone())),
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
        let these = is_any(connection, contact_phone::Column::Phone, chunk.iter().cloned());
        for row in contact_phone::Entity::find().filter(these).all(connection).await? {
            found.entry(row.phone).or_default().insert(row.contact_id);
        }
    }
    Ok(found)
}

/// Writes contacts, new or changed.
pub(crate) async fn save(tx: &Tx, contacts: &[&Contact]) -> Result<()> {
    let changed = OnConflict::column(Column::ContactId)
        .update_columns([
            Column::AccountId,
            Column::LeftAccountIds,
            Column::GivenName,
            Column::FamilyName,
            Column::JobTitle,
            Column::Emails,
            Column::Phones,
            Column::Mobiles,
            Column::Street,
            Column::City,
            Column::Region,
            Column::PostalCode,
            Column::Role,
            Column::Function,
            Column::Seniority,
            Column::Stage,
            Column::Country,
            Column::Profile,
            Column::Revision,
            Column::UpdateTime,
            Column::MergedInto,
        ])
        .to_owned();
    insert_all(tx, contacts.iter().map(|contact| to_row(contact)).collect::<Result<_>>()?, Some(changed)).await?;
    let phones = contacts
        .iter()
        .flat_map(|contact| contact.phones.iter().map(|phone| (phone.clone(), contact.contact_id)))
        .map(|(phone, id)| contact_phone::ActiveModel { phone: Set(phone), contact_id: Set(id) });
    let known =
        OnConflict::columns([contact_phone::Column::Phone, contact_phone::Column::ContactId]).do_nothing().to_owned();
    insert_all(tx, phones.collect(), Some(known)).await
}

/// Lets identities lead to contacts. One that leads elsewhere already is a unique violation.
pub(crate) async fn add_keys(tx: &Tx, keys: impl IntoIterator<Item = (Key, Uuid)>) -> Result<()> {
    let row = |(key, contact_id): (Key, Uuid)| {
        let (kind, scope, value) = key_columns(&key)?;
        let (kind, scope, value) = (Set(kind.to_owned()), Set(scope), Set(value));
        Some(identity::ActiveModel { kind, scope, value, contact_id: Set(contact_id) })
    };
    insert_all(tx, keys.into_iter().filter_map(row).collect(), None).await
}

/// Lets an identity lead to nobody any more.
pub(crate) async fn drop_key(tx: &Tx, key: &Key) -> Result<()> {
    let Some((kind, scope, value)) = key_columns(key) else { return Ok(()) };
    identity::Entity::delete_by_id((kind.to_owned(), scope, value)).exec(&**tx).await?;
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
        query = query.filter(is_any(connection, Column::AccountId, accounts.iter().copied()));
    }
    if let Some(before) = before {
        query = query.filter(Column::ContactId.lt(before));
    }
    let rows = query.order_by_desc(Column::ContactId).limit(limit).all(connection).await?;
    rows.into_iter().map(to_contact).collect()
}

fn to_row(contact: &Contact) -> Result<ActiveModel> {
    let left = serde_json::to_value(&contact.left_account_ids);
    Ok(ActiveModel {
        contact_id: Set(contact.contact_id),
        account_id: Set(contact.account_id),
        left_account_ids: Set(left.map_err(|cause| Error::internal("accounts without JSON").because(cause))?),
        given_name: Set(contact.given_name.clone()),
        family_name: Set(contact.family_name.clone()),
        job_title: Set(contact.job_title.clone()),
        emails: Set(contact.emails.clone().into()),
        phones: Set(contact.phones.clone().into()),
        mobiles: Set(contact.mobiles.clone().into()),
        street: Set(contact.street.clone()),
        city: Set(contact.city.clone()),
        region: Set(contact.region.clone()),
        postal_code: Set(contact.postal_code.clone()),
        role: Set(contact.role.clone()),
        function: Set(contact.function.clone()),
        seniority: Set(contact.seniority.clone()),
        stage: Set(contact.stage.clone()),
        country: Set(contact.country.clone()),
        profile: Set(profile_fields::json(&contact.profile)?),
        revision: Set(contact.revision),
        create_time: Set(contact.create_time),
        update_time: Set(contact.update_time),
        merged_into: Set(contact.merged_into),
    })
}

fn to_contact(row: Model) -> Result<Contact> {
    Ok(Contact {
        contact_id: row.contact_id,
        account_id: row.account_id,
        left_account_ids: from_json(row.left_account_ids)?,
        given_name: row.given_name,
        family_name: row.family_name,
        job_title: row.job_title,
        emails: from_json(row.emails)?,
        phones: from_json(row.phones)?,
        mobiles: from_json(row.mobiles)?,
        street: row.street,
        city: row.city,
        region: row.region,
        postal_code: row.postal_code,
        role: row.role,
        function: row.function,
        seniority: row.seniority,
        stage: row.stage,
        country: row.country,
        profile: profile_fields::values(row.profile)?,
        revision: row.revision,
        create_time: row.create_time,
        update_time: row.update_time,
        merged_into: row.merged_into,
    })
}
