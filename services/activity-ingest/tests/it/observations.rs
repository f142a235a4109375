//! What colleagues see and hear.

use leadflow_harness::on_each_database;
use leadflow_platform::{auth::Credentials, ids, rpc};
use leadflow_proto::{
    activity::v1::{
        ApplyConfigurationRequest, Channel, ListActivitiesRequest, RecordObservationRequest, Source,
        observation_service_client::ObservationServiceClient,
    },
    contact::v1::Identity,
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::support::World;

fn reason(status: &tonic::Status) -> String {
    status.get_error_details().error_info().unwrap().reason.clone()
}

fn fields(status: &tonic::Status) -> Vec<String> {
    let details = status.get_error_details();
    details.bad_request().unwrap().field_violations.iter().map(|it| it.field.clone()).collect()
}

async fn observe(world: &World, who: &str, request: RecordObservationRequest) -> Result<String, tonic::Status> {
    let channel = rpc::channel(&world.service.rpc, Credentials::Name(who.to_owned())).unwrap();
    let answer = ObservationServiceClient::new(channel).record_observation(request).await?;
    Ok(answer.into_inner().activity_id)
}

/// A world in which colleagues may tell something.
async fn start(database: leadflow_harness::TestDatabase) -> World {
    let world = World::start(database).await;
    let colleagues = Source {
        name: "colleagues".into(),
        default_activity_type: "observation".into(),
        default_channel: Channel::Other.into(),
        ..Source::default()
    };
    let request = ApplyConfigurationRequest { sources: vec![colleagues], ..Default::default() };
    world.client().apply_configuration(request).await.unwrap();
    world
}

fn tip() -> RecordObservationRequest {
    RecordObservationRequest {
        identity: Some(Identity { company: "Example Works".into(), country: "DE".into(), ..Identity::default() }),
        notes: "They are building a second laboratory".into(),
        request_id: ids::new().to_string(),
        ..RecordObservationRequest::default()
    }
}

on_each_database! {
    async fn an_observation_is_an_activity_credited_to_the_one_who_told(database) {
        let world = start(database).await;
        let activity_id = observe(&world, "carla.driver", tip()).await.unwrap();
        let request = ListActivitiesRequest { source: "colleagues".into(), ..Default::default() };
        let found = world.client().list_activities(request).await.unwrap().into_inner().activities;
        assert_eq!(found.len(), 1);
        let one = &found[0];
        assert_eq!((one.activity_id.as_str(), one.principal.as_str()), (activity_id.as_str(), "carla.driver"));
        assert_eq!((one.activity_type.as_str(), one.channel()), ("observation", Channel::Other));
        assert_eq!(one.notes, tip().notes);
    }

    async fn a_repeated_observation_counts_once_and_its_id_is_for_no_other(database) {
        let world = start(database).await;
        let said = tip();
        let first = observe(&world, "carla", said.clone()).await.unwrap();
        assert_eq!(observe(&world, "carla", said.clone()).await.unwrap(), first);
        let other = RecordObservationRequest { notes: "They are closing".into(), ..said };
        let error = observe(&world, "carla", other).await.unwrap_err();
        assert_eq!((reason(&error).as_str(), fields(&error)), ("REQUEST_ID_REUSED", vec!["request_id".to_owned()]));
        assert_ne!(observe(&world, "carla", tip()).await.unwrap(), first);
    }

    async fn an_observation_of_nobody_or_of_nothing_is_refused_by_its_field(database) {
        let world = start(database).await;
        for (request, expected, field) in [
            (RecordObservationRequest { notes: " ".into(), ..tip() }, "INVALID_FIELD", "notes"),
            (RecordObservationRequest { request_id: "mine".into(), ..tip() }, "INVALID_FIELD", "request_id"),
            (RecordObservationRequest { identity: None, ..tip() }, "MISSING_IDENTITY", "identity"),
            (RecordObservationRequest { source: "nowhere".into(), ..tip() }, "UNKNOWN_SOURCE", "source"),
            (
                RecordObservationRequest { product_category: "nothing".into(), ..tip() },
                "UNKNOWN_PRODUCT_CATEGORY",
                "product_category",
            ),
        ] {
            let error = observe(&world, "carla", request).await.unwrap_err();
            assert_eq!((error.code(), reason(&error).as_str()), (Code::InvalidArgument, expected), "{error:?}");
            assert_eq!(fields(&error), [field]);
        }
    }
}
