//! When the mere passing of time changes a band. It does so on whole UTC hours only.

use super::{
    band::{Band, Validations},
    model::Rule,
    prepared::{Candidate, Prepared, Valid, within},
    score::{LineKind, Score, milli_at},
};

/// An hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;
/// How far a scan looks that cannot know the direction.
const SCAN_HOURS: i64 = 48;

/// The first whole hour after `score.at` with another band; none when the band stays for good. When the direction is
/// open, it may be an hour with the same band after which to look again.
pub fn next_check_time(prepared: &Prepared<'_>, score: &Score) -> Option<i64> {
    let now = score.at.div_euclid(HOUR_MS);
    let scan_end = now + SCAN_HOURS;
    if prepared.is_to_come(score.at) {
        let mut hours = (now + 1..=scan_end).map(|hour| hour * HOUR_MS);
        let other = hours.find(|&hour| prepared.again(hour).score(hour).band != score.band);
        return Some(other.unwrap_or(scan_end * HOUR_MS));
    }
    let may_rise = may_rise(prepared, score);
    if score.band == Band::Cold && !may_rise {
        return None;
    }
    let outlook = Outlook::new(prepared, score.at);
    if may_rise {
        let other = outlook.first_other(score.band, now, scan_end);
        return Some(other.unwrap_or(scan_end) * HOUR_MS);
    }
    // From here on the score can only fall, until the last activity has left the window.
    let last = prepared.latest_occur_time()?.checked_add(prepared.window_ms())? + HOUR_MS;
    outlook.first_other(score.band, now, last.div_euclid(HOUR_MS)).map(|hour| hour * HOUR_MS)
}

/// A negative line that fades, an adjustment that ends or begins: the score may rise by itself.
fn may_rise(prepared: &Prepared<'_>, score: &Score) -> bool {
    let negative = score.lines.iter().any(|line| line.kind != LineKind::Cap && line.milli < 0);
    negative
        || prepared.adjustments().iter().any(|adjustment| {
            adjustment.create_time > score.at || adjustment.expire_time.is_some_and(|expire| expire > score.at)
        })
}

/// A lead's lines, as they pass from now on: with time there are only fewer of them, for the latest stay the longest.
struct Outlook<'p, 'a> {
    prepared: &'p Prepared<'a>,
    /// Each rule with those that bring a line by it, and their places among those that count.
    lines: Vec<(&'a Rule, Vec<(usize, &'p Candidate<'a>)>)>,
}

impl<'p, 'a> Outlook<'p, 'a> {
    fn new(prepared: &'p Prepared<'a>, at: i64) -> Self {
        let lines = prepared.engagement_lines(prepared.counted(at));
        let lines = lines.map(|(rule, candidates)| (rule, candidates.collect::<Vec<_>>()));
        Self { prepared, lines: lines.filter(|(_, candidates)| !candidates.is_empty()).collect() }
    }

    /// The first hour after `after` and until `until` with another band. Halves what may hold one, and passes over what
    /// cannot.
    fn first_other(&self, band: Band, after: i64, until: i64) -> Option<i64> {
        if after >= until {
            return None;
        }
        let (least, greatest) = self.bands((after + 1) * HOUR_MS, until * HOUR_MS);
        if least == band && greatest == band {
            return None;
        }
        if until - after == 1 {
            return Some(until);
        }
        let middle = after + (until - after) / 2;
        self.first_other(band, after, middle).or_else(|| self.first_other(band, middle, until))
    }

    /// Bounds of the band from one moment until another, both included; for one moment they are its band. A line lies
    /// between what it is at both ends, for it fades or leaves the window; and sums, what caps leave of them, validations
    /// and bands only grow with the lines.
    fn bands(&self, from: i64, to: i64) -> (Band, Band) {
        let prepared = self.prepared;
        let (counted, still) = (prepared.counted(from), prepared.counted(to));
        let (engagement_cap, points) = prepared.static_points();
        let (mut least, mut greatest) = (0, 0);
        for (rule, candidates) in &self.lines {
            let (mut low, mut high) = (0, 0);
            for &(place, candidate) in candidates.iter().take_while(|(place, _)| *place < counted.len()) {
                let now = candidate.milli_at(rule, from);
                let then = if place < still.len() { candidate.milli_at(rule, to) } else { 0 };
                low += now.min(then);
                high += now.max(then);
            }
            least += within(low, rule.cap_milli);
            greatest += within(high, rule.cap_milli);
        }
        let (low, high) = prepared.adjusted(from, to);
        least = within(least, engagement_cap) + points + low;
        greatest = within(greatest, engagement_cap) + points + high;
        (self.band(least, to, still), self.band(greatest, from, counted))
    }

    /// The band of a score at a moment, when these count. Whose they are matters only to a score that is hot.
    fn band(&self, milli: i64, at: i64, counted: &[Candidate<'_>]) -> Band {
        let thresholds = self.prepared.thresholds();
        let fast = self.prepared.fast_track(counted, at).is_some();
        let is_hot = milli >= thresholds.hot.score_milli;
        let validations = if is_hot && !fast { self.validations(at, counted.len()) } else { Validations::default() };
        thresholds.band(milli, validations, fast)
    }

    fn validations(&self, at: i64, count: usize) -> Validations {
        let mut valid = Valid::default();
        for (rule, candidates) in &self.lines {
            let counting = candidates.iter().take_while(|(place, _)| *place < count);
            let positive = counting.filter(|(_, candidate)| candidate.milli_at(rule, at) > 0);
            positive.for_each(|(_, candidate)| valid.note(candidate.activity));
        }
        valid.count()
    }
}

impl Candidate<'_> {
    fn milli_at(&self, rule: &Rule, at: i64) -> i64 {
        milli_at(rule, self.share_milli, at - self.activity.occur_time)
    }
}

impl Prepared<'_> {
    /// Bounds of what the adjustments give together, from one moment until another.
    fn adjusted(&self, from: i64, to: i64) -> (i64, i64) {
        let (mut low, mut high) = (0, 0);
        for adjustment in self.adjustments() {
            let points = adjustment.points_milli;
            if adjustment.counts(from) && adjustment.counts(to) {
                low += points;
                high += points;
            } else if adjustment.create_time <= to && adjustment.expire_time.is_none_or(|expire| expire > from) {
                low += points.min(0);
                high += points.max(0);
            }
        }
        (low, high)
    }
}
