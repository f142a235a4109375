use leadflow_platform::clock::to_proto;
use leadflow_proto::{contact::v1 as contact, routing::v1 as pb};

use crate::domain::{
    decision::{Candidate, Exclusion, Trace},
    lead::{Account, Relation},
    territory::Step,
};

pub(crate) fn trace(trace: &Trace) -> pb::DecisionTrace {
    pb::DecisionTrace {
        lead_id: trace.lead_id.to_string(),
        hand_over: trace.hand_over,
        decide_time: Some(to_proto(trace.decide_time)),
        configuration_version: trace.configuration_version,
        account: Some(account(&trace.account)),
        product_category: trace.product_category.clone(),
        score_milli: trace.score_milli,
        owner: trace.owner.as_ref().map(candidate),
        territories: trace.territories.iter().map(step).collect(),
        pool: trace.pool.clone().unwrap_or_default(),
        candidates: trace.candidates.iter().map(candidate).collect(),
        chosen_rep: trace.chosen_rep.clone().unwrap_or_default(),
        reason: trace.reason.clone(),
    }
}

fn account(account: &Account) -> contact::Account {
    let relation = account.relation.map_or(contact::Relation::Unspecified, |relation| match relation {
        Relation::Prospect => contact::Relation::Prospect,
        Relation::Customer => contact::Relation::Customer,
        Relation::FormerCustomer => contact::Relation::FormerCustomer,
    });
    contact::Account {
        account_id: account.account_id.to_string(),
        name: account.name.clone(),
        country: account.country.clone(),
        region: account.region.clone(),
        postal_code: account.postal_code.clone(),
        industry: account.industry.clone(),
        employees: account.employees,
        revenue: account.revenue,
        relation: relation.into(),
        owner_rep: account.owner_rep.clone(),
        revision: account.revision,
        ..Default::default()
    }
}

fn step(step: &Step) -> pb::TerritoryStep {
    pb::TerritoryStep {
        territory: step.territory.clone(),
        condition: step.condition.clone().unwrap_or_default(),
        matched: step.matched,
        error: step.error.clone().unwrap_or_default(),
    }
}

fn candidate(candidate: &Candidate) -> pb::Candidate {
    pb::Candidate {
        rep: candidate.rep.clone(),
        eligible: candidate.exclusion.is_none(),
        exclusion: candidate.exclusion.map(Exclusion::as_str).unwrap_or_default().to_owned(),
        weight: candidate.weight,
        share: candidate.share,
        balance_before: candidate.balance_before,
        balance_after: candidate.balance_after,
        live_assignments: i32::try_from(candidate.live_assignments).unwrap_or(i32::MAX),
    }
}
