//! What was announced: the identified activities.

use leadflow_platform::{
    Result,
    db::{Tx, is_any},
    digest::{Facts, millis},
};
use sea_orm::{
    QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _, entity::prelude::*, sea_query::Expr,
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

/// How long an activity may be on its way from its id to the ledger, and how far the clocks of replicas may differ.
const MARGIN_MILLIS: u64 = 60_000;

/// Those that were moved to another account, with how often.
pub(crate) fn reattributed() -> Facts {
    let moved = Entity::find()
        .select_only()
        .columns([Column::ActivityId, Column::Attribution])
        .filter(Expr::cust("attribution > 0"));
    Facts::new(moved.into_query(), Column::ActivityId)
}

/// They never change, but for the few that are [`reattributed`].
pub(crate) fn facts() -> Facts {
    let identified = Entity::find_in_state(State::Identified).select_only().column(Column::ActivityId);
    Facts::new(identified.into_query(), Column::ActivityId)
}

/// Until where all that comes is identified, or set aside: before the oldest that waits, and a little before the newest.
pub(crate) async fn settled_millis(connection: &impl ConnectionTrait) -> Result<u64> {
    let ids = |query: sea_orm::Select<Entity>| query.select_only().column(Column::ActivityId);
    let waiting = ids(Entity::find_pending()).order_by_asc(Column::ActivityId).into_tuple::<Uuid>();
    let waiting = waiting.one(connection).await?.map_or(u64::MAX, millis);
    let newest = ids(Entity::find()).order_by_desc(Column::ActivityId).into_tuple::<Uuid>();
    let newest = newest.one(connection).await?.map_or(0, millis);
    Ok(waiting.min(newest.saturating_sub(MARGIN_MILLIS)))
}

/// These, with who did them.
pub(crate) async fn get(tx: &Tx, ids: &[Uuid]) -> Result<Vec<(Activity, Party)>> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in chunks(ids) {
        let these = is_any(&**tx, Column::ActivityId, chunk.iter().copied());
        let query = Entity::find_in_state(State::Identified).filter(these);
        for row in query.all(&**tx).await? {
            let (contact_id, account_id) = (row.contact_id, row.account_id);
            let (account_revision, attribution) = (row.account_revision, row.attribution);
            let party = Party { contact_id, account_id, account_revision, attribution };
            found.push((row.try_into()?, party));
        }
    }
    Ok(found)
}
