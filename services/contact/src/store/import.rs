//! The accounts that the lines of a file may be about.

use std::collections::{BTreeSet, HashMap};

use leadflow_platform::{Result, db::Tx};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::{CHUNK, accounts, entity::account_key};
use crate::domain::{Key, import::AccountLine, normal};

/// What leads to accounts, besides their own domains and references: of each the names, with their countries.
pub(crate) type Names = HashMap<Uuid, Vec<(String, String)>>;

/// The accounts that the lines may be about, with their parents; what was merged is among them by itself.
pub(crate) async fn candidates(tx: &Tx, lines: &[&AccountLine]) -> Result<(BTreeSet<Uuid>, Names)> {
    let parents = || lines.iter().map(|line| line.parent.clone()).filter(|parent| !parent.is_empty());
    let references: Vec<_> = lines.iter().filter_map(|line| line.account.reference.clone()).chain(parents()).collect();
    let domains: Vec<_> = lines.iter().flat_map(|line| line.account.domains.iter().cloned().map(Key::Domain)).collect();
    let names = lines.iter().map(|line| normal::company_key(&line.account.name));
    let names = names.chain(parents().map(|parent| normal::company_key(&parent))).collect();
    let names = owners_by_name(&**tx, names).await?;
    let mut ids: BTreeSet<Uuid> = names.keys().copied().collect();
    ids.extend(lines.iter().filter_map(|line| line.account_id));
    ids.extend(parents().filter_map(|parent| parent.parse::<Uuid>().ok()));
    ids.extend(accounts::by_references(&**tx, &references).await?.into_values());
    ids.extend(accounts::owners(&**tx, &domains).await?.into_values());
    Ok((ids, names))
}

/// Which accounts these names lead to, in whatever country: of each the names and countries.
async fn owners_by_name(connection: &impl ConnectionTrait, names: BTreeSet<String>) -> Result<Names> {
    let names: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
    let mut found = Names::new();
    for chunk in names.chunks(CHUNK) {
        let rows = account_key::Entity::find()
            .filter(account_key::Column::Kind.eq(accounts::NAME))
            .filter(account_key::Column::Value.is_in(chunk.iter().cloned()))
            .all(connection)
            .await?;
        for row in rows {
            found.entry(row.account_id).or_default().push((row.value, row.country));
        }
    }
    Ok(found)
}
