//! An account's history with the conditions evaluated that are the same for each of its leads and at each moment.

use std::collections::BTreeMap;

use leadflow_platform::condition::{Condition, Record, Scope, Value};
use serde_json::Value as Json;

use super::{
    compiled::CompiledModel,
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
    account: Record,
    failed_conditions: u32,
}

impl<'a> Evaluated<'a> {
    /// Evaluates the conditions on what was known by `known_at`.
    pub fn new(model: &'a CompiledModel, history: &'a History, known_at: i64) -> Self {
        let mut root = model.evaluator.scope();
        let account = record(Profile::known(&history.account_revisions, known_at).map(|known| &known.facts));
        root.set("account", &account);
        let mut failed_conditions = 0;
        let fit = matching(&model.fit, &root, &mut failed_conditions);
        let mut evaluated = Self { model, history, known_at, matches: Vec::new(), fit, account, failed_conditions: 0 };
        let of_activity = |activity: &Activity| {
            if !activity.counts(known_at) {
                return Vec::new();
            }
            let rules = model.engagement_rules(&activity.activity_type, false);
            evaluated.matching_rules(activity, rules, &root, &mut failed_conditions)
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
        root: &Scope<'_>,
        failed: &mut u32,
    ) -> Vec<usize> {
        let mut rules = rules.peekable();
        if rules.peek().is_none() {
            return Vec::new();
        }
        let mut scope = root.inner();
        scope.set("activity", &activity_record(activity));
        let contact = activity.contact_id.and_then(|id| self.history.contact_revisions.get(&id));
        let profile = contact.and_then(|revisions| Profile::known(revisions, self.known_at));
        scope.set("contact", &record(profile.map(|known| &known.facts)));
        rules.filter(|&rule| holds(&self.model.engagement[rule], &scope, failed)).collect()
    }

    /// What the conditions of a lead with these answers see.
    pub(super) fn scope(&self, answers: &Facts) -> Scope<'a> {
        let mut root = self.model.evaluator.scope();
        root.set("account", &self.account);
        root.set("answers", &record(Some(answers)));
        root
    }

    /// How many conditions failed at run time, which is no match. Those of each lead come on top.
    pub fn failed_conditions(&self) -> u32 {
        self.failed_conditions
    }
}

/// The indexes of the conditions that hold.
pub(super) fn matching(conditions: &[Condition], scope: &Scope<'_>, failed: &mut u32) -> Vec<usize> {
    (0..conditions.len()).filter(|&rule| holds(&conditions[rule], scope, failed)).collect()
}

fn holds(condition: &Condition, scope: &Scope<'_>, failed: &mut u32) -> bool {
    condition.matches(scope).unwrap_or_else(|_| {
        *failed += 1;
        false
    })
}

fn record(facts: Option<&Facts>) -> Record {
    facts.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), to_value(value)?))).collect()
}

fn activity_record(activity: &Activity) -> Record {
    let text = |value: &str| Value::String(value.to_owned());
    let mut record: Record = BTreeMap::from([
        ("type".to_owned(), text(&activity.activity_type)),
        ("channel".to_owned(), text(&activity.channel)),
        ("source".to_owned(), text(&activity.source)),
        ("attributes".to_owned(), Value::Record(self::record(Some(&activity.attributes)))),
    ]);
    for (name, value) in [("product_category", &activity.product_category), ("object_id", &activity.object_id)] {
        if let Some(value) = value {
            record.insert(name.to_owned(), text(value));
        }
    }
    record
}

fn to_value(json: &Json) -> Option<Value> {
    match json {
        Json::String(text) => Some(Value::String(text.clone())),
        Json::Bool(flag) => Some(Value::Bool(*flag)),
        Json::Number(number) => number.as_f64().map(Value::Number),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
