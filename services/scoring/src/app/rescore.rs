//! Scoring accounts again, in the transaction of what has changed. Every way to a new score leads through here, so that
//! a score depends on what is known and on nothing else.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use leadflow_platform::{Result, db::Tx, ids};
use uuid::Uuid;

use super::{
    App, explain,
    known::{self, Known},
    memory::Span,
    origins::Origins,
    outcome::{Frozen, Outcome},
};
use crate::{
    domain::{
        Activity, CompiledModel, Disposition, Evaluated, History, LeadScope, Prepared, Score,
        disposition::{ClosedRound, disposition},
        joining,
        lead::{Fact, Lead, Sighting},
        round::{CloseReason, Opening, opening},
        schedule::{HOUR_MS, next_check_time},
    },
    store::accounts::Account,
};

/// Everything is known when a score is computed live: a clock that is a little behind must not hide what has come.
const ALL_KNOWN: i64 = i64::MAX;
/// Open leads are refreshed at least so often.
const REFRESH_HOURS: i64 = 24;
/// How far ahead of our clock an activity may be and count at once: the ledger lets a sender's clock be five minutes
/// ahead of its own, and its own may differ from ours.
const AHEAD_MS: i64 = 10 * 60_000;

/// Why accounts are scored again.
#[derive(Debug)]
pub(super) enum Cause {
    /// Activities have come in, and nothing else has changed.
    Recorded(Origins),
    /// Nothing has changed of the accounts themselves, but of people.
    People(Origins),
    /// Something else has changed, such as facts or whose an activity is.
    News(Origins),
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
        news: HashMap<Uuid, Vec<Arc<Activity>>>,
        cause: Cause,
    ) -> Result<Outcome> {
        let time_only = matches!(cause, Cause::Time);
        let recorded_only = matches!(cause, Cause::Recorded(_));
        let changed = matches!(cause, Cause::News(_));
        let origins = match cause {
            Cause::Recorded(origins) | Cause::People(origins) | Cause::News(origins) => origins,
            Cause::Time => Origins::default(),
        };
        let mut outcome = Outcome::of(origins);
        let Some(model) = self.models.newest(&**tx).await? else {
            // Without a model nothing can be said; the first one brings every account up to date.
            outcome.due.extend(locked.keys().map(|&id| (id, None)));
            return Ok(outcome);
        };
        let now = self.now();
        // One more than counts shows that there are more.
        let span = Span { after: last_hour(now) - model.model.window_ms, limit: model.model.max_activities + 1 };
        // What has changed in this transaction stands in the database only.
        let remembered = if changed { BTreeMap::new() } else { self.memory.take(locked, span, model.version) };
        for known in known::load(&**tx, &model, locked, &self.memory, remembered, news, span).await? {
            let (at, by_time) = moment(&known, now, time_only, model.version);
            let sides = known.sides.clone();
            let outcome = &mut outcome;
            let run = AccountRun { app: self, model: &model, at, by_time, recorded_only, sides: &sides, outcome };
            let known = run.score(known);
            outcome.note(known, span, model.version);
        }
        Ok(outcome)
    }
}

fn last_hour(time: i64) -> i64 {
    time.div_euclid(HOUR_MS) * HOUR_MS
}

/// The moment to score an account at, and whether nothing but time has passed since the last one. Time alone changes
/// bands on whole hours. Never before what was seen already, so that nothing that has counted counts no more.
fn moment(known: &Known, now: i64, time_only: bool, model_version: i32) -> (i64, bool) {
    let open = || known.leads.iter().filter(|lead| lead.closed.is_none()).map(|lead| &lead.state);
    let by_time = time_only && open().all(|state| state.model_version == model_version);
    let seen = known.history.activities.iter().map(|activity| activity.occur_time);
    let seen = seen.chain(open().map(|state| state.score_time)).filter(|&time| time <= now + AHEAD_MS);
    (seen.fold(if by_time { last_hour(now) } else { now }, i64::max), by_time)
}

/// One account, being scored.
struct AccountRun<'a> {
    app: &'a App,
    model: &'a CompiledModel,
    at: i64,
    by_time: bool,
    recorded_only: bool,
    /// The account and those that were merged into it.
    sides: &'a [Uuid],
    outcome: &'a mut Outcome,
}

impl AccountRun<'_> {
    /// Returns what is known then.
    fn score(mut self, mut known: Known) -> Known {
        let joined = self.join_leads(&mut known);
        self.open_leads(&mut known);
        // What is due is scored with what has come, for its time is noted anew.
        let is_due = known.account.due_time.is_some_and(|due| due <= self.at);
        let may_rest = self.recorded_only && !joined && !is_due;
        let mut leads = std::mem::take(&mut known.leads);
        let mut became = std::mem::take(&mut known.became);
        let Known { ref account, is_known, ref history, news, ref adjustments, ref own, .. } = known;
        let news = &history.activities[news..];
        let evaluated = Evaluated::remembering(self.model, history, ALL_KNOWN, own);
        self.app.metrics.failed_conditions(evaluated.failed_conditions());
        let to_come = history.activities.iter().map(|activity| activity.occur_time).filter(|&time| time > self.at);
        let mut due: Option<i64> = to_come.min();
        let mut matches = vec![None; history.activities.len()];
        for index in 0..leads.len() {
            if leads[index].closed.is_some() {
                continue;
            }
            let scope = scope(&leads, &leads[index], self.sides);
            let given = joining::joined_with(&leads, leads[index].lead_id);
            let given: Vec<_> = given.iter().filter_map(|id| adjustments.get(id)).flatten().cloned().collect();
            let lead = &mut leads[index];
            let prepared = Prepared::new(&evaluated, &scope, &given, self.at);
            if !(may_rest && self.rests(lead, &prepared, news)) {
                self.score_lead(is_known, may_rest, lead, history, &prepared);
            }
            if lead.closed.is_none() {
                let next = self.next_due(lead, prepared.last_activity_time());
                due = Some(due.map_or(next, |due| due.min(next)));
                prepared.note_matches(&mut matches);
            }
        }
        let own = evaluated.into_own();
        self.dispose(&leads, history, &matches, &mut became);
        self.outcome.due.extend(self.sides.iter().map(|&side| (side, None)));
        self.outcome.due.insert(account.account_id, due);
        Known { leads, became, own, ..known }
    }

    /// Joins the leads of accounts that have become one, and takes those apart that are another account's again. Says
    /// whether there were any.
    fn join_leads(&mut self, known: &mut Known) -> bool {
        let changed = joining::join(&mut known.leads, known.account.account_id, self.at);
        for &at in &changed {
            let lead = &mut known.leads[at];
            if let Some((_, reason)) = lead.closed {
                self.app.metrics.closed(reason);
                self.outcome.announce("closed", lead);
            } else {
                self.outcome.announce("recycled", lead);
            }
            self.outcome.leads.insert(lead.lead_id, lead.clone());
        }
        !changed.is_empty()
    }

    /// Opens a lead for each activity that does so, in the order in which they happened.
    fn open_leads(&mut self, known: &mut Known) {
        let begin = self.at - self.model.model.window_ms;
        let is_open = |category: Option<&str>| {
            let is_open = |lead: &Lead| lead.closed.is_none() && Some(lead.product_category.as_str()) == category;
            known.leads.iter().any(is_open)
        };
        let mut opening_ones: Vec<_> = known
            .history
            .activities
            .iter()
            .filter(|activity| self.model.model.opens(&activity.activity_type))
            .filter(|activity| begin < activity.occur_time && activity.occur_time <= self.at)
            .filter(|activity| !is_open(activity.product_category.as_deref()))
            .collect();
        opening_ones.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
        for activity in opening_ones {
            let Some(category) = activity.product_category.as_deref() else { continue };
            // The side whose activity it is keeps the lead, should the accounts be taken apart again.
            let account = activity.account_id.unwrap_or(known.account.account_id);
            let latest = joining::latest(&known.leads, category, account);
            let waits = latest.is_some_and(|round| matches!(round.closed, Some((_, CloseReason::Disqualified))));
            let fast_track = waits && self.is_fast_track(activity, &known.history, category);
            let reopen_after = self.model.model.reopen_after_ms;
            if let Opening::Opens { number, .. } = opening(latest, activity.occur_time, fast_track, reopen_after) {
                let number = number.max(joining::next_round(&known.leads, category, account));
                self.app.metrics.opened();
                known.leads.push(Lead::open(ids::new(), account, category, number, self.at));
            }
        }
    }

    fn is_fast_track(&self, activity: &Arc<Activity>, history: &History, category: &str) -> bool {
        let alone = History { activities: vec![Arc::clone(activity)], ..history.clone() };
        let scope = LeadScope { product_category: category.to_owned(), ..LeadScope::default() };
        let evaluated = Evaluated::new(self.model, &alone, ALL_KNOWN);
        let prepared = Prepared::new(&evaluated, &scope, &[], self.at);
        prepared.score(self.at).fast_track.is_some()
    }

    fn score_lead(
        &mut self,
        account_known: bool,
        may_rest: bool,
        lead: &mut Lead,
        history: &History,
        prepared: &Prepared<'_>,
    ) {
        self.app.metrics.failed_conditions(prepared.failed_conditions());
        let score = prepared.score(self.at);
        let before = may_rest.then(|| lead.clone());
        self.outcome.origins.note(lead);
        let fact = lead.state.see(Sighting {
            score: &score,
            activities: i32::try_from(prepared.activities()).unwrap_or(i32::MAX),
            last_activity_time: prepared.last_activity_time(),
            last_positive_time: prepared.last_positive_time(&score),
            account_known,
            window_ms: self.model.model.window_ms,
            model_version: self.model.version,
            by_time: self.by_time,
        });
        lead.next_check_time = next_check_time(prepared, &score);
        if let (Fact::Nothing, Some(before)) = (fact, before)
            && lead.next_check_time == before.next_check_time
        {
            // It only looked as if it were moved: it is as it was, and scored again when its own time comes.
            *lead = before;
            return;
        }
        let is_new = lead.revision == 0;
        if is_new {
            self.outcome.announce("opened", lead);
        }
        let only_moved = self.recorded_only && !is_new && !self.outcome.leads.contains_key(&lead.lead_id);
        match fact {
            // Nobody need hear of each page that a buyer reads.
            Fact::Nothing | Fact::Moved if only_moved => {
                self.outcome.moved.push(lead.clone());
                return;
            }
            Fact::Nothing => {}
            // It was told with its score.
            Fact::Moved | Fact::Changed if is_new => {}
            Fact::Moved | Fact::Changed => self.outcome.announce("changed", lead),
            Fact::SalesReady => self.hand_over(lead, history, prepared, &score),
            Fact::Closed(reason) => {
                lead.close(reason, "no activity within the window", self.at);
                lead.end_for(self.sides);
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
        let begin = self.at - self.model.model.window_ms;
        self.outcome.hand_overs.push(Frozen {
            sides: prepared.scope().after(self.sides, begin),
            number: lead.state.hand_over,
            counted: self.model.model.max_activities as u64,
            explanation: explain::assemble(self.model, lead, history, prepared, score),
        });
    }

    /// Whether nothing of what has come moves the lead: only time has passed for it, and it is scored again when its own time
    /// comes. An account has leads in several categories, and most of what comes is about one.
    fn rests(&self, lead: &Lead, prepared: &Prepared<'_>, news: &[Arc<Activity>]) -> bool {
        let begin = self.at - self.model.model.window_ms;
        lead.state.model_version == self.model.version
            && refresh_time(lead) > self.at
            && lead.next_check_time.is_none_or(|time| time > self.at)
            && prepared.last_activity_time().is_some_and(|last| last > begin)
            && news.iter().all(|activity| activity.occur_time <= self.at && !prepared.is_moved_by(activity))
    }

    /// When the lead has to be scored again without anything coming in, on a whole hour.
    fn next_due(&self, lead: &Lead, last_activity_time: Option<i64>) -> i64 {
        let refresh = refresh_time(lead);
        let out_of_window = last_activity_time.map(|last| last_hour(last + self.model.model.window_ms) + HOUR_MS);
        let next = [lead.next_check_time, out_of_window].into_iter().flatten().filter(|&time| time > self.at);
        next.fold(refresh, i64::min)
    }

    /// Notes what has become of each activity, where that is news.
    fn dispose(
        &mut self,
        leads: &[Lead],
        history: &History,
        matches: &[Option<bool>],
        became: &mut [Option<Disposition>],
    ) {
        let closed: Vec<_> = leads
            .iter()
            .filter_map(|lead| {
                let (close_time, _) = lead.closed.filter(|_| !joining::is_merged(lead))?;
                Some(ClosedRound { product_category: lead.product_category.clone(), close_time })
            })
            .collect();
        let (categories, shares) = (&self.model.categories, &self.model.model.shares_milli);
        for ((activity, matches), became) in history.activities.iter().zip(matches).zip(became) {
            let now = disposition(activity, *matches, &closed, categories, shares);
            if *became != Some(now) {
                *became = Some(now);
                self.outcome.dispositions.insert(activity.activity_id, now);
            }
        }
    }
}

/// When the lead is scored again at the latest.
fn refresh_time(lead: &Lead) -> i64 {
    last_hour(lead.state.score_time) + REFRESH_HOURS * HOUR_MS
}

/// What of the history a lead looks at. `sides` are the accounts that are one, and `leads` all of theirs.
pub(super) fn scope(leads: &[Lead], lead: &Lead, sides: &[Uuid]) -> LeadScope {
    let close_time = lead.closed.map(|(time, _)| time);
    let product_category = lead.product_category.clone();
    if let [account] = sides {
        let previous_close_time = joining::previous_close(leads, lead, *account);
        return LeadScope { product_category, previous_close_time, close_time, ..LeadScope::default() };
    }
    let previous = sides.iter().filter_map(|&side| Some((side, joining::previous_close(leads, lead, side)?)));
    LeadScope { product_category, close_time, previous_close_times: previous.collect(), ..LeadScope::default() }
}
