//! Labelled descriptions: who is really behind each is known, so that what the matching finds can be counted.
//!
//! The people, the firms and the slips here are made without a look at what the matching knows: names of its own, rates
//! of its own, and the cases that are made to be confused (households, twins, father and son, forty buyers at one
//! switchboard, one name in two countries).

mod firms;
mod patients;
mod people;
mod slips;

use std::collections::{HashMap, HashSet};

use leadflow_contact::domain::{Claim, Directory};
use uuid::Uuid;

pub(crate) use firms::{firms, houses};
pub(crate) use patients::{members, patients};
pub(crate) use people::{buyers, registry, voters};

/// One description, and who is behind it.
#[derive(Clone, Debug)]
pub(crate) struct Labelled {
    pub(crate) who: usize,
    pub(crate) claim: Claim,
}

/// Numbers that look like chance and are the same each time (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.roll() % end as u64) as usize
    }

    /// So many times of a hundred.
    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// The first ones far more often, as names are.
    pub(crate) fn frequent<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.below(all.len()).min(self.below(all.len())).min(self.below(all.len()));
        &all[at]
    }

    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}

/// How well it was found out who is who.
#[derive(Debug)]
pub(crate) struct Score {
    /// Of the pairs that were linked without a person, how many are one.
    pub(crate) precision: f64,
    /// Of the pairs that are one, how many were linked.
    pub(crate) recall: f64,
    /// Harmonic mean of precision and recall over what was linked and what a person is asked about.
    pub(crate) f1: f64,
    /// Share of the descriptions that a person is asked about.
    pub(crate) reviewed: f64,
    /// What was linked and is two, to look at.
    pub(crate) wrong: Vec<(usize, usize)>,
    /// What a person is asked about and is two.
    pub(crate) asked: Vec<(usize, usize)>,
    /// What is one and was not found.
    pub(crate) missed: Vec<(usize, usize)>,
}

/// Resolves all in their order as the service does, and counts pairs.
pub(crate) fn score(all: &[Labelled], organisations: bool) -> Score {
    let (groups, asked) = resolve(all, organisations);
    let mut members: HashMap<Uuid, Vec<usize>> = HashMap::new();
    let mut linked = HashSet::new();
    for (at, group) in groups.iter().enumerate() {
        let Some(group) = group else { continue };
        let members = members.entry(*group).or_default();
        linked.extend(members.iter().map(|&other| (other, at)));
        members.push(at);
    }
    // Whoever says that two are one joins all that is known of the one with all that is known of the other.
    let sides = asked.iter().filter_map(|(at, known)| Some((members.get(&groups[*at]?)?, members.get(known)?)));
    let asked_about = sides.flat_map(|(made, known)| {
        made.iter().flat_map(move |&at| known.iter().map(move |&other| (other.min(at), other.max(at))))
    });
    let found: HashSet<_> = linked.iter().copied().chain(asked_about).collect();
    let mut true_pairs = HashSet::new();
    let mut of_one: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, one) in all.iter().enumerate() {
        let others = of_one.entry(one.who).or_default();
        true_pairs.extend(others.iter().map(|&other| (other, at)));
        others.push(at);
    }
    let right = |pairs: &HashSet<(usize, usize)>| pairs.intersection(&true_pairs).count() as f64;
    let (all_found, all_linked, all_true) = (found.len() as f64, linked.len() as f64, true_pairs.len() as f64);
    Score {
        precision: right(&linked) / all_linked,
        recall: right(&linked) / all_true,
        f1: 2.0 * right(&found) / (all_found + all_true),
        reviewed: asked.len() as f64 / all.len() as f64,
        wrong: linked.difference(&true_pairs).copied().collect(),
        asked: found.difference(&linked).filter(|pair| !true_pairs.contains(pair)).copied().collect(),
        missed: true_pairs.difference(&found).copied().collect(),
    }
}

type Groups = Vec<Option<Uuid>>;

/// The contact or account of each, and who may be one with whom.
fn resolve(all: &[Labelled], organisations: bool) -> (Groups, Vec<(usize, Uuid)>) {
    let mut directory = Directory::default();
    let mut next = 0_u128;
    let mut new_id = || {
        next += 1;
        Uuid::from_u128(next)
    };
    let mut asked = Vec::new();
    let mut groups = Vec::new();
    for (at, one) in all.iter().enumerate() {
        let (group, review) = if organisations {
            let resolved = directory.resolve_organisation(&one.claim, 0, &mut new_id);
            (resolved.account_id, resolved.account_review)
        } else {
            let resolved = directory.resolve(&one.claim, 0, &mut new_id);
            (resolved.contact_id, resolved.contact_review)
        };
        groups.push(group);
        let found = directory.matching.found.iter().find(|found| Some(found.review_id) == review);
        asked.extend(found.map(|found| (at, found.known_id)));
        directory.matching.found.clear();
    }
    (groups, asked)
}
