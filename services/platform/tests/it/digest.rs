//! What gets lost on the bus comes all the same, and what does not comes once.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::{digest::millis, ids, quarantine};
use leadflow_proto::common::v1::{
    AnnounceAgainRequest, Digest, GetDigestsRequest, digest_service_client::DigestServiceClient,
};
use uuid::Uuid;

use crate::support::{STREAM, jetstream, pair::Pair};

/// Things of revision 1, several of them in each millisecond.
fn things(count: usize) -> Vec<(Uuid, i64)> {
    (0..count).map(|_| (ids::new(), 1)).collect()
}

/// An id of long ago.
fn long_ago(hours: u64) -> Uuid {
    let millis = u128::from(1_700_000_000_000 + hours * 3_600_000);
    Uuid::from_u128(millis << 80 | ids::new().as_u128() & ((1 << 80) - 1))
}

async fn comparisons(pair: &Pair, more: f64) {
    let before = pair.compared().await;
    eventually!(pair.compared().await >= before + more);
}

on_each_database! {
    async fn what_got_lost_among_thousands_arrives_and_the_rest_does_not_come_again(test) {
        let pair = Pair::start(test).await;
        let mut all = things(4_500);
        all.extend((0..300).map(|hour| (long_ago(hour), 1)));
        let (lost, arriving): (Vec<_>, Vec<_>) = all.iter().enumerate().partition(|(at, _)| at % 1_500 == 7);
        let of = |things: Vec<(usize, &(Uuid, i64))>| things.into_iter().map(|(_, thing)| *thing).collect::<Vec<_>>();
        let (lost, arriving) = (of(lost), of(arriving));
        pair.announce(&arriving).await;
        pair.announce_in_vain(&lost).await;
        let all: BTreeMap<_, _> = all.into_iter().collect();
        eventually!(pair.held().await == all);
        comparisons(&pair, 2.0).await;

        // What shares its millisecond with something lost comes with it.
        let neighbours = all.keys().filter(|id| lost.iter().any(|(lost, _)| millis(*lost) == millis(**id))).count();
        assert_eq!(pair.metric("leadflow_digest_asked", "things").await, neighbours as f64);
        assert_eq!(pair.consuming.events(), arriving.len() + neighbours);
        assert_eq!(pair.metric("leadflow_digest_stuck", "things").await, 0.0);
        pair.stop().await;
    }

    async fn a_lost_change_is_seen_although_the_thing_is_there(test) {
        let pair = Pair::start(test).await;
        let all = things(50);
        pair.announce(&all).await;
        eventually!(pair.held().await.len() == 50);
        pair.announce_in_vain(&[(all[7].0, 2)]).await;
        eventually!(pair.held().await[&all[7].0] == 2);
        pair.stop().await;
    }

    async fn when_nothing_differs_nothing_is_asked_for(test) {
        let pair = Pair::start(test).await;
        let all = things(1_000);
        for chunk in all.chunks(50) {
            pair.announce(chunk).await;
        }
        eventually!(pair.held().await.len() == 1_000);
        comparisons(&pair, 3.0).await;
        assert_eq!(pair.consuming.events(), 1_000);
        assert_eq!(pair.metric("leadflow_digest_asked", "things").await, 0.0);
        pair.stop().await;
    }

    async fn a_consumer_that_is_behind_gets_nothing_twice(test) {
        let pair = Pair::start(test).await;
        comparisons(&pair, 1.0).await;
        pair.consuming.blocked.store(true, Ordering::SeqCst);
        pair.announce(&things(600)).await;
        // It has been told of them, and they do not come.
        let told = async || pair.metric("rpc_server_call_duration_seconds_count", "GetDigests").await;
        let before = told().await;
        eventually!(told().await > before);
        pair.consuming.blocked.store(false, Ordering::SeqCst);
        eventually!(pair.held().await.len() == 600);
        comparisons(&pair, 2.0).await;
        assert_eq!(pair.consuming.events(), 600);
        pair.stop().await;
    }

    async fn what_waits_for_the_bus_is_not_lost_and_not_asked_for(test) {
        let mut pair = Pair::start(test).await;
        pair.nats.kill();
        pair.announce(&things(200)).await;
        let refused = async || pair.metric("rpc_server_call_duration_seconds_count", "UNAVAILABLE").await;
        eventually!(refused().await > 0.0);
        pair.nats.restart().unwrap();
        eventually!(pair.held().await.len() == 200);
        comparisons(&pair, 2.0).await;
        assert_eq!(pair.metric("leadflow_digest_asked", "things").await, 0.0);
        pair.stop().await;
    }

    async fn all_that_jetstream_held_may_be_lost(test) {
        let mut pair = Pair::start(test).await;
        pair.announce(&things(300)).await;
        eventually!(pair.held().await.len() == 300);
        pair.consuming.blocked.store(true, Ordering::SeqCst);
        pair.announce(&things(700)).await;
        let stored = async || jetstream(&pair.nats).await.get_stream(STREAM.name).await.unwrap().cached_info().state.messages;
        eventually!(stored().await == 1_000);
        pair.nats.kill();
        pair.nats.forget().unwrap();
        pair.nats.restart().unwrap();
        pair.consuming.blocked.store(false, Ordering::SeqCst);
        eventually!(pair.held().await.len() == 1_000);
        pair.stop().await;
    }

    async fn what_can_never_be_taken_in_is_asked_for_three_times_and_holds_nothing_up(test) {
        let pair = Pair::start(test).await;
        let all = things(10);
        let poison = long_ago(0);
        pair.consuming.poison.lock().unwrap().insert(poison);
        pair.announce_in_vain(&[(poison, 1)]).await;
        pair.settled.store(millis(all[0].0), Ordering::SeqCst);
        eventually!(pair.metric("leadflow_digest_stuck", "things").await == 1.0);
        assert_eq!(pair.metric("leadflow_digest_asked", "things").await, 3.0);
        eventually!(quarantine::depth(&pair.database).await.unwrap() == 3);
        pair.announce_in_vain(&all).await;
        eventually!(pair.held().await.len() == 10);
        comparisons(&pair, 3.0).await;
        assert_eq!(quarantine::depth(&pair.database).await.unwrap(), 3);
        assert_eq!(pair.metric("leadflow_digest_stuck", "things").await, 1.0);
        pair.stop().await;
    }

    async fn what_is_settled_is_left_alone_and_what_is_not_is_looked_at_again(test) {
        let pair = Pair::start(test).await;
        let (early, late) = (long_ago(1), long_ago(3));
        pair.settled.store(millis(long_ago(2)), Ordering::SeqCst);
        comparisons(&pair, 2.0).await;
        // Both lost. What came after all was said to be there is looked at only once a day.
        pair.announce_in_vain(&[(early, 1), (late, 1)]).await;
        eventually!(pair.held().await.contains_key(&late));
        comparisons(&pair, 2.0).await;
        assert!(!pair.held().await.contains_key(&early));
        pair.stop().await;
    }

    async fn what_has_changed_since_it_was_read_is_not_announced_again(test) {
        let pair = Pair::start(test).await;
        let (changing, standing) = (long_ago(1), long_ago(2));
        pair.announce(&[(changing, 1), (standing, 1)]).await;
        eventually!(pair.held().await.len() == 2);
        let mut client = DigestServiceClient::new(pair.client.clone());
        let request = GetDigestsRequest {
            kind: "things".into(),
            begin_millis: 0,
            end_millis: 1 << 48,
            width_millis: 1,
        };
        let digests = client.get_digests(request).await.unwrap().into_inner().digests;
        assert_eq!(digests.len(), 2);
        pair.announce(&[(changing, 2)]).await;
        eventually!(pair.held().await[&changing] == 2);
        let request = AnnounceAgainRequest { kind: "things".into(), digests };
        assert_eq!(client.announce_again(request).await.unwrap().into_inner().announced, 1);
        eventually!(pair.consuming.events() == 4);
        pair.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_that_make_no_sense_are_refused() {
    let test = leadflow_harness::TestDatabase::create(leadflow_harness::Backend::Sqlite).await.unwrap();
    let pair = Pair::start(test).await;
    let mut client = DigestServiceClient::new(pair.client.clone());
    let good = GetDigestsRequest { kind: "things".into(), begin_millis: 1, end_millis: 2, width_millis: 1 };
    client.get_digests(good.clone()).await.unwrap();
    for bad in [
        GetDigestsRequest { kind: "dreams".into(), ..good.clone() },
        GetDigestsRequest { width_millis: 0, ..good.clone() },
        GetDigestsRequest { end_millis: 1, ..good.clone() },
        GetDigestsRequest { end_millis: u64::MAX, ..good.clone() },
    ] {
        let status = client.get_digests(bad).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::InvalidArgument, "{}", status.message());
    }
    for (begin_millis, xor) in [(1 << 48, vec![0; 16]), (1, vec![0; 15])] {
        let digests = vec![Digest { begin_millis, count: 1, xor }];
        let request = AnnounceAgainRequest { kind: "things".into(), digests };
        assert_eq!(client.announce_again(request).await.unwrap_err().code(), tonic::Code::InvalidArgument);
    }
    pair.stop().await;
}
