//! The ledger's one writer. It gathers what many callers bring into one transaction (group commit) and answers them
//! after the commit: while one is under way the next callers wait, and go together in the next. Nobody waits for others
//! to come. What a one-way door keeps of what was refused goes the same way.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use leadflow_platform::{
    Error, Result,
    clock::Clock,
    db::{Database, Tx},
    ids,
    plant::{self, Plant},
    trace::Origin,
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    app::{Recorded, planted},
    domain::{
        activity::Entry,
        digest::lock_key,
        quarantine::{Kept, Place},
        repetition,
    },
    error,
    metrics::Instruments,
    store::{
        activities::{self, NewActivity},
        quarantine,
    },
};

/// Rows in one transaction.
const BATCH: usize = 1000;
/// Rows that may wait or be under way, ten transactions' worth. More is refused, and comes again.
const ROOM: usize = 10 * BATCH;
/// How long the writer goes on after the doors were told to close: less than the tasks are given.
const DRAIN: Duration = Duration::from_secs(15);

/// The way into the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    queue: mpsc::UnboundedSender<Call>,
    room: Arc<Semaphore>,
}

/// The one that writes it.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: mpsc::UnboundedReceiver<Call>,
    /// It came out of the queue and was too much for the last transaction.
    left_over: Option<Call>,
    database: Database,
    clock: Clock,
    metrics: Instruments,
    wake_identifier: Arc<Notify>,
}

/// What one caller brings, and where the answer goes.
#[derive(Debug)]
struct Call {
    group: Arc<Group>,
    answer: oneshot::Sender<Result<Written>>,
    _room: OwnedSemaphorePermit,
}

/// What one caller brings.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) entries: Vec<Entry>,
    /// Refused, and to be kept.
    pub(crate) kept: Vec<Kept>,
    pub(crate) principal: String,
    /// What has brought it, where an entry does not say so itself.
    pub(crate) origin: Origin,
}

/// What became of it, each in its order.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) recorded: Vec<Recorded>,
    pub(crate) kept: Vec<Place>,
}

/// A ledger and its writer, which wakes the identifier after each commit.
pub(crate) fn open(
    database: Database,
    clock: Clock,
    metrics: Instruments,
    wake_identifier: Arc<Notify>,
) -> (Ledger, Writer) {
    // What bounds the queue is the room, which is counted in rows.
    let (sender, receiver) = mpsc::unbounded_channel();
    let ledger = Ledger { queue: sender, room: Arc::new(Semaphore::new(ROOM)) };
    (ledger, Writer { queue: receiver, left_over: None, database, clock, metrics, wake_identifier })
}

impl Ledger {
    /// Writes what a caller brings, and returns after the commit.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` when too much waits already; `UNAVAILABLE` when the database fails, then it may be written
    /// or not, and should come again.
    pub(crate) async fn write(&self, group: Group) -> Result<Written> {
        if group.rows() == 0 {
            return Ok(Written::default());
        }
        let rows = u32::try_from(group.rows()).unwrap_or(u32::MAX);
        let room = self.room.clone().try_acquire_many_owned(rows).map_err(|_| error::ledger_full())?;
        let (answer, answered) = oneshot::channel();
        self.queue.send(Call { group: Arc::new(group), answer, _room: room }).map_err(|_| error::stopping())?;
        answered.await.unwrap_or_else(|_| Err(error::stopping()))
    }
}

impl Writer {
    /// Writes until the doors have closed and all that came through them is answered.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let enough = async {
            shutdown.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        tokio::pin!(enough);
        loop {
            let calls = tokio::select! {
                calls = self.gather() => calls,
                () = &mut enough => return,
            };
            if calls.is_empty() {
                return;
            }
            self.settle(calls).await;
        }
    }

    /// What waits, up to one transaction's worth; nothing when nothing can come any more.
    async fn gather(&mut self) -> Vec<Call> {
        let first = match self.left_over.take() {
            Some(call) => Some(call),
            None => self.queue.recv().await,
        };
        let mut calls: Vec<_> = first.into_iter().collect();
        let mut rows: usize = calls.iter().map(|call| call.group.rows()).sum();
        while rows > 0
            && rows < BATCH
            && let Ok(call) = self.queue.try_recv()
        {
            rows += call.group.rows();
            if rows > BATCH {
                self.left_over = Some(call);
            } else {
                calls.push(call);
            }
        }
        calls
    }

    /// Commits the calls together. When what one of them brings cannot be written, each goes by itself, so that the
    /// others do not suffer for it.
    async fn settle(&self, calls: Vec<Call>) {
        let mut groups: Vec<_> = calls.iter().map(|call| call.group.clone()).collect();
        if plant::is(Plant::PhantomRow) {
            groups.extend(planted::phantom(&groups));
        }
        match self.commit(groups).await {
            Ok(written) => {
                for (call, written) in calls.into_iter().zip(written) {
                    call.settle(Ok(written));
                }
            }
            Err(error) if calls.len() > 1 && !error.is_transient() => {
                tracing::warn!(%error, calls = calls.len(), "a batch was refused; each call goes by itself");
                for call in calls {
                    let written = self.commit(vec![call.group.clone()]).await;
                    call.settle(written.map(|mut written| written.pop().unwrap_or_default()));
                }
            }
            Err(error) => {
                tracing::error!(%error, calls = calls.len(), "the ledger could not be written");
                for call in calls {
                    call.settle(Err(unwritten(&error)));
                }
            }
        }
    }

    async fn commit(&self, groups: Vec<Arc<Group>>) -> Result<Vec<Written>> {
        let now = self.clock.now();
        if plant::is(Plant::AckBeforeCommit) {
            return Ok(planted::promise(self.database.clone(), self.wake_identifier.clone(), groups, now));
        }
        let written = self.database.write(move |tx| async move { write(&tx, &groups, now).await }).await?;
        self.metrics.committed();
        self.wake_identifier.notify_one();
        Ok(written)
    }
}

impl Call {
    /// Answers. The caller may have gone away; it will come again, and find its activities.
    fn settle(self, written: Result<Written>) {
        let _ = self.answer.send(written);
    }
}

/// The same error for each of several callers; its cause is in the log.
fn unwritten(error: &Error) -> Error {
    if error.is_transient() {
        Error::unavailable("the ledger cannot be written right now: try again")
    } else {
        Error::internal("the ledger could not be written")
    }
}

/// Writes what the groups bring and says of each, group by group, what became of it.
pub(super) async fn write(tx: &Tx, groups: &[Arc<Group>], now: Timestamp) -> Result<Vec<Written>> {
    // First the quarantine, as a replay does: two that take the same rows in another order deadlock.
    let kept: Vec<_> = groups.iter().flat_map(|it| it.kept.iter().map(|kept| (kept, it.principal.as_str()))).collect();
    let mut places = quarantine::keep(tx, &kept, now).await?.into_iter();
    let recorded = record(tx, groups, now).await?;
    let written = |(group, recorded): (&Arc<Group>, Vec<Recorded>)| Written {
        kept: places.by_ref().take(group.kept.len()).collect(),
        recorded,
    };
    Ok(groups.iter().zip(recorded).map(written).collect())
}

/// Writes the entries that are new.
async fn record(tx: &Tx, groups: &[Arc<Group>], now: Timestamp) -> Result<Vec<Vec<Recorded>>> {
    let activities: Vec<Vec<_>> = groups.iter().map(|group| group.activities(now)).collect();
    let all: Vec<_> = activities.iter().flatten().collect();
    let mut repeated = repeated_contents(tx, &all, now).await?;
    let fresh: Vec<_> = all.into_iter().filter(|activity| !repeated.contains_key(&activity.activity_id)).collect();
    repeated.extend(insert(tx, &fresh).await?);
    let outcome = |activity: &NewActivity<'_>| {
        repeated.get(&activity.activity_id).copied().unwrap_or(Recorded {
            activity_id: activity.activity_id,
            duplicate: false,
            derived: activity.is_derived(),
            conflicting: false,
        })
    };
    Ok(activities.iter().map(|group| group.iter().map(outcome).collect()).collect())
}

impl Group {
    fn rows(&self) -> usize {
        self.entries.len() + self.kept.len()
    }

    fn activities(&self, now: Timestamp) -> Vec<NewActivity<'_>> {
        let activity = |entry| NewActivity::new(ids::new(), entry, &self.principal, self.origin, now);
        self.entries.iter().map(activity).collect()
    }
}

/// Of the activities without an id of their own, those that repeat a content of the last ten minutes.
async fn repeated_contents(tx: &Tx, all: &[&NewActivity<'_>], now: Timestamp) -> Result<HashMap<Uuid, Recorded>> {
    let derived: Vec<_> = all.iter().filter(|activity| activity.is_derived()).collect();
    if derived.is_empty() {
        return Ok(HashMap::new());
    }
    // Another replica may be writing the same content: no constraint of the table would notice.
    tx.lock_all(derived.iter().map(|activity| lock_key(&activity.entry.digest)).collect()).await?;
    let contents: Vec<_> =
        derived.iter().map(|activity| (activity.entry.source.clone(), activity.entry.digest)).collect();
    let known = activities::find_derived(tx, &contents, repetition::window_begin(now)).await?;
    let firsts =
        repetition::firsts(&known, derived.iter().map(|activity| (activity.activity_id, &activity.entry.digest)));
    Ok(derived
        .iter()
        .zip(firsts)
        .filter_map(|(activity, first)| {
            let repeats = |activity_id| Recorded { activity_id, duplicate: true, derived: true, conflicting: false };
            first.map(|first| (activity.activity_id, repeats(first)))
        })
        .collect())
}

/// Inserts activities. Returns those whose id of the event was there before.
async fn insert(tx: &Tx, fresh: &[&NewActivity<'_>]) -> Result<HashMap<Uuid, Recorded>> {
    let inserted: HashSet<_> = activities::insert(tx, fresh).await?.into_iter().collect();
    let came_again: Vec<_> = fresh.iter().filter(|activity| !inserted.contains(&activity.activity_id)).collect();
    let keys: Vec<_> = came_again.iter().map(|activity| activity.key()).collect();
    let firsts = activities::find_firsts(tx, &keys).await?;
    came_again
        .into_iter()
        .zip(keys)
        .map(|(activity, key)| {
            let first = firsts.get(&key).ok_or_else(|| Error::unavailable("the first activity has just gone"))?;
            let recorded = Recorded {
                activity_id: first.activity_id,
                duplicate: true,
                derived: false,
                conflicting: first.digest != activity.entry.digest,
            };
            Ok((activity.activity_id, recorded))
        })
        .collect()
}
