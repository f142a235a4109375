//! Why a score is what it is: every line with its activity and its rule, at any moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadflow_platform::Result;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    App, NamedLead,
    known::{People, ids_of_one, with_its_facts},
    rescore::scope,
    tree,
};
use crate::{
    domain::{
        Activity, Adjustment, CompiledModel, Evaluated, History, LeadScope, Line, Prepared, Score, joining,
        lead::{Lead, Status},
        model::Thresholds,
        schedule::next_check_time,
        score::LineKind,
    },
    error,
    store::{
        accounts::{self, Account},
        evidence, hand_overs, leads, models,
    },
};

/// A score with all that it is made of. This is also what is frozen at a hand-over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Explanation {
    pub(crate) lead_id: Uuid,
    pub(crate) at: i64,
    pub(crate) known_at: i64,
    pub(crate) model_version: i32,
    pub(crate) score: Score,
    pub(crate) lines: Vec<ExplainedLine>,
    pub(crate) thresholds: Thresholds,
    pub(crate) missing: Vec<String>,
    pub(crate) next_check_time: Option<i64>,
}

/// A line with what it is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExplainedLine {
    pub(crate) line: Line,
    pub(crate) condition: String,
    pub(crate) activity: Option<Activity>,
    pub(crate) reason: String,
    pub(crate) principal: String,
}

impl Explanation {
    /// Forgets what these activities were; their points stay. False when none of them is here.
    pub(super) fn forget(&mut self, activities: &BTreeSet<Uuid>) -> bool {
        let mut forgotten = false;
        for line in &mut self.lines {
            if line.line.activity_id.is_some_and(|id| activities.contains(&id)) {
                forgotten |= line.activity.take().is_some();
            }
        }
        forgotten
    }

    /// Says how many activities are beyond the maximum, where there is a line for them.
    pub(super) fn say_beyond(&mut self, beyond: u64) {
        for line in self.lines.iter_mut().filter(|line| line.line.kind == LineKind::Limit) {
            line.reason = format!("{beyond} older activities are not counted");
        }
    }

    /// Whether there are activities beyond the maximum.
    pub(super) fn has_limit(&self) -> bool {
        self.lines.iter().any(|line| line.line.kind == LineKind::Limit)
    }
}

impl App {
    /// The score at a moment, from what was known at another; now where none is given.
    pub(crate) async fn explain(
        &self,
        lead_id: Uuid,
        at: Option<i64>,
        known_at: Option<i64>,
    ) -> Result<(Explanation, NamedLead)> {
        let connection = self.database.reader();
        let now = self.now();
        let lead = leads::get(connection, lead_id).await?;
        let moment = at.unwrap_or(now.max(lead.state.score_time));
        let model = self.model_at(at).await?;
        let known = known_at.unwrap_or(i64::MAX);
        let accounts = accounts::by_ids(connection, &[lead.account_id]).await?;
        let sides = sides(&lead, &accounts);
        let others = leads::of_accounts(connection, &sides).await?;
        let scope = scope(&others, &lead, &sides);
        let given = joining::joined_with(&others, lead.lead_id);
        let own = with_its_facts(&sides, &accounts);
        let (history, beyond) = self.history(&sides, &own, &given, &scope, &model, (moment, known)).await?;
        let evaluated = Evaluated::new(&model, &history, known);
        let prepared = Prepared::new(&evaluated, &scope, &history.adjustments, moment);
        let score = prepared.score(moment);
        let next = next_check_time(&prepared, &score);
        let mut explanation = assemble(&model, &lead, &history, &prepared, &score);
        explanation.say_beyond(beyond);
        explanation.known_at = known_at.unwrap_or(now);
        explanation.next_check_time = lead.closed.is_none().then_some(next).flatten();
        add_what_waits(&mut explanation, &lead, &accounts, &prepared);
        Ok((explanation, NamedLead::of(lead, &accounts)))
    }

    async fn model_at(&self, at: Option<i64>) -> Result<CompiledModel> {
        let connection = self.database.reader();
        match models::published(connection, at).await? {
            Some(version) => {
                let categories = tree(&models::categories(connection).await?);
                CompiledModel::compile(version.number, version.model, categories)
            }
            None => {
                let first = models::first(connection).await?.map(|version| version.publish_time);
                Err(error::no_model_at(first))
            }
        }
    }

    async fn history(
        &self,
        sides: &[Uuid],
        own: &[Uuid],
        given: &[Uuid],
        scope: &LeadScope,
        model: &CompiledModel,
        (at, known_at): (i64, i64),
    ) -> Result<(History, u64)> {
        let connection = self.database.reader();
        let after = scope.after(sides, at - model.model.window_ms);
        let end = scope.close_time.map_or(at, |close| close.min(at));
        let limit = model.model.max_activities;
        // One more than counts makes the line of the limit.
        let (mut activities, more) = evidence::as_of(connection, &after, end, known_at, limit + 1).await?;
        let beyond = more + activities.len().saturating_sub(limit) as u64;
        let mut people = People::load(connection, model, activities.iter_mut()).await?;
        let mut revisions = accounts::revisions(connection, own).await?;
        let revisions = own.iter().map(|side| revisions.remove(side).unwrap_or_default()).collect();
        let history = History {
            contact_revisions: people.of(&activities),
            activities,
            answering: evidence::answering(connection, sides).await?.into_values().flatten().collect(),
            account_revisions: joining::joined_profiles(revisions, joining::fill_account),
            adjustments: leads::adjustments(connection, given).await?.into_values().flatten().collect(),
        };
        Ok((history, beyond))
    }

    /// What was frozen at a hand-over; at the latest one when no number is given.
    pub(crate) async fn hand_over(&self, lead_id: Uuid, number: Option<i32>) -> Result<(Explanation, i32)> {
        leads::get(self.database.reader(), lead_id).await?;
        let frozen = hand_overs::get(self.database.reader(), lead_id, number).await?;
        let frozen = frozen.ok_or_else(error::no_hand_over)?;
        let explanation = serde_json::from_value(frozen.explanation)
            .map_err(|cause| leadflow_platform::Error::internal("a frozen explanation").because(cause))?;
        Ok((explanation, frozen.number))
    }
}

/// Whose activities count for the lead: of all accounts that are one, the survivor first; of a closed one those that it has
/// ended, and its own where it was joined with another.
fn sides(lead: &Lead, accounts: &BTreeMap<Uuid, Account>) -> Vec<Uuid> {
    if lead.closed.is_none() {
        return ids_of_one(accounts);
    }
    if lead.sides.is_empty() { vec![lead.account_id] } else { lead.sides.clone() }
}

/// Says what keeps a hot lead from being handed over.
fn add_what_waits(
    explanation: &mut Explanation,
    lead: &Lead,
    accounts: &BTreeMap<Uuid, Account>,
    prepared: &Prepared<'_>,
) {
    if lead.state.status != Status::Incubating || explanation.score.band != crate::domain::Band::Hot {
        return;
    }
    if !accounts.values().all(Account::is_known) {
        explanation.missing.push("the account's facts have not come yet; routing decides by them".to_owned());
    }
    let latest = prepared.last_positive_time(&explanation.score);
    if lead.state.reject_time.is_some_and(|rejected| latest.is_none_or(|latest| latest <= rejected)) {
        explanation.missing.push("a rep rejected it: it waits for a new activity with points".to_owned());
    }
}

/// A score with all that it is made of. When there is a line of the limit, somebody has to count what is beyond.
pub(super) fn assemble(
    model: &CompiledModel,
    lead: &Lead,
    history: &History,
    prepared: &Prepared<'_>,
    score: &Score,
) -> Explanation {
    let activities: HashMap<_, _> =
        history.activities.iter().map(|activity| (activity.activity_id, activity)).collect();
    let adjustments: HashMap<_, _> =
        prepared.adjustments().iter().map(|&adjustment| (adjustment.adjustment_id, adjustment)).collect();
    let conditions: BTreeMap<_, _> =
        model.model.rules().map(|(_, rule)| (rule.id.as_str(), rule.condition.as_str())).collect();
    let lines = score
        .lines
        .iter()
        .map(|line| {
            let adjustment: Option<&&Adjustment> = line.adjustment_id.as_ref().and_then(|id| adjustments.get(id));
            let condition = line.rule.as_deref().and_then(|id| conditions.get(id)).copied().unwrap_or_default();
            ExplainedLine {
                line: line.clone(),
                condition: condition.to_owned(),
                activity: line.activity_id.and_then(|id| activities.get(&id)).map(|activity| without_answers(activity)),
                reason: adjustment.map(|adjustment| adjustment.reason.clone()).unwrap_or_default(),
                principal: adjustment.map(|adjustment| adjustment.principal.clone()).unwrap_or_default(),
            }
        })
        .collect();
    let thresholds = prepared.thresholds();
    let missing = match score.band {
        crate::domain::Band::Hot => Vec::new(),
        _ => thresholds.missing(score.milli, score.validations),
    };
    Explanation {
        lead_id: lead.lead_id,
        at: score.at,
        known_at: score.at,
        model_version: model.version,
        score: score.clone(),
        lines,
        thresholds,
        missing,
        next_check_time: None,
    }
}

fn without_answers(activity: &Activity) -> Activity {
    Activity { attributes: Default::default(), answers: Default::default(), ..activity.clone() }
}
