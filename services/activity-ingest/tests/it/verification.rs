//! Phones that a source has verified: said by those who may, and by nobody else.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{
    activity::v1::{
        Activity, ActivityState, ApplyConfigurationRequest, ListSourcesRequest, QuarantineFilter, Source,
        record_result::Outcome,
    },
    contact::v1::Identity,
};
use tonic_types::{RpcStatusExt as _, StatusExt as _};

use crate::support::{
    World, activity, expo, get,
    quarantine::{correct, list},
    record_one, state,
};

const MOBILE: &str = "+491701234567";

/// Ada with her mobile, as `source` says it.
fn verified(source: &str, source_event_id: &str, identity: Identity) -> Activity {
    let identity = Identity { phone: MOBILE.into(), phone_verified: true, ..identity };
    Activity { source: source.into(), identity: Some(identity), ..activity(source_event_id, "") }
}

/// The world with the source `app`, which sends codes to phones.
async fn with_app(world: &World) {
    let app = Source { name: "app".into(), verifies_mobile: true, ..expo() };
    let request = ApplyConfigurationRequest { sources: vec![app.clone()], ..Default::default() };
    world.client().apply_configuration(request).await.unwrap();
    let listed = world.client().list_sources(ListSourcesRequest::default()).await.unwrap().into_inner();
    assert!(listed.sources.contains(&app));
}

fn ada() -> Identity {
    Identity { email: "ada@example.com".into(), ..Identity::default() }
}

on_each_database! {
    async fn a_source_that_verifies_says_whose_a_mobile_is_and_no_other_does(database) {
        let world = World::start(database).await;
        with_app(&world).await;
        let accepted = record_one(&world.client(), verified("app", "e-1", ada())).await;
        assert_eq!(accepted.outcome(), Outcome::Accepted);
        eventually!(world.contact.verified() == [MOBILE]);
        assert!(get(&world.client(), &accepted.activity_id).await.identity.unwrap().phone_verified, "it is on record");

        let refused = record_one(&world.client(), verified("expo", "e-2", ada())).await;
        assert_eq!(refused.outcome(), Outcome::Rejected);
        let details = refused.error.as_ref().unwrap().get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "UNTRUSTED_VERIFICATION");
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "activities[0].identity.phone_verified");
    }

    async fn a_web_form_verifies_nothing_whoever_fills_it_in(database) {
        let world = World::start(database).await;
        with_app(&world).await;
        let form = [("email", "ada@example.com"), ("phone", MOBILE), ("phone_verified", "true")];
        let url = format!("{}/v1/forms/app", world.service.web);
        let answer = reqwest::Client::new().post(url).header("accept", "application/json").form(&form).send().await.unwrap();
        let answer: serde_json::Value = answer.json().await.unwrap();
        let id = answer["activity_id"].as_str().unwrap();
        eventually!(state(&world.client(), id).await == ActivityState::Identified);
        assert!(!get(&world.client(), id).await.identity.unwrap().phone_verified);
        assert!(world.contact.verified().is_empty());
    }

    async fn a_correction_is_no_verification(database) {
        let world = World::start(database).await;
        with_app(&world).await;
        let poison = Identity { external_id: "poison".into(), ..Identity::default() };
        let sent = Activity { source: "app".into(), identity: Some(poison), ..activity("e-1", "") };
        let id = record_one(&world.client(), sent.clone()).await.activity_id;
        eventually!(!list(&world.client(), QuarantineFilter::default()).await.is_empty());
        let corrected = Activity { identity: verified("app", "e-1", ada()).identity, ..sent };
        let refused = correct(&world.client(), &id, corrected).await.unwrap_err();
        assert_eq!(refused.get_error_details().error_info().unwrap().reason, "UNTRUSTED_VERIFICATION");
    }
}
