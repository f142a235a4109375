//! The score: the sum of its lines, computed from the set of what happened by a moment and was known by another.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    band::{Band, Validations},
    history::Adjustment,
    model::Rule,
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

impl Line {
    pub(super) fn plain(kind: LineKind, group: &str, milli: i64) -> Self {
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

    pub(super) fn of_rule(kind: LineKind, group: &str, rule: &Rule) -> Self {
        Self { rule: Some(rule.id.clone()), ..Self::plain(kind, group, rule.points_milli) }
    }

    pub(super) fn of_adjustment(adjustment: &Adjustment) -> Self {
        let line = Self::plain(LineKind::Adjustment, "adjustments", adjustment.points_milli);
        Self { adjustment_id: Some(adjustment.adjustment_id), ..line }
    }

    /// What an activity `age_ms` old brings by a rule that it matches.
    pub(super) fn of_activity(rule: &Rule, activity_id: Uuid, share_milli: i32, age_ms: i64) -> Self {
        let decay = decay(rule, age_ms);
        Self {
            activity_id: Some(activity_id),
            milli: line_milli(rule, share_milli, decay),
            share_milli,
            decay_milli: (decay * 1000.0).round() as i32,
            ..Self::of_rule(LineKind::Activity, "engagement", rule)
        }
    }
}

/// What `age_ms` have left of a rule's points.
fn decay(rule: &Rule, age_ms: i64) -> f64 {
    rule.half_life_ms.map_or(1.0, |half_life| 2_f64.powf(-(age_ms as f64) / half_life as f64))
}

/// Thousandths of a point that a line has at an age.
pub(super) fn milli_at(rule: &Rule, share_milli: i32, age_ms: i64) -> i64 {
    line_milli(rule, share_milli, decay(rule, age_ms))
}

/// Thousandths of a point: points × share × decay in `f64`, in this order, rounded half away from zero.
fn line_milli(rule: &Rule, share_milli: i32, decay: f64) -> i64 {
    (rule.points_milli as f64 * f64::from(share_milli) / 1000.0 * decay).round() as i64
}

/// Clips the sum of the lines from `begin` on to [-cap, cap]; the difference becomes a line of its own.
pub(super) fn clip(lines: &mut Vec<Line>, begin: usize, group: &str, rule: Option<&Rule>, cap: Option<i64>) {
    let Some(cap) = cap else { return };
    let sum: i64 = lines[begin..].iter().map(|line| line.milli).sum();
    let clipped = sum.clamp(-cap, cap);
    if clipped != sum {
        let line = Line::plain(LineKind::Cap, group, clipped - sum);
        lines.push(Line { rule: rule.map(|rule| rule.id.clone()), ..line });
    }
}
