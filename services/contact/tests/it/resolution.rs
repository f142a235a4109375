//! Who is behind a claim.

use std::sync::Arc;

use leadflow_harness::on_each_database;
use leadflow_proto::contact::v1::{Account, Identity, IdentityClaim};
use sea_orm::ConnectionTrait as _;
use tokio::sync::Notify;

use crate::support::{World, claim, company, email, named, refusal};

fn phone(phone: &str) -> IdentityClaim {
    claim(Identity { phone: phone.to_owned(), ..Default::default() })
}

fn with_phone(email: &str, phone: &str) -> IdentityClaim {
    claim(Identity { email: email.to_owned(), phone: phone.to_owned(), ..Default::default() })
}

fn external(source: &str, external_id: &str) -> IdentityClaim {
    let identity = Identity { external_id: external_id.to_owned(), ..Default::default() };
    IdentityClaim { identity: Some(identity), source: source.to_owned(), ..Default::default() }
}

on_each_database! {
    async fn an_address_makes_a_contact_and_its_domain_an_account_once(database) {
        let world = World::start(database).await;
        let first = world.resolve_one(email("Ada.Lovelace@Mail.Example.co.uk")).await;
        assert!(first.contact_created && first.account_created);
        assert_eq!(first.account_revision, 1);
        let again = world.resolve_one(email(" ada.lovelace@mail.example.CO.UK ")).await;
        assert_eq!((&again.contact_id, &again.account_id), (&first.contact_id, &first.account_id));
        assert!(!again.contact_created && !again.account_created);
        let colleague = world.resolve_one(email("charles@example.co.uk")).await;
        assert_eq!(colleague.account_id, first.account_id);
        assert!(colleague.contact_created && !colleague.account_created);

        let contact = world.contact(&first.contact_id).await;
        assert_eq!(contact.emails, ["ada.lovelace@mail.example.co.uk"]);
        assert_eq!(contact.account_id, first.account_id);
        let account = world.account(&colleague.account_id).await;
        assert_eq!((account.name.as_str(), account.domains), ("example.co.uk", vec!["example.co.uk".to_owned()]));
    }

    async fn asked_for_whom_it_knows_it_makes_nobody_and_changes_nothing(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(email("ada@example.com")).await;
        let more = claim(Identity { email: "ada@example.com".into(), given_name: "Ada".into(), ..Default::default() });
        let results = world.recognise(vec![email("ada@example.com"), email("bob@example.com"), more, phone("?")]).await;
        assert_eq!((&results[0].contact_id, &results[0].account_id), (&ada.contact_id, &ada.account_id));
        assert_eq!((results[0].unknown, results[0].account_revision), (false, 1));
        assert!(results[1].unknown && results[1].contact_id.is_empty() && results[1].account_id.is_empty());
        assert!(results[2].unknown, "a name that was not known is something new");
        assert_eq!(refusal(&results[3]).0, "INVALID_PHONE");
        world.settle().await;
        assert_eq!(world.contact(&ada.contact_id).await.given_name, "");
        assert_eq!(world.contacts().await.len(), 1);
    }

    async fn who_tells_nothing_new_waits_for_nobody_who_does(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(email("ada@example.com")).await;
        let tables = world.tables().await;
        let (held, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let holding = tokio::spawn({
            let (held, release) = (held.clone(), release.clone());
            async move {
                tables
                    .write(move |tx| async move {
                        tx.execute_unprepared("UPDATE contacts SET role = role").await?;
                        tx.execute_unprepared("UPDATE accounts SET region = region").await?;
                        held.notify_one();
                        release.notified().await;
                        Ok(())
                    })
                    .await
            }
        });
        held.notified().await;
        assert_eq!(world.resolve_one(email("ada@example.com")).await.contact_id, ada.contact_id);
        release.notify_one();
        holding.await.unwrap().unwrap();
    }

    async fn a_free_mail_address_makes_a_contact_and_never_an_account(database) {
        let world = World::start(database).await;
        let told = Identity { email: "ada@gmail.com".into(), domain: "web.de".into(), ..Default::default() };
        let result = world.resolve_one(claim(told)).await;
        assert_eq!((result.account_id.as_str(), result.account_revision), ("", 0));
        assert!(result.contact_created && !result.account_created);
        // Nor does its domain alone; that it says nothing is no error.
        let domain = world.resolve_one(claim(Identity { domain: "gmail.com".into(), ..Default::default() })).await;
        assert_eq!((domain.contact_id.as_str(), domain.account_id.as_str()), ("", ""));
        assert!(world.accounts().await.is_empty());
    }

    async fn a_told_domain_counts_where_the_address_says_none(database) {
        let world = World::start(database).await;
        let told = |email: &str, domain: &str| {
            claim(Identity { email: email.into(), domain: domain.into(), ..Default::default() })
        };
        let ada = world.resolve_one(told("ada@gmail.com", "https://www.example.de/contact")).await;
        assert_eq!(world.account(&ada.account_id).await.domains, ["example.de"]);
        let bert = world.resolve_one(told("bert@labs.example.fr", "example.de")).await;
        assert_eq!(world.account(&bert.account_id).await.domains, ["example.fr"]);
        let organisation = world.resolve_one(told("", "example.de")).await;
        assert_eq!((organisation.contact_id.as_str(), organisation.account_id), ("", ada.account_id));
    }

    async fn without_a_domain_the_name_and_the_country_tell_the_account(database) {
        let world = World::start(database).await;
        let first = world.resolve_one(company("Müller & Söhne GmbH", "de")).await;
        assert!(first.account_created && first.contact_id.is_empty());
        assert_eq!(world.resolve_one(company("MÜLLER, Söhne", "DE")).await.account_id, first.account_id);
        let abroad = world.resolve_one(company("Müller & Söhne", "AT")).await;
        assert_ne!(abroad.account_id, first.account_id);
        let account = world.account(&first.account_id).await;
        assert_eq!((account.name.as_str(), account.country.as_str()), ("Müller & Söhne GmbH", "DE"));
    }

    async fn a_domain_goes_to_the_account_of_that_name_which_has_none_and_to_no_other(database) {
        let world = World::start(database).await;
        let works = |email: &str| {
            claim(Identity { email: email.into(), company: "Works".into(), country: "DE".into(), ..Default::default() })
        };
        let by_name = world.resolve_one(company("Works AG", "DE")).await;
        assert_eq!(world.resolve_one(works("ada@works.de")).await.account_id, by_name.account_id);
        assert_eq!(world.account(&by_name.account_id).await.domains, ["works.de"]);
        // Anybody may write a known name into a form; it takes nothing over.
        let other = world.resolve_one(works("eve@works.example")).await;
        assert!(other.account_created);
        assert_eq!(world.account(&by_name.account_id).await.domains, ["works.de"]);
        assert_eq!(world.account(&other.account_id).await.domains, ["works.example"]);
        // The name still leads to the account that had it first.
        assert_eq!(world.resolve_one(company("Works", "DE")).await.account_id, by_name.account_id);
    }

    async fn a_person_stays_at_the_account_whatever_name_is_told_next(database) {
        let world = World::start(database).await;
        let at = |name: &str, domain: &str| {
            claim(Identity {
                email: "ada@gmail.com".into(),
                company: name.into(),
                domain: domain.into(),
                ..Default::default()
            })
        };
        let first = world.resolve_one(at("Works", "")).await;
        assert_eq!(world.resolve_one(at("Other", "")).await.account_id, first.account_id);
        assert_eq!(world.resolve_one(email("ada@gmail.com")).await.account_id, first.account_id);
        // The account has no domain yet: so this one is its own. A second one is another organisation.
        assert_eq!(world.resolve_one(at("", "works.de")).await.account_id, first.account_id);
        let other = world.resolve_one(at("", "other.de")).await;
        assert_ne!(other.account_id, first.account_id);
        assert_eq!(world.contact(&first.contact_id).await.account_id, first.account_id);
    }

    async fn an_external_id_is_one_persons_within_its_source(database) {
        let world = World::start(database).await;
        let first = world.resolve_one(external("expo", "4711")).await;
        assert_eq!(world.resolve_one(external("expo", "4711")).await.contact_id, first.contact_id);
        let other = world.resolve_one(external("newsletter", "4711")).await;
        assert!(other.contact_created);
        assert_ne!(other.contact_id, first.contact_id);
    }

    async fn a_visitor_who_tells_an_address_later_stays_the_same_contact(database) {
        let world = World::start(database).await;
        let visitor = |email: &str| {
            claim(Identity { anonymous_id: "cookie-1".into(), email: email.into(), ..Default::default() })
        };
        let unknown = world.resolve_one(visitor("")).await;
        let told = world.resolve_one(visitor("ada@example.de")).await;
        assert_eq!(told.contact_id, unknown.contact_id);
        assert_eq!(world.contact(&told.contact_id).await.account_id, told.account_id);
        // The next person at that device is another one; the device stays with the first.
        let next = world.resolve_one(visitor("bert@example.de")).await;
        assert_ne!(next.contact_id, told.contact_id);
        assert_eq!(world.resolve_one(visitor("")).await.contact_id, told.contact_id);
        assert_eq!(world.contact(&told.contact_id).await.emails, ["ada@example.de"]);
    }

    async fn two_strong_different_identities_are_never_merged(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(email("ada@example.de")).await;
        let badge = world.resolve_one(external("expo", "4711")).await;
        // One claim that names both leaves them two: the address decides.
        let both = Identity { email: "ada@example.de".into(), external_id: "4711".into(), ..Default::default() };
        let both = IdentityClaim { identity: Some(both), source: "expo".into(), ..Default::default() };
        assert_eq!(world.resolve_one(both).await.contact_id, ada.contact_id);
        assert_eq!(world.resolve_one(external("expo", "4711")).await.contact_id, badge.contact_id);
        assert!(world.contact(&badge.contact_id).await.emails.is_empty());

        // Two people who share a device are two by their ids in one source, and one who has two sources is one.
        let at_kiosk = |source: &str, id: &str| {
            let identity = Identity { external_id: id.into(), anonymous_id: "kiosk".into(), ..Default::default() };
            IdentityClaim { identity: Some(identity), source: source.into(), ..Default::default() }
        };
        let first = world.resolve_one(at_kiosk("expo", "1")).await;
        let second = world.resolve_one(at_kiosk("expo", "2")).await;
        assert!(second.contact_created);
        assert_ne!(second.contact_id, first.contact_id);
        assert_eq!(world.resolve_one(at_kiosk("newsletter", "9")).await.contact_id, first.contact_id);
        assert_eq!(world.resolve_one(external("expo", "2")).await.contact_id, second.contact_id);
        let told = Identity {
            anonymous_id: "kiosk".into(),
            external_id: "3".into(),
            email: "eve@example.de".into(),
            ..Default::default()
        };
        let eve = world.resolve_one(IdentityClaim { identity: Some(told), source: "expo".into(), ..Default::default() }).await;
        assert_ne!(eve.contact_id, first.contact_id);
    }

    async fn a_phone_of_one_person_tells_who_it_is_in_any_writing(database) {
        let world = World::start(database).await;
        let mut ada = with_phone("ada@example.de", "030 901820");
        ada.identity.as_mut().unwrap().country = "DE".into();
        let ada = world.resolve_one(ada).await;
        assert_eq!(world.contact(&ada.contact_id).await.phones, ["+4930901820"]);
        let call = world.resolve_one(phone("+49 (30) 90 18 20")).await;
        assert_eq!((call.contact_id, call.account_id), (ada.contact_id, ada.account_id));
    }

    async fn a_phone_that_several_have_tells_nobody_and_makes_nobody(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(with_phone("ada@example.de", "+4930901820")).await;
        let bert = world.resolve_one(with_phone("bert@example.de", "+4930901820")).await;
        assert_ne!(ada.contact_id, bert.contact_id);
        for _ in 0..3 {
            let mut call = phone("+4930901820");
            call.identity.as_mut().unwrap().company = "Works".into();
            let call = world.resolve_one(call).await;
            assert_eq!(call.contact_id, "");
            assert_ne!(call.account_id, "");
        }
        assert_eq!(world.contacts().await.len(), 2);
    }

    async fn a_caller_who_was_known_by_nothing_but_the_phone_stays_the_one(database) {
        let world = World::start(database).await;
        let caller = world.resolve_one(phone("+4930901820")).await;
        for address in ["ada@example.de", "bert@example.de"] {
            assert_ne!(world.resolve_one(with_phone(address, "+4930901820")).await.contact_id, caller.contact_id);
            assert_eq!(world.resolve_one(phone("+4930901820")).await.contact_id, caller.contact_id);
        }
        assert_eq!(world.contacts().await.len(), 3);
    }

    async fn what_is_known_stays_and_the_unknown_is_filled_in(database) {
        let world = World::start(database).await;
        let first = Identity {
            email: "ada@example.de".into(),
            given_name: "Ada".into(),
            region: "Berlin".into(),
            ..Default::default()
        };
        let id = world.resolve_one(claim(first)).await;
        world.hand.advance(1_000);
        let second = Identity {
            email: "ada@example.de".into(),
            given_name: "Adele".into(),
            family_name: "Lovelace".into(),
            job_title: "Head of laboratory".into(),
            company: "Example Works".into(),
            country: "de".into(),
            region: "Bayern".into(),
            postal_code: "10115".into(),
            phone: "030 901820".into(),
            ..Default::default()
        };
        let filled = world.resolve_one(claim(second.clone())).await;
        assert_eq!(filled.account_revision, 2);
        let contact = world.contact(&id.contact_id).await;
        assert_eq!((contact.given_name.as_str(), contact.family_name.as_str()), ("Ada", "Lovelace"));
        assert_eq!((contact.job_title.as_str(), contact.phones.len(), contact.revision), ("Head of laboratory", 1, 2));
        assert_eq!(contact.profile.unwrap().country, "DE");
        assert!(contact.update_time.unwrap().seconds > contact.create_time.unwrap().seconds);
        let account = world.account(&id.account_id).await;
        assert_eq!((account.name.as_str(), account.region.as_str()), ("Example Works", "Berlin"));
        assert_eq!((account.country.as_str(), account.postal_code.as_str()), ("DE", "10115"));
        // Nothing new: no new revision.
        assert_eq!(world.resolve_one(claim(second)).await.account_revision, 2);
        assert_eq!(world.contact(&id.contact_id).await.revision, 2);
    }

    async fn a_country_that_is_learnt_later_leads_to_the_same_account(database) {
        let world = World::start(database).await;
        let works = world.resolve_one(claim(Identity {
            domain: "works.de".into(),
            company: "Works".into(),
            ..Default::default()
        })).await;
        world.resolve_one(claim(Identity {
            domain: "works.de".into(),
            country: "DE".into(),
            ..Default::default()
        })).await;
        assert_eq!(world.resolve_one(company("Works", "DE")).await.account_id, works.account_id);
        assert_eq!(world.resolve_one(company("Works", "")).await.account_id, works.account_id);
        // Neither is lost when a person changes something else.
        let account = world.account(&works.account_id).await;
        world.update(Account { industry: "Chemicals".into(), ..account }, &["industry"]).await.unwrap();
        for country in ["DE", ""] {
            assert_eq!(world.resolve_one(company("Works", country)).await.account_id, works.account_id);
        }
    }

    async fn a_name_that_another_account_has_stays_with_it(database) {
        let world = World::start(database).await;
        let first = world.resolve_one(company("Works", "DE")).await;
        world.update(Account {
            account_id: first.account_id.clone(),
            ..named("", &["works.de"])
        }, &["domains"]).await.unwrap();
        // The country is known, and the claim does not repeat it.
        let at = |company: &str, country: &str| {
            claim(Identity {
                domain: "other.de".into(),
                company: company.into(),
                country: country.into(),
                ..Default::default()
            })
        };
        let second = world.resolve_one(at("", "DE")).await;
        assert_eq!(world.resolve_one(at("Works", "")).await.account_id, second.account_id);
        assert_eq!(world.account(&second.account_id).await.name, "Works");
        assert_eq!(world.resolve_one(company("Works", "DE")).await.account_id, first.account_id);
    }
}
