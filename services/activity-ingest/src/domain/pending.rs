//! When an activity that could not be identified is tried again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The longest that anything waits while contact is down.
pub(crate) const MAX_PAUSE: Duration = Duration::from_secs(30);
/// The longest that one activity waits which contact cannot handle.
const MAX_DELAY: SignedDuration = SignedDuration::from_mins(5);
/// How long a claimed activity belongs to who claimed it; after a crash it is free again.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// How long to wait after this many failures in a row: 250 ms, doubled each time, at most [`MAX_PAUSE`].
pub(crate) fn pause(failures: u32) -> Duration {
    let pause = Duration::from_millis(250).saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    pause.min(MAX_PAUSE)
}

/// Until when a claim made now holds.
pub(crate) fn lease_end(now: Timestamp) -> Timestamp {
    now.saturating_add(LEASE).unwrap_or(Timestamp::MAX)
}

/// When an activity that failed by itself for the `attempt`-th time is tried again.
pub(crate) fn next_attempt(now: Timestamp, attempt: i32) -> Timestamp {
    let exponent = u32::try_from(attempt.clamp(1, 16) - 1).unwrap_or(0);
    let delay = SignedDuration::from_secs(1_i64 << exponent).min(MAX_DELAY);
    now.saturating_add(delay).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_half_a_minute() {
        assert_eq!(pause(1), Duration::from_millis(250));
        assert_eq!(pause(3), Duration::from_secs(1));
        for failures in [9, 40, u32::MAX] {
            assert_eq!(pause(failures), MAX_PAUSE);
        }
    }

    #[test]
    fn an_activity_that_fails_by_itself_is_tried_again_ever_more_rarely() {
        let delay = |attempt| next_attempt(Timestamp::UNIX_EPOCH, attempt).as_second();
        assert_eq!([delay(1), delay(2), delay(3), delay(i32::MAX)], [1, 2, 4, 300]);
    }
}
