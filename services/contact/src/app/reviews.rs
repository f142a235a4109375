//! What a person decides of two who may be one.

use leadflow_platform::{
    Result,
    audit::{Mutation, mutate},
    db::Tx,
    page::Page,
};
use uuid::Uuid;

use super::{App, merge::Merging};
use crate::{
    domain::{
        Account, Contact,
        merge::Kind,
        review::{Decision, Review, State},
    },
    error,
    store::{
        accounts, contacts, hierarchy, merges,
        reviews::{self, Filter},
    },
};

/// A review with both sides as they are now, the known one first.
#[derive(Debug)]
pub(crate) struct Sides {
    pub(crate) review: Review,
    pub(crate) contacts: Vec<Contact>,
    pub(crate) accounts: Vec<Account>,
}

impl App {
    /// A page of reviews.
    pub(crate) async fn reviews(&self, filter: &Filter, page: &Page<Uuid>) -> Result<(Vec<Review>, String)> {
        let rows = reviews::list(self.database.reader(), filter, page.after().copied(), page.limit()).await?;
        Ok(page.finish(rows, |review| review.found.review_id))
    }

    /// One review with both sides.
    pub(crate) async fn review(&self, review_id: Uuid) -> Result<Sides> {
        let reader = self.database.reader();
        let review = reviews::get(reader, review_id).await?;
        let ids: Vec<_> = [Some(review.found.known_id), review.found.other_id].into_iter().flatten().collect();
        let (mut contacts, mut accounts) = (Vec::new(), Vec::new());
        match review.kind() {
            Kind::Contact => {
                let mut found = contacts::by_ids(reader, &ids).await?;
                contacts.extend(ids.iter().filter_map(|id| found.remove(id)));
            }
            Kind::Account => {
                let mut found = accounts::by_ids(reader, &ids).await?;
                accounts.extend(ids.iter().filter_map(|id| found.remove(id)));
            }
        }
        Ok(Sides { review, contacts, accounts })
    }

    /// Decides an open review.
    pub(crate) async fn decide_review(
        &self,
        mutation: Mutation,
        review_id: Uuid,
        decision: Decision,
        note: String,
    ) -> Result<Review> {
        let app = self.clone();
        let principal = mutation.principal.as_str().to_owned();
        mutate(&self.database, mutation, move |tx| async move {
            if decision == Decision::Link {
                // Whom it is about never changes, and they are locked before the review of them.
                lock_sides(&tx, &reviews::get(&*tx, review_id).await?).await?;
            }
            let mut review = reviews::lock(&tx, review_id).await?;
            if review.state != State::Open {
                return Err(error::review_decided(review.state.as_str()));
            }
            review.state = match decision {
                Decision::Distinct => State::Distinct,
                Decision::Link => State::Linked,
            };
            if decision == Decision::Link {
                app.link(&tx, &review, &note, &principal).await?;
            }
            review.decide_time = Some(app.now());
            review.principal = principal;
            review.note = note;
            reviews::save(&tx, &review).await?;
            Ok(review)
        })
        .await
    }

    /// Merges the other one into the one that was known; each as what it has been merged into meanwhile.
    async fn link(&self, tx: &Tx, review: &Review, note: &str, principal: &str) -> Result<()> {
        let Some(other_id) = review.found.other_id else { return Ok(()) };
        let survivors = merges::survivors(&**tx, &[review.found.known_id, other_id]).await?;
        let leads_to = |id: Uuid| survivors.get(&id).copied().unwrap_or(id);
        let (survivor_id, merged_id) = (leads_to(review.found.known_id), leads_to(other_id));
        if survivor_id != merged_id {
            let merging = Merging { survivor_id, merged_id, note: note.to_owned(), ..Merging::default() };
            self.merge_in(tx, review.kind(), merging, principal).await?;
        }
        Ok(())
    }
}

/// Locks whom a review is about, with all that are one with them.
async fn lock_sides(tx: &Tx, review: &Review) -> Result<()> {
    let ids: Vec<_> = std::iter::once(review.found.known_id).chain(review.found.other_id).collect();
    let sides = merges::all_joined(&**tx, &ids).await?;
    match review.kind() {
        Kind::Contact => contacts::lock(tx, &sides.into_iter().collect::<Vec<_>>()).await.map(drop),
        Kind::Account => {
            hierarchy::lock(tx).await?;
            accounts::lock(tx, sides).await.map(drop)
        }
    }
}
