//! What holds for leads of accounts that are merged and taken apart, whatever they are.

use std::collections::{BTreeMap, BTreeSet};

use leadflow_scoring::domain::{
    History, Profile,
    joining::{Pointer, fill_account, join, joined_profiles, latest, survivors, with_its_facts},
    lead::{Lead, Status},
    round::CloseReason,
};
use proptest::{collection::vec, prelude::*};
use serde_json::json;
use uuid::Uuid;

const CATEGORIES: [&str; 2] = ["hplc", "scales"];

/// Open leads of some accounts, each with one of some of the categories at the most, at any stage.
fn leads() -> impl Strategy<Value = Vec<Lead>> {
    let stage = prop::sample::select(
        &[Status::Incubating, Status::HandedOver, Status::Held, Status::Offered, Status::Accepted][..],
    );
    vec(proptest::option::of((stage, 0..3_i64)), 6).prop_map(|all| {
        let places = (0_u128..).flat_map(|account| CATEGORIES.map(|category| (account, category)));
        let leads = all.into_iter().zip(places).enumerate().filter_map(|(at, (lead, (account, category)))| {
            let (status, ready_time) = lead?;
            let mut lead = Lead::open(Uuid::from_u128(at as u128), Uuid::from_u128(account), category, 1, 0);
            lead.state.status = status;
            lead.ready_time = (status != Status::Incubating).then_some(ready_time);
            Some(lead)
        });
        leads.collect()
    })
}

fn open(leads: &[Lead]) -> BTreeSet<(Uuid, String)> {
    let open = leads.iter().filter(|lead| lead.closed.is_none());
    open.map(|lead| (lead.account_id, lead.product_category.clone())).collect()
}

proptest! {
    #[test]
    fn one_lead_of_each_category_goes_on_and_each_account_has_its_own_again(before in leads(), survivor in 0..3_u128) {
        let mut joined = before.clone();
        join(&mut joined, Uuid::from_u128(survivor), 7);
        for category in CATEGORIES {
            let of_category = |lead: &&Lead| lead.product_category == category;
            let goes_on: Vec<_> = joined.iter().filter(of_category).filter(|lead| lead.closed.is_none()).collect();
            prop_assert_eq!(goes_on.len(), usize::from(before.iter().any(|lead| of_category(&lead))));
            // Nobody who has accepted loses to one who has not.
            let accepted = before.iter().filter(of_category).any(|lead| lead.state.status == Status::Accepted);
            prop_assert!(!accepted || goes_on[0].state.status == Status::Accepted);
        }
        prop_assert!(join(&mut joined, Uuid::from_u128(survivor), 8).is_empty(), "joining again changes nothing");

        let mut apart = Vec::new();
        for account in 0..3 {
            let account = Uuid::from_u128(account);
            let mut own: Vec<_> = joined.iter().filter(|lead| lead.account_id == account).cloned().collect();
            join(&mut own, account, 9);
            apart.extend(own);
        }
        prop_assert_eq!(open(&apart), open(&before));
        for (after, before) in apart.iter().zip(&before) {
            // What went on is as it was, and what was joined begins anew, under the next number if it had one.
            let went_on = joined.iter().any(|lead| lead.lead_id == after.lead_id && lead.closed.is_none());
            let handed_over = before.state.status != Status::Incubating;
            let number = before.state.hand_over + i32::from(handed_over && !went_on);
            prop_assert_eq!(after.state.hand_over, number);
            let status = if went_on { before.state.status } else { Status::Incubating };
            prop_assert_eq!(after.state.status, status);
        }
    }

    #[test]
    fn what_was_closed_while_they_were_one_stays_closed_for_each(before in leads(), survivor in 0..3_u128) {
        let all: Vec<_> = (0..3).map(Uuid::from_u128).collect();
        let [category, _] = CATEGORIES;
        // Two of them have become one before the third, so that one lead has gone into another and that into a third.
        let (mut joined, last): (Vec<_>, Vec<_>) = before.into_iter().partition(|lead| lead.account_id != all[2]);
        join(&mut joined, all[1], 6);
        joined.extend(last);
        join(&mut joined, Uuid::from_u128(survivor), 7);
        for lead in joined.iter_mut().filter(|lead| lead.closed.is_none() && lead.product_category == category) {
            lead.close(CloseReason::Won, "", 8);
            lead.end_for(&all);
        }
        let was_won = joined.iter().any(|lead| lead.product_category == category);
        for account in all {
            let about = joined.iter().filter(|lead| lead.account_id == account || lead.sides.contains(&account));
            let mut about: Vec<_> = about.cloned().collect();
            join(&mut about, account, 9);
            prop_assert!(about.iter().all(|lead| lead.product_category != category || lead.closed.is_some()));
            let closed = latest(&about, category, account).and_then(|round| round.closed);
            prop_assert_eq!(closed, was_won.then_some((8, CloseReason::Won)));
        }
    }

    #[test]
    fn each_account_counts_for_one_that_counts_for_itself(
        pointers in vec((proptest::option::of(0..5_u128), proptest::option::of(0..5_u128)), 5),
    ) {
        let pointer = |(into, to): &(Option<u128>, Option<u128>)| {
            Pointer { merged_into: into.map(Uuid::from_u128), rolls_up_to: to.map(Uuid::from_u128) }
        };
        let pointers: BTreeMap<_, _> =
            (0..).map(Uuid::from_u128).zip(pointers.iter().map(pointer)).collect();
        let survivors = survivors(&pointers);
        for (id, survivor) in &survivors {
            prop_assert_eq!(survivors[survivor], *survivor, "also where the news leads in a circle");
            if let Some(to) = pointers[id].merged_into.or(pointers[id].rolls_up_to) {
                prop_assert_eq!(survivors[&to], *survivor, "whoever was merged or rolls up counts for the same one");
            }
        }
    }

    #[test]
    fn only_what_was_merged_shares_facts(rolls_up in vec(any::<bool>(), 4)) {
        let id = |at: usize| Uuid::from_u128(at as u128);
        // Each points to the one before, and the first to nobody.
        let pointer = |side: Uuid| match side.as_u128() as usize {
            0 => Pointer::default(),
            at if rolls_up[at - 1] => Pointer { rolls_up_to: Some(id(at - 1)), merged_into: None },
            at => Pointer { merged_into: Some(id(at - 1)), rolls_up_to: Some(id(0)) },
        };
        let sides: Vec<_> = (0..=rolls_up.len()).map(id).collect();
        let shared = 1 + rolls_up.iter().take_while(|rolls_up| !**rolls_up).count();
        prop_assert_eq!(with_its_facts(&sides, pointer), &sides[..shared]);
    }
}

#[test]
fn a_joined_profile_says_at_each_moment_what_was_known_of_all() {
    let profile = |revision, record_time, facts: serde_json::Value| Profile {
        revision,
        record_time,
        facts: serde_json::from_value(facts).unwrap(),
    };
    let survivor = vec![
        profile(1, 10, json!({"country": "DE", "relation": "prospect"})),
        profile(2, 30, json!({"country": "DE", "relation": "prospect", "industry": "pharma"})),
    ];
    let merged = vec![profile(
        1,
        20,
        json!({"country": "FR", "region": "IdF", "relation": "customer", "industry": "food", "employees": 9}),
    )];
    let history =
        History { account_revisions: joined_profiles(vec![survivor, merged], fill_account), ..History::default() };
    let known = |at| serde_json::to_value(&Profile::known(&history.account_revisions, at).unwrap().facts).unwrap();
    assert_eq!(known(15), json!({"country": "DE", "relation": "prospect"}));
    assert_eq!(known(25), json!({"country": "DE", "relation": "customer", "industry": "food", "employees": 9}));
    assert_eq!(known(35), json!({"country": "DE", "relation": "customer", "industry": "pharma", "employees": 9}));
}
