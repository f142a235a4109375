//! When what happens: drawn from the seed, so that a run can be repeated.

use std::time::Duration;

use leadflow_harness::fleet::ROLES;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use crate::{
    fault::{Fault, REPLICAS, Target},
    proxy::Trouble,
    ways::Way,
};

/// When the first thing happens.
const FIRST: f64 = 3.0;
/// Seconds between the end of one thing and the next.
const GAP: std::ops::Range<f64> = 3.0..6.5;
/// Where the large things stand, as shares of the run. Those in even places are for long runs.
const LARGE: [(f64, Fault); 6] = [
    (0.15, Fault::RollingRestart),
    (0.35, Fault::ForgetStreams),
    (0.65, Fault::ForgetStreams),
    (0.50, Fault::NewModel),
    (0.90, Fault::ForgetStreams),
    (0.80, Fault::RollingRestart),
];
/// From which length in seconds on a run is a long one.
const LONG: f64 = 300.0;

/// What happens in a run of this length, in the order of time.
pub(crate) fn draw(seed: u64, length: Duration) -> Vec<(Duration, Fault)> {
    let mut random = StdRng::seed_from_u64(seed ^ 0x5eed);
    let length = length.as_secs_f64();
    let step = if length < LONG { 2 } else { 1 };
    let large = LARGE.iter().skip(step - 1).step_by(step);
    let mut drawn: Vec<_> = large.map(|(share, fault)| (share * length, fault.clone())).collect();
    let mut at = FIRST;
    loop {
        let fault = one(&mut random);
        let lasts = fault.length().as_secs_f64();
        if at + lasts + 2.0 > length {
            break;
        }
        // In the midst of what lasts, something may die as well.
        if lasts > 0.0 && random.random_bool(0.5) {
            drawn.push((at + lasts / 2.0, Fault::Kill(vec![target(&mut random)])));
        }
        drawn.push((at, fault));
        at += lasts + random.random_range(GAP);
    }
    drawn.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    drawn.into_iter().map(|(at, fault)| (Duration::from_secs_f64(at), fault)).collect()
}

fn one(random: &mut StdRng) -> Fault {
    match random.random_range(0..100) {
        0..65 => kill(random),
        65..90 => {
            let delay = Duration::from_millis(random.random_range(50..400));
            let troubles = [Trouble::Delay(delay), Trouble::Cut, Trouble::BlackHole, Trouble::DropAnswers];
            let trouble = *troubles.choose(random).unwrap_or(&Trouble::Cut);
            let way = *Way::all().choose(random).unwrap_or(&Way::Calls);
            Fault::Network(way, trouble, Duration::from_millis(random.random_range(2_000..8_000)))
        }
        // Most pauses are short, some are half a minute.
        _ => {
            let seconds = 5.0 + 25.0 * random.random_range(0.0_f64..1.0).powi(3);
            Fault::Pause(target(random), Duration::from_secs_f64(seconds))
        }
    }
}

fn kill(random: &mut StdRng) -> Fault {
    let count = *[1, 1, 1, 2, 2, 3].choose(random).unwrap_or(&1);
    let mut targets = Vec::new();
    while targets.len() < count {
        let next = target(random);
        if !targets.contains(&next) {
            targets.push(next);
        }
    }
    Fault::Kill(targets)
}

fn target(random: &mut StdRng) -> Target {
    match random.random_range(0..ROLES.len() * REPLICAS + 2) {
        0 => Target::Nats,
        1 => Target::Postgres,
        other => Target::Member(other - 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Duration = Duration::from_secs(15 * 60);

    #[test]
    fn the_same_seed_draws_the_same_schedule() {
        assert_eq!(draw(7, QUARTER), draw(7, QUARTER));
        assert_ne!(draw(7, QUARTER), draw(8, QUARTER));
    }

    #[test]
    fn a_quarter_of_an_hour_has_a_hundred_kills_and_every_kind_of_fault() {
        for seed in 0..50 {
            let drawn = draw(seed, QUARTER);
            let killed: usize = drawn.iter().map(|(_, fault)| fault.kills()).sum();
            assert!(killed >= 100, "seed {seed}: {killed}");
            let has = |wanted: fn(&Fault) -> bool| drawn.iter().any(|(_, fault)| wanted(fault));
            assert!(has(|fault| matches!(fault, Fault::Pause(..))), "seed {seed}");
            assert!(has(|fault| matches!(fault, Fault::Network(..))), "seed {seed}");
            assert!(has(|fault| matches!(fault, Fault::Kill(targets) if targets.contains(&Target::Postgres))));
            assert!(has(|fault| matches!(fault, Fault::Kill(targets) if targets.contains(&Target::Nats))));
            assert!(has(|fault| *fault == Fault::RollingRestart) && has(|fault| *fault == Fault::ForgetStreams));
        }
    }

    #[test]
    fn a_minute_has_the_large_things_too_and_ends_in_time() {
        for seed in 0..50 {
            let minute = Duration::from_secs(60);
            let drawn = draw(seed, minute);
            assert!(drawn.iter().all(|(at, fault)| *at + fault.length() < minute), "seed {seed}");
            assert!(drawn.iter().any(|(_, fault)| *fault == Fault::ForgetStreams), "seed {seed}");
        }
    }
}
