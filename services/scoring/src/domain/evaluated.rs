//! An account's history with the conditions evaluated that are the same for each of its leads and at each moment.

use std::{num::NonZeroU64, sync::Arc};

use super::{
    compiled::{CompiledModel, Looks},
    conditions::Sight,
    history::{Activity, Facts, History, Profile},
    rule_set::RuleSet,
};

/// What was known of an account at a moment, and which rules match it: all but those that look at answers, which
/// differ from lead to lead.
#[derive(Debug)]
pub struct Evaluated<'a> {
    pub(super) model: &'a CompiledModel,
    pub(super) history: &'a History,
    pub(super) known_at: i64,
    /// The indexes of the activities, the latest of which comes first.
    pub(super) latest_first: Vec<usize>,
    /// Of each activity, in the order of the history, the engagement rules that match it.
    pub(super) matches: Vec<RuleSet>,
    /// The fit rules that match.
    pub(super) fit: RuleSet,
    /// Of each activity that counts, what the rules say of it that look at nothing else.
    own: Vec<Option<Own>>,
    account: Option<&'a Facts>,
    failed_conditions: u32,
}

/// Which of the first engagement rules match an activity, of those that look at nothing beside it: a model says the same of
/// it for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own(NonZeroU64);

impl Own {
    /// A bit for each, above one that is always set.
    const RULES: usize = 63;

    /// Whether there is room for the rule at this index.
    pub(super) fn holds(rule: usize) -> bool {
        rule < Self::RULES
    }

    fn new(rules: &RuleSet) -> Self {
        // There are none beyond those for which there is room.
        Self(NonZeroU64::MIN | rules.first() << 1)
    }

    fn rules(self) -> RuleSet {
        RuleSet::of_first(self.0.get() >> 1)
    }
}

impl<'a> Evaluated<'a> {
    /// Evaluates the conditions on what was known by `known_at`.
    pub fn new(model: &'a CompiledModel, history: &'a History, known_at: i64) -> Self {
        Self::remembering(model, history, known_at, &[])
    }

    /// The same, with what the model has said of the activities before, in the order of the history; of those that are not
    /// there nothing was said.
    pub fn remembering(model: &'a CompiledModel, history: &'a History, known_at: i64, said: &[Option<Own>]) -> Self {
        let account = Profile::known(&history.account_revisions, known_at).map(|known| &*known.facts);
        let mut failed_conditions = 0;
        let fit = model.fit.all_matching(Sight { account, ..Sight::default() }, &mut failed_conditions);
        // Most of them come in the order in which they happen: then this is sorted already, or nearly.
        let mut latest_first: Vec<_> = (0..history.activities.len()).rev().collect();
        latest_first.sort_by(|&a, &b| history.activities[b].order().cmp(&history.activities[a].order()));
        let (matches, own) = (Vec::new(), Vec::new());
        let mut evaluated =
            Self { model, history, known_at, latest_first, matches, fit, own, account, failed_conditions: 0 };
        let said = said.iter().copied().chain(std::iter::repeat(None));
        let of_activity = |(activity, said): (&Arc<Activity>, Option<Own>)| {
            if !activity.counts(known_at) {
                return (RuleSet::default(), None);
            }
            let mut matching = |looks| {
                let rules = model.engagement_rules(&activity.activity_type, looks);
                evaluated.matching_rules(activity, rules, None, &mut failed_conditions)
            };
            let own = said.unwrap_or_else(|| Own::new(&matching(Looks::Nowhere)));
            let mut matches = own.rules();
            matches.extend(matching(Looks::AtProfiles).iter());
            (matches, Some(own))
        };
        let (matches, own) = history.activities.iter().zip(said).map(of_activity).unzip();
        (evaluated.matches, evaluated.own) = (matches, own);
        evaluated.failed_conditions = failed_conditions;
        evaluated
    }

    /// Which of these engagement rules match the activity.
    pub(super) fn matching_rules(
        &self,
        activity: &Activity,
        rules: impl Iterator<Item = usize>,
        answers: Option<&Facts>,
        failed: &mut u32,
    ) -> RuleSet {
        let contact = activity.contact_id.and_then(|id| self.history.contact_revisions.get(&id));
        let contact = contact.and_then(|revisions| Profile::known(revisions, self.known_at));
        let contact = contact.map(|known| &*known.facts);
        let sight = Sight { account: self.account, answers, contact, activity: Some(activity) };
        self.model.engagement.matching(rules, sight, failed)
    }

    /// Which qualification rules match a lead with these answers.
    pub(super) fn qualification(&self, answers: &Facts, failed: &mut u32) -> RuleSet {
        let sight = Sight { account: self.account, answers: Some(answers), ..Sight::default() };
        self.model.qualification.all_matching(sight, failed)
    }

    /// What to remember of the activities, in the order of the history.
    pub fn into_own(self) -> Vec<Option<Own>> {
        self.own
    }

    /// How many conditions failed at run time, which is no match. Those of each lead come on top.
    pub fn failed_conditions(&self) -> u32 {
        self.failed_conditions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_match_are_told_again_in_their_order() {
        for rules in [vec![], vec![0], vec![62], vec![0, 1, 5, 61, 62], (0..Own::RULES).collect()] {
            let rules = RuleSet::from_iter(rules);
            assert_eq!(Own::new(&rules).rules(), rules);
        }
        assert!(Own::holds(62) && !Own::holds(63));
    }
}
