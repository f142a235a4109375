//! Lists of accounts. What was merged is shown as what it was merged into, and found by what is shown.

use leadflow_platform::{Result, db::is_any};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    accounts::with_domains,
    entity::account::{Column, Entity},
};
use crate::domain::Account;

/// Which accounts a list shows.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Filter {
    pub(crate) name_prefix: String,
    pub(crate) country: String,
    pub(crate) owner_rep: String,
    pub(crate) parent_account_id: Option<Uuid>,
}

/// Where a page of accounts begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PageKey {
    pub(crate) sort_name: String,
    pub(crate) account_id: Uuid,
}

/// What a filter asks of that a merged side may fill in, with all ids of the parent.
#[derive(Clone, Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) filter: &'a Filter,
    pub(crate) parents: Option<&'a [Uuid]>,
}

impl Shown<'_> {
    /// Whether an account, as it is shown, is one of these.
    pub(crate) fn is(&self, account: &Account) -> bool {
        let Filter { country, owner_rep, .. } = self.filter;
        (country.is_empty() || account.country == *country)
            && (owner_rep.is_empty() || account.owner_rep == *owner_rep)
            && self.parents.is_none_or(|parents| account.parent_account_id.is_some_and(|id| parents.contains(&id)))
    }

    /// Adds what a row has to say by itself.
    fn add_to(&self, connection: &impl ConnectionTrait, mut condition: Condition) -> Condition {
        let Filter { country, owner_rep, .. } = self.filter;
        if !country.is_empty() {
            condition = condition.add(Column::Country.eq(country.as_str()));
        }
        if !owner_rep.is_empty() {
            condition = condition.add(Column::OwnerRep.eq(owner_rep.as_str()));
        }
        if let Some(parents) = self.parents {
            condition = condition.add(is_any(connection, Column::ParentAccountId, parents.iter().copied()));
        }
        condition
    }

    /// The accounts that were merged into another and say something of what is asked for.
    pub(crate) async fn merged(&self, connection: &impl ConnectionTrait) -> Result<Vec<Uuid>> {
        let said = self.add_to(connection, Condition::any());
        if said.is_empty() {
            return Ok(Vec::new());
        }
        let query = Entity::find().select_only().column(Column::AccountId);
        Ok(query.filter(Column::MergedInto.is_not_null()).filter(said).into_tuple().all(connection).await?)
    }
}

/// A page of accounts in the order of their names: those that say by themselves what is asked for, and those of `also`.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    shown: &Shown<'_>,
    also: &[Uuid],
    after: Option<&PageKey>,
    limit: u64,
) -> Result<Vec<Account>> {
    let mut wanted = Condition::all().add(Column::MergedInto.is_null());
    if !shown.filter.name_prefix.is_empty() {
        let prefix = shown.filter.name_prefix.to_lowercase();
        // Everything that begins so lies between the prefix and the prefix with the last possible character behind it.
        wanted =
            wanted.add(Column::SortName.gte(prefix.clone())).add(Column::SortName.lt(format!("{prefix}\u{10ffff}")));
    }
    let mut asked = shown.add_to(connection, Condition::all());
    if !also.is_empty() {
        let also = is_any(connection, Column::AccountId, also.iter().copied());
        asked = Condition::any().add(asked).add(also);
    }
    wanted = wanted.add(asked);
    if let Some(key) = after {
        let same =
            Condition::all().add(Column::SortName.eq(key.sort_name.as_str())).add(Column::AccountId.gt(key.account_id));
        wanted = wanted.add(Condition::any().add(Column::SortName.gt(key.sort_name.as_str())).add(same));
    }
    let rows = Entity::find()
        .filter(wanted)
        .order_by_asc(Column::SortName)
        .order_by_asc(Column::AccountId)
        .limit(limit)
        .all(connection)
        .await?;
    with_domains(connection, rows).await
}
