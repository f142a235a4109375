//! The time, passed in, so that tests can hold it. Leadflow counts in whole milliseconds.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;

use crate::error::{Error, Result};

/// Tells the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn system() -> Self {
        Self(Arc::new(|| truncate(Timestamp::now())))
    }

    /// A clock that stands at `start` until its hand is moved.
    pub fn manual(start: Timestamp) -> (Self, Hand) {
        let hand = Hand(Arc::new(AtomicI64::new(start.as_millisecond())));
        let shown = hand.clone();
        (Self(Arc::new(move || shown.now())), hand)
    }

    /// The time, in whole milliseconds.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// Moves a manual clock.
#[derive(Clone, Debug)]
pub struct Hand(Arc<AtomicI64>);

impl Hand {
    /// What the clock shows.
    pub fn now(&self) -> Timestamp {
        from_millis(self.0.load(Ordering::SeqCst))
    }

    /// Moves the clock on by `millis` milliseconds.
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets the clock.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millisecond(), Ordering::SeqCst);
    }
}

/// The moment without what is smaller than a millisecond.
pub fn truncate(time: Timestamp) -> Timestamp {
    from_millis(time.as_nanosecond().div_euclid(1_000_000) as i64)
}

/// The moment `millis` milliseconds after the epoch; the nearest one that exists when that is out of range.
pub fn from_millis(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The moment in a message.
pub fn to_proto(time: Timestamp) -> prost_types::Timestamp {
    let millis = time.as_millisecond();
    prost_types::Timestamp { seconds: millis.div_euclid(1000), nanos: (millis.rem_euclid(1000) * 1_000_000) as i32 }
}

/// The moment that a message's `field` names, in whole milliseconds.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is no moment.
pub fn from_proto(field: &str, time: &prost_types::Timestamp) -> Result<Timestamp> {
    Timestamp::new(time.seconds, time.nanos)
        .ok()
        .filter(|_| (0..1_000_000_000).contains(&time.nanos))
        .map(truncate)
        .ok_or_else(|| Error::invalid(field, "is no valid timestamp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_the_wire_in_milliseconds_before_and_after_the_epoch() {
        for millis in [-1, 0, 1, 1_700_000_000_123, -86_400_001] {
            let time = from_millis(millis);
            assert_eq!(from_proto("t", &to_proto(time)).unwrap(), time);
        }
    }

    #[test]
    fn negative_nanos_are_refused() {
        assert!(from_proto("t", &prost_types::Timestamp { seconds: 1, nanos: -1 }).is_err());
    }
}
