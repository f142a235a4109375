//! Deciding hand-overs and writing what came of them, in the transaction of whoever holds their leads.

use std::collections::BTreeSet;

use jiff::Timestamp;
use leadflow_platform::{
    Result,
    db::Tx,
    ids,
    outbox::{self, Message},
    plant::{self, Plant},
    trace::Origin,
};

use super::App;
use crate::{
    domain::{
        assignment::{Assignment, State},
        decision::{Decision, Outcome, Route, Trace},
        hand_over::HandOver,
        lead::Lead,
    },
    store::{assignments, hand_overs, standing},
    wire,
};

/// A hand-over with what people know the lead by.
#[derive(Clone, Debug)]
pub(crate) struct NamedHandOver {
    pub(crate) hand_over: HandOver,
    pub(crate) account_name: String,
    pub(crate) product_category: String,
}

impl NamedHandOver {
    pub(super) fn of(hand_over: HandOver, lead: Option<&Lead>) -> Self {
        let account_name = lead.map(|lead| lead.account.name.clone()).unwrap_or_default();
        let product_category = lead.map(|lead| lead.product_category.clone()).unwrap_or_default();
        Self { hand_over, account_name, product_category }
    }
}

/// A hand-over for which a rep is to be found, with its lead and the decision before this one, if there was one.
pub(super) struct Pending<'a> {
    pub(super) hand_over: HandOver,
    pub(super) lead: &'a Lead,
    pub(super) before: Option<Trace>,
    /// When the activity behind it was accepted, if nobody has decided on it yet.
    pub(super) record_time: Option<Timestamp>,
}

/// What decisions have changed, to be written at once.
#[derive(Default)]
struct Book {
    assignments: Vec<Assignment>,
    hand_overs: Vec<(HandOver, Option<Trace>)>,
    events: Vec<Message>,
}

impl Book {
    fn announce(&mut self, event: impl Into<Message>, origin: Origin) {
        self.events.push(event.into().caused_by(origin));
    }
}

impl App {
    /// Decides in the given order, each decision knowing the ones before it.
    pub(super) async fn decide(&self, tx: &Tx, pending: Vec<Pending<'_>>, now: Timestamp) -> Result<()> {
        if pending.is_empty() {
            return Ok(());
        }
        let rules = self.rules(&**tx).await?;
        let routes: Vec<Route<'_>> =
            pending.iter().map(|pending| rules.route(pending.lead, pending.hand_over.hand_over)).collect();
        let pools: BTreeSet<_> = routes.iter().filter_map(Route::pool).map(str::to_owned).collect();
        let reps: BTreeSet<_> = routes.iter().flat_map(Route::reps).map(str::to_owned).collect();
        let mut standing = standing::lock(tx, &pools, &reps).await?;
        let balances = standing.balances.clone();

        let mut book = Book::default();
        for (route, pending) in routes.into_iter().zip(pending) {
            let decision = route.decide(&mut standing, now);
            self.metrics.failed_conditions(decision.trace.failed_conditions());
            self.enter(&mut book, pending, decision, now);
        }
        let changed = |(key, balance): &(&(String, String), &_)| balances.get(key) != Some(balance);
        standing::save(tx, &standing.balances.iter().filter(changed).collect::<Vec<_>>()).await?;
        assignments::save(tx, &book.assignments).await?;
        hand_overs::save(tx, &book.hand_overs).await?;
        outbox::announce_all(tx, book.events, now).await
    }

    fn enter(&self, book: &mut Book, pending: Pending<'_>, decision: Decision, now: Timestamp) {
        let Pending { mut hand_over, lead, before, record_time } = pending;
        let Decision { outcome, trace } = decision;
        match outcome {
            Outcome::Offer { rep, territory, pool } => {
                self.metrics.offered(pool.is_none());
                if let Some(record_time) = record_time {
                    self.metrics.lag(now.duration_since(record_time));
                }
                let assignment = offer(lead, hand_over.hand_over, rep, territory, pool, now);
                hand_over.assign(assignment.assignment_id);
                book.announce(wire::assignment_event(&assignment, now), hand_over.origin);
                if plant::is(Plant::DoubleOffer) {
                    book.assignments.push(Assignment { assignment_id: ids::new(), ..assignment.clone() });
                }
                book.assignments.push(assignment);
            }
            Outcome::Hold(_) if plant::is(Plant::DropHeld) => return,
            Outcome::Hold(reason) => {
                if hand_over.hold(reason, now + self.hold_deadline) {
                    let named = NamedHandOver::of(hand_over.clone(), Some(lead));
                    book.announce(wire::held_event(&named, now), hand_over.origin);
                } else if before.is_some_and(|before| trace.is_same_but_later(&before)) {
                    return;
                }
            }
        }
        book.hand_overs.push((hand_over, Some(trace)));
    }
}

fn offer(
    lead: &Lead,
    hand_over: i32,
    rep: String,
    territory: Option<String>,
    pool: Option<String>,
    now: Timestamp,
) -> Assignment {
    Assignment {
        assignment_id: ids::new(),
        lead_id: lead.lead_id,
        hand_over,
        account_id: lead.account.account_id,
        account_name: lead.account.name.clone(),
        product_category: lead.product_category.clone(),
        rep,
        territory,
        pool,
        state: State::Offered,
        offer_time: now,
        decide_time: None,
        reason: String::new(),
        note: String::new(),
        principal: String::new(),
        revision: 1,
    }
}
