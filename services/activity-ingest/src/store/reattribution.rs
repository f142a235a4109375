//! Moving activities to another account.

use std::collections::BTreeMap;

use leadflow_platform::{
    Result,
    db::{Tx, is_any},
};
use sea_orm::{
    ConnectionTrait as _, DatabaseBackend, QueryFilter as _, QueryOrder as _, QuerySelect as _, Statement,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait as _},
};

use crate::{
    domain::{
        activity::{Activity, State},
        resolution::Party,
    },
    store::{
        chunks,
        entities::activity::{Column, Entity},
    },
};

/// Lets what these people have done without an account belong to the account that is given for each, with its revision.
/// Returns what was moved.
pub(crate) async fn move_to(tx: &Tx, accounts: &BTreeMap<Uuid, (Uuid, i64)>) -> Result<Vec<(Activity, Party)>> {
    let people: Vec<_> = accounts.keys().copied().collect();
    let left = without_account(tx, &people).await?;
    let mut moved = Vec::new();
    for chunk in chunks(&left) {
        let rows = Entity::find_in_state(State::Identified)
            .filter(Column::AccountId.is_null())
            .filter(is_any(&**tx, Column::ActivityId, chunk.iter().copied()))
            .order_by_asc(Column::ActivityId)
            .lock_exclusive()
            .all(&**tx)
            .await?;
        for row in rows {
            let Some(&(account_id, account_revision)) = row.contact_id.and_then(|id| accounts.get(&id)) else {
                continue;
            };
            let (contact_id, attribution) = (row.contact_id, row.attribution + 1);
            let party = Party { contact_id, account_id: Some(account_id), account_revision, attribution };
            moved.push((row.try_into()?, party));
        }
    }
    write(tx, &moved).await?;
    Ok(moved)
}

/// Each person by itself, by the index of what was done without an account; `OFFSET 0` keeps PostgreSQL from reading what
/// all others have done without one.
const WITHOUT_ACCOUNT: &str = "SELECT found.activity_id FROM unnest($1) AS person (contact_id) CROSS JOIN LATERAL (\
     SELECT activity_id FROM activities WHERE activities.contact_id = person.contact_id AND activities.contact_id IS NOT NULL \
     AND account_id IS NULL OFFSET 0) AS found";

/// What these people have done without an account, by its id: mostly nothing.
async fn without_account(tx: &Tx, people: &[Uuid]) -> Result<Vec<Uuid>> {
    let mut found = Vec::new();
    for chunk in chunks(people) {
        let rows: Vec<Uuid> = match tx.get_database_backend() {
            backend @ DatabaseBackend::Postgres => {
                let query = Statement::from_sql_and_values(backend, WITHOUT_ACCOUNT, [chunk.to_vec().into()]);
                let rows = tx.query_all_raw(query).await?;
                rows.iter().map(|row| row.try_get_by_index(0)).collect::<std::result::Result<_, _>>()?
            }
            _ => {
                let theirs =
                    Entity::find().select_only().column(Column::ActivityId).filter(Column::AccountId.is_null());
                let theirs = theirs.filter(Column::ContactId.is_in(chunk.iter().copied()));
                theirs.into_tuple().all(&**tx).await?
            }
        };
        found.extend(rows);
    }
    // The order in which all lock them.
    found.sort_unstable();
    Ok(found)
}

async fn write(tx: &Tx, moved: &[(Activity, Party)]) -> Result<()> {
    let mut by_account: BTreeMap<(Option<Uuid>, i64), Vec<Uuid>> = BTreeMap::new();
    for (activity, party) in moved {
        by_account.entry((party.account_id, party.account_revision)).or_default().push(activity.activity_id);
    }
    for ((account_id, account_revision), ids) in by_account {
        for chunk in chunks(&ids) {
            Entity::update_many()
                .col_expr(Column::AccountId, Expr::value(account_id))
                .col_expr(Column::AccountRevision, Expr::value(account_revision))
                .col_expr(Column::Attribution, Expr::col(Column::Attribution).add(1))
                .filter(Column::ActivityId.is_in(chunk.iter().copied()))
                .exec(&**tx)
                .await?;
        }
    }
    Ok(())
}
