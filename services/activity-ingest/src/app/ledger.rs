//! The ledger's one writer. It gathers what many callers bring into one transaction (group commit) and answers them
//! after the commit: while one is under way the next callers wait, and go together in the next. Nobody waits for others
//! to come. What a one-way door keeps of what was refused goes the same way.

use std::{sync::Arc, time::Duration};

use leadflow_platform::{
    Error, Result,
    clock::Clock,
    db::Database,
    plant::{self, Plant},
    trace::Origin,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{Recorded, handed::Handed, planted, recogniser::Recogniser},
    domain::{
        activity::{Activity, Entry},
        pending::lease_end,
        quarantine::{Kept, Place},
    },
    error,
    metrics::Instruments,
};

pub(super) use write::write;

mod write;

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
    recogniser: Recogniser,
    database: Database,
    clock: Clock,
    metrics: Instruments,
    handed: Arc<Handed>,
}

/// What one caller brings, and where the answer goes.
#[derive(Debug)]
struct Call {
    group: Group,
    reply: Reply,
}

/// Where an answer goes, and the room that is free again with it.
#[derive(Debug)]
struct Reply {
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
    /// Those of which it has to be found out who did them.
    pub(super) pending: Vec<Activity>,
}

/// A ledger and its writer, which hands on to the identifier whom there is to find out.
pub(crate) fn open(
    recogniser: Recogniser,
    database: Database,
    clock: Clock,
    metrics: Instruments,
    handed: Arc<Handed>,
) -> (Ledger, Writer) {
    // What bounds the queue is the room, which is counted in rows.
    let (sender, receiver) = mpsc::unbounded_channel();
    let ledger = Ledger { queue: sender, room: Arc::new(Semaphore::new(ROOM)) };
    (ledger, Writer { queue: receiver, left_over: None, recogniser, database, clock, metrics, handed })
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
        let reply = Reply { answer, _room: room };
        self.queue.send(Call { group, reply }).map_err(|_| error::stopping())?;
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
            let mut calls = tokio::select! {
                calls = self.gather() => calls,
                () = &mut enough => return,
            };
            if calls.is_empty() {
                return;
            }
            self.recogniser.recognise(calls.iter_mut().map(|call| &mut call.group)).await;
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
        let (groups, replies): (Vec<Arc<Group>>, Vec<_>) =
            calls.into_iter().map(|Call { group, reply }| (Arc::new(group), reply)).unzip();
        let mut together = groups.clone();
        if plant::is(Plant::PhantomRow) {
            together.extend(planted::phantom(&groups));
        }
        match self.commit(together).await {
            Ok(written) => {
                for (reply, written) in replies.into_iter().zip(written) {
                    reply.send(Ok(written));
                }
            }
            Err(error) if replies.len() > 1 && !error.is_transient() => {
                tracing::warn!(%error, calls = replies.len(), "a batch was refused; each call goes by itself");
                for (group, reply) in groups.into_iter().zip(replies) {
                    let written = self.commit(vec![group]).await;
                    reply.send(written.map(|mut written| written.pop().unwrap_or_default()));
                }
            }
            Err(error) => {
                tracing::error!(%error, calls = replies.len(), "the ledger could not be written");
                for reply in replies {
                    reply.send(Err(unwritten(&error)));
                }
            }
        }
    }

    async fn commit(&self, groups: Vec<Arc<Group>>) -> Result<Vec<Written>> {
        let now = self.clock.now();
        if plant::is(Plant::AckBeforeCommit) {
            return Ok(planted::promise(self.database.clone(), self.handed.clone(), groups, now));
        }
        let unknown = groups.iter().flat_map(|group| &group.entries).filter(|entry| entry.recognised.is_none()).count();
        let lease_end = self.handed.fits(unknown).then(|| lease_end(now));
        let written = self.database.write(move |tx| async move { write(&tx, &groups, now, lease_end).await });
        let mut written = written.await?;
        self.metrics.committed();
        let new = written.iter().flat_map(|written| &written.recorded).filter(|recorded| !recorded.duplicate).count();
        let pending: Vec<_> = written.iter_mut().flat_map(|written| std::mem::take(&mut written.pending)).collect();
        self.metrics.identified(new - pending.len());
        match (pending.is_empty(), lease_end) {
            (true, _) => {}
            (false, Some(_)) => self.handed.give(pending),
            (false, None) => self.handed.ring(),
        }
        Ok(written)
    }
}

impl Group {
    fn rows(&self) -> usize {
        self.entries.len() + self.kept.len()
    }
}

impl Reply {
    /// Answers. The caller may have gone away; it will come again, and find its activities.
    fn send(self, written: Result<Written>) {
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
