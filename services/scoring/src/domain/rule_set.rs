//! Sets of rules, by their indexes.

/// Indexes of rules, in their order: a bit for each of the first ones, and a list of the others, which few models have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RuleSet {
    first: u64,
    others: Vec<usize>,
}

impl RuleSet {
    /// Those of the first rules whose bits are set.
    pub(super) fn of_first(first: u64) -> Self {
        Self { first, others: Vec::new() }
    }

    /// A bit for each of the first rules.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn contains(&self, rule: usize) -> bool {
        bit(rule).map_or_else(|| self.others.contains(&rule), |bit| self.first & bit != 0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first == 0 && self.others.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let mut left = self.first;
        let next = move || {
            let rule = left.trailing_zeros() as usize;
            // Takes the lowest bit away.
            (left != 0).then(|| left &= left - 1).map(|()| rule)
        };
        std::iter::from_fn(next).chain(self.others.iter().copied())
    }
}

impl Extend<usize> for RuleSet {
    fn extend<T: IntoIterator<Item = usize>>(&mut self, rules: T) {
        let before = self.others.len();
        for rule in rules {
            match bit(rule) {
                Some(bit) => self.first |= bit,
                None => self.others.push(rule),
            }
        }
        if self.others.len() > before {
            self.others.sort_unstable();
            self.others.dedup();
        }
    }
}

impl FromIterator<usize> for RuleSet {
    fn from_iter<T: IntoIterator<Item = usize>>(rules: T) -> Self {
        let mut set = Self::default();
        set.extend(rules);
        set
    }
}

fn bit(rule: usize) -> Option<u64> {
    (rule < u64::BITS as usize).then(|| 1 << rule)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set_in_the_order_of_the_indexes(
            some in prop::collection::vec(0..100_usize, 0..40),
            more in prop::collection::vec(0..100_usize, 0..40),
        ) {
            let mut set: RuleSet = some.iter().copied().collect();
            set.extend(more.iter().copied());
            let expected: BTreeSet<_> = some.into_iter().chain(more).collect();
            prop_assert!(set.iter().eq(expected.iter().copied()));
            prop_assert_eq!(set.is_empty(), expected.is_empty());
            prop_assert!((0..100).all(|rule| set.contains(rule) == expected.contains(&rule)));
        }
    }
}
