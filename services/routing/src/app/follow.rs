//! Following leads: keeping the newest copy, and doing what their hand-overs and their closing ask for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use leadflow_platform::{
    Result,
    db::Tx,
    outbox::{self, Message},
    trace::Origin,
};
use uuid::Uuid;

use super::{App, decide::Pending};
use crate::{
    domain::{
        assignment::Assignment,
        decision::Trace,
        hand_over::{HandOver, Reason, todo},
        lead::{CloseReason, Lead},
    },
    store::{assignments, hand_overs, leads},
    wire,
};

/// What an event tells of a lead.
#[derive(Clone, Debug)]
pub(crate) struct News {
    /// The lead at the event's revision.
    pub(crate) lead: Lead,
    /// Whether the lead is handed over, under the number that it bears.
    pub(crate) is_ready: bool,
    /// Whether the lead is cultivated for its first hand-over.
    pub(crate) is_cultivated: bool,
    /// What has brought the event about.
    pub(crate) origin: Origin,
    /// When the activity behind it was accepted, if it was one.
    pub(crate) record_time: Option<Timestamp>,
}

impl App {
    /// Takes news of leads in, in one transaction.
    pub(crate) async fn follow(&self, news: Vec<News>) -> Result<()> {
        let app = self.clone();
        let freed = self.database.write(move |tx| async move { app.follow_in(&tx, news).await }).await?;
        if freed {
            self.bell.notify_one();
        }
        Ok(())
    }

    /// Says whether a rep has become free.
    async fn follow_in(&self, tx: &Tx, mut news: Vec<News>) -> Result<bool> {
        leave_out_cultivated(tx, &mut news).await?;
        let news = &*news;
        leads::keep_newest(tx, &newest(news)).await?;
        let ready = ready(news);
        let asking: BTreeSet<Uuid> = news
            .iter()
            .filter(|news| news.is_ready || news.lead.closed.is_some())
            .map(|news| news.lead.lead_id)
            .collect();
        let asking: Vec<Uuid> = asking.into_iter().collect();
        if asking.is_empty() {
            return Ok(false);
        }
        // Locked by now: what is read here is what the others have left behind.
        let leads = leads::get(&**tx, &asking).await?;
        let mut known = hand_overs::of_leads(&**tx, &asking).await?;
        let merged_into: HashMap<Uuid, Uuid> =
            news.iter().filter_map(|news| Some((news.lead.lead_id, news.lead.merged_into?))).collect();
        let concerned: Vec<Uuid> = asking.iter().copied().chain(merged_into.values().copied()).collect();
        let live = assignments::live(tx, &concerned).await?;

        let now = self.now();
        let (mut closing, mut pending) = (Closing::new(live, merged_into, now), Vec::new());
        for lead in in_order_of_arrival(news, &leads) {
            let known = known.remove(&lead.lead_id).unwrap_or_default();
            let numbers = ready.get(&lead.lead_id).cloned().unwrap_or_default();
            let todo = todo(lead, &known, &numbers);
            for (number, reason) in todo.close {
                closing.close(lead, &known, number, reason, origin(news, lead));
            }
            if let Some(number) = todo.decide {
                let (origin, record_time) = cause(news, lead, number);
                let hand_over = HandOver { origin, ..HandOver::heard_of(lead.lead_id, number, now) };
                pending.push(Pending { hand_over, lead, before: None, record_time });
            }
        }
        self.metrics.received(closing.unheard + pending.len() as u64);
        let freed = closing.write(tx).await?;
        self.decide(tx, pending, now).await?;
        Ok(freed)
    }
}

/// Nothing is kept of leads that were never handed over: they are most, and nothing of them matters here. Of one that is here it
/// may be that it was closed, and is open again.
async fn leave_out_cultivated(tx: &Tx, news: &mut Vec<News>) -> Result<()> {
    let (cultivated, others): (Vec<&News>, Vec<_>) = news.iter().partition(|news| news.is_cultivated);
    if cultivated.is_empty() {
        return Ok(());
    }
    let cultivated: Vec<_> = cultivated.iter().map(|news| news.lead.lead_id).collect();
    let mut here: BTreeSet<_> = others.iter().map(|news| news.lead.lead_id).collect();
    here.extend(leads::known(&**tx, &cultivated).await?);
    news.retain(|news| here.contains(&news.lead.lead_id));
    Ok(())
}

/// The newest revision of each lead.
fn newest(news: &[News]) -> BTreeMap<Uuid, Lead> {
    let mut newest: BTreeMap<Uuid, Lead> = BTreeMap::new();
    for News { lead, .. } in news {
        if newest.get(&lead.lead_id).is_none_or(|known| known.revision < lead.revision) {
            newest.insert(lead.lead_id, lead.clone());
        }
    }
    newest
}

/// The numbers under which each lead is handed over. They count whatever the revision of the event.
fn ready(news: &[News]) -> HashMap<Uuid, BTreeSet<i32>> {
    let mut ready: HashMap<Uuid, BTreeSet<i32>> = HashMap::new();
    for News { lead, .. } in news.iter().filter(|news| news.is_ready) {
        ready.entry(lead.lead_id).or_default().insert(lead.hand_over);
    }
    ready
}

/// What has brought the latest news of a lead about.
fn origin(news: &[News], lead: &Lead) -> Origin {
    news.iter().rfind(|news| news.lead.lead_id == lead.lead_id).map(|news| news.origin).unwrap_or_default()
}

/// What has brought this hand-over of a lead about, and when the activity behind it was accepted.
fn cause(news: &[News], lead: &Lead, number: i32) -> (Origin, Option<Timestamp>) {
    let is_it = |news: &&News| news.is_ready && (news.lead.lead_id, news.lead.hand_over) == (lead.lead_id, number);
    news.iter().find(is_it).map(|news| (news.origin, news.record_time)).unwrap_or_default()
}

/// Each lead once: who comes first is served first.
fn in_order_of_arrival<'a>(news: &'a [News], leads: &'a BTreeMap<Uuid, Lead>) -> impl Iterator<Item = &'a Lead> {
    let mut seen = BTreeSet::new();
    news.iter().filter_map(move |news| leads.get(&news.lead.lead_id)).filter(move |lead| seen.insert(lead.lead_id))
}

/// Hand-overs that come to their end, and their live assignments with them.
struct Closing {
    live: HashMap<Uuid, Assignment>,
    /// The lead that goes on for each that was closed as merged.
    merged_into: HashMap<Uuid, Uuid>,
    now: Timestamp,
    /// How many of them routing had never heard of.
    unheard: u64,
    hand_overs: Vec<(HandOver, Option<Trace>)>,
    ended: Vec<Assignment>,
    events: Vec<Message>,
}

impl Closing {
    fn new(live: HashMap<Uuid, Assignment>, merged_into: HashMap<Uuid, Uuid>, now: Timestamp) -> Self {
        Self { live, merged_into, now, unheard: 0, hand_overs: Vec::new(), ended: Vec::new(), events: Vec::new() }
    }

    /// Whether a rep has accepted the lead while it was being joined with one that nobody has accepted.
    fn was_accepted_meanwhile(&self, lead: &Lead, number: i32) -> bool {
        let live = self.live.get(&lead.lead_id).filter(|live| live.hand_over == number);
        let other = self.merged_into.get(&lead.lead_id).map(|into| self.live.get(into));
        lead.closed == Some(CloseReason::Merged) && live.zip(other).is_some_and(|(live, other)| live.outlasts(other))
    }

    fn close(&mut self, lead: &Lead, known: &[HandOver], number: i32, reason: Reason, origin: Origin) {
        if self.was_accepted_meanwhile(lead, number) {
            return;
        }
        let known = known.iter().find(|known| known.hand_over == number).cloned();
        self.unheard += u64::from(known.is_none());
        let mut hand_over = known.unwrap_or_else(|| HandOver::heard_of(lead.lead_id, number, self.now));
        hand_over.close(reason);
        self.hand_overs.push((hand_over, None));
        if let Some(live) = self.live.get(&lead.lead_id).filter(|live| live.hand_over == number) {
            let mut assignment = live.clone();
            match lead.closed {
                Some(closed) => assignment.end_with_lead(closed, self.now),
                None => assignment.withdraw(reason.as_str(), self.now),
            }
            let event = Message::from(wire::assignment_event(&assignment, self.now));
            self.events.push(event.caused_by(origin));
            self.ended.push(assignment);
        }
    }

    /// Writes and announces it all. Says whether a rep has become free.
    async fn write(self, tx: &Tx) -> Result<bool> {
        assignments::save(tx, &self.ended).await?;
        hand_overs::save(tx, &self.hand_overs).await?;
        outbox::announce_all(tx, self.events, self.now).await?;
        Ok(!self.ended.is_empty())
    }
}
