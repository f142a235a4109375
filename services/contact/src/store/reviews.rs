//! Matches that were found: those that a person decides, and those that were sure.

use leadflow_platform::{
    Error, Result,
    db::{Tx, is_any},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set, sea_query::OnConflict,
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    CHUNK,
    entity::match_review::{ActiveModel, Column, Entity, Model},
};
use crate::domain::{
    matched::Found,
    merge::Kind,
    review::{Review, State},
};

/// Which reviews a list shows.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Filter {
    pub(crate) state: Option<State>,
    pub(crate) kind: Option<Kind>,
    /// A contact or an account that is one of the two.
    pub(crate) about: Option<Uuid>,
}

/// Keeps what a batch has found. Of two who are asked about, or were, nobody is asked again.
pub(crate) async fn add(tx: &Tx, found: &[Found], now: i64) -> Result<()> {
    for chunk in found.chunks(CHUNK) {
        let rows = chunk.iter().map(|found| to_row(&Review::found(found.clone(), now))).collect::<Result<Vec<_>>>()?;
        let asked = OnConflict::new().do_nothing().to_owned();
        Entity::insert_many(rows).on_conflict(asked).exec_without_returning(&**tx).await?;
    }
    Ok(())
}

/// One review.
pub(crate) async fn get(connection: &impl ConnectionTrait, review_id: Uuid) -> Result<Review> {
    let row = Entity::find_by_id(review_id).one(connection).await?;
    to_review(row.ok_or_else(|| Error::not_found("match review", review_id))?)
}

/// One review, until the end of the transaction nobody else's.
pub(crate) async fn lock(tx: &Tx, review_id: Uuid) -> Result<Review> {
    let row = Entity::find_by_id(review_id).lock_exclusive().one(&**tx).await?;
    to_review(row.ok_or_else(|| Error::not_found("match review", review_id))?)
}

/// Writes what was decided.
pub(crate) async fn save(tx: &Tx, review: &Review) -> Result<()> {
    let decided = [Column::State, Column::DecideTime, Column::Principal, Column::Note];
    Entity::insert(to_row(review)?)
        .on_conflict(OnConflict::column(Column::ReviewId).update_columns(decided).to_owned())
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// All reviews of these contacts.
pub(crate) async fn of_contacts(connection: &impl ConnectionTrait, contacts: &[Uuid]) -> Result<Vec<Review>> {
    let theirs = |column: Column| is_any(connection, column, contacts.iter().copied());
    let rows = Entity::find().filter(theirs(Column::KnownId).or(theirs(Column::OtherId)));
    rows.order_by_asc(Column::ReviewId).all(connection).await?.into_iter().map(to_review).collect()
}

/// A page of reviews, the newest first.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter,
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Review>> {
    let mut query = Entity::find();
    if let Some(state) = filter.state {
        query = query.filter(Column::State.eq(state.as_str()));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(Column::Subject.eq(kind.as_str()));
    }
    if let Some(id) = filter.about {
        query = query.filter(Column::KnownId.eq(id).or(Column::OtherId.eq(id)));
    }
    if let Some(before) = before {
        query = query.filter(Column::ReviewId.lt(before));
    }
    let rows = query.order_by_desc(Column::ReviewId).limit(limit).all(connection).await?;
    rows.into_iter().map(to_review).collect()
}

fn to_row(review: &Review) -> Result<ActiveModel> {
    let lines = serde_json::to_value(&review.found.lines)
        .map_err(|cause| Error::internal("lines without JSON").because(cause))?;
    Ok(ActiveModel {
        review_id: Set(review.found.review_id),
        subject: Set(review.kind().as_str().to_owned()),
        state: Set(review.state.as_str().to_owned()),
        known_id: Set(review.found.known_id),
        other_id: Set(review.found.other_id),
        weight: Set(review.found.weight),
        lines: Set(lines),
        create_time: Set(review.create_time),
        decide_time: Set(review.decide_time),
        principal: Set(review.principal.clone()),
        note: Set(review.note.clone()),
    })
}

fn to_review(row: Model) -> Result<Review> {
    let unreadable = |what: &str| Error::internal(format!("the {what} of a review in the database"));
    Ok(Review {
        found: Found {
            review_id: row.review_id,
            accounts: row.subject == Kind::Account.as_str(),
            known_id: row.known_id,
            other_id: row.other_id,
            weight: row.weight,
            lines: serde_json::from_value(row.lines).map_err(|cause| unreadable("lines").because(cause))?,
        },
        state: State::named(&row.state).ok_or_else(|| unreadable("state"))?,
        create_time: row.create_time,
        decide_time: row.decide_time,
        principal: row.principal,
        note: row.note,
    })
}
