//! What scoring may have missed of the ledger: digests to find it by, and announcing it again.

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::{
    auth::Credentials,
    digest::millis,
    rpc,
    trace::{Origin, SpanKind, Tracer},
};
use leadflow_proto::{
    activity::v1::Activity,
    common::v1::{
        AnnounceAgainRequest, GetDigestsRequest, GetDigestsResponse, digest_service_client::DigestServiceClient,
    },
    contact::v1::Identity,
};
use sea_orm::{ConnectionTrait as _, Statement};
use uuid::Uuid;

use crate::support::{World, activity, number, record, record_one, values};

type Digests = DigestServiceClient<rpc::Client>;

fn digests_of(world: &World) -> Digests {
    DigestServiceClient::new(rpc::channel(&world.service.rpc, Credentials::Name("scoring".into())).unwrap())
}

async fn all(client: &Digests) -> GetDigestsResponse {
    all_of(client, "activities").await
}

async fn all_of(client: &Digests, kind: &str) -> GetDigestsResponse {
    let request = GetDigestsRequest { kind: kind.to_owned(), begin_millis: 0, end_millis: 1 << 48, width_millis: 1 };
    client.clone().get_digests(request).await.unwrap().into_inner()
}

fn count(answer: &GetDigestsResponse) -> u64 {
    answer.digests.iter().map(|digest| digest.count).sum()
}

fn time(activity_id: &str) -> u64 {
    millis(activity_id.parse().unwrap())
}

on_each_database! {
    async fn what_is_identified_counts_and_what_waits_keeps_its_time_from_being_settled(database) {
        let world = World::start(database).await;
        let digests = digests_of(&world);
        let batch = (0..300).map(|n| activity(&format!("a-{n}"), "anna@example.com")).collect();
        let known = record(&world.client(), batch).await;
        eventually!(count(&all(&digests).await) == 300);
        let newest = known.iter().map(|result| time(&result.activity_id)).max().unwrap();
        // What has got its id by now, and is still on its way into the ledger, comes within a minute.
        assert_eq!(all(&digests).await.settled_millis, newest - 60_000);

        world.contact.fail(tonic::Code::Unavailable);
        let waiting = record_one(&world.client(), activity("b", "ben@example.com")).await;
        // As if one had come two minutes later.
        let later = Uuid::from_u128(u128::from(newest + 120_000) << 80);
        let move_on = "UPDATE activities SET activity_id = $1 WHERE source_event_id = 'a-0'";
        let ledger = world.database().await;
        let move_on = Statement::from_sql_and_values(ledger.get_database_backend(), move_on, [later.into()]);
        ledger.execute_raw(move_on).await.unwrap();
        assert_eq!(all(&digests).await.settled_millis, time(&waiting.activity_id));
        assert_eq!(count(&all(&digests).await), 300);
        world.contact.recover();
        eventually!(count(&all(&digests).await) == 301);
        assert_eq!(all(&digests).await.settled_millis, newest + 60_000);
    }

    async fn what_is_announced_again_says_the_same_and_only_of_what_was_asked_for(database) {
        let world = World::start(database).await;
        let digests = digests_of(&world);
        let mut first = activity("a", "anna@example.com");
        first.attributes = values([("pages", number(3.0))]);
        let first = record_one(&world.client(), first).await;
        let second = record_one(&world.client(), activity("b", "ben@example.com")).await;
        eventually!(world.events.recorded().len() == 2);
        let said = world.events.of(&first.activity_id).unwrap();
        assert_eq!(said.attributes.len(), 1);

        let wanted: Vec<_> = all(&digests).await.digests.into_iter()
            .filter(|digest| digest.begin_millis == time(&first.activity_id)).collect();
        let expected = if time(&first.activity_id) == time(&second.activity_id) { 2 } else { 1 };
        let request = AnnounceAgainRequest { kind: "activities".into(), digests: wanted };
        let answer = digests.clone().announce_again(request).await.unwrap().into_inner();
        assert_eq!(answer.announced, expected);
        eventually!(world.events.recorded().len() as u64 == 2 + expected);
        let again = world.events.recorded().into_iter().filter(|event| event.activity_id == first.activity_id);
        assert!(again.clone().count() == 2 && again.clone().all(|event| event == said));
    }

    async fn a_move_that_is_announced_again_stays_in_the_trace_of_the_activity(database) {
        let world = World::start(database).await;
        let client = world.client();
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let identity = Some(Identity { anonymous_id: "cookie-1".into(), ..Identity::default() });
        let visit = Activity { identity, ..activity("v-1", "") };
        let door = Tracer::default().start(SpanKind::Client, "theirs", Origin::parse(trace));
        door.run(async { record_one(&client, visit).await }).await;
        eventually!(world.events.recorded().len() == 1);
        world.contact.becomes_known("cookie-1", "anna@example.com");
        record_one(&client, activity("f-1", "anna@example.com")).await;
        eventually!(world.events.reattributed().len() == 1);

        let digests = digests_of(&world);
        let kind = "reattributions".to_owned();
        let request = AnnounceAgainRequest { digests: all_of(&digests, &kind).await.digests, kind };
        assert_eq!(digests.clone().announce_again(request).await.unwrap().into_inner().announced, 1);
        eventually!(world.events.reattributed().len() == 2);
        let messages = world.events.messages();
        let moves = messages.iter().filter(|message| message.subject.ends_with(".reattributed"));
        let traces: Vec<_> = moves.map(|message| message.headers.as_ref().unwrap().get("traceparent").map(ToString::to_string)).collect();
        assert_eq!(traces, [Some(trace.to_owned()), Some(trace.to_owned())]);
    }
}
