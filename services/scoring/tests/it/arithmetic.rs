//! What must hold of every score.

use leadflow_scoring::domain::{Evaluated, Prepared, Score, score::LineKind};
use proptest::prelude::*;

use crate::histories::{Case, NOW, case};

fn score(case: &Case) -> Score {
    let model = case.compiled();
    let evaluated = Evaluated::new(&model, &case.history, case.known_at);
    Prepared::new(&evaluated, &case.scope, &case.history.adjustments, case.at).score(case.at)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_what_is_known_does_not_matter(case in case(), seed in any::<u64>()) {
        let mut shuffled = case.clone();
        let mix = |id: u128| id.wrapping_mul(u128::from(seed) | 1).rotate_left(37);
        shuffled.history.activities.sort_by_key(|activity| mix(activity.activity_id.as_u128()));
        shuffled.history.adjustments.sort_by_key(|adjustment| mix(adjustment.adjustment_id.as_u128()));
        prop_assert_eq!(score(&case), score(&shuffled));
    }

    #[test]
    fn the_score_is_the_sum_of_its_lines(case in case()) {
        let score = score(&case);
        prop_assert_eq!(score.milli, score.lines.iter().map(|line| line.milli).sum::<i64>());
    }

    #[test]
    fn no_cap_is_ever_passed(case in case()) {
        let score = score(&case);
        let sum = |group: &str| score.lines.iter().filter(|line| line.group == group).map(|line| line.milli).sum::<i64>();
        let groups = [("engagement", &case.model.engagement), ("fit", &case.model.fit), ("qualification", &case.model.qualification)];
        for (name, group) in groups {
            if let Some(cap) = group.cap_milli {
                prop_assert!(sum(name).abs() <= cap, "{name}: {} of {cap}", sum(name));
            }
        }
        for rule in &case.model.engagement.rules {
            let of_rule = score.lines.iter().filter(|line| line.rule.as_deref() == Some(&rule.id));
            if let Some(cap) = rule.cap_milli {
                prop_assert!(of_rule.map(|line| line.milli).sum::<i64>().abs() <= cap);
            }
        }
    }

    #[test]
    fn points_only_fade(case in case(), hours in 0_i64..2000) {
        let model = case.compiled();
        let evaluated = Evaluated::new(&model, &case.history, case.known_at);
        let prepared = Prepared::new(&evaluated, &case.scope, &case.history.adjustments, case.at);
        let (now, later) = (prepared.score(case.at), prepared.score(case.at + hours * 3_600_000));
        let all = |score: &Score| score.lines.iter().filter(|line| line.kind == LineKind::Activity).cloned().collect::<Vec<_>>();
        for line in all(&later) {
            let before = all(&now).into_iter().find(|other| other.rule == line.rule && other.activity_id == line.activity_id);
            prop_assert!(before.is_some_and(|before| before.milli.abs() >= line.milli.abs()));
        }
    }

    #[test]
    fn what_happens_later_does_not_change_what_was(case in case()) {
        let at = case.at.min(NOW) - 86_400_000;
        let mut past = Case { at, ..case };
        let before = score(&past);
        past.history.activities.retain(|activity| activity.occur_time <= at);
        prop_assert_eq!(before, score(&past));
    }

    #[test]
    fn what_is_known_beyond_the_maximum_does_not_matter(case in case(), known in any::<u32>()) {
        let mut all = case.clone();
        (all.at, all.scope.close_time) = (NOW + 300_000, None);
        all.history.activities.retain(|activity| activity.counts(case.known_at));
        all.history.activities.sort_by(|a, b| b.order().cmp(&a.order()));
        let mut some = all.clone();
        let (mut place, least) = (0..32, case.model.max_activities + 1);
        some.history.activities.retain(|_| place.next().is_some_and(|at| at < least || known & (1 << at) != 0));
        let lead = |case: &Case| {
            let model = case.compiled();
            let evaluated = Evaluated::new(&model, &case.history, case.known_at);
            let prepared = Prepared::new(&evaluated, &case.scope, &case.history.adjustments, case.at);
            (prepared.score(case.at), prepared.activities(), prepared.last_activity_time())
        };
        prop_assert_eq!(lead(&all), lead(&some));
    }

    #[test]
    fn what_becomes_known_later_does_not_change_what_was_thought(case in case()) {
        let before = score(&case);
        let mut known = case.clone();
        known.history.activities.retain(|activity| activity.counts(case.known_at));
        known.history.adjustments.retain(|adjustment| adjustment.create_time <= case.known_at);
        known.history.account_revisions.retain(|profile| profile.record_time <= case.known_at);
        prop_assert_eq!(before, score(&known));
    }
}
