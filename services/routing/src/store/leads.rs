//! The read copy of leads.

use std::collections::BTreeMap;

use leadflow_platform::{
    Result,
    db::{self, Tx, insert_all, is_any},
};
use sea_orm::{
    ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{CHUNK, entity::lead, from_json, from_text, small, text_of, to_json};
use crate::domain::lead::Lead;

use lead::{ActiveModel, Column, Entity, Model};

/// Keeps what is newer than the copy. All these leads stay locked until the end of the transaction, the newer ones
/// and the others: PostgreSQL locks each row that `ON CONFLICT DO UPDATE` looks at.
pub(crate) async fn keep_newest(tx: &Tx, leads: &BTreeMap<Uuid, Lead>) -> Result<()> {
    let rows: Vec<ActiveModel> = leads.values().map(to_row).collect::<Result<_>>()?;
    let newest = OnConflict::column(Column::LeadId)
        .update_columns([
            Column::Revision,
            Column::Account,
            Column::ProductCategory,
            Column::ScoreMilli,
            Column::Round,
            Column::HandOver,
            Column::CloseReason,
        ])
        .action_and_where(Expr::cust("leads.revision < excluded.revision"))
        .to_owned();
    insert_all(tx, rows, Some(newest)).await
}

/// Which of these leads there is a copy of.
pub(crate) async fn known(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    db::known::<Entity>(connection, Column::LeadId, ids).await
}

/// Locks the leads, in the order of their ids, and returns them.
pub(crate) async fn lock(tx: &Tx, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Lead>> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    let mut leads = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let query = Entity::find()
            .filter(is_any(&**tx, Column::LeadId, chunk.iter().copied()))
            .order_by_asc(Column::LeadId)
            .lock_exclusive();
        for row in query.all(&**tx).await? {
            leads.insert(row.lead_id, to_lead(row)?);
        }
    }
    Ok(leads)
}

/// The leads with these ids.
pub(crate) async fn get(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Lead>> {
    let mut leads = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        for row in
            Entity::find().filter(is_any(connection, Column::LeadId, chunk.iter().copied())).all(connection).await?
        {
            leads.insert(row.lead_id, to_lead(row)?);
        }
    }
    Ok(leads)
}

fn to_row(lead: &Lead) -> Result<ActiveModel> {
    Ok(ActiveModel {
        lead_id: Set(lead.lead_id),
        revision: Set(lead.revision),
        account: Set(to_json(&lead.account)?),
        product_category: Set(lead.product_category.clone()),
        score_milli: Set(lead.score_milli),
        round: Set(lead.round.into()),
        hand_over: Set(lead.hand_over.into()),
        close_reason: Set(lead.closed.map(|reason| text_of(&reason)).transpose()?),
    })
}

fn to_lead(row: Model) -> Result<Lead> {
    Ok(Lead {
        lead_id: row.lead_id,
        revision: row.revision,
        account: from_json(row.account)?,
        product_category: row.product_category,
        score_milli: row.score_milli,
        round: small(row.round)?,
        hand_over: small(row.hand_over)?,
        closed: row.close_reason.map(from_text).transpose()?,
        // Only news of it matters.
        merged_into: None,
    })
}
