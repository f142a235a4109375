use proptest::prelude::*;

use super::*;

const ROUNDING: f64 = 1e-9;

/// A pool whose members are named `a`, `b`, ….
struct Pool {
    names: Vec<String>,
    weights: Vec<i32>,
    balances: Vec<f64>,
}

impl Pool {
    fn of(weights: &[i32]) -> Self {
        let names = (0..weights.len()).map(|place| char::from(b'a' + place as u8).to_string()).collect();
        Self { names, weights: weights.to_vec(), balances: vec![0.0; weights.len()] }
    }

    /// One decision among the members at these places; says who was chosen.
    fn decide(&mut self, eligible: &[usize]) -> usize {
        let members: Vec<_> = eligible
            .iter()
            .map(|&place| Member {
                name: &self.names[place],
                weight: self.weights[place],
                balance: self.balances[place],
            })
            .collect();
        let turn = next(&members).unwrap();
        for (&place, share) in eligible.iter().zip(&turn.shares) {
            self.balances[place] = share.balance;
        }
        eligible[turn.chosen]
    }

    fn largest_balance(&self) -> f64 {
        self.balances.iter().fold(0.0, |largest, balance| balance.abs().max(largest))
    }

    fn everybody(&self) -> Vec<usize> {
        (0..self.weights.len()).collect()
    }
}

/// Tijdeman's bound for a fixed pool.
fn fixed_bound(members: usize) -> f64 {
    if members < 2 { 0.0 } else { 1.0 - 1.0 / (2 * members - 2) as f64 }
}

/// The bound that the module's documentation proves.
fn changing_bound(members: usize) -> f64 {
    if members < 2 { 0.0 } else { members as f64 - 1.5 }
}

#[test]
fn nobody_is_chosen_of_nobody() {
    assert_eq!(next(&[]), None);
}

#[test]
fn the_only_one_gets_everything_and_owes_nothing() {
    let mut pool = Pool::of(&[7]);
    assert!((0..10).all(|_| pool.decide(&[0]) == 0));
    assert_eq!(pool.balances, [0.0]);
}

#[test]
fn a_weight_of_two_beside_a_one_gets_two_of_three() {
    let mut pool = Pool::of(&[2, 1]);
    let turns: Vec<_> = (0..6).map(|_| pool.decide(&[0, 1])).collect();
    assert_eq!(turns, [0, 1, 0, 0, 1, 0]);
}

#[test]
fn equals_go_by_name_whatever_their_order_in_the_pool() {
    let named = |name| Member { name, weight: 1, balance: 0.0 };
    assert_eq!(next(&[named("b"), named("a"), named("c")]).unwrap().chosen, 1);
}

#[test]
fn three_equals_take_turns() {
    let mut pool = Pool::of(&[1, 1, 1]);
    let turns: Vec<_> = (0..6).map(|_| pool.decide(&[0, 1, 2])).collect();
    assert_eq!(turns, [0, 1, 2, 0, 1, 2]);
}

#[test]
fn a_rep_who_comes_back_from_full_neither_catches_up_nor_starts_anew() {
    let mut pool = Pool::of(&[1, 1]);
    assert_eq!(pool.decide(&[0, 1]), 0);
    // `b` is full; `a` works alone, which is worth nothing to either.
    assert!((0..5).all(|_| pool.decide(&[0]) == 0));
    assert_eq!(pool.balances, [-0.5, 0.5]);
    assert_eq!(pool.decide(&[0, 1]), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_fixed_pool_stays_within_tijdemans_bound_at_every_step(
        weights in prop::collection::vec(prop_oneof![1..=3, 1..=20, 1..=1000], 1..=12),
    ) {
        let mut pool = Pool::of(&weights);
        let everybody = pool.everybody();
        let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
        let mut offered = vec![0_u32; weights.len()];
        for step in 1..=3000_u32 {
            offered[pool.decide(&everybody)] += 1;
            for (&weight, &offered) in weights.iter().zip(&offered) {
                let share = f64::from(step) * f64::from(weight) / total;
                prop_assert!((share - f64::from(offered)).abs() <= fixed_bound(weights.len()) + ROUNDING);
            }
        }
    }

    #[test]
    fn eligibility_at_random_stays_within_the_proven_bound(
        weights in prop::collection::vec(1..=20, 2..=9),
        masks in prop::collection::vec(1_u16..512, 2000),
    ) {
        let mut pool = Pool::of(&weights);
        for mask in masks {
            let eligible: Vec<_> = pool.everybody().into_iter().filter(|place| mask & (1 << place) != 0).collect();
            if !eligible.is_empty() {
                pool.decide(&eligible);
            }
            prop_assert!(pool.largest_balance() <= changing_bound(weights.len()) + ROUNDING);
            prop_assert!(pool.balances.iter().sum::<f64>().abs() <= ROUNDING);
        }
    }

    #[test]
    fn weights_that_change_at_every_step_stay_within_the_proven_bound(
        all_weights in prop::collection::vec(prop::collection::vec(1..=50, 6), 1000),
    ) {
        let mut pool = Pool::of(&[1; 6]);
        for weights in all_weights {
            pool.weights = weights;
            pool.decide(&[0, 1, 2, 3, 4, 5]);
            prop_assert!(pool.largest_balance() <= changing_bound(6) + ROUNDING);
        }
    }

    /// The worst that a carpool can do to its drivers: only those who are owed the same are ever free at once.
    #[test]
    fn an_adversary_who_picks_the_eligible_stays_within_the_proven_bound(members in 2..=10_usize, seed in 0..97_usize) {
        let mut pool = Pool::of(&vec![1; members]);
        let mut worst: f64 = 0.0;
        for step in 0..4000 {
            let mut order = pool.everybody();
            order.sort_by(|&a, &b| pool.balances[a].total_cmp(&pool.balances[b]));
            let nearest = (1..members)
                .min_by(|&a, &b| {
                    let gap = |at: usize| pool.balances[order[at]] - pool.balances[order[at - 1]];
                    gap(a).total_cmp(&gap(b)).then(((a + step) % (seed + 1)).cmp(&((b + step) % (seed + 1))))
                })
                .unwrap();
            let mut pair = [order[nearest - 1], order[nearest]];
            pair.sort_unstable();
            pool.decide(&pair);
            worst = worst.max(pool.largest_balance());
        }
        prop_assert!(worst <= changing_bound(members) + ROUNDING, "{worst}");
    }
}
