//! Rounds: when an activity opens a lead, and to which round an older one belongs.

use serde::{Deserialize, Serialize};

/// Why a lead was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The outcome was an order.
    Won,
    /// The outcome was none.
    Lost,
    /// It was no lead; it stays closed for a while.
    Disqualified,
    /// It was joined with another one.
    Merged,
    /// Nothing happened within the window.
    Lapsed,
}

/// One round of an account's interest in a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// 1 for the first.
    pub number: i32,
    /// When and why it was closed; none while it is open.
    pub closed: Option<(i64, CloseReason)>,
}

/// What an activity that opens leads does to the rounds of its category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It opens this round; what happened until `previous_close_time` belongs to the ones before.
    Opens {
        /// The number of the new round.
        number: i32,
        /// When the round before was closed.
        previous_close_time: Option<i64>,
    },
    /// There is an open round.
    Joins,
    /// It happened before the last round was closed: it belongs there.
    BelongsToClosed,
    /// The lead is disqualified, and it is too early to look again.
    TooEarly,
}

/// What an activity at `occur_time` does, given the latest round of its category. A `fast_track` does not wait.
pub fn opening(latest: Option<Round>, occur_time: i64, fast_track: bool, reopen_after_ms: i64) -> Opening {
    let Some(latest) = latest else { return Opening::Opens { number: 1, previous_close_time: None } };
    match latest.closed {
        None => Opening::Joins,
        Some((close_time, _)) if occur_time <= close_time => Opening::BelongsToClosed,
        Some((close_time, CloseReason::Disqualified)) if !fast_track && occur_time < close_time + reopen_after_ms => {
            Opening::TooEarly
        }
        Some((close_time, _)) => Opening::Opens { number: latest.number + 1, previous_close_time: Some(close_time) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REOPEN: i64 = 90;

    fn closed(reason: CloseReason) -> Option<Round> {
        Some(Round { number: 1, closed: Some((100, reason)) })
    }

    #[test]
    fn the_first_opening_activity_opens_round_one() {
        assert_eq!(opening(None, 5, false, REOPEN), Opening::Opens { number: 1, previous_close_time: None });
    }

    #[test]
    fn what_happened_until_the_close_belongs_to_the_closed_round() {
        assert_eq!(opening(closed(CloseReason::Won), 100, true, REOPEN), Opening::BelongsToClosed);
        let next = Opening::Opens { number: 2, previous_close_time: Some(100) };
        assert_eq!(opening(closed(CloseReason::Won), 101, false, REOPEN), next);
    }

    #[test]
    fn a_disqualified_lead_waits_unless_on_the_fast_track() {
        let next = Opening::Opens { number: 2, previous_close_time: Some(100) };
        assert_eq!(opening(closed(CloseReason::Disqualified), 189, false, REOPEN), Opening::TooEarly);
        assert_eq!(opening(closed(CloseReason::Disqualified), 190, false, REOPEN), next);
        assert_eq!(opening(closed(CloseReason::Disqualified), 101, true, REOPEN), next);
    }

    #[test]
    fn an_open_round_is_joined() {
        assert_eq!(opening(Some(Round { number: 3, closed: None }), 1, false, REOPEN), Opening::Joins);
    }
}
