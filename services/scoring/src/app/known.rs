//! What is known of accounts, loaded for all of a batch at once. Accounts that were merged, or that roll up to another, have
//! their leads together.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Instant,
};

use leadflow_platform::Result;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::memory::{Held, Holding, Memory, Remembered, Span};
use crate::{
    domain::{
        Activity, Adjustment, CompiledModel, Disposition, History, Own, Profile,
        joining::{self, fill_account, fill_contact, is_merged, joined_profiles},
        lead::Lead,
    },
    store::{
        accounts::{self, Account},
        contacts, evidence,
        joined::Contacts,
        leads,
    },
};

/// What is known of an account and of those that count for it.
#[derive(Debug)]
pub(super) struct Known {
    /// The survivor.
    pub(super) account: Account,
    /// All of them.
    pub(super) sides: Vec<Uuid>,
    /// Whether the facts of all are at least as new as what their activities were resolved with.
    pub(super) is_known: bool,
    /// Open and closed, by category and round; also those of others whose closing has ended what these did.
    pub(super) leads: Vec<Lead>,
    /// Without adjustments, which belong to a lead.
    pub(super) history: History,
    /// Where those of the history's activities begin that have just come.
    pub(super) news: usize,
    /// Whether nothing of it depends on other accounts, nor on whom its people are one with.
    pub(super) is_alone: bool,
    /// What became of the history's activities so far, in their order; nothing yet of those that have just come.
    pub(super) became: Vec<Option<Disposition>>,
    /// What the model says of each by itself, where that was asked before.
    pub(super) own: Vec<Option<Own>>,
    pub(super) adjustments: HashMap<Uuid, Vec<Adjustment>>,
}

/// The accounts that are one, by the one that counts. `accounts` holds all of each.
pub(super) fn groups(accounts: &BTreeMap<Uuid, Account>) -> BTreeMap<Uuid, Vec<&Account>> {
    let mut groups: BTreeMap<Uuid, Vec<&Account>> = BTreeMap::new();
    for account in accounts.values() {
        groups.entry(account.survivor_id).or_default().push(account);
    }
    // The survivor first: what it says stands. The others by age.
    groups.iter_mut().for_each(|(survivor, sides)| sides.sort_by_key(|side| side.account_id != *survivor));
    groups
}

/// The accounts, which are all one, in that order.
pub(super) fn ids_of_one(accounts: &BTreeMap<Uuid, Account>) -> Vec<Uuid> {
    groups(accounts).into_values().flatten().map(|side| side.account_id).collect()
}

/// Of these sides those whose facts are the first one's.
pub(super) fn with_its_facts(sides: &[Uuid], accounts: &BTreeMap<Uuid, Account>) -> Vec<Uuid> {
    joining::with_its_facts(sides, |id| accounts.get(&id).map(|account| account.pointer).unwrap_or_default())
}

/// Loads all that can count for the leads of these accounts within `span`, beside `news`, which may not be written yet and
/// may be too old to count. What is in `remembered` is not read again.
pub(super) async fn load(
    connection: &impl ConnectionTrait,
    model: &CompiledModel,
    accounts: &BTreeMap<Uuid, Account>,
    memory: &Memory,
    remembered: BTreeMap<Uuid, Holding>,
    mut news: HashMap<Uuid, Vec<Arc<Activity>>>,
    span: Span,
) -> Result<Vec<Known>> {
    let unknown: Vec<Uuid> = accounts.keys().copied().filter(|id| !remembered.contains_key(id)).collect();
    let mut holdings = read(connection, memory, &unknown, span).await?;
    for (id, mut holding) in remembered {
        holding.latest.retain(|held| held.activity.occur_time > span.after);
        holdings.insert(id, holding);
    }
    let latest = holdings.values_mut().flat_map(|holding| &mut holding.latest).map(|held| &mut held.activity);
    let mut people = People::load(connection, model, latest.chain(news.values_mut().flatten())).await?;

    let mut all = Vec::with_capacity(accounts.len());
    for sides in groups(accounts).into_values() {
        let ids: Vec<Uuid> = sides.iter().map(|side| side.account_id).collect();
        let own = with_its_facts(&ids, accounts);
        let (mut activities, mut became, mut said) = (Vec::new(), Vec::new(), Vec::new());
        let (mut leads, mut answering, mut profiles) = (Vec::new(), Vec::new(), Vec::new());
        let mut adjustments = HashMap::new();
        for id in &ids {
            let held = holdings.remove(id).unwrap_or_default();
            for one in held.latest {
                activities.push(one.activity);
                became.push(Some(one.became));
                said.push(one.own);
            }
            leads.extend(held.leads);
            answering.extend(held.answering);
            adjustments.extend(held.adjustments);
            if own.contains(id) {
                profiles.push(held.revisions);
            }
        }
        let already = activities.len();
        for fresh in ids.iter().flat_map(|id| news.remove(id).unwrap_or_default()) {
            if !activities[..already].iter().any(|known| known.activity_id == fresh.activity_id) {
                activities.push(fresh);
                became.push(None);
            }
        }
        leads.sort_by(|a, b| (&a.product_category, a.round, a.lead_id).cmp(&(&b.product_category, b.round, b.lead_id)));
        leads.dedup_by_key(|lead| lead.lead_id);
        let alone = !sides[0].joined && leads.iter().all(|lead| lead.sides.is_empty());
        all.push(Known {
            account: sides[0].clone(),
            is_known: sides[0].is_known() && sides.iter().all(|side| side.revision >= side.wanted_revision),
            is_alone: alone && !activities.iter().any(|activity| people.is_joined(activity)),
            adjustments,
            leads,
            became,
            own: said,
            news: already,
            history: History {
                answering,
                account_revisions: joined_profiles(profiles, fill_account),
                contact_revisions: people.of(&activities),
                activities,
                adjustments: Vec::new(),
            },
            sides: ids,
        });
    }
    Ok(all)
}

/// Reads what is held of each of these accounts.
async fn read(
    connection: &impl ConnectionTrait,
    memory: &Memory,
    ids: &[Uuid],
    span: Span,
) -> Result<BTreeMap<Uuid, Holding>> {
    let mut found: BTreeMap<Uuid, Holding> = ids.iter().map(|&id| (id, Holding::default())).collect();
    if ids.is_empty() {
        return Ok(found);
    }
    let mut latest = evidence::latest(connection, ids, span.after, span.limit).await?;
    let mut answering = evidence::answering(connection, ids).await?;
    let mut revisions = accounts::revisions(connection, ids).await?;
    let mut leads_of: HashMap<Uuid, Vec<Lead>> = HashMap::new();
    for lead in leads::of_accounts(connection, ids).await? {
        // What was closed while accounts were one is closed for each of them.
        for &account in lead.sides.iter().filter(|side| **side != lead.account_id) {
            leads_of.entry(account).or_default().push(lead.clone());
        }
        leads_of.entry(lead.account_id).or_default().push(lead);
    }
    let counting = leads_of.values().flatten().filter(|lead| lead.closed.is_none() || is_merged(lead));
    let counting: Vec<_> = counting.map(|lead| lead.lead_id).collect();
    let mut adjustments = leads::adjustments(connection, &counting).await?;
    let share = |activity| memory.share(Arc::unwrap_or_clone(activity));
    for (id, holding) in &mut found {
        let leads = leads_of.remove(id).unwrap_or_default();
        let latest = latest.remove(id).unwrap_or_default().into_iter();
        let profiles = revisions.remove(id).unwrap_or_default().into_iter().map(|mut profile| {
            memory.share_facts(&mut profile.facts);
            profile
        });
        *holding = Holding {
            latest: latest.map(|(activity, became)| Held { activity: share(activity), became, own: None }).collect(),
            answering: answering.remove(id).unwrap_or_default().into_iter().map(share).collect(),
            revisions: profiles.collect(),
            adjustments: leads.iter().filter_map(|it| Some((it.lead_id, adjustments.remove(&it.lead_id)?))).collect(),
            leads,
        };
    }
    Ok(found)
}

impl Known {
    /// What is held of the account after it was scored, where nothing of it depends on others.
    pub(super) fn remembered(self, span: Span, model_version: i32) -> Option<Remembered> {
        if !self.is_alone {
            return None;
        }
        let Self { account, leads, history, news, became, own, adjustments, .. } = self;
        let mut answering = history.answering;
        answering.extend(history.activities[news..].iter().filter(|activity| !activity.answers.is_empty()).cloned());
        let all = history.activities.into_iter().zip(became).zip(own);
        let held = |((activity, became), own): ((_, Option<_>), _)| Some(Held { activity, became: became?, own });
        let mut latest = all.map(held).collect::<Option<Vec<_>>>()?;
        span.cut(&mut latest);
        let holding = Holding { latest, answering, revisions: history.account_revisions, leads, adjustments };
        let Account { account_id, version, .. } = account;
        Some(Remembered { account_id, version, model_version, span, holding, since: Instant::now() })
    }
}

/// The profiles of those who did something, each person once.
pub(super) struct People {
    profiles: HashMap<Uuid, Vec<Profile>>,
    contacts: Contacts,
}

impl People {
    /// Of these activities; each is said to be done by the one who counts for whoever did it.
    pub(super) async fn load<'a>(
        connection: &impl ConnectionTrait,
        model: &CompiledModel,
        activities: impl Iterator<Item = &'a mut Arc<Activity>>,
    ) -> Result<Self> {
        let mut activities: Vec<_> = activities.collect();
        let ids: BTreeSet<Uuid> = activities.iter().filter_map(|activity| activity.contact_id).collect();
        let contacts = Contacts::of(connection, &ids.iter().copied().collect::<Vec<_>>()).await?;
        for activity in &mut activities {
            let survivor = activity.contact_id.map(|id| contacts.survivor(id));
            if survivor != activity.contact_id {
                Arc::make_mut(activity).contact_id = survivor;
            }
        }
        if !model.looks_at_contacts() {
            return Ok(Self { profiles: HashMap::new(), contacts });
        }
        let survivors: BTreeSet<Uuid> = ids.into_iter().map(|id| contacts.survivor(id)).collect();
        let sides: Vec<_> = survivors.iter().flat_map(|&survivor| contacts.sides(survivor)).collect();
        let mut revisions = contacts::revisions(connection, &sides).await?;
        let people = survivors.into_iter().map(|survivor| {
            let sides = contacts.sides(survivor).map(|side| revisions.remove(&side).unwrap_or_default()).collect();
            (survivor, joined_profiles(sides, fill_contact))
        });
        let profiles = people.filter(|(_, profiles)| !profiles.is_empty()).collect();
        Ok(Self { profiles, contacts })
    }

    /// Whether the one who did this counts for others too.
    fn is_joined(&self, activity: &Activity) -> bool {
        activity.contact_id.is_some_and(|id| self.contacts.sides(id).nth(1).is_some())
    }

    /// The profiles of those who did these.
    pub(super) fn of(&mut self, activities: &[Arc<Activity>]) -> BTreeMap<Uuid, Vec<Profile>> {
        let people = activities.iter().filter_map(|activity| activity.contact_id);
        people.filter_map(|person| Some((person, self.profiles.get(&person)?.clone()))).collect()
    }
}
