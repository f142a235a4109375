//! The decision: the named account's owner; otherwise down the tree of territories to a pool, and there whose turn it
//! is. Each input, each look and each candidate goes into the trace. Nobody eligible: held, never silently the parent's.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use leadflow_platform::condition::Evaluator;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    configuration::{Configuration, Member, Problem},
    fair_share,
    hand_over::Reason,
    lead::{Account, Lead},
    territory::{Descent, Step, Tree},
};

/// One version of the configuration, checked and ready to decide.
#[derive(Debug)]
pub struct Rules {
    /// Its number; 0 before the first.
    pub version: i32,
    /// As it was written.
    pub configuration: Configuration,
    tree: Option<Tree>,
    evaluator: Evaluator,
}

/// What changes from decision to decision.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// How many live assignments each rep has.
    pub live: HashMap<String, i64>,
    /// By pool and rep; absent is zero.
    pub balances: BTreeMap<(String, String), Balance>,
}

/// What a member of a pool is owed and has had.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Balance {
    /// In leads; below zero the rep has had more than the share.
    pub owed: f64,
    /// Offers so far.
    pub offered: i64,
}

/// Where a lead leads to, before anybody's standing is known.
#[derive(Debug)]
pub struct Route<'a> {
    rules: &'a Rules,
    lead: &'a Lead,
    hand_over: i32,
    descent: Option<Descent<'a>>,
}

/// How it came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Who gets the lead, or why nobody does.
    pub outcome: Outcome,
    /// How it came to that.
    pub trace: Trace,
}

/// Who gets the lead, or why nobody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This rep, through this territory and pool; through neither when the rep owns the account.
    Offer {
        /// The rep's name.
        rep: String,
        /// The territory's.
        territory: Option<String>,
        /// The pool's.
        pool: Option<String>,
    },
    /// Nobody.
    Hold(Reason),
}

/// A decision's inputs, each step, each candidate. Stored as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Which lead.
    pub lead_id: Uuid,
    /// Under which hand-over.
    pub hand_over: i32,
    /// When.
    pub decide_time: Timestamp,
    /// Version of the configuration that decided.
    pub configuration_version: i32,
    /// The account as the decision saw it.
    pub account: Account,
    /// What the interest is in.
    pub product_category: String,
    /// In thousandths of a point.
    pub score_milli: i64,
    /// The named owner, when the account has one.
    pub owner: Option<Candidate>,
    /// Each territory that was looked at; none when the owner got it.
    pub territories: Vec<Step>,
    /// The pool that the descent ended at.
    pub pool: Option<String>,
    /// Each member of the pool.
    pub candidates: Vec<Candidate>,
    /// None when held.
    pub chosen_rep: Option<String>,
    /// Why this one, or why nobody, in words.
    pub reason: String,
}

/// One rep who was considered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The rep's name.
    pub rep: String,
    /// Why not; none when eligible.
    pub exclusion: Option<Exclusion>,
    /// As the pool has it; 0 for the owner.
    pub weight: i32,
    /// Of this decision.
    pub share: f64,
    /// What the rep was owed before.
    pub balance_before: f64,
    /// And is owed after.
    pub balance_after: f64,
    /// Before this decision.
    pub live_assignments: i64,
}

/// Why a rep may not get the lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// There is no such rep.
    UnknownRep,
    /// The rep is not at work.
    Inactive,
    /// The rep has as many live assignments as fit.
    AtCapacity,
}

impl Exclusion {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownRep => "unknown_rep",
            Self::Inactive => "inactive",
            Self::AtCapacity => "at_capacity",
        }
    }
}

impl Rules {
    /// Checks the whole configuration.
    ///
    /// # Errors
    /// All that does not make sense.
    pub fn compile(version: i32, configuration: Configuration) -> Result<Self, Vec<Problem>> {
        let mut problems = configuration.problems();
        match Tree::grow(&configuration.territories, &configuration.pools) {
            Ok(tree) if problems.is_empty() => Ok(Self { version, configuration, tree, evaluator: Evaluator::new() }),
            Ok(_) => Err(problems),
            Err(more) => {
                problems.extend(more);
                Err(problems)
            }
        }
    }

    /// The names of the territories, parents before children.
    pub fn territories(&self) -> impl Iterator<Item = &str> {
        self.tree.iter().flat_map(Tree::names)
    }

    /// Where a lead leads to.
    pub fn route<'a>(&'a self, lead: &'a Lead, hand_over: i32) -> Route<'a> {
        let mut scope = self.evaluator.scope();
        scope.set("account", &lead.account.facts());
        scope.set("lead", &lead.facts());
        let descent = self.tree.as_ref().map(|tree| tree.descend(&scope));
        Route { rules: self, lead, hand_over, descent }
    }
}

impl<'a> Route<'a> {
    /// The lead.
    pub fn lead(&self) -> &'a Lead {
        self.lead
    }

    /// The pool whose balances the decision needs.
    pub fn pool(&self) -> Option<&'a str> {
        self.descent.as_ref().map(|descent| descent.pool)
    }

    /// The reps whose live assignments the decision needs.
    pub fn reps(&self) -> impl Iterator<Item = &'a str> {
        let owner = Some(self.lead.account.owner_rep.as_str()).filter(|owner| !owner.is_empty());
        owner.into_iter().chain(self.members().iter().map(|member| member.rep.as_str()))
    }

    /// Decides, and counts the decision in the standing.
    pub fn decide(self, standing: &mut Standing, now: Timestamp) -> Decision {
        let mut trace = self.blank_trace(now);
        trace.owner = self.owner(standing);
        if let Some(owner) = trace.owner.as_ref().filter(|owner| owner.exclusion.is_none()) {
            let rep = owner.rep.clone();
            trace.reason = format!("`{rep}` owns the account");
            return offer(trace, standing, rep, None, None);
        }
        let Some(Descent { steps, territory, pool }) = self.descent.clone() else {
            trace.reason = "there are no territories yet: apply a routing configuration".to_owned();
            return hold(trace, Reason::NoConfiguration);
        };
        trace.territories = steps;
        trace.pool = Some(pool.to_owned());
        trace.candidates =
            self.members().iter().map(|member| self.consider(&member.rep, Some((member, pool)), standing)).collect();
        match share_out(&mut trace.candidates, pool, standing) {
            Some(rep) => {
                trace.reason = why_chosen(&trace.candidates, &rep, pool);
                offer(trace, standing, rep, Some(territory.to_owned()), Some(pool.to_owned()))
            }
            None => {
                trace.reason = why_nobody(&trace.candidates, pool);
                hold(trace, Reason::NoEligibleRep)
            }
        }
    }

    fn members(&self) -> &'a [Member] {
        let pool = self.pool().and_then(|pool| self.rules.configuration.pools.get(pool));
        pool.map_or(&[], |pool| &pool.members)
    }

    fn owner(&self, standing: &Standing) -> Option<Candidate> {
        let owner = self.lead.account.owner_rep.as_str();
        (!owner.is_empty()).then(|| self.consider(owner, None, standing))
    }

    fn consider(&self, rep: &str, membership: Option<(&Member, &str)>, standing: &Standing) -> Candidate {
        let live_assignments = standing.live.get(rep).copied().unwrap_or(0);
        let exclusion = match self.rules.configuration.reps.get(rep) {
            None => Some(Exclusion::UnknownRep),
            Some(known) if !known.active => Some(Exclusion::Inactive),
            Some(known) if known.capacity > 0 && live_assignments >= known.capacity.into() => {
                Some(Exclusion::AtCapacity)
            }
            Some(_) => None,
        };
        let balance = membership.map_or(0.0, |(_, pool)| standing.balance(pool, rep).owed);
        Candidate {
            rep: rep.to_owned(),
            exclusion,
            weight: membership.map_or(0, |(member, _)| member.weight),
            share: 0.0,
            balance_before: balance,
            balance_after: balance,
            live_assignments,
        }
    }

    fn blank_trace(&self, now: Timestamp) -> Trace {
        Trace {
            lead_id: self.lead.lead_id,
            hand_over: self.hand_over,
            decide_time: now,
            configuration_version: self.rules.version,
            account: self.lead.account.clone(),
            product_category: self.lead.product_category.clone(),
            score_milli: self.lead.score_milli,
            owner: None,
            territories: Vec::new(),
            pool: None,
            candidates: Vec::new(),
            chosen_rep: None,
            reason: String::new(),
        }
    }
}

impl Standing {
    /// What a member of a pool is owed and has had.
    pub fn balance(&self, pool: &str, rep: &str) -> Balance {
        self.balances.get(&(pool.to_owned(), rep.to_owned())).copied().unwrap_or_default()
    }
}

impl Trace {
    /// Whether the other one differs in nothing but its time.
    pub fn is_same_but_later(&self, other: &Self) -> bool {
        Self { decide_time: other.decide_time, ..self.clone() } == *other
    }

    /// How many conditions failed on the way.
    pub fn failed_conditions(&self) -> usize {
        self.territories.iter().filter(|step| step.error.is_some()).count()
    }
}

/// Credits the eligible, debits the chosen one, and says who that is.
fn share_out(candidates: &mut [Candidate], pool: &str, standing: &mut Standing) -> Option<String> {
    let eligible: Vec<usize> = (0..candidates.len()).filter(|&place| candidates[place].exclusion.is_none()).collect();
    let members: Vec<_> = eligible
        .iter()
        .map(|&place| {
            let Candidate { rep, weight, balance_before, .. } = &candidates[place];
            fair_share::Member { name: rep, weight: *weight, balance: *balance_before }
        })
        .collect();
    let turn = fair_share::next(&members)?;
    for (&place, share) in eligible.iter().zip(&turn.shares) {
        let candidate = &mut candidates[place];
        candidate.share = share.share;
        candidate.balance_after = share.balance;
        let key = (pool.to_owned(), candidate.rep.clone());
        standing.balances.entry(key).or_default().owed = share.balance;
    }
    let chosen = candidates[eligible[turn.chosen]].rep.clone();
    standing.balances.entry((pool.to_owned(), chosen.clone())).or_default().offered += 1;
    Some(chosen)
}

fn offer(
    mut trace: Trace,
    standing: &mut Standing,
    rep: String,
    territory: Option<String>,
    pool: Option<String>,
) -> Decision {
    *standing.live.entry(rep.clone()).or_default() += 1;
    trace.chosen_rep = Some(rep.clone());
    Decision { outcome: Outcome::Offer { rep, territory, pool }, trace }
}

fn hold(trace: Trace, reason: Reason) -> Decision {
    Decision { outcome: Outcome::Hold(reason), trace }
}

fn why_chosen(candidates: &[Candidate], chosen: &str, pool: &str) -> String {
    let eligible = candidates.iter().filter(|candidate| candidate.exclusion.is_none()).count();
    let Some(candidate) = candidates.iter().find(|candidate| candidate.rep == chosen) else { return String::new() };
    if eligible == 1 {
        return format!("`{chosen}` is the only eligible member of the pool `{pool}`");
    }
    format!(
        "it is the turn of `{chosen}` in the pool `{pool}`: a share of {:.0} %, and owed {:.2} of a lead before this one",
        candidate.share * 100.0,
        candidate.balance_before,
    )
}

fn why_nobody(candidates: &[Candidate], pool: &str) -> String {
    if candidates.is_empty() {
        return format!("the pool `{pool}` has no members");
    }
    let reasons: Vec<_> = candidates
        .iter()
        .filter_map(|candidate| Some(format!("{} ({})", candidate.rep, candidate.exclusion?.as_str())))
        .collect();
    format!("nobody of the pool `{pool}` may get a lead now: {}", reasons.join(", "))
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
