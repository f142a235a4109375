//! What is known of accounts, loaded for all of a batch at once.

use std::collections::{BTreeMap, HashMap};

use leadflow_platform::Result;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    domain::{Activity, Adjustment, CompiledModel, History, lead::Lead},
    store::{
        accounts::{self, Account},
        evidence, leads,
    },
};

/// What is known of one account.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) account: Account,
    /// Open and closed, by category and round.
    pub(super) leads: Vec<Lead>,
    /// Without adjustments, which belong to a lead.
    pub(super) history: History,
    pub(super) adjustments: HashMap<Uuid, Vec<Adjustment>>,
}

/// Loads all that can count for the leads of these accounts at `at`, and `news` that may be too old to count.
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
        leads_of.entry(lead.account_id).or_default().push(lead);
    }
    let open: Vec<_> =
        leads_of.values().flatten().filter(|lead| lead.closed.is_none()).map(|lead| lead.lead_id).collect();
    let mut adjustments = leads::adjustments(connection, &open).await?;
    let mut contacts: Vec<_> = latest.values().flatten().filter_map(|activity| activity.contact_id).collect();
    contacts.sort_unstable();
    contacts.dedup();
    let contact_revisions = accounts::contact_revisions(connection, &contacts).await?;

    let mut all = Vec::with_capacity(accounts.len());
    for (id, account) in accounts {
        let mut activities = latest.remove(id).unwrap_or_default();
        for activity in news.remove(id).unwrap_or_default() {
            if activities.iter().all(|known| known.activity_id != activity.activity_id) {
                activities.push(activity);
            }
        }
        let profiles = activities
            .iter()
            .filter_map(|activity| activity.contact_id)
            .filter_map(|contact| Some((contact, contact_revisions.get(&contact)?.clone())))
            .collect();
        let leads = leads_of.remove(id).unwrap_or_default();
        all.push(Known {
            account: account.clone(),
            adjustments: leads
                .iter()
                .filter_map(|lead| Some((lead.lead_id, adjustments.remove(&lead.lead_id)?)))
                .collect(),
            leads,
            history: History {
                activities,
                answering: answering.remove(id).unwrap_or_default(),
                account_revisions: revisions.remove(id).unwrap_or_default(),
                contact_revisions: profiles,
                adjustments: Vec::new(),
            },
        });
    }
    Ok(all)
}
