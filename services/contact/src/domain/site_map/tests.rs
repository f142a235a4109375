use super::*;

const NOW: i64 = 1_800_000_000_000;

fn fact(id: u128, subject: Subject, content: &str) -> Fact {
    Fact {
        fact_id: Uuid::from_u128(id),
        account_id: Uuid::nil(),
        subject,
        content: content.into(),
        product_category: String::new(),
        confidence: 90,
        source: "call".into(),
        said_by_contact_id: None,
        said_by: String::new(),
        observe_time: NOW,
        principal: "anna".into(),
        create_time: NOW,
        retraction: None,
    }
}

fn player(id: u128, role: Role, name: &str) -> Fact {
    let player = Player::Named { name: name.into(), job_title: String::new() };
    fact(id, Subject::Player(role, player), "")
}

fn days_ago(days: i64, fact: Fact) -> Fact {
    Fact { observe_time: NOW - days * DAY, ..fact }
}

fn ids(facts: &[Fact]) -> Vec<u128> {
    facts.iter().map(|fact| fact.fact_id.as_u128()).collect()
}

#[test]
fn a_later_fact_about_the_same_takes_the_place_whatever_the_order_of_recording() {
    let old = days_ago(10, fact(2, Subject::Budget(Some(40_000)), ""));
    let new = days_ago(1, fact(1, Subject::Budget(Some(60_000)), ""));
    for facts in [[old.clone(), new.clone()], [new.clone(), old.clone()]] {
        assert_eq!(ids(&current(&facts, "")), [1]);
        assert_eq!(states(&facts)[&old.fact_id], State::Superseded);
    }
    // Taken back, it leaves its place to the one before.
    let retraction = Some(Retraction { reason: "misheard".into(), principal: "anna".into(), time: NOW });
    let facts = [old, Fact { retraction, ..new }];
    assert_eq!(ids(&current(&facts, "")), [2]);
    assert_eq!(states(&facts)[&Uuid::from_u128(1)], State::Retracted);
}

#[test]
fn players_requirements_suppliers_and_notes_add_up_and_the_same_one_again_does_not() {
    let facts = [
        fact(1, Subject::Note, "careful"),
        fact(2, Subject::Incumbent, "Example Instruments"),
        fact(3, Subject::Incumbent, "example instruments"),
        fact(4, Subject::Requirement, "validated"),
        fact(5, Subject::Requirement, "quiet"),
        player(6, Role::User, "Bert"),
        player(7, Role::DecisionMaker, "Ada"),
        fact(8, Subject::Note, "careful"),
    ];
    // Players by their roles, then the rest in the order of reading.
    assert_eq!(ids(&current(&facts, "")), [7, 6, 4, 5, 3, 1, 8]);
}

#[test]
fn a_category_has_its_own_facts_and_those_of_the_whole_account() {
    let of = |category: &str, fact: Fact| Fact { product_category: category.into(), ..fact };
    let facts = [
        of("hplc", fact(1, Subject::Budget(Some(40_000)), "")),
        of("balances", fact(2, Subject::Budget(Some(900)), "")),
        fact(3, Subject::BuyingProcess, "three offers"),
    ];
    assert_eq!(ids(&current(&facts, "hplc")), [1, 3]);
    assert_eq!(ids(&current(&facts, "")), [1, 2, 3]);
}

#[test]
fn of_an_account_that_nobody_knows_everything_is_worth_asking_the_weightiest_first() {
    let gaps = gaps(&[], NOW);
    assert!(gaps.iter().all(|gap| gap.cause == Cause::Missing && gap.fact_id.is_none()));
    let topics: Vec<_> = gaps.iter().map(|gap| gap.topic).collect();
    assert_eq!(topics[..2], [Topic::Player(Role::DecisionMaker), Topic::Budget]);
    assert_eq!(gaps.len(), TOPICS.len());
    assert!(gaps.is_sorted_by_key(|gap| -gap.value_milli));
    assert!(topics.iter().all(|topic| topic.question().ends_with('?')));
}

#[test]
fn what_is_doubtful_or_old_is_worth_less_than_what_is_missing_and_what_is_sure_is_no_gap() {
    let doubtful = Fact { confidence: 30, ..player(1, Role::DecisionMaker, "Ada") };
    let sure = fact(2, Subject::Budget(None), "about 40,000");
    let old = days_ago(365, fact(3, Subject::Requirement, "quiet"));
    let gaps = gaps(&current(&[doubtful, sure, old], ""), NOW);
    let of = |topic| gaps.iter().find(|gap| gap.topic == topic);
    let decision = of(Topic::Player(Role::DecisionMaker)).unwrap();
    assert_eq!((decision.cause, decision.value_milli), (Cause::Doubtful, 70_000));
    assert!(of(Topic::Budget).is_none());
    let requirement = of(Topic::Requirement).unwrap();
    // It lasts 180 days; 185 days beyond, a little less than half of it is left.
    assert_eq!((requirement.cause, requirement.value_milli), (Cause::Stale, 39_130));
    assert_eq!(gaps[0].topic, Topic::Player(Role::DecisionMaker));
    assert_eq!(gaps[1].topic, Topic::BuyingProcess, "of which nothing is known");
}

#[test]
fn a_fact_is_stale_from_its_moment_on() {
    let process = fact(1, Subject::BuyingProcess, "three offers");
    let stale = process.stale_time().unwrap();
    assert_eq!(stale, NOW + 365 * DAY);
    let is_gap = |now| gaps(std::slice::from_ref(&process), now).iter().any(|gap| gap.topic == Topic::BuyingProcess);
    assert!(!is_gap(stale - 1));
    assert!(is_gap(stale));
    assert_eq!(fact(2, Subject::Note, "careful").stale_time(), None);
}
