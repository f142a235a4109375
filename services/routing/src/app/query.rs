//! What can be asked.

use std::collections::BTreeSet;

use leadflow_platform::{Error, Result, page::Page};
use uuid::Uuid;

use super::{App, NamedHandOver};
use crate::{
    domain::{
        assignment::Assignment,
        configuration::{Pool, Rep, Territory},
        decision::{Balance, Standing, Trace},
        hand_over::State,
    },
    store::{assignments, hand_overs, leads, standing},
};

/// A pool with what each member is owed.
#[derive(Clone, Debug)]
pub(crate) struct PoolStatus {
    pub(crate) name: String,
    pub(crate) pool: Pool,
    pub(crate) balances: Vec<(String, Balance)>,
}

/// A part of a list, with the token of the next one.
type Part<T> = (Vec<T>, String);

impl App {
    /// One assignment.
    pub(crate) async fn assignment(&self, assignment_id: Uuid) -> Result<Assignment> {
        assignments::get(self.database.reader(), assignment_id).await
    }

    /// Assignments, the newest first.
    pub(crate) async fn assignments(
        &self,
        filter: &assignments::Filter,
        page: &Page<(i64, Uuid)>,
    ) -> Result<Part<Assignment>> {
        let found = assignments::list(self.database.reader(), filter, page).await?;
        Ok(page.finish(found, |one| (one.offer_time.as_millisecond(), one.assignment_id)))
    }

    /// How the decision for this assignment came out.
    pub(crate) async fn explain_assignment(&self, assignment_id: Uuid) -> Result<(Trace, Option<Assignment>)> {
        let assignment = self.assignment(assignment_id).await?;
        let found = hand_overs::trace(self.database.reader(), assignment.lead_id, Some(assignment.hand_over)).await?;
        let (trace, _) = found.ok_or_else(|| Error::not_found("decision for the assignment", assignment_id))?;
        Ok((trace, Some(assignment)))
    }

    /// How the latest decision for this lead came out, held or not.
    pub(crate) async fn explain_lead(&self, lead_id: Uuid) -> Result<(Trace, Option<Assignment>)> {
        let found = hand_overs::trace(self.database.reader(), lead_id, None).await?;
        let (trace, assignment_id) = found.ok_or_else(|| Error::not_found("decision for the lead", lead_id))?;
        let assignment = match assignment_id {
            Some(assignment_id) => Some(self.assignment(assignment_id).await?),
            None => None,
        };
        Ok((trace, assignment))
    }

    /// Hand-overs, by lead and number.
    pub(crate) async fn hand_overs(
        &self,
        state: Option<State>,
        page: &Page<(Uuid, i32)>,
    ) -> Result<Part<NamedHandOver>> {
        let found = hand_overs::list(self.database.reader(), state, page).await?;
        let (found, token) = page.finish(found, |one| (one.lead_id, one.hand_over));
        let ids: BTreeSet<Uuid> = found.iter().map(|one| one.lead_id).collect();
        let leads = leads::get(self.database.reader(), &ids.into_iter().collect::<Vec<_>>()).await?;
        let named = found.into_iter().map(|one| {
            let lead = leads.get(&one.lead_id);
            NamedHandOver::of(one, lead)
        });
        Ok((named.collect(), token))
    }

    /// The reps, by name.
    pub(crate) async fn reps(&self, page: &Page<String>) -> Result<Part<(String, Rep)>> {
        let rules = self.rules(self.database.reader()).await?;
        let rest = rules.configuration.reps.iter().filter(|(name, _)| page.after().is_none_or(|after| *name > after));
        let reps = rest.take(limit(page)).map(|(name, rep)| (name.clone(), rep.clone())).collect();
        Ok(page.finish(reps, |(name, _)| name.clone()))
    }

    /// The pools with what each member is owed, by name.
    pub(crate) async fn pools(&self, page: &Page<String>) -> Result<Part<PoolStatus>> {
        let rules = self.rules(self.database.reader()).await?;
        let rest = rules.configuration.pools.iter().filter(|(name, _)| page.after().is_none_or(|after| *name > after));
        let (pools, token) = page.finish(rest.take(limit(page)).collect(), |(name, _)| (*name).clone());
        let names = pools.iter().map(|(name, _)| (*name).clone()).collect();
        let balances = standing::balances(self.database.reader(), &names).await?;
        let standing = Standing { balances, ..Default::default() };
        let status = |(name, pool): (&String, &Pool)| {
            let balances =
                pool.members.iter().map(|member| (member.rep.clone(), standing.balance(name, &member.rep))).collect();
            PoolStatus { name: name.clone(), pool: pool.clone(), balances }
        };
        Ok((pools.into_iter().map(status).collect(), token))
    }

    /// The territories, parents before children, siblings by priority. A page begins after the territory of this name.
    pub(crate) async fn territories(&self, page: &Page<String>) -> Result<Part<(String, Territory)>> {
        let rules = self.rules(self.database.reader()).await?;
        let mut names = rules.territories();
        if let Some(after) = page.after() {
            // The name of a territory is never taken away, only its place may change between two pages.
            names.by_ref().find(|name| name == after);
        }
        let territories = names
            .take(limit(page))
            .filter_map(|name| Some((name.to_owned(), rules.configuration.territories.get(name)?.clone())))
            .collect();
        Ok(page.finish(territories, |(name, _)| name.clone()))
    }
}

fn limit<K: serde::Serialize + serde::de::DeserializeOwned>(page: &Page<K>) -> usize {
    usize::try_from(page.limit()).unwrap_or(usize::MAX)
}
