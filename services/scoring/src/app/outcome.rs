//! What a transaction has changed, written and announced at its end with few statements.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use leadflow_platform::{Error, Result, clock::from_millis, db::Tx, outbox, trace::Origin};
use uuid::Uuid;

use super::{
    NamedLead,
    explain::Explanation,
    known::{Known, groups, with_its_facts},
    memory::{Remembered, Span},
    origins::Origins,
};
use crate::{
    domain::{
        Disposition, Profile,
        joining::{fill_account, joined_profiles},
        lead::Lead,
    },
    store::{
        accounts::{self, Account},
        evidence,
        hand_overs::{self, HandOver},
        joined, leads,
    },
    wire,
};

/// What has changed.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) leads: BTreeMap<Uuid, Lead>,
    /// Those of which nothing but the score has changed.
    pub(super) moved: Vec<Lead>,
    pub(super) hand_overs: Vec<Frozen>,
    pub(super) dispositions: BTreeMap<Uuid, Disposition>,
    pub(super) due: BTreeMap<Uuid, Option<i64>>,
    pub(super) origins: Origins,
    announcements: Vec<Announcement>,
    /// The newest profile of each account that was scored, for what is announced of its leads.
    profiles: HashMap<Uuid, Profile>,
    /// What is held of these accounts then.
    remembered: Vec<Remembered>,
}

/// A fact of a lead, to be told.
#[derive(Debug)]
struct Announcement {
    fact: &'static str,
    lead: Lead,
    origin: Origin,
    record_time: Option<i64>,
}

/// A hand-over, to be kept for good.
#[derive(Debug)]
pub(super) struct Frozen {
    /// The accounts that are one by then, and after when what happened at each of them counted.
    pub(super) sides: Vec<(Uuid, i64)>,
    pub(super) number: i32,
    /// How many activities count at the most.
    pub(super) counted: u64,
    pub(super) explanation: Explanation,
}

impl Frozen {
    /// The lead, and whose activities its lines are about.
    fn about(&self) -> (Uuid, Vec<Uuid>) {
        (self.explanation.lead_id, self.sides.iter().map(|(side, _)| *side).collect())
    }

    fn to_row(&self) -> Result<HandOver> {
        let json = serde_json::to_value(&self.explanation);
        Ok(HandOver {
            lead_id: self.explanation.lead_id,
            number: self.number,
            time: self.explanation.at,
            explanation: json.map_err(|cause| Error::internal("an explanation without JSON").because(cause))?,
        })
    }
}

impl Outcome {
    /// Nothing yet of what these have brought about.
    pub(super) fn of(origins: Origins) -> Self {
        Self { origins, ..Self::default() }
    }

    /// Notes what is known now of an account that was scored.
    pub(super) fn note(&mut self, known: Known, span: Span, model_version: i32) {
        // What is told of its leads was told last.
        let is_told = self.announcements.last().is_some_and(|one| known.sides.contains(&one.lead.account_id));
        if is_told && let Some(profile) = Profile::known(&known.history.account_revisions, i64::MAX) {
            self.profiles.insert(known.account.account_id, profile.clone());
        }
        self.remembered.extend(known.remembered(span, model_version));
    }

    /// Announces a fact of the lead under its next revision.
    pub(super) fn announce(&mut self, fact: &'static str, lead: &mut Lead) {
        let (origin, record_time) = self.origins.of(lead);
        lead.revision += 1;
        self.announcements.push(Announcement { fact, lead: lead.clone(), origin, record_time });
    }

    /// Announces a fact of the lead that this has brought about.
    pub(super) fn announce_from(&mut self, origin: Origin, fact: &'static str, lead: &mut Lead) {
        lead.revision += 1;
        self.announcements.push(Announcement { fact, lead: lead.clone(), origin, record_time: None });
    }

    /// Announces a fact of the lead that was announced before.
    pub(super) fn announce_again(&mut self, fact: &'static str, lead: Lead) {
        self.announcements.push(Announcement { fact, lead, origin: Origin::default(), record_time: None });
    }

    /// Puts what happened before in front.
    pub(super) fn after(mut self, before: Self) -> Self {
        let mut announcements = before.announcements;
        announcements.append(&mut self.announcements);
        for (id, lead) in before.leads {
            self.leads.entry(id).or_insert(lead);
        }
        Self { announcements, ..self }
    }

    /// Writes all of it, and the events into the outbox. Returns what is held of the accounts when that is committed.
    pub(super) async fn write(
        mut self,
        tx: &Tx,
        locked: &BTreeMap<Uuid, Account>,
        now: Timestamp,
    ) -> Result<Vec<Remembered>> {
        leads::save_scores(tx, &self.moved).await?;
        leads::save(tx, &self.leads.into_values().collect::<Vec<_>>()).await?;
        for frozen in self.hand_overs.iter_mut().filter(|frozen| frozen.explanation.has_limit()) {
            let all = evidence::count(&**tx, &frozen.sides, frozen.explanation.at, i64::MAX).await?;
            frozen.explanation.say_beyond(all.saturating_sub(frozen.counted));
        }
        hand_overs::freeze(tx, self.hand_overs.iter().map(Frozen::to_row).collect::<Result<_>>()?).await?;
        joined::note_sides(tx, self.hand_overs.iter().map(Frozen::about)).await?;
        evidence::dispose(tx, self.dispositions).await?;
        let is_news = |id: &Uuid, due: &mut Option<i64>| locked.get(id).is_none_or(|account| account.due_time != *due);
        self.due.retain(is_news);
        accounts::set_due(tx, &self.due).await?;
        let survivor =
            |lead: &Lead| locked.get(&lead.account_id).map_or(lead.account_id, |account| account.survivor_id);
        if self.announcements.iter().any(|one| !self.profiles.contains_key(&survivor(&one.lead))) {
            let known = std::mem::take(&mut self.profiles);
            self.profiles = newest_profiles(tx, locked).await?;
            self.profiles.extend(known);
        }
        let messages = self.announcements.into_iter().map(|Announcement { fact, lead, origin, record_time }| {
            let named = NamedLead::of(lead, locked);
            let (account, profile) = (locked.get(&named.lead.account_id), self.profiles.get(&named.lead.account_id));
            let record_time = record_time.map(from_millis);
            let payload = wire::lead_event(&named, account, profile, now, record_time);
            outbox::Message { subject: format!("leadflow.lead.v1.{fact}"), payload, origin }
        });
        outbox::announce_all(tx, messages.collect(), now).await?;
        Ok(self.remembered)
    }
}

/// What is known now of each account that counts for itself or for more.
async fn newest_profiles(tx: &Tx, locked: &BTreeMap<Uuid, Account>) -> Result<HashMap<Uuid, Profile>> {
    let ids: Vec<_> = locked.keys().copied().collect();
    let mut revisions = accounts::revisions(&**tx, &ids).await?;
    let newest = |(survivor, sides): (Uuid, Vec<&Account>)| {
        let sides: Vec<_> = sides.iter().map(|side| side.account_id).collect();
        let own = with_its_facts(&sides, locked);
        let sides = own.iter().map(|side| revisions.remove(side).unwrap_or_default()).collect();
        Some((survivor, Profile::known(&joined_profiles(sides, fill_account), i64::MAX)?.clone()))
    };
    Ok(groups(locked).into_iter().filter_map(newest).collect())
}
