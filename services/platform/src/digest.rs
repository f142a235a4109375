//! The bus is latency, not memory: a consumer compares what it holds with what its producer has announced, and has what
//! got lost announced again.
//!
//! Both sides sum their facts up (a count, and an exclusive or of marks) in buckets of the time of their ids, which is
//! the order of their primary keys. Where an hour differs its seconds are compared, and of those the milliseconds. What
//! the producer holds and the consumer does not is lost only when it has had the time to arrive, so the order is: the
//! producer reads, and waits until its outbox has published what was in it; the consumer waits until it has handled what
//! its stream holds by then, and reads. The producer announces again what is still as it was first read. So neither
//! load nor a backlog makes anything come twice, and whoever changes a fact in between announces it anyway.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub use crate::digest::{
    facts::Facts,
    follow::Comparison,
    serve::{Producer, Server, Service},
};
pub(crate) use crate::digest::{follow::follow, serve::server};

mod facts;
mod follow;
mod instruments;
mod progress;
mod serve;

/// The widths of buckets, in milliseconds, from the first look to the last.
const WIDTHS: [u64; 3] = [3_600_000, 1_000, 1];
/// The width of the last look: what is announced again, is announced by the millisecond.
const MILLISECOND: u64 = 1;
/// Behind all that an id can tell: its time has 48 bits.
const END_OF_TIME: u64 = 1 << 48;

/// Something that both sides of the bus hold.
#[derive(Clone, Copy, Debug)]
struct Fact {
    id: Uuid,
    mark: u128,
}

impl Fact {
    /// A fact that never changes, or one in the state that the numbers tell.
    fn new(id: Uuid, state: &[i64]) -> Self {
        if state.is_empty() {
            return Self { id, mark: id.as_u128() };
        }
        // The id goes in with the numbers: two facts that have swapped their states are not the same two facts.
        let mut hash = Sha256::new_with_prefix(id);
        for number in state {
            hash.update(number.to_be_bytes());
        }
        Self { id, mark: u128::from_be_bytes(hash.finalize()[..16].try_into().unwrap_or_default()) }
    }

    fn millis(&self) -> u64 {
        millis(self.id)
    }
}

/// The time of an id, in Unix milliseconds.
pub fn millis(id: Uuid) -> u64 {
    (id.as_u128() >> 80) as u64
}

/// The smallest id of this time; the greatest of all at its end, which nothing bears.
fn first_id(millis: u64) -> Uuid {
    if millis < END_OF_TIME { Uuid::from_u128(u128::from(millis) << 80) } else { Uuid::max() }
}

/// The sum of the facts in one bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Digest {
    count: u64,
    xor: u128,
}

impl Digest {
    fn add(&mut self, fact: &Fact) {
        self.count += 1;
        self.xor ^= fact.mark;
    }
}

/// A stretch of time, from `begin` until before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    begin: u64,
    end: u64,
}

/// Buckets of one width by their begin; those that are empty are not there.
type Buckets = BTreeMap<u64, Digest>;

fn add(buckets: &mut Buckets, width: u64, fact: &Fact) {
    buckets.entry(fact.millis() / width * width).or_default().add(fact);
}

/// Those of `theirs` that `ours` does not hold in the same way.
fn differing(theirs: &Buckets, ours: &Buckets) -> Buckets {
    theirs
        .iter()
        .filter(|(begin, digest)| ours.get(begin) != Some(digest))
        .map(|(begin, digest)| (*begin, *digest))
        .collect()
}

/// The stretches that these buckets cover, as far as they lie `within`.
fn spans(buckets: &Buckets, width: u64, within: Span) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for begin in buckets.keys() {
        let next = Span { begin: (*begin).max(within.begin), end: (begin + width).min(within.end) };
        match spans.last_mut() {
            Some(last) if last.end == next.begin => last.end = next.end,
            _ => spans.push(next),
        }
    }
    spans
}

#[cfg(test)]
mod tests;
