//! What is known of accounts, loaded for all of a batch at once. Accounts that were merged, or that roll up to another, have
//! their leads together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadflow_platform::Result;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    domain::{
        Activity, Adjustment, CompiledModel, Disposition, History, Profile,
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
    /// What became of these activities so far; nothing yet of those that have just come.
    pub(super) dispositions: HashMap<Uuid, Disposition>,
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

/// Loads all that can count for the leads of these accounts at `at`, beside `news`, which may not be written yet and may be
/// too old to count.
pub(super) async fn load(
    connection: &impl ConnectionTrait,
    model: &CompiledModel,
    accounts: &BTreeMap<Uuid, Account>,
    mut news: HashMap<Uuid, Vec<Activity>>,
    at: i64,
) -> Result<Vec<Known>> {
    let ids: Vec<Uuid> = accounts.keys().copied().collect();
    let after = at - model.model.window_ms;
    // One more than counts shows that there are more.
    let mut latest = evidence::latest(connection, &ids, after, model.model.max_activities + 1).await?;
    let mut answering = evidence::answering(connection, &ids).await?;
    let mut revisions = accounts::revisions(connection, &ids).await?;
    let mut leads_of: HashMap<Uuid, Vec<Lead>> = HashMap::new();
    for lead in leads::of_accounts(connection, &ids).await? {
        // What was closed while accounts were one is closed for each of them.
        for &account in lead.sides.iter().filter(|side| **side != lead.account_id) {
            leads_of.entry(account).or_default().push(lead.clone());
        }
        leads_of.entry(lead.account_id).or_default().push(lead);
    }
    let counting = leads_of.values().flatten().filter(|lead| lead.closed.is_none() || is_merged(lead));
    let counting: Vec<_> = counting.map(|lead| lead.lead_id).collect();
    let mut adjustments = leads::adjustments(connection, &counting).await?;
    let known = latest.values_mut().flatten().map(|(activity, _)| activity);
    let mut people = People::load(connection, known.chain(news.values_mut().flatten())).await?;

    let mut all = Vec::with_capacity(accounts.len());
    for sides in groups(accounts).into_values() {
        let ids: Vec<Uuid> = sides.iter().map(|side| side.account_id).collect();
        let latest = ids.iter().flat_map(|id| latest.remove(id).unwrap_or_default());
        let (mut activities, mut dispositions) = (Vec::new(), HashMap::new());
        for (activity, became) in latest {
            dispositions.insert(activity.activity_id, became);
            activities.push(activity);
        }
        let already = activities.len();
        let fresh = ids.iter().flat_map(|id| news.remove(id).unwrap_or_default());
        activities.extend(fresh.filter(|activity| !dispositions.contains_key(&activity.activity_id)));
        let mut leads: Vec<_> = ids.iter().flat_map(|id| leads_of.remove(id).unwrap_or_default()).collect();
        leads.sort_by(|a, b| (&a.product_category, a.round, a.lead_id).cmp(&(&b.product_category, b.round, b.lead_id)));
        leads.dedup_by_key(|lead| lead.lead_id);
        let own = with_its_facts(&ids, accounts);
        let profiles = own.iter().map(|id| revisions.remove(id).unwrap_or_default()).collect();
        all.push(Known {
            account: sides[0].clone(),
            is_known: sides[0].is_known() && sides.iter().all(|side| side.revision >= side.wanted_revision),
            adjustments: leads
                .iter()
                .filter_map(|lead| Some((lead.lead_id, adjustments.remove(&lead.lead_id)?)))
                .collect(),
            leads,
            dispositions,
            news: already,
            history: History {
                answering: ids.iter().flat_map(|id| answering.remove(id).unwrap_or_default()).collect(),
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

/// The profiles of those who did something, each person once.
pub(super) struct People(HashMap<Uuid, Vec<Profile>>);

impl People {
    /// Of these activities; each is said to be done by the one who counts for whoever did it.
    pub(super) async fn load<'a>(
        connection: &impl ConnectionTrait,
        activities: impl Iterator<Item = &'a mut Activity>,
    ) -> Result<Self> {
        let mut activities: Vec<_> = activities.collect();
        let ids: BTreeSet<Uuid> = activities.iter().filter_map(|activity| activity.contact_id).collect();
        let contacts = Contacts::of(connection, &ids.iter().copied().collect::<Vec<_>>()).await?;
        for activity in &mut activities {
            activity.contact_id = activity.contact_id.map(|id| contacts.survivor(id));
        }
        let survivors: BTreeSet<Uuid> = ids.into_iter().map(|id| contacts.survivor(id)).collect();
        let sides: Vec<_> = survivors.iter().flat_map(|&survivor| contacts.sides(survivor)).collect();
        let mut revisions = contacts::revisions(connection, &sides).await?;
        let people = survivors.into_iter().map(|survivor| {
            let sides = contacts.sides(survivor).map(|side| revisions.remove(&side).unwrap_or_default()).collect();
            (survivor, joined_profiles(sides, fill_contact))
        });
        Ok(Self(people.filter(|(_, profiles)| !profiles.is_empty()).collect()))
    }

    /// The profiles of those who did these.
    pub(super) fn of(&mut self, activities: &[Activity]) -> BTreeMap<Uuid, Vec<Profile>> {
        let people = activities.iter().filter_map(|activity| activity.contact_id);
        people.filter_map(|person| Some((person, self.0.get(&person)?.clone()))).collect()
    }
}
