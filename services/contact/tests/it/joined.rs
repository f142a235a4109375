//! What holds for whatever is merged, and for whatever is written over it.

use leadflow_contact::domain::{Account, Contact, Joined, Relation, joined::Side};
use proptest::{collection::vec, option, prelude::*};
use uuid::Uuid;

fn text(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(of).prop_map(str::to_owned)
}

fn account() -> impl Strategy<Value = Account> {
    let relation = prop::sample::select(&[Relation::Prospect, Relation::FormerCustomer, Relation::Customer][..]);
    let place = (text(&["", "DE", "FR"]), text(&["", "Berlin", "Paris"]), text(&["", "10115", "75001"]));
    (
        text(&["Works", "Labs"]),
        place,
        text(&["", "pharma", "food"]),
        option::of(1..3_i64),
        text(&["", "anna"]),
        relation,
    )
        .prop_map(|(name, (country, region, postal_code), industry, employees, owner_rep, relation)| Account {
            name,
            country,
            region,
            postal_code,
            industry,
            employees,
            owner_rep,
            relation,
            ..Account::default()
        })
}

/// Accounts that are one, each with a domain of its own.
fn joined() -> impl Strategy<Value = Joined<Account>> {
    vec(account(), 1..4).prop_map(|mut all| {
        for (at, account) in all.iter_mut().enumerate() {
            account.account_id = Uuid::from_u128(at as u128);
            account.domains = vec![format!("d{at}.de")];
        }
        Joined { survivor: all.remove(0), merged: all }
    })
}

fn with_changed(joined: &Joined<Account>, wanted: &Account) -> Joined<Account> {
    let changed = joined.spread(wanted);
    let now = |side: &Account| changed.iter().find(|one| one.account_id == side.account_id).unwrap_or(side).clone();
    Joined { survivor: now(&joined.survivor), merged: joined.merged.iter().map(now).collect() }
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_shown(joined in joined(), wanted in account(), kept in 0..4_usize) {
        let domains = joined.shown().domains.into_iter().skip(kept).chain(["new.de".to_owned()]).collect();
        let wanted = Account { domains, ..wanted };
        let after = with_changed(&joined, &wanted);
        prop_assert_eq!(after.shown(), wanted);
    }

    #[test]
    fn writing_what_is_shown_changes_nothing(joined in joined()) {
        prop_assert!(joined.spread(&joined.shown()).is_empty());
    }

    #[test]
    fn what_the_survivor_says_stands_and_nothing_is_lost(joined in joined()) {
        let shown = joined.shown();
        for ((field, said), (_, shows)) in joined.survivor.said().into_iter().zip(shown.said()) {
            prop_assert!(said.is_empty() || said == shows, "{field}");
        }
        for side in joined.sides() {
            prop_assert!(side.domains.iter().all(|domain| shown.domains.contains(domain)));
            prop_assert!(side.relation <= shown.relation);
        }
    }
}

#[test]
fn a_name_is_not_put_together_from_two() {
    let named = |given: &str, family: &str| Contact {
        given_name: given.to_owned(),
        family_name: family.to_owned(),
        ..Contact::default()
    };
    let shown = |survivor: Contact, other: Contact| {
        let shown = Joined { survivor, merged: vec![other] }.shown();
        (shown.given_name, shown.family_name)
    };
    assert_eq!(shown(named("Ada", ""), named("ADA", "Byron")), ("Ada".to_owned(), "Byron".to_owned()));
    assert_eq!(shown(named("", "Byron"), named("Ada", "Lovelace")), (String::new(), "Byron".to_owned()));
}
