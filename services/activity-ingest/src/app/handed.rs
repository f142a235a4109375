//! What this process has just written and somebody has to be found out of: handed on to the identifier as it is, claimed
//! from the beginning, so that it need not be read and claimed again. It is a short cut: what is lost here, or does not
//! fit, is in the ledger, and found there.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

use crate::domain::activity::Activity;

/// Activities that may wait here.
const ROOM: usize = 16_000;

/// The short cut from the ledger's writer to the identifier.
#[derive(Debug)]
pub(crate) struct Handed {
    /// None when nobody takes them any more.
    waiting: Mutex<Option<VecDeque<Activity>>>,
    /// Whether something was written that did not fit in.
    overflown: AtomicBool,
    bell: Notify,
}

impl Default for Handed {
    fn default() -> Self {
        let waiting = Mutex::new(Some(VecDeque::new()));
        Self { waiting, overflown: AtomicBool::new(false), bell: Notify::new() }
    }
}

impl Handed {
    /// Whether so many more fit in. There is one who hands on, so that they still do when they are written.
    pub(super) fn fits(&self, count: usize) -> bool {
        self.waiting().as_ref().is_some_and(|waiting| waiting.len() + count <= ROOM)
    }

    /// Hands on what was written as claimed.
    pub(super) fn give(&self, activities: Vec<Activity>) {
        if let Some(waiting) = self.waiting().as_mut() {
            waiting.extend(activities);
        }
        self.bell.notify_one();
    }

    /// Says that something waits in the ledger.
    pub(super) fn ring(&self) {
        self.overflown.store(true, Ordering::Relaxed);
        self.bell.notify_one();
    }

    /// Whether that was said since this was asked last.
    pub(super) fn has_overflown(&self) -> bool {
        self.overflown.swap(false, Ordering::Relaxed)
    }

    /// The first ones.
    pub(super) fn take(&self, limit: usize) -> Vec<Activity> {
        let first = |waiting: &mut VecDeque<_>| waiting.drain(..limit.min(waiting.len())).collect();
        self.waiting().as_mut().map(first).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting().as_ref().is_none_or(VecDeque::is_empty)
    }

    /// Takes all that is left, and nothing from now on.
    pub(super) fn close(&self) -> Vec<Activity> {
        self.waiting().take().unwrap_or_default().into()
    }

    /// Waits until something was handed on or is in the ledger.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, Option<VecDeque<Activity>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
