//! The scoring model as its owners write it: points in thousandths, time spans in milliseconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// 24 hours in milliseconds.
pub const DAY_MS: i64 = 86_400_000;
/// The greatest number of thousandths that a rule, a cap or a threshold may name: a million points.
pub const MAX_MILLI: i64 = 1_000_000_000;

/// The rules that turn activities, profile and answers into a score. One for the company.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// How far back activities count.
    pub window_ms: i64,
    /// How many of the latest activities count.
    pub max_activities: usize,
    /// How long a disqualified lead stays closed.
    pub reopen_after_ms: i64,
    /// How much of an activity's points counts, by where its category stands.
    pub shares_milli: Shares,
    /// The types of activities that the model knows.
    pub activity_types: Vec<ActivityType>,
    /// The attributes that conditions may use.
    pub attributes: Vec<Field>,
    /// The questions whose answers conditions may use.
    pub questions: Vec<Field>,
    /// The declared fields of accounts' profiles that conditions may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account_profile: Vec<Field>,
    /// The same of contacts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contact_profile: Vec<Field>,
    /// Points for what people did.
    pub engagement: Group,
    /// Points for what the account is.
    pub fit: Group,
    /// Points for what was answered.
    pub qualification: Group,
    /// From where on a lead is warm or hot.
    pub thresholds: ThresholdTable,
}

/// How much of an activity's points counts, in thousandths, by where its category stands to the lead's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    /// The lead's own category.
    pub same: i32,
    /// A category below the lead's.
    pub below: i32,
    /// A category above the lead's.
    pub above: i32,
    /// No category.
    pub none: i32,
}

impl Default for Shares {
    fn default() -> Self {
        Self { same: 1000, below: 0, above: 0, none: 500 }
    }
}

/// What a type of activity may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityType {
    /// For example `form_submitted`.
    pub name: String,
    /// Whether it opens a lead.
    pub opens: bool,
}

/// A declared, typed field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The name in conditions.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: FieldKind,
}

/// The type of a declared field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Text.
    String,
    /// A number.
    Number,
    /// True or false.
    Bool,
}

/// Rules that share a cap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The group's sum is clipped to [-cap, cap].
    pub cap_milli: Option<i64>,
    /// In the order of their lines.
    pub rules: Vec<Rule>,
}

/// One rule. Only engagement rules have a half-life, a cap, `once_per` and a fast track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Unique in the model.
    pub id: String,
    /// CEL.
    #[serde(rename = "when")]
    pub condition: String,
    /// May be negative.
    pub points_milli: i64,
    /// The time in which the points fall to a half; none: they stay.
    #[serde(default)]
    pub half_life_ms: Option<i64>,
    /// The sum of the rule's lines is clipped to [-cap, cap].
    #[serde(default)]
    pub cap_milli: Option<i64>,
    /// Whether repeated matches count.
    #[serde(default)]
    pub once_per: OncePer,
    /// A match not older than this makes the lead hot at once.
    #[serde(default)]
    pub fast_track_ms: Option<i64>,
}

/// Whether repeated matches count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OncePer {
    /// Each match counts.
    #[default]
    None,
    /// Only the latest match of each contact.
    Contact,
    /// Only the latest match on each object.
    Object,
}

/// Thresholds by category; a category without its own takes the nearest ones above it, then the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThresholdTable {
    /// Where nothing nearer is said.
    pub default: Thresholds,
    /// By category.
    #[serde(default)]
    pub categories: BTreeMap<String, Thresholds>,
}

/// From where on a lead is warm or hot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    /// What hot needs.
    pub hot: Hot,
    /// What warm needs.
    pub warm: Warm,
}

/// What hot needs: a score, and how broad the interest must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hot {
    /// In thousandths of a point.
    pub score_milli: i64,
    /// Distinct contacts.
    pub contacts: i32,
    /// Distinct channels.
    pub channels: i32,
    /// Activities.
    pub activities: i32,
}

/// What warm needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warm {
    /// In thousandths of a point.
    pub score_milli: i64,
}

impl Model {
    /// Whether an activity of this type opens a lead.
    pub fn opens(&self, activity_type: &str) -> bool {
        self.activity_types.iter().any(|known| known.opens && known.name == activity_type)
    }

    /// Every rule, with the name of its group.
    pub fn rules(&self) -> impl Iterator<Item = (&'static str, &Rule)> {
        [("engagement", &self.engagement), ("fit", &self.fit), ("qualification", &self.qualification)]
            .into_iter()
            .flat_map(|(name, group)| group.rules.iter().map(move |rule| (name, rule)))
    }
}
