//! What was held of accounts when they were last scored, kept from one activity to the next: a history is long, and with
//! an activity mostly nothing else of it has changed.
//!
//! It is good for as long as nobody has locked the account since, which its version says. So it needs no word from other
//! replicas, and to lose it costs only reading.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant},
};

use quick_cache::{
    DefaultHashBuilder, Equivalent, Options, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use uuid::Uuid;

use crate::{
    domain::{Activity, Adjustment, Disposition, Own, Profile, history::Facts, lead::Lead},
    store::accounts::Account,
};

/// Activities that are remembered of all accounts together: some 55 MiB, with what else is held of them.
const MAX_ACTIVITIES: u64 = 144_000;
/// Accounts that this is expected to be.
const ACCOUNTS: usize = 20_000;
/// Parts of the memory with a lock each.
const SHARDS: usize = 4;
/// Words, and facts, that activities share.
const MAX_SHARED: usize = 10_000;
/// How long an account is remembered that nothing happens to: somebody of it may have been erased by another replica.
const IDLE: Duration = Duration::from_secs(10 * 60);

/// What is held of one account by itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Holding {
    /// The latest activities within a [`Span`].
    pub(super) latest: Vec<Held>,
    /// Those that bear answers, of all time.
    pub(super) answering: Vec<Arc<Activity>>,
    pub(super) revisions: Vec<Profile>,
    /// All of its leads, and those of others whose closing has ended what it did.
    pub(super) leads: Vec<Lead>,
    /// Of the leads that count.
    pub(super) adjustments: HashMap<Uuid, Vec<Adjustment>>,
}

/// An activity that is held.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) activity: Arc<Activity>,
    /// What became of it.
    pub(super) became: Disposition,
    /// What the model says of it by itself.
    pub(super) own: Option<Own>,
}

/// Which activities are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Those that happened after this moment,
    pub(super) after: i64,
    /// but of them the latest only, so many.
    pub(super) limit: usize,
}

/// What is held of an account as of a version.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    pub(super) account_id: Uuid,
    pub(super) version: i64,
    /// Of the model that has said of its activities what is held.
    pub(super) model_version: i32,
    pub(super) span: Span,
    pub(super) holding: Holding,
    pub(super) since: Instant,
}

/// What one process remembers.
#[derive(Clone, Debug)]
pub(super) struct Memory(Arc<Caches>);

#[derive(Debug)]
struct Caches {
    accounts: Cache<Uuid, Remembered, Weight>,
    words: Cache<Arc<str>, Arc<str>>,
    facts: Cache<Arc<Facts>, Arc<Facts>>,
}

#[derive(Clone, Copy, Debug)]
struct Weight;

impl Weighter<Uuid, Remembered> for Weight {
    fn weight(&self, _: &Uuid, known: &Remembered) -> u64 {
        known.holding.latest.len() as u64 + 1
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self(Arc::new(Caches {
            accounts: Cache::with_options(
                options(),
                Weight,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            words: Cache::new(MAX_SHARED),
            facts: Cache::new(MAX_SHARED),
        }))
    }
}

/// An account is taken out and put back each time, so that the oldest ones are those that nothing happens to. They go first:
/// only little is set apart for what was asked for often. An account may be as large as that part of one shard.
fn options() -> Options {
    let mut options = OptionsBuilder::new();
    options.estimated_items_capacity(ACCOUNTS).weight_capacity(MAX_ACTIVITIES);
    options.shards(SHARDS).hot_allocation(0.1).ghost_allocation(0.0);
    options.build().expect("both capacities are given")
}

impl Memory {
    /// What is held of those of these accounts, which are locked, of which nothing has changed since. It is taken out, for
    /// it is about to change.
    pub(super) fn take(
        &self,
        locked: &BTreeMap<Uuid, Account>,
        span: Span,
        model_version: i32,
    ) -> BTreeMap<Uuid, Holding> {
        let take = |(id, account): (&Uuid, &Account)| {
            let (_, mut known) = self.0.accounts.remove(id)?;
            if known.model_version != model_version {
                known.holding.latest.iter_mut().for_each(|held| held.own = None);
            }
            // The lock itself has counted as one.
            let is_same = known.version == account.version - 1 && known.span.holds(span) && !account.joined;
            is_same.then_some((*id, known.holding))
        };
        locked.iter().filter_map(take).collect()
    }

    /// Remembers what is held of accounts as of a transaction that is committed.
    pub(super) fn keep(&self, all: Vec<Remembered>) {
        for known in all {
            self.0.accounts.insert(known.account_id, known);
        }
    }

    /// Forgets the accounts that nothing has happened to for a while, and what only they have said.
    pub(super) fn forget_idle(&self) {
        self.0.accounts.retain(|_, known| known.since.elapsed() < IDLE);
        // The key and the value are one each.
        self.0.words.retain(|_, word| Arc::strong_count(word) > 2);
        self.0.facts.retain(|_, facts| Arc::strong_count(facts) > 2);
    }

    /// The activity, with words and facts that it shares with others.
    pub(super) fn share(&self, mut activity: Activity) -> Arc<Activity> {
        let word = |word: &mut Arc<str>| *word = shared(&self.0.words, word);
        [&mut activity.source, &mut activity.activity_type, &mut activity.channel].into_iter().for_each(word);
        [&mut activity.product_category, &mut activity.object_id].into_iter().flatten().for_each(word);
        [&mut activity.attributes, &mut activity.answers].into_iter().for_each(|facts| self.share_facts(facts));
        Arc::new(activity)
    }

    /// Lets these be the ones that others have who say the same.
    pub(super) fn share_facts(&self, facts: &mut Arc<Facts>) {
        *facts = shared(&self.0.facts, facts);
    }
}

/// The one of these that is equal, which this one becomes when there is none.
fn shared<T>(known: &Cache<Arc<T>, Arc<T>>, one: &Arc<T>) -> Arc<T>
where
    T: ?Sized + Eq + Hash,
    Arc<T>: Equivalent<Arc<T>>,
{
    known.get(one).unwrap_or_else(|| {
        known.insert(one.clone(), one.clone());
        one.clone()
    })
}

impl Span {
    /// Whether what this one holds is all that the other one asks for.
    fn holds(self, other: Self) -> bool {
        self.after <= other.after && self.limit >= other.limit
    }

    /// Leaves what is in it.
    pub(super) fn cut(self, latest: &mut Vec<Held>) {
        latest.retain(|Held { activity, .. }| activity.occur_time > self.after && activity.reclassify_time.is_none());
        if latest.len() > self.limit {
            latest.sort_unstable_by(|a, b| b.activity.order().cmp(&a.activity.order()));
            latest.truncate(self.limit);
        }
    }
}
