//! What comes in: activities, profiles, and what routing says. Each is a transaction, and each may come twice or late.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use futures::future::join_all;
use leadflow_platform::{
    Result,
    db::Tx,
    ids,
    plant::{self, Plant},
    tombstones,
    trace::Origin,
};
use sea_orm::DatabaseBackend;
use uuid::Uuid;

use super::{
    App,
    memory::{Memory, Remembered},
    origins::Origins,
    outcome::Outcome,
    rescore::Cause,
};
use crate::{
    domain::{
        Activity, CompiledModel, Disposition,
        lead::{AssignmentNews, Lead},
    },
    store::{
        accounts::{self, Account},
        contacts, evidence,
        evidence::Evidence,
        joined, leads,
    },
};

pub(crate) use crate::store::accounts::Revision;

/// Transactions that activities are taken in by at the same time, where the database can: while one waits for it, another one
/// is scored.
const LANES: usize = 3;

/// An activity as the ledger announces it.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) activity: Activity,
    pub(crate) account_id: Option<Uuid>,
    /// The account's revision that it was resolved with.
    pub(crate) account_revision: i64,
    /// How often it was moved to another account.
    pub(crate) attribution: i64,
    pub(crate) origin: Origin,
}

impl Recorded {
    /// What is kept of it, as long as nothing is known of what becomes of it, and where it comes from.
    pub(super) fn into_evidence(self, memory: &Memory) -> (Evidence, Origin) {
        let Self { activity, account_id, attribution, origin, .. } = self;
        let disposition = if account_id.is_some() { Disposition::NoOpenLead } else { Disposition::NoAccount };
        (Evidence { account_id, activity: memory.share(activity), disposition, attribution }, origin)
    }
}

impl App {
    /// Takes activities in. One that is there already has no second effect.
    pub(crate) async fn record(&self, recorded: Vec<Recorded>) -> Result<()> {
        let lane = async |recorded: Vec<Recorded>| {
            if recorded.is_empty() {
                return Ok(());
            }
            self.score(move |app, tx| async move { app.record_in(&tx, recorded).await }).await
        };
        if self.database.backend() == DatabaseBackend::Sqlite {
            return lane(recorded).await;
        }
        // No account is in two of them, so that one waits for another only where accounts of both are one.
        let mut lanes: [Vec<Recorded>; LANES] = Default::default();
        for one in recorded {
            let account = one.account_id.map_or(0, |id| id.as_u128());
            lanes[(account % LANES as u128) as usize].push(one);
        }
        join_all(lanes.map(lane)).await.into_iter().collect()
    }

    async fn record_in(&self, tx: &Tx, mut recorded: Vec<Recorded>) -> Result<Vec<Remembered>> {
        leave_out_erased(tx, &mut recorded).await?;
        if plant::is(Plant::InboxOff) {
            count_again(tx, &mut recorded).await?;
        }
        let mut wanted: BTreeMap<Uuid, i64> = BTreeMap::new();
        for one in &recorded {
            if let Some(account) = one.account_id {
                let revision = wanted.entry(account).or_default();
                *revision = one.account_revision.max(*revision);
            }
        }
        // The locks come before the evidence, so that two batches with the same activities cannot wait for each other.
        let locked = accounts::lock_wanted(tx, wanted).await?;
        let ids: Vec<_> = recorded.iter().map(|one| one.activity.activity_id).collect();
        let mut seen = evidence::known(tx, &ids).await?;
        let (mut news, mut origins, mut rows) =
            (HashMap::<Uuid, Vec<Arc<Activity>>>::new(), Origins::default(), BTreeMap::<Uuid, Evidence>::new());
        for one in recorded {
            if !seen.insert(one.activity.activity_id) {
                continue;
            }
            let (row, origin) = one.into_evidence(&self.memory);
            if let Some(account) = row.account_id {
                sides(&locked, account).for_each(|side| origins.activity(side, &row.activity, origin));
                news.entry(account).or_default().push(row.activity.clone());
            }
            rows.insert(row.activity.activity_id, row);
        }
        let concerned: BTreeSet<_> = news.keys().flat_map(|&id| sides(&locked, id)).collect();
        let touched = locked.into_iter().filter(|(id, _)| concerned.contains(id)).collect();
        let mut outcome = self.rescore(tx, &touched, news, Cause::Recorded(origins)).await?;
        let now = self.clock.now();
        for (id, row) in &mut rows {
            row.disposition = outcome.dispositions.remove(id).unwrap_or(row.disposition);
            let lag = (now.as_millisecond() - row.activity.record_time) as f64 / 1000.0;
            self.metrics.scored(row.disposition, lag);
        }
        evidence::add(tx, &rows.into_values().collect::<Vec<_>>()).await?;
        outcome.write(tx, &touched, now).await
    }

    /// Takes revisions of accounts in, and scores these accounts again.
    pub(crate) async fn follow_accounts(&self, revisions: Vec<Revision>) -> Result<()> {
        self.score(move |app, tx| async move {
            let named = |revision: &Revision| std::iter::once(revision.id).chain(revision.pointer.named());
            let ids: BTreeSet<_> = revisions.iter().flat_map(named).collect();
            let before = accounts::lock_wanted(&tx, ids.iter().map(|&id| (id, 0)).collect()).await?;
            let mut origins = Origins::default();
            accounts::add_revisions(&tx, &revisions).await?;
            for Revision { id, origin, .. } in &revisions {
                let is_known = before.get(id).is_some_and(Account::is_known);
                for side in sides(&before, *id) {
                    if is_known { origins.other(side, *origin) } else { origins.awaited(side, *origin) }
                }
            }
            let points_elsewhere = |revision: &Revision| {
                before.get(&revision.id).is_some_and(|account| account.pointer != revision.pointer)
            };
            if revisions.iter().any(points_elsewhere) {
                let all: Vec<_> = before.keys().copied().collect();
                joined::join_accounts(&tx, &accounts::lock(&tx, &all).await?).await?;
            }
            app.rescore_all(&tx, before.into_keys().collect(), Cause::News(origins)).await
        })
        .await
    }

    /// Takes revisions of contacts' profiles in, and scores their accounts again.
    pub(crate) async fn follow_contacts(&self, mut revisions: Vec<Revision>) -> Result<()> {
        self.score(move |app, tx| async move {
            let ids: Vec<_> = revisions.iter().map(|revision| revision.id).collect();
            let gone = tombstones::among(&tx, &ids).await?;
            revisions.retain(|revision| !gone.contains(&revision.id));
            let mut origins = Origins::default();
            let merged = revisions.iter().map(|one| (one.id, one.profile.revision, one.pointer.merged_into));
            let mut news = joined::join_contacts(&tx, &merged.collect::<Vec<_>>()).await?;
            let added = contacts::add_revisions(&tx, &revisions).await?;
            let model = app.models.newest(&*tx).await?;
            // The first word of a person says nothing new where no rule looks at what it says: most have just been made.
            let is_news = |Revision { id, profile, .. }: &&Revision| {
                let is_seen = |model: &CompiledModel| profile.facts.keys().any(|fact| model.looks_at_contact(fact));
                added.contains(&(*id, profile.revision))
                    && (profile.revision > 1 || model.as_deref().is_some_and(is_seen))
            };
            for revision in revisions.iter().filter(is_news) {
                news.insert(revision.id);
                revision.account_id.iter().for_each(|&account| origins.other(account, revision.origin));
            }
            // What one of them says is said of all that are one person.
            let news = joined::contacts_with_joined(&*tx, &news.into_iter().collect::<Vec<_>>()).await?;
            let touched = contacts::accounts_of(&*tx, &news.into_iter().collect::<Vec<_>>()).await?;
            app.rescore_all(&tx, touched, Cause::People(origins)).await
        })
        .await
    }

    pub(super) async fn rescore_all(&self, tx: &Tx, accounts: BTreeSet<Uuid>, cause: Cause) -> Result<Vec<Remembered>> {
        let locked = accounts::lock(tx, &accounts.into_iter().collect::<Vec<_>>()).await?;
        let outcome = self.rescore(tx, &locked, HashMap::new(), cause).await?;
        outcome.write(tx, &locked, self.clock.now()).await
    }

    /// Takes over what routing says of hand-overs. A rejected lead is scored again at once.
    pub(crate) async fn follow_assignments(&self, news: Vec<(AssignmentNews, Origin)>) -> Result<()> {
        self.score(move |app, tx| async move { app.follow_in(&tx, news).await }).await
    }

    async fn follow_in(&self, tx: &Tx, news: Vec<(AssignmentNews, Origin)>) -> Result<Vec<Remembered>> {
        let ids: Vec<_> = news.iter().map(|(news, _)| news.lead_id).collect();
        let accounts: BTreeSet<_> = leads::accounts_of(&**tx, &ids).await?.into_values().collect();
        let accounts: Vec<_> = accounts.into_iter().collect();
        let locked = accounts::lock(tx, &accounts).await?;
        let mut of_accounts: BTreeMap<Uuid, _> =
            leads::of_accounts(&**tx, &accounts).await?.into_iter().map(|lead| (lead.lead_id, lead)).collect();
        let (mut outcome, mut origins) = (Outcome::default(), Origins::default());
        let mut rejected = BTreeSet::new();
        for (one, origin) in &news {
            let known = of_accounts.get(&one.lead_id).filter(|lead| !is_replaced(lead, of_accounts.values())).cloned();
            let Some(mut lead) = known else { continue };
            let (round, was_closed) = (lead.state.hand_over, lead.closed.is_some());
            if !lead.follow(one) {
                continue;
            }
            if was_closed {
                // It is open beside the one that it was joined with: the score again says which one goes on.
                rejected.insert(lead.account_id);
            }
            if lead.state.hand_over > round {
                rejected.insert(lead.account_id);
                origins.other(lead.account_id, *origin);
                outcome.announce_from(*origin, "recycled", &mut lead);
            } else {
                outcome.announce_from(*origin, "changed", &mut lead);
            }
            outcome.leads.insert(lead.lead_id, lead.clone());
            of_accounts.insert(lead.lead_id, lead);
        }
        leads::save(tx, &outcome.leads.values().cloned().collect::<Vec<_>>()).await?;
        let again: BTreeSet<_> = rejected.iter().flat_map(|&id| sides(&locked, id)).collect();
        let again = locked.iter().filter(|(id, _)| again.contains(id)).map(|(id, account)| (*id, account.clone()));
        let scored = self.rescore(tx, &again.collect(), HashMap::new(), Cause::News(origins)).await?;
        scored.after(outcome).write(tx, &locked, self.clock.now()).await
    }
}

/// What a planted bug does: an activity that is there already is taken for another one.
async fn count_again(tx: &Tx, recorded: &mut [Recorded]) -> Result<()> {
    let all: Vec<_> = recorded.iter().map(|one| one.activity.activity_id).collect();
    let known = evidence::known(tx, &all).await?;
    let again = recorded.iter_mut().filter(|one| known.contains(&one.activity.activity_id));
    again.for_each(|one| one.activity.activity_id = ids::new());
    Ok(())
}

/// Whether the account has another open lead in the place of this closed one: then it is over for good.
fn is_replaced<'a>(lead: &Lead, mut others: impl Iterator<Item = &'a Lead>) -> bool {
    let same = |other: &Lead| (other.account_id, &other.product_category) == (lead.account_id, &lead.product_category);
    lead.closed.is_some() && others.any(|other| other.closed.is_none() && same(other))
}

/// All accounts that are one with this one, itself too.
pub(super) fn sides(locked: &BTreeMap<Uuid, Account>, id: Uuid) -> impl Iterator<Item = Uuid> {
    let survivor = locked.get(&id).map(|account| account.survivor_id);
    let others = locked.values().filter(move |one| one.account_id != id && Some(one.survivor_id) == survivor);
    std::iter::once(id).chain(others.map(|one| one.account_id))
}

/// Nothing of people who were erased is taken in any more, whichever event comes late.
pub(super) async fn leave_out_erased(tx: &Tx, recorded: &mut Vec<Recorded>) -> Result<()> {
    let contacts: Vec<_> = recorded.iter().filter_map(|one| one.activity.contact_id).collect();
    let gone = tombstones::among(tx, &contacts).await?;
    recorded.retain(|one| one.activity.contact_id.is_none_or(|contact| !gone.contains(&contact)));
    Ok(())
}
