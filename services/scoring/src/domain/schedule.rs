//! When the mere passing of time changes a band. It does so on whole UTC hours only.

use super::{
    compiled::CompiledModel,
    history::{History, LeadScope},
    score::{LineKind, Prepared, Score},
};

/// An hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;
/// How far a scan looks that cannot know the direction.
const SCAN_HOURS: i64 = 48;

/// The first whole hour after `score.at` with another band; none when the band stays for good. When the direction is
/// open, it may be an hour with the same band after which to look again.
///
/// `known_at` is what the score was computed with.
pub fn next_check_time(
    model: &CompiledModel,
    history: &History,
    scope: &LeadScope,
    prepared: &Prepared<'_>,
    score: &Score,
    known_at: i64,
) -> Option<i64> {
    let now = score.at;
    let to_come = history.activities.iter().chain(&history.answering).any(|activity| activity.occur_time > now);
    if to_come {
        return Some(scan(now, score, |hour| Prepared::new(model, history, scope, hour, known_at).score(hour)));
    }
    if may_rise(prepared, score) {
        return Some(scan(now, score, |hour| prepared.score(hour)));
    }
    // From here on the score can only fall, and with it the band: the first change is found by halving.
    let last = prepared.latest_occur_time()?.checked_add(prepared.window_ms())? + HOUR_MS;
    let (mut same, mut other) = (now.div_euclid(HOUR_MS), last.div_euclid(HOUR_MS));
    if other <= same || prepared.score(other * HOUR_MS).band == score.band {
        return None;
    }
    while other - same > 1 {
        let middle = same + (other - same) / 2;
        if prepared.score(middle * HOUR_MS).band == score.band {
            same = middle;
        } else {
            other = middle;
        }
    }
    Some(other * HOUR_MS)
}

/// A negative line that fades, an adjustment that ends or begins: the score may rise by itself.
fn may_rise(prepared: &Prepared<'_>, score: &Score) -> bool {
    let negative = score.lines.iter().any(|line| line.kind != LineKind::Cap && line.milli < 0);
    negative
        || prepared.adjustments().iter().any(|adjustment| {
            adjustment.create_time > score.at || adjustment.expire_time.is_some_and(|expire| expire > score.at)
        })
}

fn scan(now: i64, score: &Score, at: impl Fn(i64) -> Score) -> i64 {
    let first = now.div_euclid(HOUR_MS) + 1;
    let hours = (first..first + SCAN_HOURS).map(|hour| hour * HOUR_MS);
    let last = (first + SCAN_HOURS - 1) * HOUR_MS;
    hours.into_iter().find(|&hour| at(hour).band != score.band).unwrap_or(last)
}
