//! When the mere passing of time changes a band. It does so on whole UTC hours only.

use super::{
    band::Band,
    prepared::{Prepared, Valid, within},
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
    if may_rise(prepared, score) {
        let other = first_other(prepared, score.band, now, scan_end);
        return Some(other.unwrap_or(scan_end) * HOUR_MS);
    }
    if score.band == Band::Cold {
        return None;
    }
    // From here on the score can only fall, until the last activity has left the window.
    let last = prepared.latest_occur_time()?.checked_add(prepared.window_ms())? + HOUR_MS;
    first_other(prepared, score.band, now, last.div_euclid(HOUR_MS)).map(|hour| hour * HOUR_MS)
}

/// A negative line that fades, an adjustment that ends or begins: the score may rise by itself.
fn may_rise(prepared: &Prepared<'_>, score: &Score) -> bool {
    let negative = score.lines.iter().any(|line| line.kind != LineKind::Cap && line.milli < 0);
    negative
        || prepared.adjustments().iter().any(|adjustment| {
            adjustment.create_time > score.at || adjustment.expire_time.is_some_and(|expire| expire > score.at)
        })
}

/// The first hour after `after` and until `until` with another band. Halves what may hold one, and passes over what
/// cannot.
fn first_other(prepared: &Prepared<'_>, band: Band, after: i64, until: i64) -> Option<i64> {
    if after >= until {
        return None;
    }
    let (least, greatest) = prepared.bands((after + 1) * HOUR_MS, until * HOUR_MS);
    if least == band && greatest == band {
        return None;
    }
    if until - after == 1 {
        return Some(until);
    }
    let middle = after + (until - after) / 2;
    first_other(prepared, band, after, middle).or_else(|| first_other(prepared, band, middle, until))
}

impl Prepared<'_> {
    /// Bounds of the band from one moment until another, both included; for one moment they are its band. A line lies
    /// between what it is at both ends, for it fades or leaves the window; and sums, what caps leave of them, validations
    /// and bands only grow with the lines.
    fn bands(&self, from: i64, to: i64) -> (Band, Band) {
        let counted = self.counted(from);
        let still = self.counted(to).len();
        let (engagement_cap, points) = self.static_points();
        let (mut least, mut greatest) = (0, 0);
        let (mut valid_then, mut valid_now) = (Valid::default(), Valid::default());
        let in_window_then = counted.get(..still).and_then(|still| Some(still.last()?.activity.order()));
        for (rule, candidates) in self.engagement_lines(counted) {
            let (mut low, mut high) = (0, 0);
            for candidate in candidates {
                let activity = candidate.activity;
                let at = |moment: i64| milli_at(rule, candidate.share_milli, moment - activity.occur_time);
                let now = at(from);
                let then = if in_window_then.is_some_and(|last| activity.order() >= last) { at(to) } else { 0 };
                low += now.min(then);
                high += now.max(then);
                if now > 0 {
                    valid_now.note(activity);
                }
                if then > 0 {
                    valid_then.note(activity);
                }
            }
            least += within(low, rule.cap_milli);
            greatest += within(high, rule.cap_milli);
        }
        let (low, high) = self.adjusted(from, to);
        least = within(least, engagement_cap) + points + low;
        greatest = within(greatest, engagement_cap) + points + high;
        let fast = |moment: i64| self.fast_track(self.counted(moment), moment).is_some();
        let thresholds = self.thresholds();
        (thresholds.band(least, valid_then.count(), fast(to)), thresholds.band(greatest, valid_now.count(), fast(from)))
    }

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
