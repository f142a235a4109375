//! An account's history with the conditions evaluated that are the same for each of its leads and at each moment.

use std::sync::Arc;

use super::{
    compiled::CompiledModel,
    conditions::Sight,
    history::{Activity, Facts, History, Profile},
};

/// What was known of an account at a moment, and which rules match it: all but those that look at answers, which
/// differ from lead to lead.
#[derive(Debug)]
pub struct Evaluated<'a> {
    pub(super) model: &'a CompiledModel,
    pub(super) history: &'a History,
    pub(super) known_at: i64,
    /// Of each activity, in the order of the history, the indexes of the engagement rules that match it.
    pub(super) matches: Vec<Vec<usize>>,
    /// Indexes of the fit rules that match.
    pub(super) fit: Vec<usize>,
    account: Option<&'a Facts>,
    failed_conditions: u32,
}

impl<'a> Evaluated<'a> {
    /// Evaluates the conditions on what was known by `known_at`.
    pub fn new(model: &'a CompiledModel, history: &'a History, known_at: i64) -> Self {
        let account = Profile::known(&history.account_revisions, known_at).map(|known| &known.facts);
        let mut failed_conditions = 0;
        let fit = model.fit.all_matching(Sight { account, ..Sight::default() }, &mut failed_conditions);
        let mut evaluated = Self { model, history, known_at, matches: Vec::new(), fit, account, failed_conditions: 0 };
        let of_activity = |activity: &Arc<Activity>| {
            if !activity.counts(known_at) {
                return Vec::new();
            }
            let rules = model.engagement_rules(&activity.activity_type, false);
            evaluated.matching_rules(activity, rules, None, &mut failed_conditions)
        };
        let matches = history.activities.iter().map(of_activity).collect();
        evaluated.matches = matches;
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
    ) -> Vec<usize> {
        let contact = activity.contact_id.and_then(|id| self.history.contact_revisions.get(&id));
        let contact = contact.and_then(|revisions| Profile::known(revisions, self.known_at));
        let contact = contact.map(|known| &known.facts);
        let sight = Sight { account: self.account, answers, contact, activity: Some(activity) };
        self.model.engagement.matching(rules, sight, failed)
    }

    /// Which qualification rules match a lead with these answers.
    pub(super) fn qualification(&self, answers: &Facts, failed: &mut u32) -> Vec<usize> {
        let sight = Sight { account: self.account, answers: Some(answers), ..Sight::default() };
        self.model.qualification.all_matching(sight, failed)
    }

    /// How many conditions failed at run time, which is no match. Those of each lead come on top.
    pub fn failed_conditions(&self) -> u32 {
        self.failed_conditions
    }
}
