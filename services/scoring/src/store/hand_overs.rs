//! What was handed over, frozen as it was.

use std::collections::BTreeSet;

use leadflow_platform::{
    Result,
    db::{Tx, insert_all, is_any},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
    sea_query::{Expr, OnConflict},
};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{
    CHUNK,
    entity::{
        hand_over::{ActiveModel, Column, Entity},
        lead,
    },
    joined,
};

/// One hand-over.
#[derive(Clone, Debug)]
pub(crate) struct HandOver {
    pub(crate) lead_id: Uuid,
    pub(crate) number: i32,
    pub(crate) time: i64,
    pub(crate) explanation: Json,
}

/// Freezes these.
pub(crate) async fn freeze(tx: &Tx, hand_overs: Vec<HandOver>) -> Result<()> {
    let rows = hand_overs.into_iter().map(|hand_over| ActiveModel {
        lead_id: Set(hand_over.lead_id),
        hand_over: Set(hand_over.number.into()),
        hand_over_time: Set(hand_over.time),
        explanation: Set(hand_over.explanation),
    });
    let there = OnConflict::columns([Column::LeadId, Column::HandOver]).do_nothing().to_owned();
    insert_all(tx, rows.collect(), Some(there)).await
}

/// The frozen explanation of a hand-over; of the latest when no number is given.
pub(crate) async fn get(
    connection: &impl ConnectionTrait,
    lead_id: Uuid,
    number: Option<i32>,
) -> Result<Option<HandOver>> {
    let mut query = Entity::find().filter(Column::LeadId.eq(lead_id));
    if let Some(number) = number {
        query = query.filter(Column::HandOver.eq(i64::from(number)));
    }
    let row = query.order_by_desc(Column::HandOver).one(connection).await?;
    Ok(row.map(|row| HandOver {
        lead_id: row.lead_id,
        number: i32::try_from(row.hand_over).unwrap_or(i32::MAX),
        time: row.hand_over_time,
        explanation: row.explanation,
    }))
}

/// The frozen explanations of all hand-overs that were of these accounts' leads, or of others' while they were one; locked,
/// for these others may be at them, too.
pub(crate) async fn of_accounts(tx: &Tx, accounts: &[Uuid]) -> Result<Vec<((Uuid, i64), Json)>> {
    let mut leads: BTreeSet<Uuid> = joined::leads_about(&**tx, accounts).await?.into_iter().collect();
    for chunk in accounts.chunks(CHUNK) {
        let query = lead::Entity::find().select_only().column(lead::Column::LeadId);
        let of = is_any(&**tx, lead::Column::AccountId, chunk.iter().copied());
        leads.extend(query.filter(of).into_tuple::<Uuid>().all(&**tx).await?);
    }
    let mut found = Vec::new();
    for chunk in leads.into_iter().collect::<Vec<_>>().chunks(CHUNK) {
        let rows = Entity::find()
            .filter(is_any(&**tx, Column::LeadId, chunk.iter().copied()))
            .order_by_asc(Column::LeadId)
            .order_by_asc(Column::HandOver)
            .lock_exclusive()
            .all(&**tx)
            .await?;
        found.extend(rows.into_iter().map(|row| ((row.lead_id, row.hand_over), row.explanation)));
    }
    Ok(found)
}

/// Writes what is left of a frozen explanation after somebody was forgotten.
pub(crate) async fn replace(tx: &Tx, (lead_id, hand_over): (Uuid, i64), explanation: Json) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Explanation, Expr::value(explanation))
        .filter(Column::LeadId.eq(lead_id))
        .filter(Column::HandOver.eq(hand_over))
        .exec(&**tx)
        .await?;
    Ok(())
}
