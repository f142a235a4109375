//! A lead, ready to be scored at a moment and at later ones.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
};

use uuid::Uuid;

use super::{
    band::Validations,
    compiled::Looks,
    evaluated::Evaluated,
    history::{Activity, Adjustment, Facts, LeadScope},
    model::{OncePer, Rule, Thresholds},
    rule_set::RuleSet,
    score::{Line, LineKind, Score, clip},
};

/// A lead's history with all conditions evaluated, so that the score at several moments costs no evaluation again.
///
/// Good for the moment it was prepared for and for later ones, as long as nothing happens in between.
#[derive(Debug)]
pub struct Prepared<'a> {
    evaluated: &'a Evaluated<'a>,
    thresholds: Thresholds,
    scope: &'a LeadScope,
    /// The latest first.
    candidates: Vec<Candidate<'a>>,
    fit: Vec<&'a Rule>,
    qualification: Vec<&'a Rule>,
    all_adjustments: &'a [Adjustment],
    adjustments: Vec<&'a Adjustment>,
    failed_conditions: u32,
}

#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) activity: &'a Activity,
    /// Its index in the history.
    index: usize,
    pub(super) share_milli: i32,
    /// The engagement rules that match.
    matches: Cow<'a, RuleSet>,
}

impl<'a> Prepared<'a> {
    /// Looks at what happened by `at`, with the points that people gave or took on the lead.
    pub fn new(evaluated: &'a Evaluated<'a>, scope: &'a LeadScope, adjustments: &'a [Adjustment], at: i64) -> Self {
        let Evaluated { model, known_at, .. } = *evaluated;
        let mut failed_conditions = 0;
        let answers = latest_answers(evaluated, scope, at);
        let mut candidates = candidates(evaluated, scope, at);
        for candidate in candidates.iter_mut().take(model.model.max_activities) {
            let rules = model.engagement_rules(&candidate.activity.activity_type, Looks::AtAnswers);
            let more = evaluated.matching_rules(candidate.activity, rules, Some(&answers), &mut failed_conditions);
            if !more.is_empty() {
                candidate.matches.to_mut().extend(more.iter());
            }
        }
        let qualification = evaluated.qualification(&answers, &mut failed_conditions);
        let (of_fit, of_qualification) = (&model.model.fit.rules, &model.model.qualification.rules);
        let known = adjustments.iter().filter(|adjustment| adjustment.create_time <= known_at);
        let mut known: Vec<_> = known.collect();
        known.sort_by_key(|adjustment| (adjustment.create_time, adjustment.adjustment_id));
        Self {
            evaluated,
            thresholds: model.categories.thresholds(&scope.product_category, &model.model.thresholds),
            scope,
            candidates,
            fit: evaluated.fit.iter().map(|rule| &of_fit[rule]).collect(),
            qualification: qualification.iter().map(|rule| &of_qualification[rule]).collect(),
            all_adjustments: adjustments,
            adjustments: known,
            failed_conditions,
        }
    }

    /// The same lead, prepared for another moment, which may be one at which more has happened.
    pub(super) fn again(&self, at: i64) -> Self {
        Self::new(self.evaluated, self.scope, self.all_adjustments, at)
    }

    /// Whether something is known that happens after `at`.
    pub(super) fn is_to_come(&self, at: i64) -> bool {
        let history = self.evaluated.history;
        history.activities.iter().chain(&history.answering).any(|activity| activity.occur_time > at)
    }

    /// How many conditions failed at run time for this lead alone, which is no match.
    pub fn failed_conditions(&self) -> u32 {
        self.failed_conditions
    }

    /// The thresholds that apply.
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// The lead that is scored.
    pub fn scope(&self) -> &LeadScope {
        self.scope
    }

    /// How long activities count.
    pub(super) fn window_ms(&self) -> i64 {
        self.evaluated.model.model.window_ms
    }

    /// When the latest candidate happened.
    pub(super) fn latest_occur_time(&self) -> Option<i64> {
        self.candidates.first().map(|candidate| candidate.activity.occur_time)
    }

    /// The adjustments that were known.
    pub fn adjustments(&self) -> &[&'a Adjustment] {
        &self.adjustments
    }

    /// The activities with a share in the lead, the latest first, of those that count. How many are known of what is beyond
    /// the maximum depends on what has come together.
    fn sharing(&self) -> impl Iterator<Item = &'a Activity> {
        let counted = self.candidates.iter().take(self.evaluated.model.model.max_activities);
        counted.filter(|candidate| candidate.share_milli > 0).map(|candidate| candidate.activity)
    }

    /// How many activities have a share in the lead.
    pub fn activities(&self) -> usize {
        self.sharing().count()
    }

    /// When the latest activity with a share in the lead happened.
    pub fn last_activity_time(&self) -> Option<i64> {
        self.sharing().next().map(|activity| activity.occur_time)
    }

    /// Notes of each activity of the history that can count for this lead whether a rule matches it here; one that has
    /// matched elsewhere has.
    pub fn note_matches(&self, matches: &mut [Option<bool>]) {
        for (place, candidate) in self.candidates.iter().enumerate().filter(|(_, it)| it.share_milli > 0) {
            // What is beyond the maximum has its part in the line of the limit.
            let here = place >= self.evaluated.model.model.max_activities || !candidate.matches.is_empty();
            *matches[candidate.index].get_or_insert(false) |= here;
        }
    }

    /// Whether the score may be another one because of this activity, which has happened by the moment that was prepared for.
    /// Without a share in the lead an activity may still take an earlier one's place, or push one out.
    pub fn is_moved_by(&self, activity: &Activity) -> bool {
        let model = &self.evaluated.model.model;
        let takes_a_place = |rule: usize| model.engagement.rules[rule].once_per != OncePer::None;
        let is_moved =
            |candidate: &Candidate<'_>| candidate.share_milli > 0 || candidate.matches.iter().any(takes_a_place);
        !activity.answers.is_empty()
            || self.candidates.len() > model.max_activities
            || self.find(activity).is_some_and(|place| is_moved(&self.candidates[place]))
    }

    /// Where the activity stands among the candidates.
    fn find(&self, activity: &Activity) -> Option<usize> {
        let order = activity.order();
        self.candidates.binary_search_by(|candidate| order.cmp(&candidate.activity.order())).ok()
    }

    /// When the latest activity with a line above zero happened.
    pub fn last_positive_time(&self, score: &Score) -> Option<i64> {
        let positive: HashSet<_> =
            score.lines.iter().filter(|line| line.milli > 0).filter_map(|line| line.activity_id).collect();
        self.candidates
            .iter()
            .find(|candidate| positive.contains(&candidate.activity.activity_id))
            .map(|candidate| candidate.activity.occur_time)
    }

    /// The score at `at`, which is not before the moment that was prepared for.
    pub fn score(&self, at: i64) -> Score {
        let model = &self.evaluated.model.model;
        let counted = self.counted(at);
        let mut lines = Vec::new();
        if self.in_window(at) > counted.len() {
            lines.push(Line::plain(LineKind::Limit, "engagement", 0));
        }
        let validations = self.engagement(counted, at, &mut lines);
        for (kind, name, group, rules) in [
            (LineKind::Fit, "fit", &model.fit, &self.fit),
            (LineKind::Qualification, "qualification", &model.qualification, &self.qualification),
        ] {
            let begin = lines.len();
            lines.extend(rules.iter().map(|rule| Line::of_rule(kind, name, rule)));
            clip(&mut lines, begin, name, None, group.cap_milli);
        }
        let live = self.adjustments.iter().filter(|adjustment| adjustment.counts(at));
        lines.extend(live.map(|adjustment| Line::of_adjustment(adjustment)));

        let milli = lines.iter().map(|line| line.milli).sum();
        let fast_track = self.fast_track(counted, at).map(|rule| rule.id.clone());
        let band = self.thresholds.band(milli, validations, fast_track.is_some());
        Score { at, milli, lines, validations, fast_track, band }
    }

    /// How many candidates are in the window at `at`.
    fn in_window(&self, at: i64) -> usize {
        self.candidates.partition_point(|candidate| candidate.activity.occur_time > at - self.window_ms())
    }

    /// The candidates that count at `at`: the latest of those in the window.
    pub(super) fn counted(&self, at: i64) -> &[Candidate<'a>] {
        &self.candidates[..self.in_window(at).min(self.evaluated.model.model.max_activities)]
    }

    fn engagement(&self, counted: &[Candidate<'_>], at: i64, lines: &mut Vec<Line>) -> Validations {
        let group = &self.evaluated.model.model.engagement;
        let group_begin = lines.len();
        let mut valid = Valid::default();
        for (index, rule) in group.rules.iter().enumerate() {
            let rule_begin = lines.len();
            for (_, Candidate { activity, share_milli, .. }) in counting(counted, index, rule) {
                let line = Line::of_activity(rule, activity.activity_id, *share_milli, at - activity.occur_time);
                if line.milli > 0 {
                    valid.note(activity);
                }
                lines.push(line);
            }
            clip(lines, rule_begin, "engagement", Some(rule), rule.cap_milli);
        }
        clip(lines, group_begin, "engagement", None, group.cap_milli);
        valid.count()
    }

    /// The rule that makes the lead hot at once.
    pub(super) fn fast_track(&self, counted: &[Candidate<'_>], at: i64) -> Option<&'a Rule> {
        let rules = &self.evaluated.model.model.engagement.rules;
        counted.iter().filter(|candidate| candidate.share_milli > 0).find_map(|candidate| {
            let age = at - candidate.activity.occur_time;
            let fast = |rule: &&Rule| rule.fast_track_ms.is_some_and(|valid| age <= valid);
            candidate.matches.iter().map(|rule| &rules[rule]).find(fast)
        })
    }

    /// The engagement rules, each with the candidates that bring a line by it, and their places.
    pub(super) fn engagement_lines<'b>(
        &'b self,
        counted: &'b [Candidate<'a>],
    ) -> impl Iterator<Item = (&'a Rule, impl Iterator<Item = (usize, &'b Candidate<'a>)>)> {
        let rules = self.evaluated.model.model.engagement.rules.iter().enumerate();
        rules.map(move |(index, rule)| (rule, counting(counted, index, rule)))
    }

    /// The cap of engagement, and what fit and qualification give.
    pub(super) fn static_points(&self) -> (Option<i64>, i64) {
        let model = &self.evaluated.model.model;
        let clipped = |rules: &[&Rule], cap| within(rules.iter().map(|rule| rule.points_milli).sum(), cap);
        let points =
            clipped(&self.fit, model.fit.cap_milli) + clipped(&self.qualification, model.qualification.cap_milli);
        (model.engagement.cap_milli, points)
    }
}

/// What a cap leaves of points.
pub(super) fn within(milli: i64, cap: Option<i64>) -> i64 {
    cap.map_or(milli, |cap| milli.clamp(-cap, cap))
}

/// The candidates that bring a line by the rule at `index`, with their places: with a key, only the latest match of each.
fn counting<'b, 'a>(
    counted: &'b [Candidate<'a>],
    index: usize,
    rule: &'a Rule,
) -> impl Iterator<Item = (usize, &'b Candidate<'a>)> {
    let mut seen = HashSet::new();
    let matching = counted.iter().enumerate().filter(move |(_, candidate)| candidate.matches.contains(index));
    // The latest comes first; with a key, those after it have had their turn, whatever its share.
    matching.filter(move |(_, candidate)| {
        let Activity { contact_id, object_id, .. } = candidate.activity;
        let first = match rule.once_per {
            OncePer::None => true,
            OncePer::Contact => seen.insert((*contact_id, None)),
            OncePer::Object => seen.insert((None, object_id.as_deref())),
        };
        first && candidate.share_milli != 0
    })
}

/// How broad the interest is.
#[derive(Default)]
pub(super) struct Valid<'a> {
    contacts: BTreeSet<Uuid>,
    channels: BTreeSet<&'a str>,
    activities: BTreeSet<Uuid>,
}

impl<'a> Valid<'a> {
    /// An activity with a line above zero.
    pub(super) fn note(&mut self, activity: &'a Activity) {
        self.contacts.extend(activity.contact_id);
        self.channels.insert(&activity.channel);
        self.activities.insert(activity.activity_id);
    }

    pub(super) fn count(&self) -> Validations {
        let count = |length: usize| i32::try_from(length).unwrap_or(i32::MAX);
        Validations {
            contacts: count(self.contacts.len()),
            channels: count(self.channels.len()),
            activities: count(self.activities.len()),
        }
    }
}

/// The activities in the lead's round and in the window, the latest first.
fn candidates<'a>(evaluated: &'a Evaluated<'a>, scope: &LeadScope, at: i64) -> Vec<Candidate<'a>> {
    let Evaluated { model, history, known_at, .. } = *evaluated;
    let shares = &model.model.shares_milli;
    evaluated
        .latest_first
        .iter()
        .map(|&index| (index, &history.activities[index]))
        .filter(|(_, activity)| activity.counts(known_at) && scope.holds(activity))
        .filter(|(_, activity)| at - model.model.window_ms < activity.occur_time && activity.occur_time <= at)
        .map(|(index, activity)| {
            let of = activity.product_category.as_deref();
            let share_milli = model.categories.share_milli(of, &scope.product_category, shares);
            Candidate { activity, index, share_milli, matches: Cow::Borrowed(&evaluated.matches[index]) }
        })
        .collect()
}

/// The latest answer to each question in the lead's round, however old; one in the category beats an account-wide one.
fn latest_answers(evaluated: &Evaluated<'_>, scope: &LeadScope, at: i64) -> Facts {
    let Evaluated { history, known_at, .. } = *evaluated;
    let mut bearing: Vec<_> = history
        .activities
        .iter()
        .chain(&history.answering)
        .filter(|activity| !activity.answers.is_empty() && activity.occur_time <= at && activity.counts(known_at))
        .filter(|activity| scope.holds(activity))
        .filter(|activity| activity.product_category.as_deref().is_none_or(|of| of == scope.product_category))
        .collect();
    bearing.sort_by_key(|activity| (activity.product_category.is_some(), activity.order()));
    let answers = bearing.into_iter().flat_map(|activity| activity.answers.iter());
    answers.map(|(question, answer)| (question.clone(), answer.clone())).collect()
}
