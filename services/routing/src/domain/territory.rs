//! The tree of territories. Only a tree that makes sense can be grown, so that a descent always ends at a pool.

use std::collections::{BTreeMap, BTreeSet};

use leadflow_platform::{
    condition::{Condition, Schema, Scope},
    plant::{self, Plant},
};
use serde::{Deserialize, Serialize};

use super::{
    configuration::{Pool, Problem, Territory},
    lead::schema,
};

/// A checked tree with compiled conditions.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The root first, parents before children.
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
struct Node {
    name: String,
    below: Below,
}

#[derive(Clone, Debug)]
enum Below {
    /// Tried in this order; the catch-all takes what is left.
    Children { tried: Vec<(Condition, usize)>, catch_all: usize },
    /// The pool that serves it.
    Pool(String),
}

/// One look at a territory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name.
    pub territory: String,
    /// Its condition; none at the root and at a catch-all.
    pub condition: Option<String>,
    /// Whether the lead goes on here.
    pub matched: bool,
    /// Why the condition failed; that is no match.
    pub error: Option<String>,
}

/// A lead's way down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descent<'a> {
    /// Each territory that was looked at, from the root on.
    pub steps: Vec<Step>,
    /// Where it ended.
    pub territory: &'a str,
    /// Who serves it.
    pub pool: &'a str,
}

impl Tree {
    /// Checks the territories and grows their tree; none when there are no territories.
    ///
    /// # Errors
    /// All that does not make sense.
    pub fn grow(
        territories: &BTreeMap<String, Territory>,
        pools: &BTreeMap<String, Pool>,
    ) -> Result<Option<Self>, Vec<Problem>> {
        Ground::survey(territories, pools).grow()
    }

    /// Goes down from the root: of the territories below, the first by priority whose condition holds takes the lead,
    /// until a territory without children is reached.
    pub fn descend(&self, scope: &Scope<'_>) -> Descent<'_> {
        let mut node = &self.nodes[0];
        let mut steps = vec![Step::unconditional(&node.name)];
        loop {
            match &node.below {
                Below::Pool(pool) => return Descent { steps, territory: &node.name, pool },
                Below::Children { tried, catch_all } => {
                    let taker = tried.iter().find(|(condition, child)| {
                        steps.push(Step::look(&self.nodes[*child].name, condition, scope));
                        steps.last().is_some_and(|step| step.matched) && !plant::is(Plant::WrongTerritory)
                    });
                    node = match taker {
                        Some((_, child)) => &self.nodes[*child],
                        None => {
                            steps.push(Step::unconditional(&self.nodes[*catch_all].name));
                            &self.nodes[*catch_all]
                        }
                    };
                }
            }
        }
    }

    /// The names of all territories, parents before children, siblings by priority.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| node.name.as_str())
    }
}

impl Step {
    fn unconditional(territory: &str) -> Self {
        Self { territory: territory.to_owned(), condition: None, matched: true, error: None }
    }

    fn look(territory: &str, condition: &Condition, scope: &Scope<'_>) -> Self {
        let (matched, error) = match condition.matches(scope) {
            Ok(matched) => (matched, None),
            Err(error) => (false, Some(error)),
        };
        Self { territory: territory.to_owned(), condition: Some(condition.source().to_owned()), matched, error }
    }
}

/// The territories on their way to a tree, with what was found wrong.
struct Ground<'a> {
    territories: &'a BTreeMap<String, Territory>,
    pools: &'a BTreeMap<String, Pool>,
    /// By parent; siblings by priority, then by name.
    children: BTreeMap<&'a str, Vec<&'a str>>,
    conditions: BTreeMap<&'a str, Condition>,
    problems: Vec<Problem>,
}

impl<'a> Ground<'a> {
    fn survey(territories: &'a BTreeMap<String, Territory>, pools: &'a BTreeMap<String, Pool>) -> Self {
        let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, territory) in territories {
            if let Some(parent) = &territory.parent {
                children.entry(parent).or_default().push(name);
            }
        }
        for siblings in children.values_mut() {
            siblings.sort_by_key(|name| (territories[*name].priority, *name));
        }
        let mut ground = Self { territories, pools, children, conditions: BTreeMap::new(), problems: Vec::new() };
        ground.check_parents();
        ground.check_siblings();
        ground.check_pools();
        ground.compile_conditions(&schema());
        ground
    }

    fn refuse(&mut self, reason: &'static str, name: &str, part: &str, text: impl Into<String>) {
        self.problems.push(Problem::territory(reason, name, part, text));
    }

    fn children(&self, name: &str) -> &[&'a str] {
        self.children.get(name).map_or(&[], Vec::as_slice)
    }

    /// Each parent exists, none is its own ancestor, and exactly one territory has none.
    fn check_parents(&mut self) {
        let mut roots = Vec::new();
        for (name, territory) in self.territories {
            match &territory.parent {
                None => roots.push(name.as_str()),
                Some(parent) if !self.territories.contains_key(parent) => {
                    self.refuse("UNKNOWN_TERRITORY", name, "parent", format!("`{parent}` is no territory: add it"));
                }
                Some(_) => {}
            }
        }
        for cycle in self.cycles() {
            let chain = cycle.join(" → ");
            self.refuse("TERRITORY_CYCLE", cycle[0], "parent", format!("leads back to itself: {chain}"));
        }
        for (root, other) in rivals(&roots) {
            let text = format!("is empty, as is that of `{other}`: there is one root");
            self.refuse("SEVERAL_ROOTS", root, "parent", text);
        }
        for root in roots {
            if self.territories[root].condition.is_some() {
                self.refuse("CONDITION_ON_ROOT", root, "condition", "must be empty: every lead starts at the root");
            }
        }
    }

    /// Each cycle once, from its least name up to that name again.
    fn cycles(&self) -> Vec<Vec<&'a str>> {
        let mut found = Vec::new();
        let mut done: BTreeSet<&str> = BTreeSet::new();
        for name in self.territories.keys() {
            let mut path: Vec<&str> = Vec::new();
            let mut place: BTreeMap<&str, usize> = BTreeMap::new();
            let mut here = Some(name.as_str());
            while let Some(name) = here.filter(|name| !done.contains(name)) {
                if let Some(&begin) = place.get(name) {
                    let mut cycle = path[begin..].to_vec();
                    let least = cycle.iter().enumerate().min_by_key(|(_, name)| **name).map_or(0, |(at, _)| at);
                    cycle.rotate_left(least);
                    cycle.push(cycle[0]);
                    found.push(cycle);
                    break;
                }
                place.insert(name, path.len());
                path.push(name);
                here = self.territories.get(name).and_then(|territory| territory.parent.as_deref());
            }
            done.extend(path);
        }
        found
    }

    /// Siblings have priorities of their own, and the last of them is the one catch-all.
    fn check_siblings(&mut self) {
        let families = self.children.iter().filter(|(parent, _)| self.territories.contains_key(**parent));
        let families: Vec<_> = families.map(|(parent, family)| (*parent, family.clone())).collect();
        for (parent, family) in families {
            for same in family.chunk_by(|a, b| self.territories[*a].priority == self.territories[*b].priority) {
                for (name, other) in rivals(same) {
                    let priority = self.territories[name].priority;
                    let text = format!("{priority} is that of `{other}` too: siblings need different ones");
                    self.refuse("DUPLICATE_PRIORITY", name, "priority", text);
                }
            }
            let is_catch_all = |name: &&str| self.territories[*name].condition.is_none();
            let catch_alls: Vec<_> = family.iter().copied().filter(is_catch_all).collect();
            if catch_alls.is_empty() {
                let text = "has children, but none without a condition: add one that takes what is left";
                self.refuse("MISSING_CATCH_ALL", parent, "", text);
            }
            for (name, other) in rivals(&catch_alls) {
                let text = format!("is empty, as is that of `{other}`: `{parent}` has one catch-all");
                self.refuse("SEVERAL_CATCH_ALLS", name, "condition", text);
            }
            if let [only] = catch_alls.as_slice()
                && family.last() != Some(only)
            {
                let text = format!("must be the greatest below `{parent}`: the catch-all is tried last");
                self.refuse("CATCH_ALL_NOT_LAST", only, "priority", text);
            }
        }
    }

    /// Territories without children have a pool, and only they.
    fn check_pools(&mut self) {
        for (name, territory) in self.territories {
            let is_leaf = self.children(name).is_empty();
            match &territory.pool {
                None if is_leaf => {
                    self.refuse("MISSING_POOL", name, "pool", "is required: a territory without children needs one");
                }
                Some(_) if !is_leaf => {
                    let text = "must be empty: the territories below have the pools";
                    self.refuse("UNEXPECTED_POOL", name, "pool", text);
                }
                Some(pool) if !self.pools.contains_key(pool) => {
                    self.refuse("UNKNOWN_POOL", name, "pool", format!("`{pool}` is no pool: add it"));
                }
                _ => {}
            }
        }
    }

    fn compile_conditions(&mut self, schema: &Schema) {
        for (name, territory) in self.territories {
            let Some(condition) = &territory.condition else { continue };
            match Condition::compile(condition, schema) {
                Ok(condition) => drop(self.conditions.insert(name, condition)),
                Err(error) => self.refuse("INVALID_CONDITION", name, "condition", error.to_string()),
            }
        }
    }

    fn grow(mut self) -> Result<Option<Tree>, Vec<Problem>> {
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let root = self.territories.iter().find(|(_, territory)| territory.parent.is_none());
        let Some((root, _)) = root else { return Ok(None) };
        let order = self.preorder(root);
        let place: BTreeMap<&str, usize> = order.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let nodes =
            order.iter().map(|name| Node { name: (*name).to_owned(), below: self.below(name, &place) }).collect();
        Ok(Some(Tree { nodes }))
    }

    fn preorder(&self, root: &'a str) -> Vec<&'a str> {
        let (mut order, mut open) = (Vec::new(), vec![root]);
        while let Some(name) = open.pop() {
            order.push(name);
            open.extend(self.children(name).iter().rev());
        }
        order
    }

    fn below(&mut self, name: &str, place: &BTreeMap<&str, usize>) -> Below {
        let children = self.children.remove(name).unwrap_or_default();
        let Some((catch_all, others)) = children.split_last() else {
            return Below::Pool(self.territories[name].pool.clone().unwrap_or_default());
        };
        let tried = others.iter().filter_map(|child| Some((self.conditions.remove(child)?, place[child]))).collect();
        Below::Children { tried, catch_all: place[catch_all] }
    }
}

/// Of names that cannot all be right, each with another one. None of them is more at fault than the others.
fn rivals<'a>(names: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    match names {
        [] | [_] => Vec::new(),
        [first, second, ..] => {
            let other = |name: &&str| if name == first { *second } else { *first };
            names.iter().map(|name| (*name, other(name))).collect()
        }
    }
}

#[cfg(test)]
#[path = "territory_tests.rs"]
mod tests;
