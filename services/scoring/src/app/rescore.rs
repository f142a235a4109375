//! Scoring accounts again, in the transaction of what has changed. Every way to a new score leads through here, so that
//! a score depends on what is known and on nothing else.

use std::collections::{BTreeMap, HashMap};

use leadflow_platform::{Result, db::Tx, ids};
use uuid::Uuid;

use super::{
    App, explain,
    known::{self, Known},
    outcome::Outcome,
};
use crate::{
    domain::{
        Activity, CompiledModel, History, LeadScope, Prepared, Score,
        disposition::{ClosedRound, disposition},
        lead::{Fact, Lead, Sighting},
        round::{CloseReason, Opening, opening},
        schedule::{HOUR_MS, next_check_time},
    },
    store::{accounts::Account, evidence, hand_overs::HandOver},
};

/// Everything is known when a score is computed live: a clock that is a little behind must not hide what has come.
const ALL_KNOWN: i64 = i64::MAX;
/// Open leads are refreshed at least so often.
const REFRESH_MS: i64 = 24 * HOUR_MS;

/// Why accounts are scored again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Something has come in.
    News,
    /// Only time has passed.
    Time,
}

impl App {
    /// Scores the `locked` accounts again: opens what is to be opened, scores each open lead once, says what became of
    /// each activity. `news` is what has just come, which may be older than what a lead can count.
    pub(super) async fn rescore(
        &self,
        tx: &Tx,
        locked: &BTreeMap<Uuid, Account>,
        news: HashMap<Uuid, Vec<Activity>>,
        cause: Cause,
    ) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        // Without a model nothing can be said; the first one brings every account up to date.
        let Some(model) = self.models.newest(&**tx).await? else { return Ok(outcome) };
        let latest_record = news.values().flatten().map(|activity| activity.record_time).max();
        let at = self.now().max(latest_record.unwrap_or(i64::MIN));
        let all = known::load(&**tx, &model, locked, news, at).await?;
        let activities: Vec<_> =
            all.iter().flat_map(|known| &known.history.activities).map(|activity| activity.activity_id).collect();
        let before = evidence::dispositions(tx, &activities).await?;
        for known in all {
            AccountRun { app: self, model: &model, at, cause, outcome: &mut outcome }.score(known);
        }
        outcome.dispositions.retain(|id, disposition| before.get(id) != Some(disposition));
        Ok(outcome)
    }
}

/// One account, being scored.
struct AccountRun<'a> {
    app: &'a App,
    model: &'a CompiledModel,
    at: i64,
    cause: Cause,
    outcome: &'a mut Outcome,
}

impl AccountRun<'_> {
    fn score(mut self, mut known: Known) {
        self.open_leads(&mut known);
        let Known { account, mut leads, history, mut adjustments } = known;
        let mut due: Option<i64> = None;
        for index in 0..leads.len() {
            if leads[index].closed.is_some() {
                continue;
            }
            let scope = scope(&leads, index);
            let lead = &mut leads[index];
            let history =
                History { adjustments: adjustments.remove(&lead.lead_id).unwrap_or_default(), ..history.clone() };
            self.score_lead(&account, lead, &history, &scope);
            if lead.closed.is_none() {
                let next = self.next_due(lead, &history);
                due = Some(due.map_or(next, |due| due.min(next)));
            }
        }
        self.dispose(&leads, &history);
        self.outcome.due.insert(account.account_id, due);
    }

    /// Opens a lead for each activity that does so, in the order in which they happened.
    fn open_leads(&mut self, known: &mut Known) {
        let begin = self.at - self.model.model.window_ms;
        let mut opening_ones: Vec<_> = known
            .history
            .activities
            .iter()
            .filter(|activity| self.model.model.opens(&activity.activity_type) && activity.occur_time > begin)
            .collect();
        opening_ones.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
        for activity in opening_ones {
            let Some(category) = activity.product_category.as_deref() else { continue };
            let latest =
                known.leads.iter().filter(|lead| lead.product_category == category).max_by_key(|lead| lead.round);
            let waits = latest.is_some_and(|lead| matches!(lead.closed, Some((_, CloseReason::Disqualified))));
            let fast_track = waits && self.is_fast_track(activity, &known.history, category);
            let round = latest.map(Lead::as_round);
            let reopen_after = self.model.model.reopen_after_ms;
            if let Opening::Opens { number, .. } = opening(round, activity.occur_time, fast_track, reopen_after) {
                let account = known.account.account_id;
                let mut lead = Lead::open(ids::new(), account, category, number, self.at);
                self.app.metrics.opened();
                self.outcome.announce("opened", &mut lead);
                known.leads.push(lead);
            }
        }
    }

    fn is_fast_track(&self, activity: &Activity, history: &History, category: &str) -> bool {
        let alone = History { activities: vec![activity.clone()], ..history.clone() };
        let scope = LeadScope { product_category: category.to_owned(), previous_close_time: None, close_time: None };
        let prepared = Prepared::new(self.model, &alone, &scope, self.at, ALL_KNOWN);
        prepared.score(self.at).fast_track.is_some()
    }

    fn score_lead(&mut self, account: &Account, lead: &mut Lead, history: &History, scope: &LeadScope) {
        let prepared = Prepared::new(self.model, history, scope, self.at, ALL_KNOWN);
        self.app.metrics.failed_conditions(prepared.failed_conditions);
        let score = prepared.score(self.at);
        let fact = lead.state.see(Sighting {
            score: &score,
            activities: i32::try_from(prepared.activities()).unwrap_or(i32::MAX),
            last_activity_time: prepared.last_activity_time(),
            last_positive_time: prepared.last_positive_time(&score),
            account_known: account.is_known(),
            window_ms: self.model.model.window_ms,
            model_version: self.model.version,
            by_time: self.cause == Cause::Time,
        });
        lead.next_check_time = next_check_time(self.model, history, scope, &prepared, &score, ALL_KNOWN);
        match fact {
            Fact::Nothing => {}
            Fact::Changed => self.outcome.announce("changed", lead),
            Fact::SalesReady => self.hand_over(lead, history, &prepared, &score),
            Fact::Closed(reason) => {
                lead.close(reason, "no activity within the window", self.at);
                self.app.metrics.closed(reason);
                self.outcome.announce("closed", lead);
            }
        }
        self.outcome.leads.insert(lead.lead_id, lead.clone());
    }

    fn hand_over(&mut self, lead: &mut Lead, history: &History, prepared: &Prepared<'_>, score: &Score) {
        lead.ready_time = Some(self.at);
        lead.status_reason.clear();
        self.app.metrics.ready();
        self.outcome.announce("sales_ready", lead);
        self.outcome.hand_overs.push(HandOver {
            lead_id: lead.lead_id,
            number: lead.state.hand_over,
            time: self.at,
            explanation: explain::freeze(self.model, lead, history, prepared, score, self.at),
        });
    }

    /// When the account has to be scored again without anything coming in.
    fn next_due(&self, lead: &Lead, history: &History) -> i64 {
        let latest = history.activities.iter().map(|activity| activity.occur_time).max().unwrap_or(self.at);
        let out_of_window = latest.saturating_add(self.model.model.window_ms).div_euclid(HOUR_MS) * HOUR_MS + HOUR_MS;
        let refresh = self.at + REFRESH_MS;
        lead.next_check_time.unwrap_or(i64::MAX).min(refresh).min(out_of_window.max(self.at + HOUR_MS))
    }

    fn dispose(&mut self, leads: &[Lead], history: &History) {
        let scopes: Vec<_> =
            (0..leads.len()).filter(|&index| leads[index].closed.is_none()).map(|index| scope(leads, index)).collect();
        let open: Vec<_> =
            scopes.iter().map(|scope| Prepared::new(self.model, history, scope, self.at, ALL_KNOWN)).collect();
        let closed: Vec<_> = leads
            .iter()
            .filter_map(|lead| {
                let (close_time, _) = lead.closed?;
                Some(ClosedRound { product_category: lead.product_category.clone(), close_time })
            })
            .collect();
        let (categories, shares) = (&self.model.categories, &self.model.model.shares_milli);
        for activity in &history.activities {
            let became = disposition(activity, &open, &closed, categories, shares);
            self.outcome.dispositions.insert(activity.activity_id, became);
        }
    }
}

/// What of the history the lead at `index` looks at. The leads are in the order of their rounds.
fn scope(leads: &[Lead], index: usize) -> LeadScope {
    let lead = &leads[index];
    let previous = leads
        .iter()
        .filter(|other| other.product_category == lead.product_category && other.round < lead.round)
        .max_by_key(|other| other.round);
    LeadScope {
        product_category: lead.product_category.clone(),
        previous_close_time: previous.and_then(|lead| lead.closed).map(|(time, _)| time),
        close_time: None,
    }
}
