//! Sources and product categories, applied as code.

use leadflow_harness::on_each_database;
use leadflow_proto::{
    activity::v1::{
        Activity, ApplyConfigurationRequest, Channel, Confirmation, Consent, Field, FieldType, ListSourcesRequest,
        ProductCategory, Source, record_result::Outcome,
    },
    common::v1::change::Action,
    contact::v1::ConsentChannel,
};
use sea_orm::{ConnectionTrait as _, Statement};
use tonic_types::StatusExt as _;

use crate::support::{Client, World, activity, configuration, expo, field, record_one, website_form};

async fn apply(client: &Client, request: ApplyConfigurationRequest) -> Vec<(String, Action)> {
    let response = client.clone().apply_configuration(request).await.unwrap().into_inner();
    response.changes.into_iter().map(|change| (change.name.clone(), change.action())).collect()
}

async fn source_names(client: &Client) -> Vec<String> {
    let response = client.clone().list_sources(ListSourcesRequest::default()).await.unwrap().into_inner();
    response.sources.into_iter().map(|source| source.name).collect()
}

fn sources(sources: Vec<Source>) -> ApplyConfigurationRequest {
    ApplyConfigurationRequest { sources, ..ApplyConfigurationRequest::default() }
}

fn categories(product_categories: Vec<ProductCategory>) -> ApplyConfigurationRequest {
    ApplyConfigurationRequest { product_categories, ..ApplyConfigurationRequest::default() }
}

fn category(name: &str, parent: &str) -> ProductCategory {
    ProductCategory { name: name.into(), display_name: String::new(), parent: parent.into() }
}

on_each_database! {
    async fn applied_again_nothing_changes(database) {
        let world = World::empty(database).await;
        let first = apply(&world.client(), configuration()).await;
        assert!(first.iter().all(|(_, action)| *action == Action::Created), "{first:?}");
        let again = apply(&world.client(), configuration()).await;
        assert_eq!(again.len(), 4);
        assert!(again.iter().all(|(_, action)| *action == Action::Unchanged), "{again:?}");
    }

    async fn only_what_is_named_is_changed_and_the_difference_is_shown(database) {
        let world = World::start(database).await;
        let renamed = Source { display_name: "Trade show".into(), ..expo() };
        let request = sources(vec![renamed.clone()]);
        let changes = world.client().apply_configuration(request).await.unwrap().into_inner().changes;
        assert_eq!(changes.len(), 1);
        assert_eq!((changes[0].kind.as_str(), changes[0].action()), ("Source", Action::Updated));
        assert!(!changes[0].before.contains("display_name"), "only what was set is shown");
        assert!(changes[0].after.contains("\"display_name\": \"Trade show\""), "{}", changes[0].after);
        let listed = world.client().list_sources(ListSourcesRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.sources, [renamed, website_form()]);
    }

    async fn a_rehearsal_writes_nothing(database) {
        let world = World::empty(database).await;
        let rehearsal = ApplyConfigurationRequest { validate_only: true, ..configuration() };
        assert_eq!(apply(&world.client(), rehearsal).await.len(), 4);
        assert_eq!(source_names(&world.client()).await, Vec::<String>::new());
        let rows = world.database().await;
        let statement = Statement::from_string(rows.get_database_backend(), "SELECT mutation_id FROM mutations");
        assert!(rows.query_all_raw(statement).await.unwrap().is_empty());
    }

    async fn one_mistake_and_nothing_is_written(database) {
        let world = World::empty(database).await;
        let wrong = Source { default_product_category: "lasers".into(), ..expo() };
        let request = ApplyConfigurationRequest { sources: vec![website_form(), wrong], ..configuration() };
        let status = world.client().apply_configuration(request).await.unwrap_err();
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "UNKNOWN_PRODUCT_CATEGORY");
        let field = &details.bad_request().unwrap().field_violations[0].field;
        assert_eq!(field, "sources[1].default_product_category");
        assert_eq!(source_names(&world.client()).await, Vec::<String>::new());
    }

    async fn each_mistake_is_named(database) {
        let world = World::start(database).await;
        let consent = |basis: &str| Some(Consent { basis: basis.into(), ..Consent::default() });
        let confirmed = |basis: &str, seconds: i64, nanos: i32| {
            let within = Some(prost_types::Duration { seconds, nanos });
            Some(Consent { confirmation: Some(Confirmation { within }), ..consent(basis).unwrap() })
        };
        let within = "sources[0].consent.confirmation.within";
        let by_phone = confirmed("consent", 60, 0)
            .map(|consent| Consent { channels: vec![ConsentChannel::Email.into(), ConsentChannel::Phone.into()], ..consent });
        let untyped = Field { name: "x".into(), ..Field::default() };
        let cases = [
            (sources(vec![Source { default_channel: 0, ..expo() }]), "sources[0].default_channel"),
            (sources(vec![Source { default_channel: 99, ..expo() }]), "sources[0].default_channel"),
            (sources(vec![Source { default_activity_type: String::new(), ..expo() }]), "sources[0].default_activity_type"),
            (sources(vec![Source { consent: consent("maybe"), ..expo() }]), "sources[0].consent.basis"),
            (sources(vec![Source { consent: confirmed("contract", 60, 0), ..expo() }]), "sources[0].consent.confirmation"),
            (sources(vec![Source { consent: by_phone, ..expo() }]), "sources[0].consent.channels"),
            (sources(vec![Source { consent: confirmed("consent", 59, 0), ..expo() }]), within),
            (sources(vec![Source { consent: confirmed("consent", 90 * 86_400 + 1, 0), ..expo() }]), within),
            (sources(vec![Source { consent: confirmed("consent", 60, 1), ..expo() }]), within),
            (sources(vec![Source { consent: confirmed("consent", -60, 0), ..expo() }]), within),
            (sources(vec![expo(), Source { fields: vec![untyped], ..website_form() }]), "sources[1].fields[0].type"),
            (
                sources(vec![Source { fields: vec![field("email", FieldType::String, false)], ..expo() }]),
                "sources[0].fields[0].name",
            ),
            (sources(vec![Source { redirect_url: "ftp://x".into(), ..expo() }]), "sources[0].redirect_url"),
            (sources(vec![expo(), expo()]), "sources[1].name"),
            (sources(vec![Source { name: "No Name".into(), ..expo() }]), "sources[0].name"),
            (categories(vec![category("chromatography", "hplc")]), "product_categories[0].parent"),
            (categories(vec![category("x", "nowhere")]), "product_categories[0].parent"),
        ];
        for (request, field) in cases {
            let status = world.client().apply_configuration(request).await.unwrap_err();
            assert_eq!(status.code(), tonic::Code::InvalidArgument);
            assert_eq!(status.get_error_details().bad_request().unwrap().field_violations[0].field, field);
        }
    }

    async fn who_changed_the_configuration_is_on_record(database) {
        let world = World::start(database).await;
        let rows = world.database().await;
        let statement = Statement::from_string(rows.get_database_backend(), "SELECT principal, method FROM mutations");
        let row = rows.query_one_raw(statement).await.unwrap().unwrap();
        assert_eq!(row.try_get::<String>("", "principal").unwrap(), "tester");
        assert_eq!(row.try_get::<String>("", "method").unwrap(), "ApplyConfiguration");
    }

    async fn a_source_can_be_used_at_once_through_any_replica(database) {
        let world = World::start(database).await;
        let replica = world.replica().await;
        // The replica has looked, and knows nothing of what comes now.
        record_one(&replica.client, activity("e-1", "anna@example.com")).await;
        let new = Source { name: "hotline".into(), default_product_category: "gc".into(), ..expo() };
        let request = ApplyConfigurationRequest { product_categories: vec![category("gc", "")], ..sources(vec![new]) };
        apply(&world.client(), request).await;
        for (client, id) in [(&world.client(), "e-1"), (&replica.client, "e-2")] {
            let sent = Activity { source: "hotline".into(), ..activity(id, "anna@example.com") };
            assert_eq!(record_one(client, sent).await.outcome(), Outcome::Accepted);
        }
    }

    async fn a_changed_source_counts_at_once_where_it_was_changed(database) {
        let world = World::start(database).await;
        record_one(&world.client(), activity("e-1", "anna@example.com")).await;
        let changed = Source { default_channel: Channel::Chat.into(), ..website_form() };
        apply(&world.client(), sources(vec![changed])).await;
        let id = record_one(&world.client(), activity("e-2", "anna@example.com")).await.activity_id;
        assert_eq!(crate::support::get(&world.client(), &id).await.channel(), Channel::Chat);
    }
}
