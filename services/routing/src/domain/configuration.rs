//! Territories, reps and pools as sales managers write them, and the check that the whole makes sense.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// All of it, by name. Serialized, a resource shows only what is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The tree.
    pub territories: BTreeMap<String, Territory>,
    /// Who gets leads.
    pub reps: BTreeMap<String, Rep>,
    /// Who shares them.
    pub pools: BTreeMap<String, Pool>,
}

/// One node of the tree of territories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Territory {
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// The territory above; none at the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Lower is tried first.
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// CEL; none at the root and at a catch-all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Who serves it; for territories without children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
}

/// Who gets leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rep {
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// Where the rep is written to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Where the rep works.
    pub role: Role,
    /// An inactive rep is never offered a lead.
    pub active: bool,
    /// Live assignments at the most; 0: no limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub capacity: i32,
    /// IANA name.
    pub time_zone: String,
}

/// Where a rep works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// At the customer's.
    Field,
    /// By telephone.
    Inside,
}

/// Reps that share the leads of a territory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// Each with its part. Without any, the leads are held.
    pub members: Vec<Member>,
}

/// A rep's part in a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The rep's name.
    pub rep: String,
    /// Above zero; the share is this over the sum of the eligible members'.
    pub weight: i32,
}

/// Resources, each with its name, that are to be as given.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// Territories.
    pub territories: Vec<(String, Territory)>,
    /// Reps.
    pub reps: Vec<(String, Rep)>,
    /// Pools.
    pub pools: Vec<(String, Pool)>,
}

/// The kinds of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A territory.
    Territory,
    /// A rep.
    Rep,
    /// A pool.
    Pool,
}

/// What a patch does to one resource. The contents are indented JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Of what kind.
    pub kind: Kind,
    /// The resource's name.
    pub name: String,
    /// The content before; none when it is new.
    pub before: Option<String>,
    /// The content after.
    pub after: String,
}

impl Change {
    /// Whether anything differs.
    pub fn is_real(&self) -> bool {
        self.before.as_ref() != Some(&self.after)
    }
}

/// What does not make sense, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable, for programs.
    pub reason: &'static str,
    /// Of what kind the resource at fault is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The part of it, for example `members[2].rep`; empty for the whole.
    pub part: String,
    /// In words that go on after the part's name.
    pub text: String,
}

impl Problem {
    pub(crate) fn territory(reason: &'static str, name: &str, part: &str, text: impl Into<String>) -> Self {
        Self { reason, kind: Kind::Territory, name: name.to_owned(), part: part.to_owned(), text: text.into() }
    }

    fn rep(reason: &'static str, name: &str, part: &str, text: impl Into<String>) -> Self {
        Self { reason, kind: Kind::Rep, name: name.to_owned(), part: part.to_owned(), text: text.into() }
    }

    fn pool(reason: &'static str, name: &str, part: String, text: impl Into<String>) -> Self {
        Self { reason, kind: Kind::Pool, name: name.to_owned(), part, text: text.into() }
    }
}

impl Configuration {
    /// The configuration after a patch, and what the patch changes. What the patch does not name stays.
    pub fn with(&self, patch: Patch) -> (Self, Vec<Change>) {
        let mut whole = self.clone();
        let mut changes = Vec::new();
        put(Kind::Territory, &mut whole.territories, patch.territories, &mut changes);
        put(Kind::Rep, &mut whole.reps, patch.reps, &mut changes);
        put(Kind::Pool, &mut whole.pools, patch.pools, &mut changes);
        (whole, changes)
    }

    /// What is wrong with reps and pools; the tree has a check of its own.
    pub fn problems(&self) -> Vec<Problem> {
        let reps = self.reps.iter().flat_map(|(name, rep)| rep_problems(name, rep));
        reps.chain(self.pools.iter().flat_map(|(name, pool)| self.pool_problems(name, pool))).collect()
    }

    fn pool_problems(&self, name: &str, pool: &Pool) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, member) in pool.members.iter().enumerate() {
            let rep = format!("members[{index}].rep");
            if !self.reps.contains_key(&member.rep) {
                let text = format!("`{}` is no rep: add it, or take the member out", member.rep);
                problems.push(Problem::pool("UNKNOWN_REP", name, rep.clone(), text));
            }
            if !seen.insert(&member.rep) {
                let text = format!("`{}` is a member twice: give one weight", member.rep);
                problems.push(Problem::pool("DUPLICATE_MEMBER", name, rep, text));
            }
            if member.weight <= 0 {
                let text = format!("is {}: must be above zero", member.weight);
                problems.push(Problem::pool("INVALID_WEIGHT", name, format!("members[{index}].weight"), text));
            }
        }
        problems
    }
}

fn rep_problems(name: &str, rep: &Rep) -> Vec<Problem> {
    let mut problems = Vec::new();
    if rep.capacity < 0 {
        let text = format!("is {}: must be zero (no limit) or above", rep.capacity);
        problems.push(Problem::rep("INVALID_CAPACITY", name, "capacity", text));
    }
    if jiff::tz::TimeZone::get(&rep.time_zone).is_err() {
        let text = format!("`{}` is no time zone: write for example `Europe/Berlin`", rep.time_zone);
        problems.push(Problem::rep("UNKNOWN_TIME_ZONE", name, "time_zone", text));
    }
    problems
}

fn put<T: Serialize>(kind: Kind, all: &mut BTreeMap<String, T>, new: Vec<(String, T)>, changes: &mut Vec<Change>) {
    for (name, resource) in new {
        let after = content(&resource);
        let before = all.insert(name.clone(), resource).map(|before| content(&before));
        changes.push(Change { kind, name, before, after });
    }
}

/// As a person would have written it.
fn content(resource: &impl Serialize) -> String {
    serde_json::to_string_pretty(resource).unwrap_or_default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(number: &i32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rep() -> Rep {
        Rep {
            display_name: String::new(),
            email: String::new(),
            role: Role::Field,
            active: true,
            capacity: 0,
            time_zone: "Europe/Berlin".to_owned(),
        }
    }

    fn pool(members: &[(&str, i32)]) -> Pool {
        let members = members.iter().map(|&(rep, weight)| Member { rep: rep.to_owned(), weight }).collect();
        Pool { members, ..Default::default() }
    }

    fn problems(patch: Patch) -> Vec<(&'static str, String)> {
        let (whole, _) = Configuration::default().with(patch);
        whole.problems().into_iter().map(|problem| (problem.reason, problem.part)).collect()
    }

    #[test]
    fn a_patch_says_what_it_changes_and_leaves_the_rest() {
        let reps = vec![("anna".to_owned(), rep()), ("ben".to_owned(), rep())];
        let (first, changes) = Configuration::default().with(Patch { reps, ..Default::default() });
        assert!(changes.iter().all(|change| change.before.is_none() && change.is_real()));

        let reps = vec![("anna".to_owned(), rep()), ("ben".to_owned(), Rep { active: false, ..rep() })];
        let (second, changes) = first.with(Patch { reps, ..Default::default() });
        assert_eq!(changes.iter().map(Change::is_real).collect::<Vec<_>>(), [false, true]);
        assert!(changes[1].before.as_ref().unwrap().contains("\"active\": true"));
        assert_eq!(second.reps.len(), 2);
    }

    #[test]
    fn a_resource_shows_only_what_is_set() {
        let territory = Territory { pool: Some("p".to_owned()), ..Default::default() };
        assert_eq!(content(&territory), "{\n  \"pool\": \"p\"\n}");
    }

    #[test]
    fn each_fault_of_a_pool_names_its_member() {
        let reps = vec![("anna".to_owned(), rep())];
        let pools = vec![("p".to_owned(), pool(&[("anna", 1), ("nobody", 0), ("anna", 2)]))];
        let expected = [
            ("UNKNOWN_REP", "members[1].rep".to_owned()),
            ("INVALID_WEIGHT", "members[1].weight".to_owned()),
            ("DUPLICATE_MEMBER", "members[2].rep".to_owned()),
        ];
        assert_eq!(problems(Patch { reps, pools, ..Default::default() }), expected);
    }

    #[test]
    fn a_rep_needs_a_time_zone_and_no_negative_capacity() {
        let reps = vec![("anna".to_owned(), Rep { capacity: -1, time_zone: "Mars/Base".to_owned(), ..rep() })];
        let expected = [("INVALID_CAPACITY", "capacity".to_owned()), ("UNKNOWN_TIME_ZONE", "time_zone".to_owned())];
        assert_eq!(problems(Patch { reps, ..Default::default() }), expected);
    }
}
