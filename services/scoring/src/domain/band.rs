//! How ready a lead is.

use serde::{Deserialize, Serialize};

use super::model::Thresholds;

/// How ready a lead is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Too little to act on.
    Cold,
    /// Worth cultivating.
    Warm,
    /// Sales-ready.
    Hot,
}

/// How broad the interest is, counted over the activities with a line above zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validations {
    /// Distinct contacts; unknown ones count as none.
    pub contacts: i32,
    /// Distinct channels.
    pub channels: i32,
    /// Activities.
    pub activities: i32,
}

impl Thresholds {
    /// The band of a score with these validations.
    pub fn band(&self, score_milli: i64, validations: Validations, fast_track: bool) -> Band {
        if fast_track || (score_milli >= self.hot.score_milli && self.validated(validations)) {
            Band::Hot
        } else if score_milli >= self.warm.score_milli {
            Band::Warm
        } else {
            Band::Cold
        }
    }

    fn validated(&self, seen: Validations) -> bool {
        seen.contacts >= self.hot.contacts
            && seen.channels >= self.hot.channels
            && seen.activities >= self.hot.activities
    }

    /// What keeps the lead from being hot, one sentence each.
    pub fn missing(&self, score_milli: i64, seen: Validations) -> Vec<String> {
        let mut missing = Vec::new();
        if score_milli < self.hot.score_milli {
            let points = (self.hot.score_milli - score_milli) as f64 / 1000.0;
            let are = if points == 1.0 { "point is" } else { "points are" };
            missing.push(format!("{points} more {are} needed to be hot"));
        }
        for (seen, needed, one, several) in [
            (seen.contacts, self.hot.contacts, "contact is", "contacts are"),
            (seen.channels, self.hot.channels, "channel is", "channels are"),
            (seen.activities, self.hot.activities, "activity is", "activities are"),
        ] {
            if seen < needed {
                let are = if needed - seen == 1 { one } else { several };
                missing.push(format!("{} more {are} needed (has {seen} of {needed})", needed - seen));
            }
        }
        missing
    }
}
