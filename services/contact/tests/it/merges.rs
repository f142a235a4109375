//! Merging what is known twice, and taking it apart again.

use leadflow_harness::on_each_database;
use leadflow_platform::ids;
use leadflow_proto::contact::v1::{
    Account, Contact, Identity, ListContactsRequest, ListMergesRequest, MergeKind, MergeRequest, PreviewMergeRequest,
    UndoMergeRequest, preview_merge_response::Result as Shown,
};
use tonic::Code;

use crate::support::{World, claim, email, fields, named, reason};

/// An account without what changes with each change.
fn content(account: Account) -> Account {
    Account { revision: 0, etag: String::new(), update_time: None, ..account }
}

fn person(contact: Contact) -> Contact {
    Contact { revision: 0, etag: String::new(), update_time: None, ..contact }
}

/// `of` merged into `into`.
fn accounts(into: &Account, of: &Account) -> MergeRequest {
    MergeRequest {
        kind: MergeKind::Account.into(),
        survivor_id: into.account_id.clone(),
        merged_id: of.account_id.clone(),
        note: "the same company".to_owned(),
        ..Default::default()
    }
}

fn contacts(into: &str, of: &str) -> MergeRequest {
    MergeRequest {
        kind: MergeKind::Contact.into(),
        survivor_id: into.to_owned(),
        merged_id: of.to_owned(),
        ..Default::default()
    }
}

async fn contacts_at(world: &World, account_id: &str) -> Vec<Contact> {
    let request = ListContactsRequest { account_id: account_id.to_owned(), ..Default::default() };
    world.client().list_contacts(request).await.unwrap().into_inner().contacts
}

on_each_database! {
    async fn a_merge_does_what_its_preview_shows(database) {
        let world = World::start(database).await;
        let works = Account { country: "DE".into(), ..named("Works", &["works.de"]) };
        let works = world.create(works).await;
        let other = Account { country: "DE".into(), region: "Berlin".into(), employees: Some(90), owner_rep: "anna".into(), ..named("Works Labs", &["works-labs.de"]) };
        let other = world.create(other).await;
        let ada = world.resolve_one(email("ada@works-labs.de")).await;
        let ben = world.resolve_one(email("ben@works.de")).await;

        let request = PreviewMergeRequest {
            kind: MergeKind::Account.into(),
            survivor_id: works.account_id.clone(),
            merged_id: other.account_id.clone(),
        };
        let preview = world.merges().preview_merge(request).await.unwrap().into_inner();
        let Some(Shown::Account(shown)) = preview.result else { panic!("no account") };
        assert_eq!(shown.domains, ["works-labs.de", "works.de"]);
        assert_eq!((shown.name.as_str(), shown.region.as_str(), shown.employees), ("Works", "Berlin", Some(90)));
        assert_eq!(shown.owner_rep, "anna");
        let conflicts: Vec<_> = preview.conflicts.iter().map(|one| (one.field.as_str(), one.kept.as_str(), one.hidden.as_str())).collect();
        assert_eq!(conflicts, [("name", "Works", "Works Labs")]);
        assert_eq!(world.account(&other.account_id).await, other, "a preview changes nothing");

        let request = MergeRequest { survivor_etag: preview.survivor_etag, merged_etag: preview.merged_etag, ..accounts(&works, &other) };
        world.merge(request).await.unwrap();
        let merged = world.account(&works.account_id).await;
        assert_eq!(content(merged.clone()), content(shown));
        assert_eq!(merged.merged_account_ids, std::slice::from_ref(&other.account_id));
        assert_eq!(world.account(&other.account_id).await, merged, "the old id leads to the survivor");
        assert_eq!(world.accounts().await, std::slice::from_ref(&merged));
        for id in [&works.account_id, &other.account_id] {
            let at = contacts_at(&world, id).await;
            assert_eq!(at.iter().map(|one| &one.contact_id).collect::<Vec<_>>(), [&ben.contact_id, &ada.contact_id]);
            assert!(at.iter().all(|one| one.account_id == works.account_id));
        }
    }

    async fn what_comes_after_a_merge_belongs_to_the_side_of_its_identity(database) {
        let world = World::start(database).await;
        let (a, b) = (world.create(named("A", &["a.de"])).await, world.create(named("B", &["b.de"])).await);
        let merge = world.merge(accounts(&b, &a)).await.unwrap();
        let ada = world.resolve_one(email("ada@a.de")).await;
        assert_eq!((&ada.account_id, &ada.origin_account_id), (&b.account_id, &a.account_id));
        let ben = world.resolve_one(email("ben@b.de")).await;
        assert_eq!((&ben.account_id, &ben.origin_account_id), (&b.account_id, &b.account_id));

        world.undo(&merge.merge_id).await.unwrap();
        let again = world.resolve_one(email("ada@a.de")).await;
        assert_eq!((&again.contact_id, &again.account_id), (&ada.contact_id, &a.account_id));
        assert_eq!(contacts_at(&world, &a.account_id).await.len(), 1);
        assert_eq!(contacts_at(&world, &b.account_id).await.len(), 1);
    }

    async fn merged_people_are_one_until_the_merge_is_undone(database) {
        let world = World::start(database).await;
        let at_old = Identity { email: "ada@old.de".into(), given_name: "Ada".into(), family_name: "Byron".into(), ..Default::default() };
        let at_new = Identity { email: "ada@new.de".into(), given_name: "Ada".into(), family_name: "Lovelace".into(), job_title: "Head".into(), ..Default::default() };
        let (old, new) = (world.resolve_one(claim(at_old)).await, world.resolve_one(claim(at_new)).await);
        let before = (world.contact(&old.contact_id).await, world.contact(&new.contact_id).await);
        let merge = world.merge(contacts(&new.contact_id, &old.contact_id)).await.unwrap();
        let one = world.contact(&old.contact_id).await;
        assert_eq!((&one.contact_id, one.emails.len()), (&new.contact_id, 2));
        assert_eq!((one.family_name.as_str(), one.account_id.as_str()), ("Lovelace", new.account_id.as_str()));
        // Who changes employer leaves what happened where it was: the old address still leads to the old account.
        let seen = world.resolve_one(email("ada@old.de")).await;
        assert_eq!((&seen.contact_id, &seen.origin_contact_id), (&new.contact_id, &old.contact_id));
        assert_eq!(seen.account_id, old.account_id);
        world.undo(&merge.merge_id).await.unwrap();
        let after = (world.contact(&old.contact_id).await, world.contact(&new.contact_id).await);
        assert_eq!((person(after.0), person(after.1)), (person(before.0), person(before.1)));
    }

    async fn merges_in_a_chain_are_undone_in_any_order(database) {
        let world = World::start(database).await;
        for order in [[0, 1], [1, 0]] {
            let mut all = Vec::new();
            for name in ["a", "b", "c"] {
                all.push(world.create(named(&format!("{name}{order:?}"), &[&format!("{name}{}.de", order[0])])).await);
            }
            let merges = [world.merge(accounts(&all[1], &all[0])).await.unwrap(), world.merge(accounts(&all[2], &all[1])).await.unwrap()];
            assert_eq!(world.account(&all[0].account_id).await.domains.len(), 3);
            world.undo(&merges[order[0]].merge_id).await.unwrap();
            let leads_to = world.account(&all[0].account_id).await.account_id;
            assert_eq!(leads_to, if order[0] == 0 { &*all[0].account_id } else { &*all[1].account_id });
            world.undo(&merges[order[1]].merge_id).await.unwrap();
            for one in all {
                assert_eq!(content(world.account(&one.account_id).await), content(one));
            }
        }
    }

    async fn what_cannot_be_merged_is_refused_and_nothing_is_done(database) {
        let world = World::start(database).await;
        let (a, b, c) = (world.create(named("A", &[])).await, world.create(named("B", &[])).await, world.create(named("C", &[])).await);
        world.merge(accounts(&b, &a)).await.unwrap();
        let gone = Account { account_id: ids::new().to_string(), ..Default::default() };
        let stale = MergeRequest { merged_etag: "7".into(), ..accounts(&b, &c) };
        let kind = MergeRequest { kind: 0, ..accounts(&b, &c) };
        let people = MergeRequest { kind: MergeKind::Contact.into(), ..accounts(&b, &c) };
        for (request, code, expected, field) in [
            (accounts(&c, &c), Code::InvalidArgument, "SAME_SIDE", "merged_id"),
            (accounts(&c, &a), Code::FailedPrecondition, "ALREADY_MERGED", "merged_id"),
            (accounts(&a, &c), Code::FailedPrecondition, "ALREADY_MERGED", "survivor_id"),
            (accounts(&a, &b), Code::FailedPrecondition, "ALREADY_MERGED", "survivor_id"),
            (accounts(&gone, &c), Code::NotFound, "NOT_FOUND", "survivor_id"),
            (accounts(&c, &gone), Code::NotFound, "NOT_FOUND", "merged_id"),
            (people, Code::NotFound, "NOT_FOUND", "survivor_id"),
            (stale, Code::Aborted, "STALE_ETAG", "merged_etag"),
            (kind, Code::InvalidArgument, "INVALID_FIELD", "kind"),
        ] {
            let status = world.merge(request).await.unwrap_err();
            assert_eq!((status.code(), reason(&status).as_str()), (code, expected), "{status:?}");
            assert_eq!(fields(&status), [field]);
        }
        assert_eq!(world.account(&c.account_id).await, c);
        assert_eq!(world.list_merges(ListMergesRequest::default()).await.len(), 1);
    }

    async fn a_merge_is_journalled_and_undone_once(database) {
        let world = World::start(database).await;
        let (a, b) = (world.create(named("A", &[])).await, world.create(named("B", &[])).await);
        let request = MergeRequest { request_id: ids::new().to_string(), ..accounts(&b, &a) };
        let merge = world.merge(request.clone()).await.unwrap();
        assert_eq!(world.merge(request).await.unwrap(), merge, "a repeated request gets the first answer");
        assert_eq!((merge.merge_principal.as_str(), merge.note.as_str()), ("tester", "the same company"));
        let undo = UndoMergeRequest { merge_id: merge.merge_id.clone(), note: "two companies".into(), ..Default::default() };
        let undone = world.merges().undo_merge(undo.clone()).await.unwrap().into_inner().merge.unwrap();
        assert_eq!((undone.undo_principal.as_str(), undone.undo_note.as_str()), ("tester", "two companies"));
        let status = world.merges().undo_merge(undo).await.unwrap_err();
        assert_eq!((reason(&status).as_str(), fields(&status)), ("MERGE_UNDONE", vec!["merge_id".to_owned()]));

        let again = world.merge(accounts(&a, &b)).await.unwrap();
        let of_a = ListMergesRequest { resource_id: a.account_id.clone(), ..Default::default() };
        assert_eq!(world.list_merges(of_a.clone()).await, [again.clone(), undone]);
        assert_eq!(world.list_merges(ListMergesRequest { active: true, ..of_a }).await, std::slice::from_ref(&again));
        world.settle().await;
        let told: Vec<_> = world.heard.merges().iter().map(|(fact, merge)| (fact.clone(), merge.merged_id.clone())).collect();
        let fact = |fact: &str, of: &Account| (format!("leadflow.account.v1.{fact}"), of.account_id.clone());
        assert_eq!(told, [fact("merged", &a), fact("unmerged", &a), fact("merged", &b)]);
        let pointers: Vec<_> = world.heard.accounts().iter().filter(|one| one.account_id == a.account_id).map(|one| (one.revision, one.merged_into_account_id.clone())).collect();
        assert_eq!(pointers, [(1, String::new()), (2, b.account_id.clone()), (3, String::new())]);
    }

    async fn a_change_of_what_was_merged_is_shown_as_it_was_asked_for(database) {
        let world = World::start(database).await;
        let a = world.create(Account { country: "DE".into(), region: "Berlin".into(), ..named("A", &["a.de", "aa.de"]) }).await;
        let b = world.create(named("B", &["b.de"])).await;
        let merge = world.merge(accounts(&b, &a)).await.unwrap();
        let shown = world.account(&b.account_id).await;
        let stale = Account { etag: b.etag.clone(), industry: "x".into(), ..shown.clone() };
        assert_eq!(reason(&world.update(stale, &["industry"]).await.unwrap_err()), "STALE_ETAG");
        let domains = ["a.de", "b.de", "new.de"].map(str::to_owned).to_vec();
        let wanted = Account { domains: domains.clone(), region: String::new(), industry: "pharma".into(), ..shown };
        let updated = world.update(wanted.clone(), &[]).await.unwrap();
        assert_eq!(content(updated), content(wanted));
        world.undo(&merge.merge_id).await.unwrap();
        assert_eq!(world.account(&a.account_id).await.domains, ["a.de"]);
        let b = world.account(&b.account_id).await;
        assert_eq!((b.domains.as_slice(), b.industry.as_str()), (&["b.de".to_owned(), "new.de".to_owned()][..], "pharma"));
    }

    async fn a_visitor_who_shows_a_known_address_is_that_person(database) {
        let world = World::start(database).await;
        let cookie = |email: &str| Identity { anonymous_id: "cookie-1".into(), email: email.into(), ..Default::default() };
        let ada = world.resolve_one(email("ada@works.de")).await;
        let visitor = world.resolve_one(claim(cookie(""))).await;
        assert_ne!(visitor.contact_id, ada.contact_id);
        let seen = world.resolve_one(claim(cookie("ada@works.de"))).await;
        assert_eq!((&seen.contact_id, &seen.account_id), (&ada.contact_id, &ada.account_id));
        assert_eq!(seen.recognised_contact_ids, std::slice::from_ref(&visitor.contact_id));
        let back = world.resolve_one(claim(cookie(""))).await;
        assert_eq!((&back.account_id, back.recognised_contact_ids.len()), (&ada.account_id, 0));
        assert_eq!((&back.contact_id, &back.origin_contact_id), (&ada.contact_id, &visitor.contact_id));
        assert_eq!(world.contact(&visitor.contact_id).await.contact_id, ada.contact_id);
        // It is told each time, also to whoever asks only for what is known: an answer may have been lost.
        for again in [world.resolve_one(claim(cookie("ada@works.de"))).await, world.recognise(vec![claim(cookie("ada@works.de"))]).await.remove(0)] {
            assert_eq!((&again.contact_id, again.unknown), (&ada.contact_id, false));
            assert_eq!(again.recognised_contact_ids, std::slice::from_ref(&visitor.contact_id));
        }
        // Two addresses are two people, though they use one device.
        let ben = world.resolve_one(claim(cookie("ben@works.de"))).await;
        assert_ne!(ben.contact_id, ada.contact_id);
        let merges = world.list_merges(ListMergesRequest::default()).await;
        assert_eq!(merges.len(), 1);
        assert_eq!((merges[0].merge_principal.as_str(), &merges[0].merged_id), ("service:contact", &visitor.contact_id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_merges_two_at_once_in_both_directions_merges_them_once() {
    use leadflow_harness::{Backend, TestDatabase};
    let world = World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await;
    let (a, b) = (world.create(named("A", &["a.de"])).await, world.create(named("B", &["b.de"])).await);
    let mut calls = tokio::task::JoinSet::new();
    for at in 0..16 {
        let (mut client, request) = (world.merges(), if at % 2 == 0 { accounts(&a, &b) } else { accounts(&b, &a) });
        calls.spawn(async move { client.merge(request).await });
    }
    let (merged, refused): (Vec<_>, Vec<_>) = calls.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!(merged.len(), 1);
    for status in refused {
        assert_eq!(reason(&status.unwrap_err()), "ALREADY_MERGED");
    }
    assert_eq!(world.accounts().await[0].domains, ["a.de", "b.de"]);
}
