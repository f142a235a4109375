//! Accounts and contacts in bulk, line by line.

use leadflow_harness::on_each_database;
use leadflow_platform::{audit, ids};
use leadflow_proto::contact::v1::{
    Account, AccountLine, ContactLine, ContactProfile, Identity, ImportAccountsRequest, ImportContactsRequest,
    ImportResult, Relation, import_result::Outcome,
};
use sea_orm::EntityTrait as _;
use tonic::Code;

use crate::support::{World, claim, company, email, fields, item_refusal, named, reason, referenced};

fn line(account: Account, parent: &str) -> AccountLine {
    AccountLine { account: Some(account), parent: parent.to_owned() }
}

async fn import(world: &World, lines: Vec<AccountLine>) -> Vec<ImportResult> {
    let request = ImportAccountsRequest { lines, ..Default::default() };
    world.importer().import_accounts(request).await.unwrap().into_inner().results
}

fn outcomes(results: &[ImportResult]) -> Vec<Outcome> {
    results.iter().map(ImportResult::outcome).collect()
}

/// Two groups of companies, the parents first.
fn groups() -> Vec<AccountLine> {
    let works = Account {
        country: "DE".into(),
        industry: "Chemicals".into(),
        employees: Some(1_200),
        relation: Relation::Customer.into(),
        ..referenced("10023", "Works AG", &["works.de"])
    };
    vec![
        line(works, ""),
        line(Account { country: "DE".into(), ..named("Lab", &["lab.de"]) }, "10023"),
        line(Account { country: "AT".into(), ..named("Shop", &[]) }, "works"),
    ]
}

fn person(email: &str, given_name: &str) -> Identity {
    Identity { email: email.into(), given_name: given_name.into(), ..Default::default() }
}

fn contact(identity: Identity, account: &str) -> ContactLine {
    ContactLine { identity: Some(identity), profile: None, account: account.to_owned() }
}

async fn import_people(world: &World, lines: Vec<ContactLine>) -> Vec<ImportResult> {
    let request = ImportContactsRequest { lines, source: "crm".into(), ..Default::default() };
    world.importer().import_contacts(request).await.unwrap().into_inner().results
}

on_each_database! {
    async fn lines_become_accounts_with_their_parents_and_the_same_lines_again_change_nothing(database) {
        let world = World::start(database).await;
        let first = import(&world, groups()).await;
        assert_eq!(outcomes(&first), [Outcome::Created; 3]);
        let accounts = world.accounts().await;
        let tree: Vec<_> = accounts.iter().map(|one| (one.name.as_str(), one.parent_account_id.as_str())).collect();
        assert_eq!(tree, [("Lab", &*first[0].id), ("Shop", &*first[0].id), ("Works AG", "")]);
        let again = import(&world, groups()).await;
        assert_eq!(outcomes(&again), [Outcome::Unchanged; 3]);
        assert!(again.iter().map(|one| &one.id).eq(first.iter().map(|one| &one.id)));
        assert_eq!(world.accounts().await, accounts);
        world.settle().await;
        assert_eq!(world.heard.accounts().len(), 3, "what is as it was is not announced");
    }

    async fn a_line_changes_what_it_says_and_nothing_else(database) {
        let world = World::start(database).await;
        let first = import(&world, groups()).await;
        let before = world.account(&first[0].id).await;
        let said = Account { employees: Some(1_300), ..referenced("10023", "", &["works.com"]) };
        let by_id = Account { account_id: first[1].id.clone(), owner_rep: "anna".into(), ..Default::default() };
        assert_eq!(outcomes(&import(&world, vec![line(said, ""), line(by_id, "")]).await), [Outcome::Updated; 2]);
        let after = world.account(&first[0].id).await;
        let expected = Account {
            employees: Some(1_300),
            domains: vec!["works.com".into(), "works.de".into()],
            revision: 2,
            etag: "2".into(),
            update_time: after.update_time,
            ..before
        };
        assert_eq!(after, expected);
        assert_eq!(world.account(&first[1].id).await.owner_rep, "anna");
    }

    async fn what_activities_have_made_is_found_and_not_made_again(database) {
        let world = World::start(database).await;
        let by_domain = world.resolve_one(email("ada@works.de")).await;
        let by_name = world.resolve_one(company("Shop GmbH", "AT")).await;
        let results = import(&world, groups()).await;
        assert_eq!(outcomes(&results), [Outcome::Updated, Outcome::Created, Outcome::Updated]);
        assert_eq!((&results[0].id, &results[2].id), (&by_domain.account_id, &by_name.account_id));
        assert_eq!(world.account(&by_domain.account_id).await.name, "Works AG");
    }

    async fn a_line_about_what_was_merged_is_about_what_it_was_merged_into(database) {
        let world = World::start(database).await;
        let first = import(&world, groups()).await;
        let (works, lab) = (&first[0].id, &first[1].id);
        let merge = world.merge_accounts(works, lab).await;
        let said = |industry: &str| line(Account { industry: industry.into(), ..named("Lab", &["lab.de"]) }, "");
        let results = import(&world, vec![said("Pharma"), said("Pharma")]).await;
        assert_eq!(outcomes(&results), [Outcome::Updated, Outcome::Unchanged]);
        assert_eq!((&results[0].id, &results[1].id), (works, works));
        world.undo(&merge.merge_id).await.unwrap();
        assert_eq!(world.account(works).await.industry, "Pharma");
        assert_eq!(world.account(lab).await.industry, "");
    }

    async fn a_line_that_makes_no_sense_is_refused_by_its_field_and_the_others_stand(database) {
        let world = World::start(database).await;
        import(&world, groups()).await;
        let before = world.accounts().await;
        let in_de = |account: Account| Account { country: "DE".into(), ..account };
        world.create(Account { country: "FR".into(), ..named("Shop", &[]) }).await;
        let unknown = ids::new().to_string();
        let refused = vec![
            (line(named("", &[]), ""), "INVALID_FIELD", "account.name"),
            (line(referenced("new", "", &[]), ""), "INVALID_FIELD", "account.name"),
            (line(named("Mail", &["gmail.com"]), ""), "FREE_MAIL_DOMAIN", "account.domains[0]"),
            (line(Account { country: "Germany".into(), ..named("New", &[]) }, ""), "INVALID_COUNTRY", "account.country"),
            (line(Account { account_id: unknown, ..Default::default() }, ""), "UNKNOWN_ACCOUNT", "account.account_id"),
            (line(named("New", &["works.de", "lab.de"]), ""), "AMBIGUOUS_ACCOUNT", "account"),
            (line(referenced("10024", "New", &["works.de"]), ""), "DOMAIN_TAKEN", "account.domains"),
            (line(named("Shop", &[]), ""), "AMBIGUOUS_ACCOUNT", "account"),
            (line(in_de(named("New", &[])), "Nobody"), "UNKNOWN_PARENT", "parent"),
            (line(in_de(named("New", &[])), "Shop"), "AMBIGUOUS_ACCOUNT", "parent"),
            (line(referenced("10023", "", &[]), "Lab"), "HIERARCHY_CYCLE", "parent"),
            (
                line(Account { parent_account_id: before[0].account_id.clone(), ..named("New", &[]) }, ""),
                "INVALID_FIELD",
                "account.parent_account_id",
            ),
        ];
        let mut lines: Vec<_> = refused.iter().map(|(line, ..)| line.clone()).collect();
        lines.push(line(named("Good", &["good.de"]), "Lab"));
        let results = import(&world, lines).await;
        for (index, (line, reason, field)) in refused.iter().enumerate() {
            let expected = ((*reason).to_owned(), vec![format!("lines[{index}].{field}")]);
            assert_eq!(item_refusal(results[index].error.as_ref()), expected, "{line:?}");
            assert_eq!((results[index].outcome(), results[index].id.as_str()), (Outcome::Rejected, ""));
        }
        assert_eq!(results.last().unwrap().outcome(), Outcome::Created);
        let mut after = world.accounts().await;
        after.retain(|one| one.name != "Good" && one.country != "FR");
        assert_eq!(after, before);

        let request = ImportAccountsRequest { lines: vec![AccountLine::default(); 1001], ..Default::default() };
        let error = world.importer().import_accounts(request).await.unwrap_err();
        assert_eq!((error.code(), reason(&error).as_str()), (Code::InvalidArgument, "TOO_MANY_ITEMS"));
        assert_eq!(fields(&error), ["lines"]);
    }

    async fn a_dry_run_says_the_same_and_changes_nothing(database) {
        let world = World::start(database).await;
        let mut lines = groups();
        lines.push(line(named("New", &[]), "Nobody"));
        let request = ImportAccountsRequest { lines: lines.clone(), validate_only: true, ..Default::default() };
        let tried = world.importer().import_accounts(request).await.unwrap().into_inner().results;
        assert!(world.accounts().await.is_empty());
        assert_eq!(outcomes(&tried), outcomes(&import(&world, lines).await));
        let request = ImportContactsRequest {
            lines: vec![contact(person("ada@works.de", "Ada"), "10023")],
            validate_only: true,
            ..Default::default()
        };
        let tried = world.importer().import_contacts(request).await.unwrap().into_inner().results;
        assert_eq!(outcomes(&tried), [Outcome::Created]);
        assert!(world.contacts().await.is_empty());
    }

    async fn a_repeated_request_gets_the_first_answer_and_is_recorded_once(database) {
        let world = World::start(database).await;
        let mut lines = groups();
        lines.push(line(named("New", &[]), "Nobody"));
        let request =
            ImportAccountsRequest { lines, request_id: ids::new().to_string(), ..Default::default() };
        let first = world.importer().import_accounts(request.clone()).await.unwrap().into_inner();
        assert_eq!(world.importer().import_accounts(request.clone()).await.unwrap().into_inner(), first);
        let other = ImportAccountsRequest { lines: groups(), ..request };
        assert_eq!(reason(&world.importer().import_accounts(other).await.unwrap_err()), "REQUEST_ID_REUSED");
        let tables = world.tables().await;
        let rows = audit::Entity::find().all(tables.reader()).await.unwrap();
        let rows: Vec<_> = rows.iter().map(|row| (row.principal.as_str(), row.method.as_str())).collect();
        assert_eq!(rows, [("tester", "ImportAccounts")]);
        tables.close().await;
    }

    async fn lines_become_contacts_at_their_accounts_by_the_rules_of_activities(database) {
        let world = World::start(database).await;
        let accounts = import(&world, groups()).await;
        let known = world.resolve_one(email("ada@works.de")).await;
        let ada = ContactLine {
            profile: Some(ContactProfile {
                role: "decision_maker".into(),
                stage: "customer".into(),
                ..Default::default()
            }),
            ..contact(person("Ada@works.de", "Ada"), "")
        };
        let bert = Identity { external_id: "7".into(), phone: "+4930901820".into(), ..person("", "Bert") };
        let lines = vec![ada, contact(bert, "10023"), contact(person("eve@elsewhere.de", "Eve"), &accounts[1].id)];
        let results = import_people(&world, lines.clone()).await;
        assert_eq!(outcomes(&results), [Outcome::Updated, Outcome::Created, Outcome::Created]);
        assert_eq!(results[0].id, known.contact_id);
        let people = [&results[0], &results[1], &results[2]];
        let mut at = Vec::new();
        for one in people {
            at.push(world.contact(&one.id).await);
        }
        assert_eq!((at[0].given_name.as_str(), at[0].profile.as_ref().unwrap().role.as_str()), ("Ada", "decision_maker"));
        assert_eq!(at[0].profile.as_ref().unwrap().stage, "customer", "the person's own, whatever the account is");
        assert_eq!((&at[1].account_id, &at[2].account_id), (&accounts[0].id, &accounts[1].id));
        assert_eq!(outcomes(&import_people(&world, lines).await), [Outcome::Unchanged; 3]);
        // An activity with the id of that system is Bert's.
        let mut of_bert = claim(Identity { external_id: "7".into(), ..Default::default() });
        of_bert.source = "crm".into();
        assert_eq!(world.resolve_one(of_bert).await.contact_id, results[1].id);
    }

    async fn who_gets_another_name_by_an_import_is_found_by_it(database) {
        let world = World::start(database).await;
        let of = |given_name: &str, family_name: &str, email: &str| Identity {
            email: email.into(),
            given_name: given_name.into(),
            family_name: family_name.into(),
            company: "Kestrel Optics".into(),
            country: "DE".into(),
            ..Default::default()
        };
        let known = world.resolve_one(claim(of("Barnaby", "Quillfeather", "ah@kestrel.example"))).await;
        let line = contact(of("Araminta", "Halbersteen", "ah@kestrel.example"), "");
        assert_eq!(outcomes(&import_people(&world, vec![line]).await), [Outcome::Updated]);
        let badge = world.resolve_one(claim(of("Araminta", "Halbersteen", ""))).await;
        assert_eq!((badge.contact_id, badge.contact_created), (known.contact_id, false));
    }

    async fn a_person_that_makes_no_sense_is_refused_by_its_field_and_the_others_stand(database) {
        let world = World::start(database).await;
        let with = |change: fn(&mut Identity)| {
            let mut identity = person("ada@works.de", "Ada");
            change(&mut identity);
            contact(identity, "")
        };
        for at in ["one@works.de", "two@works.de"] {
            let identity = Identity { phone: "+4930901820".into(), ..person(at, "") };
            world.resolve_one(claim(identity)).await;
        }
        let refused = [(ContactLine::default(), "MISSING_IDENTITY", "identity"),
            (with(|one| { one.email.clear(); one.company = "Works".into(); }), "MISSING_IDENTITY", "identity"),
            (with(|one| one.email = "ada".into()), "INVALID_EMAIL", "identity.email"),
            (with(|one| one.phone = "call me".into()), "INVALID_PHONE", "identity.phone"),
            (with(|one| one.country = "Germany".into()), "INVALID_COUNTRY", "identity.country"),
            (with(|one| { one.email.clear(); one.phone = "+4930901820".into(); }), "AMBIGUOUS_CONTACT", "identity.phone"),
            (contact(person("eve@works.de", ""), "nowhere"), "UNKNOWN_ACCOUNT", "account")];
        let mut lines: Vec<_> = refused.iter().map(|(line, ..)| line.clone()).collect();
        lines.push(contact(person("good@works.de", "Good"), ""));
        let results = import_people(&world, lines).await;
        for (index, (line, reason, field)) in refused.iter().enumerate() {
            let expected = ((*reason).to_owned(), vec![format!("lines[{index}].{field}")]);
            assert_eq!(item_refusal(results[index].error.as_ref()), expected, "{line:?}");
        }
        assert_eq!(results.last().unwrap().outcome(), Outcome::Created);
        assert_eq!(world.contacts().await.len(), 3);
    }
}
