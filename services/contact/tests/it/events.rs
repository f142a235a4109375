//! What is announced of accounts and contacts.

use leadflow_harness::on_each_database;
use leadflow_proto::contact::v1::{
    Account, ApplyConfigurationRequest, Contact, ContactProfile, CreateAccountRequest, Identity, UpdateContactRequest,
};

use crate::support::{World, claim, email, mask, named, referenced};

on_each_database! {
    async fn each_change_is_announced_once_with_the_next_revision(database) {
        let world = World::start(database).await;
        let account = world.create(named("Works", &["works.de"])).await;
        let account = Account { industry: "Chemicals".into(), ..account };
        world.update(account.clone(), &["industry"]).await.unwrap();
        // The same again changes nothing.
        world.update(Account { etag: String::new(), ..account.clone() }, &["industry"]).await.unwrap();
        let ada = Identity { email: "ada@works.de".into(), ..Default::default() };
        let bert = Identity { email: "bert@works.de".into(), country: "DE".into(), ..Default::default() };
        // One call is one change of the account, whatever it says of it.
        let berlin = Identity { email: "carl@works.de".into(), region: "Berlin".into(), ..Default::default() };
        let results = world.resolve(vec![claim(ada.clone()), claim(bert), claim(berlin)]).await;
        world.resolve_one(claim(ada)).await;
        world.apply(vec![referenced("works", "Works", &["works.de"])]).await;
        world.apply(vec![referenced("works", "Works", &["works.de"])]).await;
        world.settle().await;

        let revisions: Vec<_> = world.heard.accounts().into_iter().map(|one| one.revision).collect();
        assert_eq!(revisions, [1, 2, 3, 4]);
        let last = world.heard.accounts().pop().unwrap();
        assert_eq!(last, world.account(&account.account_id).await);
        assert_eq!((last.country.as_str(), last.region.as_str(), last.reference.as_str()), ("DE", "Berlin", "works"));
        let contacts: Vec<_> = world.heard.contacts().into_iter().map(|one| (one.contact_id, one.revision)).collect();
        let created: Vec<_> = results.into_iter().map(|one| (one.contact_id, 1)).collect();
        assert_eq!(sorted(contacts), sorted(created));
    }

    async fn an_event_of_a_contact_names_nobody(database) {
        let world = World::start(database).await;
        let identity = Identity {
            email: "ottilie.lovelace@works.de".into(),
            phone: "+4930901820".into(),
            external_id: "badge-1".into(),
            anonymous_id: "cookie-1".into(),
            given_name: "Ottilie".into(),
            family_name: "Lovelace".into(),
            job_title: "Head of engines".into(),
            country: "DE".into(),
            ..Default::default()
        };
        let ada = world.resolve_one(claim(identity)).await;
        let profile = ContactProfile { role: "decision_maker".into(), ..Default::default() };
        let contact = Contact {
            contact_id: ada.contact_id.clone(),
            family_name: "King".into(),
            profile: Some(profile),
            ..Default::default()
        };
        let request = UpdateContactRequest {
            contact: Some(contact),
            update_mask: mask(&["family_name", "profile.role"]),
            ..Default::default()
        };
        world.client().update_contact(request).await.unwrap();
        world.settle().await;

        let heard = world.heard.contacts();
        assert_eq!(heard.iter().map(|one| one.revision).collect::<Vec<_>>(), [1, 2]);
        assert!(heard.iter().all(|one| one.contact_id == ada.contact_id && one.account_id == ada.account_id));
        let profile = heard[1].profile.clone().unwrap();
        assert_eq!((profile.role.as_str(), profile.country.as_str()), ("decision_maker", "DE"));
        for message in world.heard.on("leadflow.contact.v1.changed") {
            let text = String::from_utf8_lossy(&message.payload).to_lowercase();
            for word in ["ottilie", "lovelace", "king", "works", "901820", "badge", "cookie", "engines"] {
                assert!(!text.contains(word), "{word} in {text}");
            }
            let header = |name: &str| message.headers.as_ref().unwrap().get(name).unwrap().to_string();
            assert_eq!((header("ce-source").as_str(), header("ce-type")), ("contact", message.subject.to_string()));
        }
    }

    async fn what_is_refused_or_only_tried_is_not_announced(database) {
        let world = World::start(database).await;
        world.resolve(vec![email("nobody")]).await;
        let account = Some(named("Mail", &["gmail.com"]));
        let request = CreateAccountRequest { account, ..Default::default() };
        world.client().create_account(request).await.unwrap_err();
        let accounts = vec![referenced("works", "Works", &["works.de"])];
        let request = ApplyConfigurationRequest { accounts, validate_only: true, ..Default::default() };
        world.client().apply_configuration(request).await.unwrap();
        world.settle().await;
        assert!(world.heard.accounts().is_empty() && world.heard.contacts().is_empty());
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}
