//! What holds for the resolution of any claims in any order.

use std::collections::{BTreeMap, BTreeSet};

use leadflow_contact::domain::{Claim, Directory, Key, Resolved, normal};
use proptest::{collection::vec, option, prelude::*};
use uuid::Uuid;

/// Claims over few values, so that they meet.
fn claims() -> impl Strategy<Value = Vec<Claim>> {
    vec(claim(), 1..24)
}

fn claim() -> impl Strategy<Value = Claim> {
    let one_of = |prefix: &'static str| option::weighted(0.4, (0..4_u8).prop_map(move |at| format!("{prefix}{at}")));
    let external_id = option::weighted(0.3, (0..2_u8, 0..3_u8).prop_map(|(s, id)| (format!("s{s}"), format!("x{id}"))));
    let organisation = (one_of("domain"), one_of("Company "), prop::sample::select(vec!["", "DE", "AT"]));
    let phone = (one_of("+4930"), any::<bool>());
    (one_of("email"), external_id, one_of("cookie"), phone, organisation).prop_map(
        |(email, external_id, anonymous_id, (phone, verified), (domain, company, country))| Claim {
            email,
            external_id,
            anonymous_id,
            mobile: phone.clone().filter(|_| verified),
            phone,
            domain,
            company: company.unwrap_or_default(),
            country: country.to_owned(),
            ..Claim::default()
        },
    )
}

/// Resolves them in their order; ids are numbers.
fn resolve(directory: &mut Directory, claims: &[Claim]) -> Vec<Resolved> {
    let mut next = (directory.contacts.len() + directory.accounts.len()) as u128;
    let mut new_id = || {
        next += 1;
        Uuid::from_u128(next)
    };
    claims.iter().map(|claim| directory.resolve(claim, 0, &mut new_id)).collect()
}

/// Counts what was changed, as it is written.
fn write(directory: &mut Directory) {
    for id in std::mem::take(&mut directory.changed_contacts) {
        directory.contacts.get_mut(&id).unwrap().revision += 1;
    }
    for id in std::mem::take(&mut directory.changed_accounts) {
        directory.accounts.get_mut(&id).unwrap().revision += 1;
    }
}

fn ids(resolved: &[Resolved]) -> Vec<(Option<Uuid>, Option<Uuid>)> {
    resolved.iter().map(|one| (one.contact_id, one.account_id)).collect()
}

/// Which claims have the same one behind them, whatever its id.
fn groups<K: Ord>(keys: impl Iterator<Item = K>, behind: impl Iterator<Item = Option<Uuid>>) -> BTreeSet<BTreeSet<K>> {
    let mut groups: BTreeMap<Option<Uuid>, BTreeSet<K>> = BTreeMap::new();
    for (key, id) in keys.zip(behind) {
        groups.entry(id).or_default().insert(key);
    }
    groups.into_values().collect()
}

proptest! {
    #[test]
    fn a_claim_that_names_more_than_a_phone_leads_to_the_same_ones_for_ever(claims in claims()) {
        let mut directory = Directory::default();
        let first = resolve(&mut directory, &claims);
        let again = resolve(&mut directory, &claims);
        for (claim, (first, again)) in claims.iter().zip(ids(&first).into_iter().zip(ids(&again))) {
            let strong = claim.email.is_some() || claim.mobile.is_some() || claim.external_id.is_some();
            let named = strong || claim.anonymous_id.is_some();
            // Where a mobile and an id are two people's, what has come in between may tell whose it is; a person is asked.
            let may_be_two = claim.mobile.is_some() && claim.external_id.is_some();
            if named && !may_be_two {
                prop_assert_eq!(first.0, again.0, "{:?}", claim);
            }
            if claim.domain.is_some() {
                prop_assert_eq!(first.1, again.1, "{:?}", claim);
            }
        }
        // From then on all of them, and nothing is made or changed any more.
        write(&mut directory);
        let third = resolve(&mut directory, &claims);
        prop_assert_eq!(ids(&again), ids(&third));
        prop_assert!(third.iter().all(|one| !one.contact_created && !one.account_created));
        prop_assert!(directory.changed_accounts.is_empty() && directory.changed_contacts.is_empty());
    }

    #[test]
    fn who_is_recognised_is_whom_it_resolves_to_and_nobody_is_recognised_of_whom_something_new_is_told(
        (known, claims) in (claims(), claims()),
    ) {
        let mut directory = Directory::default();
        resolve(&mut directory, &known);
        write(&mut directory);
        directory.new_keys.clear();
        directory.matching.found.clear();
        for claim in known.iter().chain(&claims) {
            let recognised = directory.recognise(claim);
            let mut resolving = directory.clone();
            let resolved = resolve(&mut resolving, std::slice::from_ref(claim));
            let changes = !resolving.changed_contacts.is_empty()
                || !resolving.changed_accounts.is_empty()
                || !resolving.new_keys.is_empty()
                || !resolving.matching.found.is_empty();
            if let Some(recognised) = recognised {
                prop_assert!(!changes, "{:?}", claim);
                prop_assert_eq!(recognised, resolved[0], "{:?}", claim);
            }
            let strong = claim.email.is_some() && claim.domain.is_some();
            prop_assert!(changes || !strong || recognised.is_some(), "{:?}", claim);
        }
    }

    #[test]
    fn one_key_leads_to_one(claims in claims()) {
        let mut directory = Directory::default();
        let resolved = resolve(&mut directory, &claims);
        let (mut emails, mut domains) = (BTreeSet::new(), BTreeSet::new());
        for contact in directory.contacts.values() {
            prop_assert!(contact.emails.len() <= 1, "two addresses are two people");
            prop_assert!(contact.emails.iter().all(|email| emails.insert(email)), "no two have one address");
        }
        for account in directory.accounts.values() {
            prop_assert!(account.domains.iter().all(|domain| domains.insert(domain)), "no two have one domain");
        }
        for (id, keys) in &directory.keys_of {
            let mut sources = BTreeSet::new();
            for key in keys {
                prop_assert_eq!(directory.contact_of.get(key), Some(id));
                let verified = |mobile: &String| directory.contacts[id].mobiles.contains(mobile);
                prop_assert!(!matches!(key, Key::Mobile(mobile) if !verified(mobile)), "{key:?} is shown");
                if let Key::ExternalId(source, _) = key {
                    // A second id of one source comes only by the same address.
                    prop_assert!(sources.insert(source) || !directory.contacts[id].emails.is_empty());
                }
            }
        }
        for (claim, one) in claims.iter().zip(&resolved) {
            if let Some(email) = &claim.email {
                prop_assert_eq!(&directory.contacts[&one.contact_id.unwrap()].emails, &vec![email.clone()]);
            }
            if let Some(domain) = &claim.domain {
                prop_assert!(directory.accounts[&one.account_id.unwrap()].domains.contains(domain));
            }
        }
    }

    #[test]
    fn the_order_of_a_batch_does_not_change_who_is_behind_an_address_or_a_domain(
        (claims, shuffled) in claims().prop_flat_map(|claims| (Just(claims.clone()), Just(claims).prop_shuffle())),
    ) {
        let groups_of = |claims: &[Claim]| {
            let resolved = resolve(&mut Directory::default(), claims);
            let by_email = claims.iter().zip(&resolved).filter(|(claim, _)| claim.email.is_some());
            let by_domain = claims.iter().zip(&resolved).filter(|(claim, _)| claim.domain.is_some());
            let people = groups(
                by_email.clone().map(|(claim, _)| claim.email.clone()),
                by_email.map(|(_, one)| one.contact_id),
            );
            let organisations = groups(
                by_domain.clone().map(|(claim, _)| claim.domain.clone()),
                by_domain.map(|(_, one)| one.account_id),
            );
            (people, organisations)
        };
        prop_assert_eq!(groups_of(&claims), groups_of(&shuffled));
    }

    #[test]
    fn a_number_is_its_own_normal_form(
        text in "\\+?[0-9 ()/-]{3,18}",
        country in prop::sample::select(vec!["", "DE", "US", "GB"]),
    ) {
        if let Some(number) = normal::phone(&text, country) {
            prop_assert_eq!(normal::phone(&number, ""), Some(number.clone()));
            prop_assert_eq!(normal::phone(&number, "FR"), Some(number));
        }
    }

    #[test]
    fn an_organisations_domain_is_never_free_mail_and_its_own_normal_form(
        host in "([a-z0-9-]{1,6}\\.){0,3}(com|co\\.uk|de|gmail\\.com)",
    ) {
        if let Some(domain) = normal::corporate_domain(&host) {
            prop_assert!(!normal::is_free_mail(&domain));
            prop_assert_eq!(normal::corporate_domain(&domain), Some(domain.clone()));
            prop_assert!(host.ends_with(&domain));
        }
    }
}
