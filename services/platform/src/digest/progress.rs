//! What a consumer remembers from one comparison to the next.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{Digest, END_OF_TIME};

/// How often the same millisecond is asked for before it counts as stuck.
const ATTEMPTS: u32 = 3;
/// What is remembered of one that was found to differ after that.
const STUCK: u32 = ATTEMPTS + 1;
/// After this time everything is compared again, and what is stuck is asked for once more.
const FULL: Duration = Duration::from_secs(86_400);

/// Where the next comparison begins, and what was asked for in vain.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// What lies before is settled and was found equal.
    settled: u64,
    last_full: Option<Instant>,
    /// How often each millisecond was asked for in this state.
    asked: HashMap<(u64, Digest), u32>,
}

/// One comparison under way.
#[derive(Debug)]
pub(super) struct Run {
    /// From where on is compared.
    pub(super) begin: u64,
    /// Milliseconds that differed.
    pub(super) differing: u64,
    is_full: bool,
    settled: u64,
    asked: HashMap<(u64, Digest), u32>,
}

impl Progress {
    /// A comparison that begins now.
    pub(super) fn begin(&self, now: Instant) -> Run {
        let is_full = self.last_full.is_none_or(|last| now.duration_since(last) >= FULL);
        let begin = if is_full { 0 } else { self.settled };
        Run { begin, differing: 0, is_full, settled: END_OF_TIME, asked: HashMap::new() }
    }

    /// Milliseconds that still differ after they were asked for again and again.
    pub(super) fn stuck(&self) -> u64 {
        self.asked.values().filter(|asked| **asked == STUCK).count() as u64
    }

    /// The comparison was given up half way: what it has asked for counts all the same.
    pub(super) fn give_up(&mut self, run: Run) {
        self.asked.extend(run.asked);
    }

    /// The comparison has come to its end.
    pub(super) fn finish(&mut self, run: Run, now: Instant) {
        if run.is_full {
            self.last_full = Some(now);
        }
        self.settled = run.settled;
        // What was not looked at now stays as it is, until the next time that everything is.
        self.asked.retain(|(millis, _), _| *millis < run.begin);
        self.asked.extend(run.asked);
    }
}

impl Run {
    /// The producer adds nothing any more before this time.
    pub(super) fn settle(&mut self, millis: u64) {
        self.settled = self.settled.min(millis);
    }

    /// A millisecond differs. Whether to ask for it: not for ever.
    pub(super) fn differs(&mut self, progress: &Progress, millis: u64, theirs: Digest) -> bool {
        self.differing += 1;
        let key = (millis, theirs);
        let asked = (progress.asked.get(&key).copied().unwrap_or(0) + 1).min(STUCK);
        self.asked.insert(key, asked);
        if asked < STUCK {
            // It is looked at again next time; what is stuck holds nobody up.
            self.settle(millis);
        }
        asked < STUCK || self.is_full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Digest = Digest { count: 1, xor: 7 };
    const B: Digest = Digest { count: 2, xor: 8 };

    /// Compares once: what differs, and until where the producer has settled. What was asked for, and from where on.
    fn compare(progress: &mut Progress, now: Instant, differing: &[(u64, Digest)], settled: u64) -> (Vec<u64>, u64) {
        let mut run = progress.begin(now);
        run.settle(settled);
        let looked_at = differing.iter().filter(|(millis, _)| *millis >= run.begin).collect::<Vec<_>>();
        let asked = looked_at.iter().filter(|(millis, theirs)| run.differs(progress, *millis, *theirs));
        let (asked, begin) = (asked.map(|(millis, _)| *millis).collect(), run.begin);
        progress.finish(run, now);
        (asked, begin)
    }

    #[test]
    fn what_is_settled_and_equal_is_not_looked_at_again_before_the_next_day() {
        let (mut progress, start) = (Progress::default(), Instant::now());
        assert_eq!(compare(&mut progress, start, &[], 500), (vec![], 0));
        assert_eq!(compare(&mut progress, start + FULL / 2, &[], 900), (vec![], 500));
        assert_eq!(compare(&mut progress, start + FULL, &[], 950), (vec![], 0));
        assert_eq!(compare(&mut progress, start + FULL, &[], 950), (vec![], 950));
    }

    #[test]
    fn what_differs_is_looked_at_again_although_the_producer_has_settled_it() {
        let (mut progress, start) = (Progress::default(), Instant::now());
        compare(&mut progress, start, &[(300, A)], 500);
        assert_eq!(compare(&mut progress, start, &[(300, A)], 500), (vec![300], 300));
        assert_eq!(compare(&mut progress, start, &[], 500).1, 300);
        assert_eq!(compare(&mut progress, start, &[], 500).1, 500);
    }

    #[test]
    fn facts_that_never_settle_are_compared_whole_each_time() {
        let (mut progress, start) = (Progress::default(), Instant::now());
        compare(&mut progress, start, &[], 0);
        assert_eq!(compare(&mut progress, start, &[], 0).1, 0);
    }

    #[test]
    fn what_was_asked_for_three_times_in_vain_is_stuck_and_asked_for_once_a_day() {
        let (mut progress, start) = (Progress::default(), Instant::now());
        for _ in 0..3 {
            assert_eq!(compare(&mut progress, start, &[(300, A)], 500).0, [300]);
        }
        assert_eq!(progress.stuck(), 0, "the last answer may be on its way");
        assert_eq!(compare(&mut progress, start, &[(300, A)], 500), (vec![], 300));
        assert_eq!(compare(&mut progress, start, &[], 500), (vec![], 500), "it holds nobody up");
        assert_eq!(progress.stuck(), 1);
        assert_eq!(compare(&mut progress, start + FULL, &[(300, A)], 500).0, [300]);
        assert_eq!(compare(&mut progress, start + FULL, &[(300, A)], 200).0, Vec::<u64>::new());
        assert_eq!(progress.stuck(), 1);
        assert_eq!(compare(&mut progress, start + 2 * FULL, &[], 500).0, Vec::<u64>::new());
        assert_eq!(progress.stuck(), 0, "it has come at last");
    }

    #[test]
    fn a_millisecond_in_another_state_is_asked_for_anew() {
        let (mut progress, start) = (Progress::default(), Instant::now());
        for _ in 0..3 {
            compare(&mut progress, start, &[(300, A)], 0);
        }
        assert_eq!(compare(&mut progress, start, &[(300, B)], 0).0, [300]);
    }
}
