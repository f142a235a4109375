//! Hand-overs: each passing of a lead to routing, and what has to be done when news of the lead comes in.

use std::collections::BTreeSet;

use jiff::Timestamp;
use leadflow_platform::trace::Origin;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::lead::Lead;

/// A lead's hand-over and what routing has made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// Of which lead.
    pub lead_id: Uuid,
    /// 1 for the first; a rejected lead may be handed over again.
    pub hand_over: i32,
    /// Where it stands.
    pub state: State,
    /// Why it is held or closed.
    pub reason: Option<Reason>,
    /// By when somebody has to act; while it is held.
    pub deadline_time: Option<Timestamp>,
    /// The assignment that it has led to.
    pub assignment_id: Option<Uuid>,
    /// When routing first heard of it.
    pub create_time: Timestamp,
    /// What has brought it about. Once it is held, that is what whoever finds a rep later goes back to.
    pub origin: Origin,
}

/// Where a hand-over stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody is eligible.
    Held,
    /// Has a live assignment.
    Assigned,
    /// The rep gave it back.
    Rejected,
    /// The lead was closed.
    Closed,
}

/// Why a hand-over is held or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Held: of the pool, nobody may get it.
    NoEligibleRep,
    /// Held: there are no territories yet.
    NoConfiguration,
    /// Closed with its lead.
    LeadClosed,
    /// Closed: the lead was handed over again.
    Superseded,
}

impl Reason {
    /// The reasons to hold.
    pub const HOLDING: [Self; 2] = [Self::NoEligibleRep, Self::NoConfiguration];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoEligibleRep => "no_eligible_rep",
            Self::NoConfiguration => "no_configuration",
            Self::LeadClosed => "lead_closed",
            Self::Superseded => "superseded",
        }
    }
}

/// What has to be done about the hand-overs of one lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Todo {
    /// The new hand-over for which a rep is to be found.
    pub decide: Option<i32>,
    /// Hand-overs to close, known ones and new ones.
    pub close: Vec<(i32, Reason)>,
}

/// What has to be done when the `lead`, as it is now, was handed over under the numbers `ready`, and these hand-overs
/// are `known`. Events may come late, twice and in any order.
pub fn todo(lead: &Lead, known: &[HandOver], ready: &BTreeSet<i32>) -> Todo {
    let seen: BTreeSet<i32> = known.iter().map(|known| known.hand_over).collect();
    let fresh: BTreeSet<i32> = ready.difference(&seen).copied().collect();
    let open: BTreeSet<i32> = known.iter().filter(|known| known.is_open()).map(|known| known.hand_over).collect();
    if lead.closed.is_some() {
        let close = open.union(&fresh).map(|&number| (number, Reason::LeadClosed)).collect();
        return Todo { decide: None, close };
    }
    // A number is given only after the one before it was rejected: whatever is smaller is over.
    let over = seen.last().copied().unwrap_or(0).max(lead.hand_over - 1);
    let decide = fresh.last().copied().filter(|&number| number > over);
    let superseded = match decide {
        Some(_) => open.union(&fresh).copied().filter(|&number| Some(number) != decide).collect(),
        None => fresh,
    };
    Todo { decide, close: superseded.into_iter().map(|number| (number, Reason::Superseded)).collect() }
}

impl HandOver {
    /// Whether it waits for a rep or has one.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Held | State::Assigned)
    }

    /// A hand-over that routing has just heard of, still without a decision.
    pub fn heard_of(lead_id: Uuid, hand_over: i32, now: Timestamp) -> Self {
        Self {
            lead_id,
            hand_over,
            state: State::Held,
            reason: None,
            deadline_time: None,
            assignment_id: None,
            create_time: now,
            origin: Origin::default(),
        }
    }

    /// It has led to an assignment.
    pub fn assign(&mut self, assignment_id: Uuid) {
        self.state = State::Assigned;
        self.assignment_id = Some(assignment_id);
        (self.reason, self.deadline_time) = (None, None);
    }

    /// Nobody may get it for now. The deadline stays the one of the first time. True when the reason is a new one.
    pub fn hold(&mut self, reason: Reason, deadline: Timestamp) -> bool {
        let is_news = self.reason != Some(reason);
        self.state = State::Held;
        self.reason = Some(reason);
        self.deadline_time.get_or_insert(deadline);
        is_news
    }

    /// The rep gave it back.
    pub fn reject(&mut self) {
        self.state = State::Rejected;
    }

    /// Nothing more will come of it.
    pub fn close(&mut self, reason: Reason) {
        self.state = State::Closed;
        self.reason = Some(reason);
        self.deadline_time = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lead::{Account, CloseReason};

    fn lead(hand_over: i32, closed: Option<CloseReason>) -> Lead {
        let account = Account {
            account_id: Uuid::nil(),
            name: String::new(),
            country: String::new(),
            region: String::new(),
            postal_code: String::new(),
            industry: String::new(),
            employees: None,
            revenue: None,
            relation: None,
            owner_rep: String::new(),
            revision: 1,
        };
        let product_category = String::new();
        let (lead_id, revision, score_milli, round) = (Uuid::nil(), 1, 0, 1);
        Lead { lead_id, revision, account, product_category, score_milli, round, hand_over, closed, merged_into: None }
    }

    fn known(hand_over: i32, state: State) -> HandOver {
        HandOver { state, ..HandOver::heard_of(Uuid::nil(), hand_over, Timestamp::UNIX_EPOCH) }
    }

    fn todo_for(lead: &Lead, known: &[HandOver], ready: &[i32]) -> (Option<i32>, Vec<(i32, Reason)>) {
        let Todo { decide, close } = todo(lead, known, &ready.iter().copied().collect());
        (decide, close)
    }

    #[test]
    fn a_new_number_is_decided_and_a_known_one_is_not() {
        assert_eq!(todo_for(&lead(1, None), &[], &[1]), (Some(1), vec![]));
        for state in [State::Held, State::Assigned, State::Rejected, State::Closed] {
            assert_eq!(todo_for(&lead(1, None), &[known(1, state)], &[1]), (None, vec![]));
        }
        assert_eq!(todo_for(&lead(2, None), &[known(1, State::Rejected)], &[2]), (Some(2), vec![]));
    }

    #[test]
    fn without_a_number_nothing_is_decided() {
        assert_eq!(todo_for(&lead(1, None), &[known(1, State::Held)], &[]), (None, vec![]));
    }

    #[test]
    fn a_closed_lead_closes_what_is_open_and_what_comes_late() {
        let closed = lead(2, Some(CloseReason::Lapsed));
        let all = [known(1, State::Rejected), known(2, State::Assigned)];
        assert_eq!(todo_for(&closed, &all, &[]), (None, vec![(2, Reason::LeadClosed)]));
        assert_eq!(todo_for(&closed, &[], &[1]), (None, vec![(1, Reason::LeadClosed)]));
    }

    #[test]
    fn a_hand_over_that_routing_never_heard_of_is_over_when_a_later_one_exists() {
        assert_eq!(todo_for(&lead(2, None), &[], &[1]), (None, vec![(1, Reason::Superseded)]));
        assert_eq!(todo_for(&lead(2, None), &[known(2, State::Assigned)], &[1]), (None, vec![(1, Reason::Superseded)]));
        assert_eq!(todo_for(&lead(2, None), &[], &[1, 2]), (Some(2), vec![(1, Reason::Superseded)]));
    }

    #[test]
    fn a_later_number_takes_the_place_of_one_that_is_still_open() {
        assert_eq!(
            todo_for(&lead(2, None), &[known(1, State::Assigned)], &[2]),
            (Some(2), vec![(1, Reason::Superseded)])
        );
    }

    #[test]
    fn a_hold_keeps_its_first_deadline_and_tells_a_new_reason_once() {
        let minute = |minute: i64| Timestamp::from_second(60 * minute).unwrap();
        let mut held = HandOver::heard_of(Uuid::nil(), 1, minute(0));
        assert!(held.hold(Reason::NoConfiguration, minute(4)));
        assert!(held.hold(Reason::NoEligibleRep, minute(5)));
        assert!(!held.hold(Reason::NoEligibleRep, minute(6)));
        assert_eq!(held.deadline_time, Some(minute(4)));
    }
}
