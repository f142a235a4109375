//! A steady load through all doors at once: the next activity comes whether or not the last one was answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use leadflow_platform::clock::Clock;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{
    book::Book,
    buyers::{Buyers, Planned},
    doors::Doors,
};

/// Sends for `length`, and returns when the last copy was answered or given up.
pub(crate) async fn run(doors: Arc<Doors>, book: Arc<Book>, mut buyers: Buyers, rate: f64, length: Duration) {
    let (clock, begin) = (Clock::system(), Instant::now());
    let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sending = JoinSet::new();
    while begin.elapsed() < length {
        ticks.tick().await;
        let planned = buyers.next(clock.now().as_millisecond());
        let index = book.open(&planned);
        sending.spawn(send(doors.clone(), book.clone(), index, planned));
        while sending.try_join_next().is_some() {}
    }
    sending.join_all().await;
}

/// Sends each copy when its time has come, however the one before fares.
async fn send(doors: Arc<Doors>, book: Arc<Book>, index: usize, planned: Planned) {
    let begin = tokio::time::Instant::now();
    let copies = planned.copies.iter().map(|at| {
        let (doors, book, planned) = (&doors, &book, &planned);
        async move {
            tokio::time::sleep_until(begin + *at).await;
            book.answered(index, doors.send(index, planned).await);
        }
    });
    futures::future::join_all(copies).await;
}
