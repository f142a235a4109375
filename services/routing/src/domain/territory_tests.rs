use leadflow_platform::condition::Evaluator;
use uuid::Uuid;

use super::*;
use crate::domain::lead::{Account, Lead};

/// `(name, parent, priority, condition, pool)`; empty is none.
type Row = (&'static str, &'static str, i32, &'static str, &'static str);

const WORLD: [Row; 6] = [
    ("world", "", 0, "", ""),
    ("europe", "world", 10, r#"account.country in ["DE", "FR"]"#, ""),
    ("germany", "europe", 20, r#"account.country == "DE""#, "p"),
    ("large", "europe", 10, "account.employees >= 1000", "p"),
    ("europe-other", "europe", 30, "", "p"),
    ("elsewhere", "world", 99, "", "p"),
];

fn grow(rows: &[Row]) -> Result<Option<Tree>, Vec<Problem>> {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let territories = rows
        .iter()
        .map(|&(name, parent, priority, condition, pool)| {
            let (parent, condition, pool) = (some(parent), some(condition), some(pool));
            (name.to_owned(), Territory { display_name: String::new(), parent, priority, condition, pool })
        })
        .collect();
    Tree::grow(&territories, &BTreeMap::from([("p".to_owned(), Pool::default())]))
}

/// The world with a row put in, or put in the place of the one of the same name.
fn world_with(row: Row) -> Vec<Row> {
    WORLD.into_iter().filter(|old| old.0 != row.0).chain([row]).collect()
}

fn refused(rows: &[Row]) -> Vec<(&'static str, String, String)> {
    let problems = grow(rows).expect_err("must not grow");
    problems.into_iter().map(|problem| (problem.reason, problem.name, problem.part)).collect()
}

fn lead(country: &str, employees: Option<i64>) -> Lead {
    let account = Account {
        account_id: Uuid::nil(),
        name: "Example".to_owned(),
        country: country.to_owned(),
        region: String::new(),
        postal_code: String::new(),
        industry: String::new(),
        employees,
        revenue: None,
        relation: None,
        owner_rep: String::new(),
        revision: 1,
    };
    Lead {
        lead_id: Uuid::nil(),
        revision: 1,
        account,
        product_category: "scales".to_owned(),
        score_milli: 61_500,
        round: 1,
        hand_over: 1,
        closed: None,
        merged_into: None,
    }
}

fn with_descent<T>(tree: &Tree, lead: &Lead, look: impl FnOnce(Descent<'_>) -> T) -> T {
    let evaluator = Evaluator::new();
    let mut scope = evaluator.scope();
    scope.set("account", &lead.account.facts());
    scope.set("lead", &lead.facts());
    look(tree.descend(&scope))
}

fn destination(tree: &Tree, lead: &Lead) -> String {
    with_descent(tree, lead, |descent| descent.territory.to_owned())
}

#[test]
fn a_lead_descends_by_priority_to_the_first_condition_that_holds() {
    let tree = grow(&WORLD).unwrap().unwrap();
    assert_eq!(destination(&tree, &lead("DE", Some(50))), "germany");
    assert_eq!(destination(&tree, &lead("DE", Some(5000))), "large");
    assert_eq!(destination(&tree, &lead("FR", Some(50))), "europe-other");
    assert_eq!(destination(&tree, &lead("JP", Some(5000))), "elsewhere");
}

#[test]
fn the_trace_shows_each_look_and_a_failed_condition_is_no_match() {
    let tree = grow(&WORLD).unwrap().unwrap();
    let steps = with_descent(&tree, &lead("DE", None), |descent| descent.steps);
    let seen: Vec<_> = steps.iter().map(|step| (step.territory.as_str(), step.matched, step.error.is_some())).collect();
    let expected = [("world", true, false), ("europe", true, false), ("large", false, true), ("germany", true, false)];
    assert_eq!(seen, expected);
}

#[test]
fn conditions_see_the_lead_in_points() {
    let tree = grow(&world_with(("hot", "world", 5, "lead.score >= 61.5 && lead.round == 1", "p"))).unwrap().unwrap();
    assert_eq!(destination(&tree, &lead("JP", None)), "hot");
}

#[test]
fn names_come_parents_first() {
    let tree = grow(&WORLD).unwrap().unwrap();
    let names: Vec<_> = tree.names().collect();
    assert_eq!(names, ["world", "europe", "large", "germany", "europe-other", "elsewhere"]);
}

#[test]
fn no_territories_are_no_tree_and_no_error() {
    assert!(grow(&[]).unwrap().is_none());
}

#[test]
fn a_root_alone_may_have_a_pool() {
    assert_eq!(destination(&grow(&[("all", "", 0, "", "p")]).unwrap().unwrap(), &lead("DE", None)), "all");
}

#[test]
fn each_rule_of_the_tree_names_the_territory_at_fault() {
    let holds = "account.employees > 1";
    let cases: [(&str, &str, Vec<Row>, &str); 8] = [
        ("UNKNOWN_TERRITORY", "x", world_with(("x", "nowhere", 1, holds, "p")), "parent"),
        ("CONDITION_ON_ROOT", "world", world_with(("world", "", 0, holds, "")), "condition"),
        ("MISSING_CATCH_ALL", "world", world_with(("elsewhere", "world", 99, holds, "p")), ""),
        ("CATCH_ALL_NOT_LAST", "elsewhere", world_with(("elsewhere", "world", 1, "", "p")), "priority"),
        ("MISSING_POOL", "germany", world_with(("germany", "europe", 20, holds, "")), "pool"),
        ("UNKNOWN_POOL", "germany", world_with(("germany", "europe", 20, holds, "q")), "pool"),
        ("UNEXPECTED_POOL", "europe", world_with(("europe", "world", 10, holds, "p")), "pool"),
        ("INVALID_CONDITION", "germany", world_with(("germany", "europe", 20, "account.height > 3", "p")), "condition"),
    ];
    for (reason, name, rows, part) in cases {
        assert_eq!(refused(&rows), [(reason, name.to_owned(), part.to_owned())], "{reason}");
    }
}

#[test]
fn where_several_cannot_all_be_right_each_is_named_with_another() {
    let holds = "account.employees > 1";
    let cases = [
        ("SEVERAL_ROOTS", ["world", "x"], world_with(("x", "", 1, "", "p")), "parent"),
        ("DUPLICATE_PRIORITY", ["europe", "x"], world_with(("x", "world", 10, holds, "p")), "priority"),
        ("SEVERAL_CATCH_ALLS", ["x", "elsewhere"], world_with(("x", "world", 50, "", "p")), "condition"),
    ];
    for (reason, names, rows, part) in cases {
        let expected = names.map(|name| (reason, name.to_owned(), part.to_owned()));
        assert_eq!(refused(&rows), expected, "{reason}");
    }
}

#[test]
fn a_cycle_is_named_with_its_chain_once() {
    let rows = world_with(("europe", "germany", 10, "account.employees > 1", ""));
    let problems = grow(&rows).unwrap_err();
    let cycle: Vec<_> = problems.iter().filter(|problem| problem.reason == "TERRITORY_CYCLE").collect();
    assert_eq!(cycle.len(), 1);
    assert_eq!(cycle[0].text, "leads back to itself: europe → germany → europe");
    assert_eq!(refused(&[("a", "a", 0, "", "p")])[0].0, "TERRITORY_CYCLE");
}

#[test]
fn all_faults_are_told_at_once() {
    let rows = [("world", "", 0, "", ""), ("a", "world", 1, "((", ""), ("b", "world", 1, "", "q")];
    let mut reasons: Vec<_> = refused(&rows).into_iter().map(|(reason, ..)| reason).collect();
    reasons.dedup();
    assert_eq!(reasons, ["DUPLICATE_PRIORITY", "MISSING_POOL", "UNKNOWN_POOL", "INVALID_CONDITION"]);
}

#[test]
fn a_very_deep_tree_does_not_exhaust_the_stack() {
    let mut territories = BTreeMap::new();
    let name = |depth: u32| format!("t{depth:06}");
    for depth in 0..50_000 {
        let parent = (depth > 0).then(|| name(depth - 1));
        let pool = (depth == 49_999).then(|| "p".to_owned());
        territories.insert(name(depth), Territory { parent, pool, ..Default::default() });
    }
    let tree = Tree::grow(&territories, &BTreeMap::from([("p".to_owned(), Pool::default())])).unwrap().unwrap();
    assert_eq!(destination(&tree, &lead("DE", None)), name(49_999));
}
