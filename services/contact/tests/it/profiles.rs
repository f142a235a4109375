//! The fields that a company declares for its accounts and contacts, and what is said in them.

use std::collections::HashMap;

use leadflow_harness::on_each_database;
use leadflow_platform::{auth::Credentials, rpc, value};
use leadflow_proto::contact::v1::{
    Account, AccountLine, ApplyConfigurationRequest, Contact, ContactLine, ContactProfile, CreateAccountRequest,
    EraseContactRequest, ExportContactRequest, ImportAccountsRequest, ImportContactsRequest, ListProfileFieldsRequest,
    MergeKind, PreviewMergeRequest, ProfileField, ProfileFieldType, ProfileSubject, UpdateContactRequest,
    import_result::Outcome, preview_merge_response::Result as Shown, privacy_service_client::PrivacyServiceClient,
};
use prost_types::Value;
use serde_json::{Value as Json, json};
use tonic::Code;

use crate::support::{World, email, fields, item_refusal, mask, named, reason, referenced};

fn field(subject: ProfileSubject, name: &str, kind: ProfileFieldType) -> ProfileField {
    let allowed_values = match kind {
        ProfileFieldType::Enum => vec!["key".to_owned(), "other".to_owned()],
        _ => Vec::new(),
    };
    ProfileField {
        subject: subject.into(),
        name: name.into(),
        r#type: kind.into(),
        allowed_values,
        description: "who serves it".into(),
    }
}

fn segment() -> ProfileField {
    field(ProfileSubject::Account, "segment", ProfileFieldType::Enum)
}

fn fleet() -> ProfileField {
    field(ProfileSubject::Account, "fleet", ProfileFieldType::Number)
}

fn speaks() -> ProfileField {
    field(ProfileSubject::Contact, "speaks", ProfileFieldType::String)
}

async fn declare(world: &World, profile_fields: Vec<ProfileField>) -> Result<Vec<(String, String)>, tonic::Status> {
    let request = ApplyConfigurationRequest { profile_fields, ..Default::default() };
    let changes = world.client().apply_configuration(request).await?.into_inner().changes;
    Ok(changes
        .into_iter()
        .map(|one| (format!("{} {}", one.kind, one.name), one.action().as_str_name().to_owned()))
        .collect())
}

/// The world with the fields of these tests.
async fn declared(world: &World) {
    declare(world, vec![segment(), fleet(), speaks()]).await.unwrap();
}

fn values(json: Json) -> HashMap<String, Value> {
    value::map_to_proto(&serde_json::from_value(json).unwrap())
}

fn said(values: &HashMap<String, Value>) -> Json {
    json!(value::map_from_proto("profile", values).unwrap())
}

async fn set(world: &World, account: &Account, profile: Json, path: &str) -> Result<Account, tonic::Status> {
    let account = Account { account_id: account.account_id.clone(), profile: values(profile), ..Default::default() };
    world.update(account, &[path]).await
}

async fn say(world: &World, contact_id: &str, profile: Json) -> Result<Contact, tonic::Status> {
    let profile = ContactProfile { fields: values(profile), ..Default::default() };
    let contact = Contact { contact_id: contact_id.into(), profile: Some(profile), ..Default::default() };
    let request =
        UpdateContactRequest { contact: Some(contact), update_mask: mask(&["profile.fields"]), ..Default::default() };
    Ok(world.client().update_contact(request).await?.into_inner().contact.unwrap())
}

on_each_database! {
    async fn fields_are_declared_once_and_their_type_stays(database) {
        let world = World::start(database).await;
        let created = declare(&world, vec![segment(), speaks()]).await.unwrap();
        let all = ["ProfileField account.segment", "ProfileField contact.speaks"].map(str::to_owned);
        assert_eq!(created, all.clone().map(|name| (name, "ACTION_CREATED".to_owned())));
        let again = declare(&world, vec![segment(), speaks()]).await.unwrap();
        assert_eq!(again, all.map(|name| (name, "ACTION_UNCHANGED".to_owned())));
        let more = ProfileField { allowed_values: vec!["key".into(), "midsize".into()], ..segment() };
        assert_eq!(declare(&world, vec![more.clone()]).await.unwrap()[0].1, "ACTION_UPDATED");
        let listed = world.client().list_profile_fields(ListProfileFieldsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.profile_fields, [more, speaks()]);

        let another = field(ProfileSubject::Account, "segment", ProfileFieldType::Number);
        let refused = declare(&world, vec![fleet(), another]).await.unwrap_err();
        assert_eq!((reason(&refused).as_str(), fields(&refused)), ("OTHER_TYPE", vec!["profile_fields[1].type".to_owned()]));
        let listed = world.client().list_profile_fields(ListProfileFieldsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.profile_fields.len(), 2, "all or nothing");
    }

    async fn a_field_that_makes_no_sense_is_refused_by_its_place(database) {
        let world = World::start(database).await;
        for (wrong, at) in [
            (ProfileField { name: "Fleet Size".into(), ..fleet() }, "name"),
            (ProfileField { description: String::new(), ..fleet() }, "description"),
            (ProfileField { subject: 0, ..fleet() }, "subject"),
            (ProfileField { r#type: 0, ..fleet() }, "type"),
            (ProfileField { allowed_values: vec!["1".into()], ..fleet() }, "allowed_values"),
            (ProfileField { allowed_values: Vec::new(), ..segment() }, "allowed_values"),
            (ProfileField { allowed_values: vec!["a".into(), "a".into()], ..segment() }, "allowed_values[1]"),
        ] {
            let refused = declare(&world, vec![wrong]).await.unwrap_err();
            assert_eq!((reason(&refused).as_str(), fields(&refused)), ("INVALID_FIELD", vec![format!("profile_fields[0].{at}")]));
        }
        assert_eq!(fields(&declare(&world, vec![fleet(), fleet()]).await.unwrap_err()), ["profile_fields[1].name"]);
        let many = (0..51).map(|at| ProfileField { name: format!("f{at}"), ..fleet() }).collect();
        assert_eq!(reason(&declare(&world, many).await.unwrap_err()), "TOO_MANY_ITEMS");
    }

    async fn a_profile_says_what_is_declared_in_its_type_and_nothing_else(database) {
        let world = World::start(database).await;
        let lone = CreateAccountRequest {
            account: Some(Account { profile: values(json!({"segment": "key"})), ..named("Works", &[]) }),
            ..Default::default()
        };
        let refused = world.client().create_account(lone.clone()).await.unwrap_err();
        assert_eq!((reason(&refused).as_str(), fields(&refused)), ("UNDECLARED_FIELD", vec!["account.profile.segment".to_owned()]));
        declared(&world).await;
        let works = world.client().create_account(lone).await.unwrap().into_inner().account.unwrap();
        assert_eq!(said(&works.profile), json!({"segment": "key"}));

        let after = set(&world, &works, json!({"fleet": 12}), "profile.fleet").await.unwrap();
        assert_eq!(said(&after.profile), json!({"segment": "key", "fleet": 12.0}));
        assert_eq!(said(&world.account(&works.account_id).await.profile), said(&after.profile));
        world.settle().await;
        assert!(world.heard.accounts().contains(&after), "others hear of it");
        let without = set(&world, &works, json!({}), "profile.segment").await.unwrap();
        assert_eq!(said(&without.profile), json!({"fleet": 12.0}));
        for (wrong, expected) in [
            (json!({"segment": "huge"}), ("WRONG_TYPE", "account.profile.segment")),
            (json!({"fleet": "many"}), ("WRONG_TYPE", "account.profile.fleet")),
            (json!({"speaks": "German"}), ("UNDECLARED_FIELD", "account.profile.speaks")),
        ] {
            let refused = set(&world, &works, wrong, "profile").await.unwrap_err();
            assert_eq!((refused.code(), reason(&refused).as_str(), fields(&refused)), (Code::InvalidArgument, expected.0, vec![expected.1.to_owned()]));
        }

        let ada = world.resolve_one(email("ada@works.de")).await.contact_id;
        let told = say(&world, &ada, json!({"speaks": "German"})).await.unwrap();
        assert_eq!(said(&told.profile.unwrap().fields), json!({"speaks": "German"}));
        let refused = say(&world, &ada, json!({"speaks": 7})).await.unwrap_err();
        assert_eq!(fields(&refused), ["contact.profile.fields.speaks"]);
    }

    async fn a_manifest_and_a_file_say_it_line_by_line(database) {
        let world = World::start(database).await;
        let works = Account { profile: values(json!({"segment": "key"})), ..referenced("works", "Works", &["works.de"]) };
        // Declared in the request that uses it.
        let request = ApplyConfigurationRequest {
            accounts: vec![works.clone()],
            profile_fields: vec![segment(), fleet(), speaks()],
            validate_only: false,
        };
        let changes = world.client().apply_configuration(request).await.unwrap().into_inner().changes;
        assert_eq!(changes.len(), 4);
        let line = |profile: Json| AccountLine {
            account: Some(Account { reference: "works".into(), profile: values(profile), ..Default::default() }),
            parent: String::new(),
        };
        let request = ImportAccountsRequest {
            lines: vec![line(json!({"fleet": 3})), line(json!({"fleet": 3})), line(json!({"fleet": true}))],
            ..Default::default()
        };
        let results = world.importer().import_accounts(request).await.unwrap().into_inner().results;
        assert_eq!((results[0].outcome(), results[1].outcome()), (Outcome::Updated, Outcome::Unchanged));
        assert_eq!(item_refusal(results[2].error.as_ref()), ("WRONG_TYPE".into(), vec!["lines[2].account.profile.fleet".into()]));
        // What the manifest does not say stays.
        assert_eq!(world.apply(vec![works]).await[0].1, "ACTION_UNCHANGED");
        let known = world.accounts().await.remove(0);
        assert_eq!(said(&known.profile), json!({"segment": "key", "fleet": 3.0}));

        let person = |email_of: &str, profile: Json| ContactLine {
            identity: email(email_of).identity,
            profile: Some(ContactProfile { fields: values(profile), ..Default::default() }),
            account: String::new(),
        };
        let lines = vec![person("ada@works.de", json!({"speaks": "German"})), person("ben@works.de", json!({"sings": true}))];
        let request = ImportContactsRequest { lines, source: "crm".into(), ..Default::default() };
        let results = world.importer().import_contacts(request).await.unwrap().into_inner().results;
        assert_eq!(results[0].outcome(), Outcome::Created);
        assert_eq!(item_refusal(results[1].error.as_ref()), ("UNDECLARED_FIELD".into(), vec!["lines[1].profile.fields.sings".into()]));
        assert_eq!(world.contacts().await.len(), 1, "nobody is made of a line that is refused");
    }

    async fn a_merge_shows_and_joins_it_and_an_undo_takes_it_apart(database) {
        let world = World::start(database).await;
        declared(&world).await;
        let works = world.create(Account { profile: values(json!({"segment": "key"})), ..named("Works", &[]) }).await;
        let labs = world.create(Account { profile: values(json!({"segment": "other", "fleet": 4})), ..named("Labs", &[]) }).await;
        let request = PreviewMergeRequest {
            kind: MergeKind::Account.into(),
            survivor_id: works.account_id.clone(),
            merged_id: labs.account_id.clone(),
        };
        let preview = world.merges().preview_merge(request).await.unwrap().into_inner();
        let conflict = preview.conflicts.iter().find(|one| one.field == "profile.segment").unwrap();
        assert_eq!((conflict.kept.as_str(), conflict.hidden.as_str()), ("key", "other"));
        let Some(Shown::Account(shown)) = preview.result else { panic!("no account") };
        assert_eq!(said(&shown.profile), json!({"segment": "key", "fleet": 4.0}));
        let merged = world.merge_accounts(&works.account_id, &labs.account_id).await;
        assert_eq!(said(&world.account(&works.account_id).await.profile), said(&shown.profile));
        // Taken out of all that is one.
        set(&world, &works, json!({}), "profile.fleet").await.unwrap();
        world.undo(&merged.merge_id).await.unwrap();
        assert_eq!(said(&world.account(&labs.account_id).await.profile), json!({"segment": "other"}));
        assert_eq!(said(&world.account(&works.account_id).await.profile), json!({"segment": "key"}));
    }

    async fn it_is_given_out_and_erased_with_the_person(database) {
        let world = World::start(database).await;
        declared(&world).await;
        let ada = world.resolve_one(email("ada@works.de")).await.contact_id;
        say(&world, &ada, json!({"speaks": "German"})).await.unwrap();
        let channel = rpc::channel(world.contact.url(), Credentials::Name("anna".into())).unwrap();
        let mut privacy = PrivacyServiceClient::new(channel);
        let held = privacy.export_contact(ExportContactRequest { contact_id: ada.clone() }).await.unwrap().into_inner();
        assert_eq!(said(&held.contacts[0].profile.clone().unwrap().fields), json!({"speaks": "German"}));
        let request = EraseContactRequest { contact_id: ada, reason: "asked for it".into(), ..Default::default() };
        privacy.erase_contact(request).await.unwrap();
        assert!(world.contacts().await.is_empty());
    }
}
