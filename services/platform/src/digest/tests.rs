use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};

use super::*;

/// A fact with its id at `millis`, number `n` of that millisecond.
fn fact(millis: u64, n: u8, state: &[i64]) -> Fact {
    Fact::new(Uuid::from_u128(first_id(millis).as_u128() | u128::from(n) << 40 | 7 << 76), state)
}

fn sum_up(facts: impl IntoIterator<Item = Fact>, width: u64, within: Span) -> Buckets {
    let mut buckets = Buckets::new();
    for fact in facts.into_iter().filter(|fact| (within.begin..within.end).contains(&fact.millis())) {
        add(&mut buckets, width, &fact);
    }
    buckets
}

/// The milliseconds that are found to differ, from the first width to the last.
fn descend(theirs: &[Fact], ours: &[Fact], within: Span, widths: &[u64]) -> BTreeSet<u64> {
    let [width, narrower @ ..] = widths else { return (within.begin..within.end).collect() };
    let buckets = |facts: &[Fact]| sum_up(facts.iter().copied(), *width, within);
    let differing = differing(&buckets(theirs), &buckets(ours));
    spans(&differing, *width, within).into_iter().flat_map(|span| descend(theirs, ours, span, narrower)).collect()
}

proptest! {
    #[test]
    fn exactly_the_milliseconds_with_something_lost_are_found(
        all in vec((0..8_000_000_u64, 0..4_u8, 0..3_i64, 0..10_u8), 0..200),
        begin in 0..4_000_000_u64,
    ) {
        let mut seen = BTreeSet::new();
        let all: Vec<_> = all.into_iter().filter(|(millis, n, ..)| seen.insert((*millis, *n))).collect();
        let theirs: Vec<_> = all.iter().map(|(millis, n, revision, _)| fact(*millis, *n, &[*revision])).collect();
        // Of ten facts one is lost, and of one the consumer has an earlier state.
        let ours: Vec<_> = all
            .iter()
            .filter(|(.., fate)| *fate != 0)
            .map(|(millis, n, revision, fate)| fact(*millis, *n, &[*revision - i64::from(*fate == 1)]))
            .collect();
        let lost: BTreeSet<_> =
            all.iter().filter(|(millis, .., fate)| *fate < 2 && *millis >= begin).map(|(millis, ..)| *millis).collect();
        prop_assert_eq!(descend(&theirs, &ours, Span { begin, end: 8_000_000 }, &WIDTHS), lost);
    }

    #[test]
    fn the_order_in_which_facts_are_summed_up_does_not_matter(
        facts in vec((0..100_u64, 0..10_u8, 0..3_i64), 0..50).prop_shuffle(),
        width in 1..50_u64,
    ) {
        let within = Span { begin: 0, end: 100 };
        let sum = |facts: &[(u64, u8, i64)]| {
            sum_up(facts.iter().map(|(millis, n, revision)| fact(*millis, *n, &[*revision])), width, within)
        };
        let mut sorted = facts.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sum(&facts), sum(&sorted));
    }

    #[test]
    fn spans_cover_the_buckets_as_far_as_they_lie_within_and_do_not_touch(
        begins in vec(0..30_u64, 0..20), width in 1..20_u64, begin in 0..200_u64, length in 1..400_u64,
    ) {
        let within = Span { begin, end: begin + length };
        let covers = |bucket: &u64, millis: u64| (*bucket..bucket + width).contains(&millis);
        let begins: Vec<_> = begins.into_iter().map(|bucket| bucket * width)
            .filter(|bucket| bucket + width > within.begin && *bucket < within.end).collect();
        let buckets: Buckets = begins.iter().map(|begin| (*begin, Digest::default())).collect();
        let spans = spans(&buckets, width, within);
        for millis in within.begin..within.end {
            let covered = spans.iter().filter(|span| (span.begin..span.end).contains(&millis)).count();
            prop_assert_eq!(covered, usize::from(begins.iter().any(|begin| covers(begin, millis))));
        }
        prop_assert!(spans.iter().all(|span| span.begin >= within.begin && span.end <= within.end));
        prop_assert!(spans.windows(2).all(|pair| pair[0].end < pair[1].begin));
    }
}

#[test]
fn two_facts_that_have_swapped_their_states_are_not_the_same_two_facts() {
    let within = Span { begin: 0, end: 10 };
    let sum = |a: i64, b: i64| sum_up([fact(1, 0, &[a, 0]), fact(1, 1, &[b, 0])], 1, within);
    assert_ne!(sum(1, 2), sum(2, 1));
    assert_ne!(sum(1, 1), sum(2, 2));
}

#[test]
fn a_mark_is_what_the_contract_says() {
    let id = Uuid::parse_str("019e5f3a-1c00-7000-8000-000000000001").unwrap();
    assert_eq!(Fact::new(id, &[]).mark, id.as_u128());
    // printf '019e5f3a1c00700080000000000000010000000000000003' | xxd -r -p | sha256sum | head -c 32
    assert_eq!(format!("{:032x}", Fact::new(id, &[3]).mark), "2cb8286ed1f2dae196fb7156bdddf923");
    assert_eq!(Fact::new(id, &[3]).millis(), 0x019e_5f3a_1c00);
}
