//! The score: the sum of its lines, computed from the set of what happened by a moment and was known by another.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use leadflow_platform::condition::{Evaluator, Record, Scope};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{
    band::{Band, Validations},
    compiled::CompiledModel,
    history::{Activity, Adjustment, Facts, History, LeadScope, Profile},
    model::{Group, OncePer, Rule, Thresholds},
};

/// One term of a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What the line is.
    pub kind: LineKind,
    /// `engagement`, `fit`, `qualification` or `adjustments`.
    pub group: String,
    /// The rule; none for a group's cap, a limit and an adjustment.
    pub rule: Option<String>,
    /// The activity that the rule matched.
    pub activity_id: Option<Uuid>,
    /// The adjustment.
    pub adjustment_id: Option<Uuid>,
    /// Thousandths of a point, after share and decay.
    pub milli: i64,
    /// What the rule gives at first.
    pub base_milli: i64,
    /// How much of it counts for the lead's category.
    pub share_milli: i32,
    /// What the passing of time has left of it.
    pub decay_milli: i32,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// A rule that matched an activity.
    Activity,
    /// A rule that matched the static profile.
    Fit,
    /// A rule that matched the answers.
    Qualification,
    /// Points that a person gave or took.
    Adjustment,
    /// What a cap took away or filled up.
    Cap,
    /// Activities beyond the model's maximum, at zero points.
    Limit,
}

/// A score at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// When, in milliseconds.
    pub at: i64,
    /// The sum of the lines.
    pub milli: i64,
    /// All lines.
    pub lines: Vec<Line>,
    /// How broad the interest is.
    pub validations: Validations,
    /// The rule that made the lead hot at once.
    pub fast_track: Option<String>,
    /// How ready the lead is.
    pub band: Band,
}

/// A lead's history with all conditions evaluated, so that the score at several moments costs no evaluation again.
///
/// Good for the moment it was prepared for and for later ones, as long as nothing happens in between.
#[derive(Debug)]
pub struct Prepared<'a> {
    model: &'a CompiledModel,
    thresholds: Thresholds,
    scope: &'a LeadScope,
    /// The latest first.
    candidates: Vec<Candidate<'a>>,
    fit: Vec<&'a Rule>,
    qualification: Vec<&'a Rule>,
    adjustments: Vec<&'a Adjustment>,
    /// Conditions that failed at run time, which is no match.
    pub failed_conditions: u32,
}

#[derive(Debug)]
struct Candidate<'a> {
    activity: &'a Activity,
    share_milli: i32,
    /// Indexes of the engagement rules that match.
    matches: Vec<usize>,
}

impl<'a> Prepared<'a> {
    /// Evaluates the conditions on what happened by `at` and was known by `known_at`.
    pub fn new(model: &'a CompiledModel, history: &'a History, scope: &'a LeadScope, at: i64, known_at: i64) -> Self {
        let category = scope.product_category.as_str();
        let shares = &model.model.shares_milli;
        let mut candidates: Vec<_> = history
            .activities
            .iter()
            .filter(|activity| activity.counts(known_at) && scope.holds(activity))
            .filter(|activity| at - model.model.window_ms < activity.occur_time && activity.occur_time <= at)
            .map(|activity| Candidate {
                activity,
                share_milli: model.categories.share_milli(activity.product_category.as_deref(), category, shares),
                matches: Vec::new(),
            })
            .collect();
        candidates.sort_unstable_by(|a, b| b.activity.order().cmp(&a.activity.order()));

        let evaluator = Evaluator::new();
        let mut root = evaluator.scope();
        root.set("account", &record(Profile::known(&history.account_revisions, known_at).map(|known| &known.facts)));
        root.set("answers", &record(Some(&latest_answers(history, scope, at, known_at))));
        let mut failed_conditions = 0;
        let mut holds = |condition: &leadflow_platform::condition::Condition, scope: &Scope<'_>| {
            condition.matches(scope).unwrap_or_else(|_| {
                failed_conditions += 1;
                false
            })
        };
        for candidate in candidates.iter_mut().take(model.model.max_activities) {
            let mut inner = root.inner();
            inner.set("activity", &activity_record(candidate.activity));
            let contact = candidate.activity.contact_id.and_then(|id| history.contact_revisions.get(&id));
            let profile = contact.and_then(|revisions| Profile::known(revisions, known_at));
            inner.set("contact", &record(profile.map(|known| &known.facts)));
            candidate.matches =
                (0..model.engagement.len()).filter(|&rule| holds(&model.engagement[rule], &inner)).collect();
        }
        let mut matching = |group: &'a Group, conditions: &[leadflow_platform::condition::Condition]| {
            let rules = group.rules.iter().zip(conditions);
            rules.filter(|(_, condition)| holds(condition, &root)).map(|(rule, _)| rule).collect()
        };
        let fit = matching(&model.model.fit, &model.fit);
        let qualification = matching(&model.model.qualification, &model.qualification);
        let mut adjustments: Vec<_> =
            history.adjustments.iter().filter(|adjustment| adjustment.create_time <= known_at).collect();
        adjustments.sort_by_key(|adjustment| (adjustment.create_time, adjustment.adjustment_id));
        Self {
            thresholds: model.categories.thresholds(category, &model.model.thresholds),
            model,
            scope,
            candidates,
            fit,
            qualification,
            adjustments,
            failed_conditions,
        }
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
        self.model.model.window_ms
    }

    /// When the latest candidate happened.
    pub(super) fn latest_occur_time(&self) -> Option<i64> {
        self.candidates.first().map(|candidate| candidate.activity.occur_time)
    }

    /// The adjustments that were known.
    pub(super) fn adjustments(&self) -> &[&'a Adjustment] {
        &self.adjustments
    }

    /// How many activities have a share in the lead.
    pub fn activities(&self) -> usize {
        self.candidates.iter().filter(|candidate| candidate.share_milli > 0).count()
    }

    /// When the latest activity with a share in the lead happened.
    pub fn last_activity_time(&self) -> Option<i64> {
        self.candidates
            .iter()
            .find(|candidate| candidate.share_milli > 0)
            .map(|candidate| candidate.activity.occur_time)
    }

    /// Whether a rule matches the activity in this lead; none when the activity cannot count for it.
    pub fn matches(&self, activity: &Activity) -> Option<bool> {
        let order = activity.order();
        let place = self.candidates.binary_search_by(|candidate| order.cmp(&candidate.activity.order())).ok()?;
        let candidate = &self.candidates[place];
        // What is beyond the maximum has its part in the line of the limit.
        let matches = place >= self.model.model.max_activities || !candidate.matches.is_empty();
        (candidate.share_milli > 0).then_some(matches)
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
        let first_out = self.candidates.partition_point(|c| c.activity.occur_time > at - self.window_ms());
        let counted = &self.candidates[..first_out.min(self.model.model.max_activities)];
        let mut lines = Vec::new();
        if first_out > counted.len() {
            lines.push(Line::plain(LineKind::Limit, "engagement", 0));
        }
        let validations = self.engagement(counted, at, &mut lines);
        for (kind, name, group, rules) in [
            (LineKind::Fit, "fit", &self.model.model.fit, &self.fit),
            (LineKind::Qualification, "qualification", &self.model.model.qualification, &self.qualification),
        ] {
            let begin = lines.len();
            lines.extend(rules.iter().map(|rule| Line::of_rule(kind, name, rule)));
            clip(&mut lines, begin, name, None, group.cap_milli);
        }
        let live = self.adjustments.iter().filter(|adjustment| adjustment.counts(at));
        lines.extend(live.map(|adjustment| Line::of_adjustment(adjustment)));

        let milli = lines.iter().map(|line| line.milli).sum();
        let fast_track = self.fast_track(counted, at);
        let band = self.thresholds.band(milli, validations, fast_track.is_some());
        Score { at, milli, lines, validations, fast_track, band }
    }

    fn engagement(&self, counted: &[Candidate<'_>], at: i64, lines: &mut Vec<Line>) -> Validations {
        let group = &self.model.model.engagement;
        let group_begin = lines.len();
        let (mut contacts, mut channels, mut activities) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (index, rule) in group.rules.iter().enumerate() {
            let rule_begin = lines.len();
            let mut seen = HashSet::new();
            for candidate in counted.iter().filter(|candidate| candidate.matches.contains(&index)) {
                // The latest comes first; with a key, those after it have had their turn, whatever its share.
                let activity = candidate.activity;
                let key = match rule.once_per {
                    OncePer::None => None,
                    OncePer::Contact => Some(activity.contact_id.map(|id| id.to_string())),
                    OncePer::Object => Some(activity.object_id.clone()),
                };
                if key.is_some_and(|key| !seen.insert(key)) || candidate.share_milli == 0 {
                    continue;
                }
                let line = Line::of_activity(rule, candidate, at);
                if line.milli > 0 {
                    contacts.extend(activity.contact_id);
                    channels.insert(activity.channel.as_str());
                    activities.insert(activity.activity_id);
                }
                lines.push(line);
            }
            clip(lines, rule_begin, "engagement", Some(rule), rule.cap_milli);
        }
        clip(lines, group_begin, "engagement", None, group.cap_milli);
        let count = |length: usize| i32::try_from(length).unwrap_or(i32::MAX);
        Validations {
            contacts: count(contacts.len()),
            channels: count(channels.len()),
            activities: count(activities.len()),
        }
    }

    fn fast_track(&self, counted: &[Candidate<'_>], at: i64) -> Option<String> {
        let rules = &self.model.model.engagement.rules;
        counted.iter().filter(|candidate| candidate.share_milli > 0).find_map(|candidate| {
            let age = at - candidate.activity.occur_time;
            let fast = |&&rule: &&usize| rules[rule].fast_track_ms.is_some_and(|valid| age <= valid);
            candidate.matches.iter().find(fast).map(|&rule| rules[rule].id.clone())
        })
    }
}

impl Adjustment {
    fn counts(&self, at: i64) -> bool {
        self.create_time <= at && self.expire_time.is_none_or(|expire| at < expire)
    }
}

impl Line {
    fn plain(kind: LineKind, group: &str, milli: i64) -> Self {
        Self {
            kind,
            group: group.to_owned(),
            rule: None,
            activity_id: None,
            adjustment_id: None,
            milli,
            base_milli: milli,
            share_milli: 1000,
            decay_milli: 1000,
        }
    }

    fn of_rule(kind: LineKind, group: &str, rule: &Rule) -> Self {
        Self { rule: Some(rule.id.clone()), ..Self::plain(kind, group, rule.points_milli) }
    }

    fn of_adjustment(adjustment: &Adjustment) -> Self {
        let line = Self::plain(LineKind::Adjustment, "adjustments", adjustment.points_milli);
        Self { adjustment_id: Some(adjustment.adjustment_id), ..line }
    }

    fn of_activity(rule: &Rule, candidate: &Candidate<'_>, at: i64) -> Self {
        let age = (at - candidate.activity.occur_time) as f64;
        let decay = rule.half_life_ms.map_or(1.0, |half_life| 2_f64.powf(-age / half_life as f64));
        Self {
            activity_id: Some(candidate.activity.activity_id),
            milli: line_milli(rule.points_milli, candidate.share_milli, decay),
            share_milli: candidate.share_milli,
            decay_milli: (decay * 1000.0).round() as i32,
            ..Self::of_rule(LineKind::Activity, "engagement", rule)
        }
    }
}

/// Thousandths of a point: points × share × decay in `f64`, in this order, rounded half away from zero.
fn line_milli(points_milli: i64, share_milli: i32, decay: f64) -> i64 {
    (points_milli as f64 * f64::from(share_milli) / 1000.0 * decay).round() as i64
}

/// Clips the sum of the lines from `begin` on to [-cap, cap]; the difference becomes a line of its own.
fn clip(lines: &mut Vec<Line>, begin: usize, group: &str, rule: Option<&Rule>, cap: Option<i64>) {
    let Some(cap) = cap else { return };
    let sum: i64 = lines[begin..].iter().map(|line| line.milli).sum();
    let clipped = sum.clamp(-cap, cap);
    if clipped != sum {
        let line = Line::plain(LineKind::Cap, group, clipped - sum);
        lines.push(Line { rule: rule.map(|rule| rule.id.clone()), ..line });
    }
}

/// The latest answer to each question in the lead's round, however old; one in the category beats an account-wide one.
fn latest_answers(history: &History, scope: &LeadScope, at: i64, known_at: i64) -> Facts {
    let mut bearing: Vec<_> = history
        .activities
        .iter()
        .chain(&history.answering)
        .filter(|activity| !activity.answers.is_empty() && activity.occur_time <= at && activity.counts(known_at))
        .filter(|activity| scope.holds(activity))
        .filter(|activity| activity.product_category.as_ref().is_none_or(|of| *of == scope.product_category))
        .collect();
    bearing.sort_by_key(|activity| (activity.product_category.is_some(), activity.order()));
    let answers = bearing.into_iter().flat_map(|activity| &activity.answers);
    answers.map(|(question, answer)| (question.clone(), answer.clone())).collect()
}

fn record(facts: Option<&Facts>) -> Record {
    facts.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), to_value(value)?))).collect()
}

fn activity_record(activity: &Activity) -> Record {
    let text = |value: &str| leadflow_platform::condition::Value::String(value.to_owned());
    let mut record: Record = BTreeMap::from([
        ("type".to_owned(), text(&activity.activity_type)),
        ("channel".to_owned(), text(&activity.channel)),
        ("source".to_owned(), text(&activity.source)),
        (
            "attributes".to_owned(),
            leadflow_platform::condition::Value::Record(self::record(Some(&activity.attributes))),
        ),
    ]);
    for (name, value) in [("product_category", &activity.product_category), ("object_id", &activity.object_id)] {
        if let Some(value) = value {
            record.insert(name.to_owned(), text(value));
        }
    }
    record
}

fn to_value(json: &Json) -> Option<leadflow_platform::condition::Value> {
    use leadflow_platform::condition::Value;
    match json {
        Json::String(text) => Some(Value::String(text.clone())),
        Json::Bool(flag) => Some(Value::Bool(*flag)),
        Json::Number(number) => number.as_f64().map(Value::Number),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
