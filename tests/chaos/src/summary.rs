//! What a run came to.

use std::{path::Path, time::Duration};

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// What the oracle counts.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Acknowledged, and nowhere.
    pub lost: u64,
    /// Twice what has to be there once.
    pub duplicate_effects: u64,
    /// Scores and frozen lines that were computed a second time.
    pub scores_compared: u64,
    /// How many of them differ.
    pub score_mismatches: u64,
    /// Hot, and neither assigned, held nor given back.
    pub unrouted: u64,
    /// Leads with more than one live assignment.
    pub double_assigned: u64,
    /// Assignments to a rep whom the rules do not name.
    pub misrouted: u64,
    /// Set aside with a reason.
    pub quarantined: u64,
    /// Whatever nobody has sent, or fits nowhere.
    pub unexplained: u64,
}

/// What a run came to, as it stands in `summary.json`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Draws the same faults and activities again.
    pub seed: u64,
    /// How long the load and the faults lasted, in seconds.
    pub duration_s: u64,
    /// The bug that was switched on.
    pub plant: Option<String>,
    /// Distinct activities.
    pub sent: usize,
    /// Those of which a copy was acknowledged.
    pub acked: usize,
    /// Those that were refused for good.
    pub rejected: usize,
    /// Those that nobody has answered for.
    pub indeterminate: usize,
    /// What the oracle counts.
    #[serde(flatten)]
    pub found: Found,
    /// Events that the bus has handed out once more.
    pub redeliveries: u64,
    /// Processes that were killed.
    pub kills: usize,
    /// Processes that were stopped for some time.
    pub pauses: usize,
    /// Times that a way was delayed, cut, black-holed, or lost its answers.
    pub cuts: usize,
    /// Processes that the supervisor has started again.
    pub restarts: u64,
    /// From the end of a fault until an activity accepted after it was scored and routed; none: never, or no fault.
    pub recovery_p50_s: Option<f64>,
    /// The same for 99 of 100 faults.
    pub recovery_p99_s: Option<f64>,
    /// How long it took after the load until nothing moved any more.
    pub quiet_after_s: f64,
    /// What still moved when the patience was at its end.
    pub still_moving: Option<String>,
}

impl Summary {
    /// What is not as it has to be after an honest run.
    pub fn faults(&self) -> Vec<String> {
        let found = self.found;
        let zero = [
            ("lost", found.lost),
            ("duplicate_effects", found.duplicate_effects),
            ("score_mismatches", found.score_mismatches),
            ("unrouted", found.unrouted),
            ("double_assigned", found.double_assigned),
            ("misrouted", found.misrouted),
            ("unexplained", found.unexplained),
        ];
        let mut faults: Vec<_> =
            zero.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name} is {count}")).collect();
        if found.scores_compared == 0 || self.acked == 0 {
            faults.push("nothing was compared".into());
        }
        faults.extend(self.still_moving.iter().map(|moving| format!("it did not come to rest: {moving}")));
        faults
    }

    /// The counter of this name.
    pub fn counter(&self, name: &str) -> Option<u64> {
        serde_json::to_value(self).ok()?.get(name)?.as_u64()
    }

    /// Prints it, and writes it to a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        std::fs::write(path, serde_json::to_vec_pretty(self)?)?;
        println!("{}\nwritten to {}", serde_json::to_string_pretty(self)?, path.display());
        Ok(())
    }
}

/// Seconds to a tenth.
pub(crate) fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plants;

    #[test]
    fn every_counter_that_has_to_be_zero_makes_a_run_fail() {
        let clean = Summary { acked: 1, found: Found { scores_compared: 1, ..Found::default() }, ..Summary::default() };
        assert!(clean.faults().is_empty(), "{:?}", clean.faults());
        let names = [
            "lost",
            "duplicate_effects",
            "score_mismatches",
            "unrouted",
            "double_assigned",
            "misrouted",
            "unexplained",
        ];
        for name in names {
            let mut found = serde_json::to_value(clean.found).unwrap();
            found[name] = 1.into();
            let broken = Summary { found: serde_json::from_value(found).unwrap(), ..clean.clone() };
            assert_eq!(broken.faults(), [format!("{name} is 1")]);
            assert_eq!(broken.counter(name), Some(1));
            let turns_it_red = |plant: &&str| plants::counter(plant) == Some(name);
            assert!(plants::names().iter().any(turns_it_red), "no planted bug turns {name} red");
        }
        assert!(!Summary::default().faults().is_empty(), "a run that has compared nothing proves nothing");
    }
}
