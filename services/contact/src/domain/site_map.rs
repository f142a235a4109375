//! How an account buys: what is known, how well, and what is worth asking next.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

const DAY: i64 = 24 * 60 * 60 * 1000;
/// What is not known of a subject and still no gap, in thousandths: a fresh fact of three quarters' confidence is enough.
const TOLERATED_MILLI: i64 = 250;

/// One thing that is known of how an account buys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// UUIDv7.
    pub fact_id: Uuid,
    /// Of whom.
    pub account_id: Uuid,
    /// What it says.
    pub subject: Subject,
    /// In words.
    pub content: String,
    /// Empty: the whole account.
    pub product_category: String,
    /// In percent, 1 to 100.
    pub confidence: i32,
    /// Where it comes from.
    pub source: String,
    /// Who said it.
    pub said_by_contact_id: Option<Uuid>,
    /// Who said it, in words.
    pub said_by: String,
    /// When it was said or seen; milliseconds since the epoch.
    pub observe_time: i64,
    /// Who recorded it.
    pub principal: String,
    /// When it was recorded.
    pub create_time: i64,
    /// Whether somebody has taken it back.
    pub retraction: Option<Retraction>,
}

/// What a fact is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// Somebody who has a part in buying.
    Player(Role, Player),
    /// What may be spent: whole units of the company's own currency.
    Budget(Option<i64>),
    /// How it is decided.
    BuyingProcess,
    /// What it has to do.
    Requirement,
    /// Who supplies now.
    Incumbent,
    /// What colleagues should know.
    Note,
}

/// Who plays a part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Player {
    /// Somebody who is known.
    Contact(Uuid),
    /// Somebody who is no contact yet.
    Named {
        /// A name, or empty.
        name: String,
        /// A job title, or empty.
        job_title: String,
    },
}

/// The part that a person plays, the weightiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Says yes or no.
    DecisionMaker,
    /// Wants it and works for it.
    Champion,
    /// Is listened to.
    Influencer,
    /// Will work with it.
    User,
    /// Decides who gets through.
    Gatekeeper,
}

/// The end of a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retraction {
    /// Why.
    pub reason: String,
    /// By whom.
    pub principal: String,
    /// When.
    pub time: i64,
}

/// Whether a fact counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It is the latest about its subject.
    Current,
    /// A later one has taken its place.
    Superseded,
    /// Somebody has taken it back.
    Retracted,
}

/// Something that should be known of every buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Who plays this part.
    Player(Role),
    /// What may be spent.
    Budget,
    /// What it has to do.
    Requirement,
    /// How it is decided.
    BuyingProcess,
    /// Who supplies now.
    Incumbent,
}

/// Why a topic is worth asking about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nobody knows.
    Missing,
    /// It was known, and is old.
    Stale,
    /// It is known, and not for sure.
    Doubtful,
}

/// A topic that is worth asking about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What about.
    pub topic: Topic,
    /// Why.
    pub cause: Cause,
    /// The topic's weight times what is not known of it, in thousandths.
    pub value_milli: i64,
    /// What is known.
    pub fact_id: Option<Uuid>,
}

/// The topics with their weights out of 100: first what a sale fails without (who decides, with which money, for what), then
/// what makes it easier. They are our judgement; the order of two is seen on the site map, so that it can be disputed.
const TOPICS: [(Topic, i64); 9] = [
    (Topic::Player(Role::DecisionMaker), 100),
    (Topic::Budget, 80),
    (Topic::Requirement, 70),
    (Topic::BuyingProcess, 60),
    (Topic::Incumbent, 55),
    (Topic::Player(Role::Champion), 50),
    (Topic::Player(Role::Influencer), 40),
    (Topic::Player(Role::User), 20),
    (Topic::Player(Role::Gatekeeper), 15),
];

impl Topic {
    /// What to ask.
    pub fn question(self) -> &'static str {
        match self {
            Self::Player(Role::DecisionMaker) => "Who makes the decision?",
            Self::Player(Role::Champion) => "Who wants this and speaks for it in the house?",
            Self::Player(Role::Influencer) => "Whose opinion counts when it is decided?",
            Self::Player(Role::User) => "Who will work with it?",
            Self::Player(Role::Gatekeeper) => "Who decides which suppliers are heard at all?",
            Self::Budget => "Is there a budget, how much, and for when?",
            Self::Requirement => "What does it have to do?",
            Self::BuyingProcess => "How is it decided, step by step, and until when?",
            Self::Incumbent => "Who supplies this now, and until when?",
        }
    }
}

impl Fact {
    /// What it answers.
    pub fn topic(&self) -> Option<Topic> {
        match self.subject {
            Subject::Player(role, _) => Some(Topic::Player(role)),
            Subject::Budget(_) => Some(Topic::Budget),
            Subject::BuyingProcess => Some(Topic::BuyingProcess),
            Subject::Requirement => Some(Topic::Requirement),
            Subject::Incumbent => Some(Topic::Incumbent),
            Subject::Note => None,
        }
    }

    /// From when on it should be asked again; never for a note. People and budgets change within months, suppliers and
    /// the ways of a house within a year.
    pub fn stale_time(&self) -> Option<i64> {
        Some(self.observe_time + self.lasting()?)
    }

    fn lasting(&self) -> Option<i64> {
        let days = match self.topic()? {
            Topic::Player(_) | Topic::Budget | Topic::Requirement => 180,
            Topic::BuyingProcess | Topic::Incumbent => 365,
        };
        Some(days * DAY)
    }

    /// How much of its topic is known by it, in thousandths: its confidence; and half of it whenever it has become
    /// older by the time that it lasts.
    fn certainty_milli(&self, now: i64) -> i64 {
        let (Some(stale), Some(lasting)) = (self.stale_time(), self.lasting()) else { return 1000 };
        let beyond = (now - stale).max(0) as f64 / lasting as f64;
        (f64::from(self.confidence) * 10.0 * (-beyond).exp2()).round() as i64
    }

    /// What tells subjects apart: a later fact with the same one takes its place. Requirements and suppliers add up, and so
    /// do notes.
    fn slot(&self) -> (Option<Topic>, &str, String) {
        let own = match &self.subject {
            Subject::Player(_, Player::Contact(id)) => id.to_string(),
            Subject::Player(_, Player::Named { name, job_title }) => format!("{name}\n{job_title}").to_lowercase(),
            Subject::Requirement | Subject::Incumbent => self.content.to_lowercase(),
            Subject::Budget(_) | Subject::BuyingProcess => String::new(),
            Subject::Note => self.fact_id.to_string(),
        };
        (self.topic(), &self.product_category, own)
    }
}

/// Whether each of an account's facts counts. Among those about one subject, the one observed last does; of two at once,
/// the one recorded last.
pub fn states(facts: &[Fact]) -> BTreeMap<Uuid, State> {
    let mut latest = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.retraction.is_none()) {
        let best = latest.entry(fact.slot()).or_insert(fact);
        if (fact.observe_time, fact.create_time, fact.fact_id) > (best.observe_time, best.create_time, best.fact_id) {
            *best = fact;
        }
    }
    let state = |fact: &Fact| match (&fact.retraction, latest.get(&fact.slot())) {
        (Some(_), _) => State::Retracted,
        (None, Some(best)) if best.fact_id == fact.fact_id => State::Current,
        (None, _) => State::Superseded,
    };
    facts.iter().map(|fact| (fact.fact_id, state(fact))).collect()
}

/// The facts that count for a category (empty: all of them), in the order in which people read them.
pub fn current(facts: &[Fact], product_category: &str) -> Vec<Fact> {
    let states = states(facts);
    let concerns =
        |fact: &Fact| [product_category, ""].contains(&fact.product_category.as_str()) || product_category.is_empty();
    let counts = |fact: &&Fact| states.get(&fact.fact_id) == Some(&State::Current) && concerns(fact);
    let mut found: Vec<_> = facts.iter().filter(counts).cloned().collect();
    found.sort_by_key(|fact| (place(fact), std::cmp::Reverse(fact.observe_time), fact.fact_id));
    found
}

fn place(fact: &Fact) -> (u8, Option<Role>) {
    match fact.subject {
        Subject::Player(role, _) => (0, Some(role)),
        Subject::Budget(_) => (1, None),
        Subject::BuyingProcess => (2, None),
        Subject::Requirement => (3, None),
        Subject::Incumbent => (4, None),
        Subject::Note => (5, None),
    }
}

/// What is worth asking next, the most valuable first: a topic's weight, times what the best of the `current` facts leaves
/// open.
pub fn gaps(current: &[Fact], now: i64) -> Vec<Gap> {
    let gap = |&(topic, weight): &(Topic, i64)| {
        let known = current.iter().filter(|fact| fact.topic() == Some(topic));
        let best = known
            .map(|fact| (fact.certainty_milli(now), fact))
            .max_by_key(|(certainty, fact)| (*certainty, fact.observe_time, fact.fact_id));
        let open = 1000 - best.map_or(0, |(certainty, _)| certainty);
        let cause = match best {
            None => Cause::Missing,
            Some((_, fact)) if fact.stale_time().is_some_and(|stale| stale <= now) => Cause::Stale,
            Some(_) => Cause::Doubtful,
        };
        // What has just become stale is a gap, though nearly all of it may still be so.
        let is_gap = open > TOLERATED_MILLI || cause == Cause::Stale;
        is_gap.then(|| Gap { topic, cause, value_milli: weight * open, fact_id: best.map(|(_, fact)| fact.fact_id) })
    };
    let mut gaps: Vec<_> = TOPICS.iter().filter_map(gap).collect();
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.value_milli));
    gaps
}

#[cfg(test)]
mod tests;
