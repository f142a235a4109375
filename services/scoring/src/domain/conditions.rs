//! The conditions of a group of rules, and what they have said. A condition says the same of the same facts, and the same
//! facts come again and again: to remember is much cheaper than to evaluate.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

use leadflow_platform::condition::{Condition, Evaluator, Record, Scope, Value};
use serde_json::Value as Json;

use super::{
    history::{Activity, DECLARED, Facts},
    rule_set::RuleSet,
};

/// How many answers a condition remembers. It forgets all of them when there are more, so that facts which differ each time,
/// such as the id of an object, take no more memory than that.
const REMEMBERED: usize = 4096;
/// The longest facts that are remembered, in bytes: longer ones are hardly ever the same twice.
const MAX_KEY: usize = 256;

/// The conditions of a group, in the order of its rules.
#[derive(Debug)]
pub struct Conditions {
    evaluator: Evaluator,
    conditions: Vec<Condition>,
    /// Of each condition what it has said of which facts; nothing where it failed.
    said: Vec<Mutex<HashMap<String, Option<bool>>>>,
}

/// What a condition looks at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sight<'a> {
    pub(super) account: Option<&'a Facts>,
    pub(super) answers: Option<&'a Facts>,
    pub(super) contact: Option<&'a Facts>,
    pub(super) activity: Option<&'a Activity>,
}

impl Conditions {
    pub(super) fn new(conditions: Vec<Condition>) -> Self {
        let said = conditions.iter().map(|_| Mutex::default()).collect();
        Self { evaluator: Evaluator::new(), conditions, said }
    }

    /// In the order of the rules.
    pub fn iter(&self) -> impl Iterator<Item = &Condition> {
        self.conditions.iter()
    }

    /// Which of these hold, by index. Those that fail are no match, and are counted.
    pub(super) fn matching(&self, among: impl Iterator<Item = usize>, sight: Sight<'_>, failed: &mut u32) -> RuleSet {
        among
            .filter(|&index| {
                self.holds(index, sight).unwrap_or_else(|| {
                    *failed += 1;
                    false
                })
            })
            .collect()
    }

    /// As [`Conditions::matching`] says, among all.
    pub(super) fn all_matching(&self, sight: Sight<'_>, failed: &mut u32) -> RuleSet {
        self.matching(0..self.conditions.len(), sight, failed)
    }

    fn holds(&self, index: usize, sight: Sight<'_>) -> Option<bool> {
        let condition = &self.conditions[index];
        let key = sight.key(condition.references());
        let said = || self.said[index].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&said) = said().get(&key) {
            return said;
        }
        let holds = condition.matches(&sight.scope(&self.evaluator)).ok();
        if key.len() > MAX_KEY {
            return holds;
        }
        let mut said = said();
        if said.len() >= REMEMBERED {
            said.clear();
        }
        said.insert(key, holds);
        holds
    }
}

impl<'a> Sight<'a> {
    /// What stands at these paths: another text wherever a condition that refers to them could say something else.
    fn key(&self, paths: &BTreeSet<String>) -> String {
        let mut key = String::new();
        for path in paths {
            // Writing to a string cannot fail.
            let _ = match self.at(path) {
                Some(Fact::Text(text)) => write!(key, "{}:{text}", text.len()),
                Some(Fact::Number(number)) => write!(key, "#{:x}.", number.to_bits()),
                Some(Fact::Flag(flag)) => write!(key, "{flag}."),
                None => write!(key, "?"),
            };
        }
        key
    }

    fn at(&self, path: &str) -> Option<Fact<'a>> {
        let (variable, name) = path.split_once('.')?;
        let of = |facts: Option<&'a Facts>, name: &str| Fact::of(facts?.get(name)?);
        match variable {
            "account" => of(self.account, name),
            "answers" => of(self.answers, name),
            "contact" => of(self.contact, name),
            _ => match name.strip_prefix("attributes.") {
                Some(name) => of(self.activity.map(|activity| &*activity.attributes), name),
                None => word(self.activity?, name).map(Fact::Text),
            },
        }
    }

    fn scope<'b>(&self, evaluator: &'b Evaluator) -> Scope<'b> {
        let mut scope = evaluator.scope();
        scope.set("answers", &record(self.answers));
        for (name, facts) in [("account", self.account), ("contact", self.contact)] {
            scope.set(name, &of_profile(facts));
        }
        let words = ACTIVITY_WORDS.into_iter().filter_map(|name| {
            let word = word(self.activity?, name)?;
            Some((name.to_owned(), Value::String(word.to_owned())))
        });
        let mut activity: Record = words.collect();
        let attributes = record(self.activity.map(|activity| &*activity.attributes));
        activity.insert("attributes".to_owned(), Value::Record(attributes));
        scope.set("activity", &activity);
        scope
    }
}

/// What a condition can see of a value.
#[derive(Clone, Copy, Debug)]
enum Fact<'a> {
    Text(&'a str),
    Number(f64),
    Flag(bool),
}

impl<'a> Fact<'a> {
    fn of(json: &'a Json) -> Option<Self> {
        match json {
            Json::String(text) => Some(Self::Text(text)),
            Json::Bool(flag) => Some(Self::Flag(*flag)),
            Json::Number(number) => number.as_f64().map(Self::Number),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        }
    }
}

impl From<Fact<'_>> for Value {
    fn from(fact: Fact<'_>) -> Self {
        match fact {
            Fact::Text(text) => Self::String(text.to_owned()),
            Fact::Number(number) => Self::Number(number),
            Fact::Flag(flag) => Self::Bool(flag),
        }
    }
}

fn record(facts: Option<&Facts>) -> Record {
    let facts = facts.into_iter().flatten();
    facts.filter_map(|(name, value)| Some((name.clone(), Fact::of(value)?.into()))).collect()
}

/// What conditions see of a profile; the declared fields, which are kept as `profile.NAME`, in a record of their own.
fn of_profile(facts: Option<&Facts>) -> Record {
    let (mut own, mut declared) = (Record::new(), Record::new());
    for (name, value) in record(facts) {
        match name.strip_prefix(DECLARED) {
            Some(name) => declared.insert(name.to_owned(), value),
            None => own.insert(name, value),
        };
    }
    own.insert("profile".to_owned(), Value::Record(declared));
    own
}

/// What is said of each activity, beside its attributes.
pub(super) const ACTIVITY_WORDS: [&str; 5] = ["type", "channel", "source", "product_category", "object_id"];

fn word<'a>(activity: &'a Activity, name: &str) -> Option<&'a str> {
    match name {
        "type" => Some(&activity.activity_type),
        "channel" => Some(&activity.channel),
        "source" => Some(&activity.source),
        "product_category" => activity.product_category.as_deref(),
        "object_id" => activity.object_id.as_deref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use leadflow_platform::condition::{FieldType, Schema};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const FIELDS: [&str; 5] = ["a", "b", "c", "profile.a", "profile.b"];

    fn conditions(sources: &[&str]) -> Conditions {
        let fields = || ["a", "b", "c"].map(|name| (name, FieldType::String));
        let schema = Schema::new()
            .variable("account", fields())
            .record("account", "profile", fields())
            .variable("answers", fields());
        let conditions = sources.iter().map(|source| Condition::compile(source, &schema).unwrap());
        Conditions::new(conditions.collect())
    }

    fn facts() -> impl Strategy<Value = Facts> {
        let text = prop::sample::select(vec!["", "x", "1:x", "?", "x1:x"]);
        prop::collection::btree_map(prop::sample::select(FIELDS.to_vec()), text, 0..=5)
            .prop_map(|facts| facts.into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect())
    }

    proptest! {
        /// Whatever was asked before, the answer is that of a condition which has never been asked.
        #[test]
        fn what_is_remembered_is_what_would_be_said_anew(asked in prop::collection::vec((facts(), facts()), 1..40)) {
            let sources = [
                "account.a == account.b",
                "account.a == 'x' || answers.c == account.a",
                "answers.a != answers.b",
                "has(account.profile.a)",
                "!has(account.profile.b) || account.profile.a == account.b",
            ];
            let remembering = conditions(&sources);
            for (account, answers) in &asked {
                let sight = Sight { account: Some(account), answers: Some(answers), ..Sight::default() };
                let (mut failed, mut failed_anew) = (0, 0);
                let said = remembering.all_matching(sight, &mut failed);
                prop_assert_eq!(said, conditions(&sources).all_matching(sight, &mut failed_anew));
                prop_assert_eq!(failed, failed_anew);
            }
        }
    }

    #[test]
    fn facts_that_differ_each_time_take_no_more_memory_than_allowed() {
        let remembering = conditions(&["account.a == 'x'"]);
        for number in 0..3 * REMEMBERED {
            let account = Facts::from([("a".to_owned(), json!(number.to_string()))]);
            remembering.all_matching(Sight { account: Some(&account), ..Sight::default() }, &mut 0);
            assert!(remembering.said[0].lock().unwrap().len() <= REMEMBERED);
        }
    }
}
