//! An assignment: one offer of a sales-ready lead to one rep, and what may become of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::lead::CloseReason;

/// One offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Its id.
    pub assignment_id: Uuid,
    /// What is offered.
    pub lead_id: Uuid,
    /// Under which hand-over.
    pub hand_over: i32,
    /// Whose lead it is.
    pub account_id: Uuid,
    /// The account's name when it was offered.
    pub account_name: String,
    /// What the interest is in.
    pub product_category: String,
    /// To whom it is offered.
    pub rep: String,
    /// The territory that it went through; none when the account's owner got it.
    pub territory: Option<String>,
    /// The pool that served it; none when the account's owner got it.
    pub pool: Option<String>,
    /// Where it stands.
    pub state: State,
    /// When it was offered.
    pub offer_time: Timestamp,
    /// When it was accepted, rejected, withdrawn or completed.
    pub decide_time: Option<Timestamp>,
    /// Why it was rejected or withdrawn, or how the lead came out; empty before.
    pub reason: String,
    /// In words.
    pub note: String,
    /// Who decided; empty before.
    pub principal: String,
    /// Grows by one with each change.
    pub revision: i64,
}

/// Where an assignment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The rep has not answered yet.
    Offered,
    /// The rep took it.
    Accepted,
    /// The rep gave it back.
    Rejected,
    /// The rep did not answer in time.
    Expired,
    /// It was taken back.
    Withdrawn,
    /// The accepted lead came to its outcome.
    Completed,
}

/// Why a rep gives a lead back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// Nobody there buys.
    NotABuyer,
    /// It belongs to somebody else.
    WrongTerritory,
    /// The interest is real, but not yet.
    TooEarly,
    /// Names, numbers or addresses are wrong.
    BadData,
    /// The rep works on it already.
    Duplicate,
    /// Something else, which the note says.
    Other,
}

impl RejectReason {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::NotABuyer, Self::WrongTerritory, Self::TooEarly, Self::BadData, Self::Duplicate, Self::Other];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotABuyer => "not_a_buyer",
            Self::WrongTerritory => "wrong_territory",
            Self::TooEarly => "too_early",
            Self::BadData => "bad_data",
            Self::Duplicate => "duplicate",
            Self::Other => "other",
        }
    }
}

/// The assignment is in no state for what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Not(pub State);

/// Who decides when it is not a person.
const ROUTING: &str = "service:routing";

impl Assignment {
    /// Whether it occupies its rep.
    pub fn is_live(&self) -> bool {
        matches!(self.state, State::Offered | State::Accepted)
    }

    /// The rep takes the lead. False when that was so already.
    ///
    /// # Errors
    /// When it is no longer offered.
    pub fn accept(&mut self, principal: &str, now: Timestamp) -> Result<bool, Not> {
        match self.state {
            State::Offered => self.decide(State::Accepted, principal, now),
            State::Accepted => return Ok(false),
            other => return Err(Not(other)),
        }
        Ok(true)
    }

    /// The rep gives the lead back. False when that was so already.
    ///
    /// # Errors
    /// When it has ended in another way.
    pub fn reject(&mut self, reason: RejectReason, note: &str, principal: &str, now: Timestamp) -> Result<bool, Not> {
        match self.state {
            State::Offered | State::Accepted => self.decide(State::Rejected, principal, now),
            State::Rejected => return Ok(false),
            other => return Err(Not(other)),
        }
        self.reason = reason.as_str().to_owned();
        self.note = note.to_owned();
        Ok(true)
    }

    /// The lead was closed: accepted work that came to its outcome is complete, everything else is taken back.
    pub fn end_with_lead(&mut self, closed: CloseReason, now: Timestamp) {
        if self.state == State::Accepted && closed.is_outcome() {
            self.decide(State::Completed, ROUTING, now);
            self.reason = if closed == CloseReason::Won { "won" } else { "lost" }.to_owned();
        } else {
            self.withdraw(if closed == CloseReason::Merged { "merged" } else { "lead_closed" }, now);
        }
    }

    /// Whether it stays although its lead was joined with another one, which has `other`: its rep has accepted meanwhile,
    /// and nobody has accepted that. Scoring hears of it and lets this lead go on.
    pub fn outlasts(&self, other: Option<&Self>) -> bool {
        self.state == State::Accepted && other.is_none_or(|other| other.state != State::Accepted)
    }

    /// Takes it back.
    pub fn withdraw(&mut self, reason: &str, now: Timestamp) {
        self.decide(State::Withdrawn, ROUTING, now);
        self.reason = reason.to_owned();
    }

    fn decide(&mut self, state: State, principal: &str, now: Timestamp) {
        self.state = state;
        self.decide_time = Some(now);
        self.principal = principal.to_owned();
        self.revision += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered() -> Assignment {
        Assignment {
            assignment_id: Uuid::nil(),
            lead_id: Uuid::nil(),
            hand_over: 1,
            account_id: Uuid::nil(),
            account_name: String::new(),
            product_category: String::new(),
            rep: "anna".to_owned(),
            territory: None,
            pool: None,
            state: State::Offered,
            offer_time: Timestamp::UNIX_EPOCH,
            decide_time: None,
            reason: String::new(),
            note: String::new(),
            principal: String::new(),
            revision: 1,
        }
    }

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn accepting_twice_changes_nothing_the_second_time() {
        let mut assignment = offered();
        assert_eq!(assignment.accept("anna", NOW), Ok(true));
        let once = assignment.clone();
        assert_eq!(assignment.accept("ben", NOW), Ok(false));
        assert_eq!((assignment, once.revision), (once, 2));
    }

    #[test]
    fn an_accepted_lead_may_still_be_given_back_and_then_not_be_accepted() {
        let mut assignment = offered();
        assignment.accept("anna", NOW).unwrap();
        assert_eq!(assignment.reject(RejectReason::TooEarly, "", "anna", NOW), Ok(true));
        assert_eq!(assignment.reject(RejectReason::Other, "x", "anna", NOW), Ok(false));
        assert_eq!(assignment.reason, "too_early");
        assert_eq!(assignment.accept("anna", NOW), Err(Not(State::Rejected)));
    }

    #[test]
    fn a_closed_lead_completes_accepted_work_and_takes_back_the_rest() {
        let end = |accept: bool, closed| {
            let mut assignment = offered();
            if accept {
                assignment.accept("anna", NOW).unwrap();
            }
            assignment.end_with_lead(closed, NOW);
            (assignment.state, assignment.reason)
        };
        assert_eq!(end(true, CloseReason::Won), (State::Completed, "won".to_owned()));
        assert_eq!(end(true, CloseReason::Lost), (State::Completed, "lost".to_owned()));
        assert_eq!(end(true, CloseReason::Lapsed), (State::Withdrawn, "lead_closed".to_owned()));
        assert_eq!(end(false, CloseReason::Won), (State::Withdrawn, "lead_closed".to_owned()));
        assert_eq!(end(true, CloseReason::Merged), (State::Withdrawn, "merged".to_owned()));
    }
}
