//! What is known of how accounts buy.

use std::collections::BTreeMap;

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    page::Page,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::App;
use crate::{
    domain::site_map::{self, Fact, Gap, Player, Retraction, State, Subject},
    error,
    store::{accounts, contacts, merges, site_map as store},
};

/// A fact as it is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) fact: Fact,
    pub(crate) state: State,
    /// Of a player who is a contact.
    pub(crate) player_name: String,
}

/// What is known of an account, and what is worth asking next.
#[derive(Clone, Debug)]
pub(crate) struct SiteMap {
    pub(crate) facts: Vec<Shown>,
    pub(crate) gaps: Vec<Gap>,
}

impl App {
    /// Adds a fact with the id that it has.
    pub(crate) async fn record_fact(&self, mutation: Mutation, fact: Fact) -> Result<Shown> {
        mutate(&self.database, mutation, move |tx| async move {
            let named = [("fact.contact_id", player(&fact)), ("fact.said_by_contact_id", fact.said_by_contact_id)];
            let people: Vec<_> = named.iter().filter_map(|(_, id)| *id).collect();
            let people = contacts::lock(&tx, &people).await?;
            // The account's row is the lock of its site map.
            let sides = merges::joined(&*tx, fact.account_id).await?;
            if accounts::lock(&tx, sides.iter().copied().collect()).await?.is_empty() {
                return Err(Error::field("UNKNOWN_ACCOUNT", "fact.account_id", "there is no such account"));
            }
            for (field, id) in named {
                if id.is_some_and(|id| !people.contains_key(&id)) {
                    return Err(Error::field("UNKNOWN_CONTACT", field, "there is no such contact"));
                }
            }
            let mut facts = store::of_account(&*tx, &sides).await?;
            if facts.len() >= store::MAX_FACTS {
                return Err(error::too_many_facts(store::MAX_FACTS));
            }
            store::insert(&tx, &fact).await?;
            facts.push(fact.clone());
            let names = contacts::names(&*tx, &players(std::slice::from_ref(&fact))).await?;
            shown(&facts, vec![fact], &names).pop().ok_or_else(|| Error::internal("a fact was lost"))
        })
        .await
    }

    /// Takes a fact back. One that was taken back before stays as it is.
    pub(crate) async fn retract_fact(&self, mutation: Mutation, fact_id: Uuid, reason: String) -> Result<Shown> {
        let retraction = Retraction { reason, principal: mutation.principal.as_str().to_owned(), time: self.now() };
        mutate(&self.database, mutation, move |tx| async move {
            let mut fact = store::lock(&tx, fact_id).await?;
            if fact.retraction.is_none() {
                store::retract(&tx, fact_id, &retraction).await?;
                fact.retraction = Some(retraction);
            }
            let all = store::of_account(&*tx, &merges::joined(&*tx, fact.account_id).await?).await?;
            let names = contacts::names(&*tx, &players(std::slice::from_ref(&fact))).await?;
            shown(&all, vec![fact], &names).pop().ok_or_else(|| Error::internal("a fact was lost"))
        })
        .await
    }

    /// A page of an account's facts that `wanted` lets through, the newest first.
    pub(crate) async fn facts(
        &self,
        account_id: Uuid,
        wanted: impl Fn(&Subject) -> bool,
        page: &Page<Uuid>,
    ) -> Result<(Vec<Shown>, String)> {
        let reader = self.database.reader();
        let all = self.all_facts(account_id).await?;
        let is_before = |fact: &&Fact| page.after().is_none_or(|before| fact.fact_id < *before);
        let listed = all.iter().rev().filter(|fact| wanted(&fact.subject)).filter(is_before);
        let listed = listed.take(usize::try_from(page.limit()).unwrap_or(usize::MAX)).cloned().collect();
        let (listed, next) = page.finish(listed, |fact: &Fact| fact.fact_id);
        let names = contacts::names(reader, &players(&listed)).await?;
        Ok((shown(&all, listed, &names), next))
    }

    /// What is known of an account for a category, or for all that it buys.
    pub(crate) async fn site_map(&self, account_id: Uuid, product_category: &str) -> Result<SiteMap> {
        let reader = self.database.reader();
        let all = self.all_facts(account_id).await?;
        let current = site_map::current(&all, product_category);
        let gaps = site_map::gaps(&current, self.now());
        let names = contacts::names(reader, &players(&current)).await?;
        Ok(SiteMap { facts: shown(&all, current, &names), gaps })
    }

    /// Of an account and of what was merged into it.
    async fn all_facts(&self, account_id: Uuid) -> Result<Vec<Fact>> {
        let reader = self.database.reader();
        accounts::get(reader, account_id).await?;
        store::of_account(reader, &merges::joined(reader, account_id).await?).await
    }
}

/// The contacts among the players.
fn players(facts: &[Fact]) -> Vec<Uuid> {
    facts.iter().filter_map(player).collect()
}

fn player(fact: &Fact) -> Option<Uuid> {
    match &fact.subject {
        Subject::Player(_, Player::Contact(id)) => Some(*id),
        _ => None,
    }
}

/// Some of an account's facts as they are told.
pub(super) fn shown(all: &[Fact], some: Vec<Fact>, names: &BTreeMap<Uuid, String>) -> Vec<Shown> {
    let states = site_map::states(all);
    let show = |fact: Fact| Shown {
        state: states.get(&fact.fact_id).copied().unwrap_or(State::Superseded),
        player_name: player(&fact).and_then(|id| names.get(&id).cloned()).unwrap_or_default(),
        fact,
    };
    some.into_iter().map(show).collect()
}
