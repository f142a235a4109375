//! What changes from decision to decision: the balances of the pools and the live assignments of the reps.

use std::collections::{BTreeMap, BTreeSet};

use leadflow_platform::{
    Result,
    db::{Tx, insert_all, is_any},
};
use sea_orm::{ConnectionTrait, EntityTrait as _, QueryFilter as _, Set, sea_query::OnConflict};

use super::{CHUNK, assignments, entity::pool_balance};
use crate::domain::decision::{Balance, Standing};

use pool_balance::{ActiveModel, Column, Entity};

/// Pools and reps share this many locks: a transaction holds a bounded number, however large the company.
const STRIPES: u64 = 64;
/// The first of these locks.
const FIRST_LOCK: i64 = 7_104_000;

/// Locks these pools and reps against other decisions, and reads how they stand. Reps too: one may be a member of
/// several pools, and must not get more than fits from two decisions at once.
pub(crate) async fn lock(tx: &Tx, pools: &BTreeSet<String>, reps: &BTreeSet<String>) -> Result<Standing> {
    let pool_locks = pools.iter().map(|pool| stripe("pool", pool));
    tx.lock_all(pool_locks.chain(reps.iter().map(|rep| stripe("rep", rep))).collect()).await?;
    let reps: Vec<_> = reps.iter().cloned().collect();
    let live = assignments::count_live(tx, &reps).await?;
    Ok(Standing { live, balances: balances(&**tx, pools).await? })
}

/// The balances of these pools.
pub(crate) async fn balances(
    connection: &impl ConnectionTrait,
    pools: &BTreeSet<String>,
) -> Result<BTreeMap<(String, String), Balance>> {
    let mut found = BTreeMap::new();
    let pools: Vec<_> = pools.iter().map(String::as_str).collect();
    for chunk in pools.chunks(CHUNK) {
        for row in
            Entity::find().filter(is_any(connection, Column::Pool, chunk.iter().copied())).all(connection).await?
        {
            found.insert((row.pool, row.rep), Balance { owed: row.balance, offered: row.offered });
        }
    }
    Ok(found)
}

/// Writes the balances.
pub(crate) async fn save(tx: &Tx, balances: &[(&(String, String), &Balance)]) -> Result<()> {
    let rows: Vec<_> = balances
        .iter()
        .map(|((pool, rep), balance)| ActiveModel {
            pool: Set(pool.clone()),
            rep: Set(rep.clone()),
            balance: Set(balance.owed),
            offered: Set(balance.offered),
        })
        .collect();
    let change =
        OnConflict::columns([Column::Pool, Column::Rep]).update_columns([Column::Balance, Column::Offered]).to_owned();
    insert_all(tx, rows, Some(change)).await
}

/// By FNV-1a, because replicas of different builds must agree.
fn stripe(kind: &str, name: &str) -> i64 {
    let bytes = kind.bytes().chain([0]).chain(name.bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    FIRST_LOCK + (hash % STRIPES) as i64
}
