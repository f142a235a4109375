//! A lead's readiness: what a new score does to it. `sales_ready` is a latch: published once per hand-over.

use leadflow_platform::trace::Origin;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    band::{Band, Validations},
    round::CloseReason,
    score::Score,
};

/// Where a lead is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being cultivated.
    Incubating,
    /// Published as sales-ready; routing has not answered yet.
    HandedOver,
    /// Nobody is eligible; routing tries again.
    Held,
    /// Offered to a rep.
    Offered,
    /// Accepted by the rep.
    Accepted,
    /// Closed.
    Closed,
}

/// What of a lead changes with its score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Where it is.
    pub status: Status,
    /// How ready it is.
    pub band: Band,
    /// As of `score_time`.
    pub score_milli: i64,
    /// When it was computed.
    pub score_time: i64,
    /// How broad the interest is.
    pub validations: Validations,
    /// Activities with a share in it, of those that count.
    pub activities: i32,
    /// The number of the next or current hand-over.
    pub hand_over: i32,
    /// When the last hand-over was rejected.
    pub reject_time: Option<i64>,
    /// Version of the model that scored it.
    pub model_version: i32,
}

/// What a new score is weighed with.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// The score.
    pub score: &'a Score,
    /// Activities with a share in the lead, of those that count.
    pub activities: i32,
    /// When the latest activity with a share happened.
    pub last_activity_time: Option<i64>,
    /// When the latest activity with a line above zero happened.
    pub last_positive_time: Option<i64>,
    /// Whether the account is known well enough to hand the lead over: routing decides by its facts.
    pub account_known: bool,
    /// How long activities count.
    pub window_ms: i64,
    /// Version of the model.
    pub model_version: i32,
    /// Whether nothing but time has passed since the last score.
    pub by_time: bool,
}

/// What has to be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Nothing that anybody must hear of.
    Nothing,
    /// The score of a lead that is still cultivated has moved, and its band has not.
    Moved,
    /// The lead has changed.
    Changed,
    /// The lead is ready for sales: its lines are frozen now.
    SalesReady,
    /// The lead is closed.
    Closed(CloseReason),
}

impl State {
    /// A lead that has just been opened and not been scored.
    pub fn opened() -> Self {
        Self {
            status: Status::Incubating,
            band: Band::Cold,
            score_milli: 0,
            score_time: 0,
            validations: Validations::default(),
            activities: 0,
            hand_over: 1,
            reject_time: None,
            model_version: 0,
        }
    }

    /// Takes a new score over and says what has to be announced. The mere fading of points is not announced; a band is.
    pub fn see(&mut self, sighting: Sighting<'_>) -> Fact {
        let Sighting { score, activities, .. } = sighting;
        let another_band = self.band != score.band;
        let moved = another_band
            || self.validations != score.validations
            || self.activities != activities
            || self.model_version != sighting.model_version
            || (!sighting.by_time && self.score_milli != score.milli);
        self.band = score.band;
        self.score_milli = score.milli;
        self.score_time = score.at;
        self.validations = score.validations;
        self.activities = activities;
        self.model_version = sighting.model_version;

        if self.status != Status::Incubating {
            return if moved { Fact::Changed } else { Fact::Nothing };
        }
        if self.is_ready(&sighting) {
            self.status = Status::HandedOver;
            return Fact::SalesReady;
        }
        let lapsed = sighting.last_activity_time.is_none_or(|last| last <= score.at - sighting.window_ms);
        if lapsed {
            self.status = Status::Closed;
            return Fact::Closed(CloseReason::Lapsed);
        }
        match (another_band, moved) {
            (true, _) => Fact::Changed,
            (false, true) => Fact::Moved,
            (false, false) => Fact::Nothing,
        }
    }

    fn is_ready(&self, sighting: &Sighting<'_>) -> bool {
        let news = match self.reject_time {
            None => true,
            Some(rejected) => sighting.last_positive_time.is_some_and(|latest| latest > rejected),
        };
        sighting.score.band == Band::Hot && sighting.account_known && news
    }

    /// The rep gave the lead back: it is cultivated again, and its next hand-over has the next number. False when this
    /// hand-over is not the current one, or nothing was handed over.
    pub fn reject(&mut self, hand_over: i32, time: i64) -> bool {
        let handed_over = matches!(self.status, Status::HandedOver | Status::Held | Status::Offered | Status::Accepted);
        if !handed_over || hand_over != self.hand_over {
            return false;
        }
        self.status = Status::Incubating;
        self.hand_over += 1;
        self.reject_time = Some(time);
        true
    }
}

/// A lead, or a closed round of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// Its id.
    pub lead_id: Uuid,
    /// Whose.
    pub account_id: Uuid,
    /// In what.
    pub product_category: String,
    /// 1 for the first of this account and category.
    pub round: i32,
    /// What changes with the score.
    pub state: State,
    /// When time alone will next change the band.
    pub next_check_time: Option<i64>,
    /// When it was last published as sales-ready.
    pub ready_time: Option<i64>,
    /// Why it is held, or why the last rep rejected it.
    pub status_reason: String,
    /// The assignment, as far as routing has told.
    pub assignment_id: Option<Uuid>,
    /// The rep it was offered to.
    pub assigned_rep: String,
    /// When it was opened.
    pub open_time: i64,
    /// When and why it was closed, with a person's note.
    pub closed: Option<(i64, CloseReason)>,
    /// A person's words on the closing.
    pub close_note: String,
    /// The lead that it was joined with, when it was closed for that.
    #[serde(default)]
    pub merged_into: Option<Uuid>,
    /// Whose activities it has ended, when more accounts than its own were one by then.
    #[serde(default)]
    pub sides: Vec<Uuid>,
    /// Grows by one with each announcement.
    pub revision: i64,
    /// The latest activity in its category, for what is announced later on its account.
    #[serde(skip)]
    pub origin: Origin,
}

impl Lead {
    /// A lead that an activity opens at `now`.
    pub fn open(lead_id: Uuid, account_id: Uuid, product_category: &str, round: i32, now: i64) -> Self {
        Self {
            lead_id,
            account_id,
            product_category: product_category.to_owned(),
            round,
            state: State::opened(),
            next_check_time: None,
            ready_time: None,
            status_reason: String::new(),
            assignment_id: None,
            assigned_rep: String::new(),
            open_time: now,
            closed: None,
            close_note: String::new(),
            merged_into: None,
            sides: Vec::new(),
            revision: 0,
            origin: Origin::default(),
        }
    }

    /// Closes it.
    pub fn close(&mut self, reason: CloseReason, note: &str, now: i64) {
        self.state.status = Status::Closed;
        self.closed = Some((now, reason));
        self.close_note = note.to_owned();
        self.next_check_time = None;
    }

    /// Its closing has ended the activities of all these, which are one by now.
    pub fn end_for(&mut self, sides: &[Uuid]) {
        if sides.len() > 1 {
            self.sides = sides.to_vec();
        }
    }

    /// Closes it because `into` goes on. What was handed over is over with it: a next hand-over has the next number.
    pub fn close_as_merged(&mut self, into: Uuid, now: i64) {
        if self.state.status != Status::Incubating {
            self.state.hand_over += 1;
        }
        self.close(CloseReason::Merged, "", now);
        self.merged_into = Some(into);
    }

    /// Is itself again: the lead that it was joined with is another account's.
    pub fn reopen(&mut self) {
        self.state.status = Status::Incubating;
        (self.closed, self.merged_into, self.assignment_id) = (None, None, None);
        self.assigned_rep.clear();
        self.status_reason.clear();
    }

    /// Whether its closing has ended the activities of an account.
    pub fn ends(&self, account_id: Uuid) -> bool {
        let own = if self.sides.is_empty() { self.account_id == account_id } else { self.sides.contains(&account_id) };
        own && self.closed.is_some_and(|(_, reason)| reason != CloseReason::Merged)
    }

    /// A rep has accepted it while it was being closed as merged: it is the one to go on with.
    fn revive(&mut self, news: &AssignmentNews) -> bool {
        let merged = matches!(self.closed, Some((_, CloseReason::Merged)));
        // The number grows by a rejection, too: what was accepted before it is over.
        let rejected = self.state.reject_time.is_some_and(|rejected| rejected >= news.time);
        if !merged || rejected || news.step != Step::Accepted || news.hand_over != self.state.hand_over - 1 {
            return false;
        }
        self.reopen();
        self.state.hand_over = news.hand_over;
        self.state.status = Status::Accepted;
        self.assignment_id = news.assignment_id;
        self.assigned_rep = news.rep.clone();
        true
    }

    /// Takes over what routing says of its hand-over. False when that is old news: an earlier hand-over, a step that
    /// was overtaken by a later one, or anything after the lead was closed but that it was accepted meanwhile.
    pub fn follow(&mut self, news: &AssignmentNews) -> bool {
        if self.closed.is_some() || news.hand_over != self.state.hand_over {
            return self.revive(news);
        }
        let rank = |status| match status {
            Status::Incubating | Status::Closed => 0,
            Status::HandedOver => 1,
            Status::Held => 2,
            Status::Offered => 3,
            Status::Accepted => 4,
        };
        let (status, reason) = match &news.step {
            Step::Held(reason) => (Status::Held, reason.clone()),
            Step::Offered => (Status::Offered, String::new()),
            Step::Accepted => (Status::Accepted, String::new()),
            Step::Rejected(reason) => {
                // What made it ready is no news, even when a clock was ahead.
                let time = news.time.max(self.ready_time.unwrap_or(i64::MIN));
                if !self.state.reject(news.hand_over, time) {
                    return false;
                }
                self.assignment_id = None;
                self.assigned_rep = String::new();
                self.status_reason = reason.clone();
                return true;
            }
        };
        if rank(self.state.status) == 0 || rank(status) <= rank(self.state.status) {
            return false;
        }
        self.state.status = status;
        self.status_reason = reason;
        self.assignment_id = news.assignment_id;
        self.assigned_rep = news.rep.clone();
        true
    }
}

/// What routing says of a hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentNews {
    /// Of which lead.
    pub lead_id: Uuid,
    /// Of which of its hand-overs.
    pub hand_over: i32,
    /// The assignment; none while it is held.
    pub assignment_id: Option<Uuid>,
    /// The rep; empty while it is held.
    pub rep: String,
    /// What happened.
    pub step: Step,
    /// When.
    pub time: i64,
}

/// What happens to a hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nobody is eligible, with the reason.
    Held(String),
    /// A rep has it to decide.
    Offered,
    /// The rep works on it.
    Accepted,
    /// The rep gave it back, with the reason.
    Rejected(String),
}
