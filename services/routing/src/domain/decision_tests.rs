use super::*;
use crate::domain::configuration::{Pool, Rep, Role, Territory};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn rep(active: bool, capacity: i32) -> Rep {
    Rep {
        display_name: String::new(),
        email: String::new(),
        role: Role::Field,
        active,
        capacity,
        time_zone: "Europe/Berlin".to_owned(),
    }
}

/// Germany is shared by `anna` (2) and `ben` (1); all the rest is `carla`'s, who takes one lead at a time. `otto` is
/// on leave.
fn configuration() -> Configuration {
    let member = |rep: &str, weight| Member { rep: rep.to_owned(), weight };
    let pool = |members: Vec<Member>| Pool { display_name: String::new(), members };
    let territory = |parent: Option<&str>, priority, condition: Option<&str>, pool: Option<&str>| Territory {
        display_name: String::new(),
        parent: parent.map(str::to_owned),
        priority,
        condition: condition.map(str::to_owned),
        pool: pool.map(str::to_owned),
    };
    let german = Some(r#"account.country == "DE""#);
    Configuration {
        territories: BTreeMap::from([
            ("world".to_owned(), territory(None, 0, None, None)),
            ("germany".to_owned(), territory(Some("world"), 1, german, Some("de"))),
            ("rest".to_owned(), territory(Some("world"), 2, None, Some("desk"))),
        ]),
        reps: BTreeMap::from([
            ("anna".to_owned(), rep(true, 0)),
            ("ben".to_owned(), rep(true, 0)),
            ("carla".to_owned(), rep(true, 1)),
            ("otto".to_owned(), rep(false, 0)),
        ]),
        pools: BTreeMap::from([
            ("de".to_owned(), pool(vec![member("anna", 2), member("ben", 1), member("otto", 5)])),
            ("desk".to_owned(), pool(vec![member("carla", 1)])),
        ]),
    }
}

fn lead(country: &str, owner: &str) -> Lead {
    let account = Account {
        account_id: Uuid::nil(),
        name: "Example".to_owned(),
        country: country.to_owned(),
        region: String::new(),
        postal_code: String::new(),
        industry: String::new(),
        employees: None,
        revenue: None,
        relation: None,
        owner_rep: owner.to_owned(),
        revision: 1,
    };
    let product_category = "scales".to_owned();
    let (lead_id, revision, score_milli, round, hand_over) = (Uuid::nil(), 1, 60_000, 1, 1);
    Lead {
        lead_id,
        revision,
        account,
        product_category,
        score_milli,
        round,
        hand_over,
        closed: None,
        merged_into: None,
    }
}

fn decide(rules: &Rules, lead: &Lead, standing: &mut Standing) -> Decision {
    rules.route(lead, 1).decide(standing, NOW)
}

fn rules() -> Rules {
    Rules::compile(3, configuration()).unwrap()
}

fn chosen(decision: &Decision) -> Option<&str> {
    decision.trace.chosen_rep.as_deref()
}

#[test]
fn the_owner_gets_the_lead_and_no_pool_is_debited() {
    let mut standing = Standing::default();
    let decision = decide(&rules(), &lead("DE", "carla"), &mut standing);
    assert_eq!(decision.outcome, Outcome::Offer { rep: "carla".to_owned(), territory: None, pool: None });
    assert_eq!(decision.trace.reason, "`carla` owns the account");
    assert!(decision.trace.territories.is_empty() && standing.balances.is_empty());
    assert_eq!(standing.live["carla"], 1);
}

#[test]
fn an_owner_who_may_not_get_it_is_named_with_the_reason_and_the_tree_decides() {
    let full = Standing { live: HashMap::from([("carla".to_owned(), 1)]), ..Default::default() };
    let cases = [("nobody", Exclusion::UnknownRep), ("otto", Exclusion::Inactive), ("carla", Exclusion::AtCapacity)];
    for (owner, exclusion) in cases {
        let decision = decide(&rules(), &lead("DE", owner), &mut full.clone());
        assert_eq!(decision.trace.owner.as_ref().unwrap().exclusion, Some(exclusion), "{owner}");
        assert_eq!(chosen(&decision), Some("anna"), "{owner}");
        assert_eq!(decision.trace.territories.len(), 2);
    }
}

#[test]
fn the_pool_shares_by_weight_among_those_who_may_get_it() {
    let (rules, mut standing) = (rules(), Standing::default());
    let german = lead("DE", "");
    let turns: Vec<_> = (0..6).map(|_| chosen(&decide(&rules, &german, &mut standing)).unwrap().to_owned()).collect();
    assert_eq!(turns, ["anna", "ben", "anna", "anna", "ben", "anna"]);
    assert_eq!(standing.balance("de", "anna").offered, 4);
    assert_eq!(standing.balance("de", "otto"), Balance::default());
}

#[test]
fn the_trace_shows_each_candidate_with_share_and_balances() {
    let decision = decide(&rules(), &lead("DE", ""), &mut Standing::default());
    let seen: Vec<_> = decision
        .trace
        .candidates
        .iter()
        .map(|c| (c.rep.as_str(), c.exclusion, (c.share * 3.0).round(), (c.balance_after * 3.0).round()))
        .collect();
    let expected = [("anna", None, 2.0, -1.0), ("ben", None, 1.0, 1.0), ("otto", Some(Exclusion::Inactive), 0.0, 0.0)];
    assert_eq!(seen, expected);
    assert!(decision.trace.reason.contains("a share of 67 %"), "{}", decision.trace.reason);
    assert_eq!(decision.trace.configuration_version, 3);
}

#[test]
fn nobody_eligible_holds_the_lead_and_changes_no_balance() {
    let mut standing = Standing::default();
    let rules = rules();
    assert_eq!(chosen(&decide(&rules, &lead("JP", ""), &mut standing)), Some("carla"));
    let before = standing.balances.clone();
    let decision = decide(&rules, &lead("JP", ""), &mut standing);
    assert_eq!(decision.outcome, Outcome::Hold(Reason::NoEligibleRep));
    assert_eq!(decision.trace.reason, "nobody of the pool `desk` may get a lead now: carla (at_capacity)");
    assert_eq!(standing.balances, before);
}

#[test]
fn without_territories_only_an_owner_can_get_a_lead() {
    let reps = configuration().reps;
    let rules = Rules::compile(1, Configuration { reps, ..Default::default() }).unwrap();
    assert_eq!(chosen(&decide(&rules, &lead("DE", "anna"), &mut Standing::default())), Some("anna"));
    let decision = decide(&rules, &lead("DE", ""), &mut Standing::default());
    assert_eq!(decision.outcome, Outcome::Hold(Reason::NoConfiguration));
}

#[test]
fn a_trace_survives_its_storage() {
    let trace = decide(&rules(), &lead("DE", "otto"), &mut Standing::default()).trace;
    let json = serde_json::to_value(&trace).unwrap();
    let read: Trace = serde_json::from_value(json).unwrap();
    assert!(read.is_same_but_later(&trace));
}
