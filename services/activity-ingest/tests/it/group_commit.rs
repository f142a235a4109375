//! Many callers share a transaction, nobody waits for others, and nobody is left without an answer.

use futures::future::join_all;
use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::activity::v1::{Activity, record_result::Outcome};
use tonic_types::StatusExt as _;

use crate::support::{World, activity, record_one, try_record};

fn many(call: usize, count: usize) -> Vec<Activity> {
    (0..count).map(|n| activity(&format!("e-{call}-{n}"), "anna@example.com")).collect()
}

on_each_database! {
    async fn two_hundred_callers_share_few_transactions(database) {
        let world = World::start(database).await;
        let blocked = world.block_ledger().await;
        let calls: Vec<_> = (0..200)
            .map(|n| {
                let client = world.client();
                tokio::spawn(async move { record_one(&client, activity(&format!("e-{n}"), "anna@example.com")).await })
            })
            .collect();
        eventually!(world.service.metric("leadflow_activities_received", &[]).await == 200.0);
        blocked.rollback().await.unwrap();
        for call in calls {
            assert_eq!(call.await.unwrap().outcome(), Outcome::Accepted);
        }
        let commits = world.service.metric("leadflow_ledger_commits", &[]).await;
        assert!((1.0..=20.0).contains(&commits), "{commits} transactions for 200 calls");
    }

    async fn a_full_ledger_refuses_and_says_when_to_come_again(database) {
        let world = World::start(database).await;
        let blocked = world.block_ledger().await;
        let calls: Vec<_> = (0..12)
            .map(|call| {
                let client = world.client();
                tokio::spawn(async move { try_record(&client, many(call, 1000)).await })
            })
            .collect();
        // Ten transactions' worth may wait.
        let full = ["reason=\"LEDGER_FULL\""];
        eventually!(world.service.metric("leadflow_activities_rejected", &full).await == 2_000.0);
        blocked.rollback().await.unwrap();
        let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
        let (accepted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!((accepted.len(), refused.len()), (10, 2));
        assert!(accepted.into_iter().flatten().flatten().all(|result| result.outcome() == Outcome::Accepted));
        for status in refused.into_iter().filter_map(Result::err) {
            assert_eq!(status.code(), tonic::Code::ResourceExhausted);
            assert_eq!(status.get_error_details().error_info().unwrap().reason, "LEDGER_FULL");
            assert!(status.get_error_details().retry_info().unwrap().retry_delay.is_some());
        }
        let later = try_record(&world.client(), many(12, 1)).await.unwrap();
        assert_eq!(later[0].outcome(), Outcome::Accepted);
    }

    async fn who_came_in_before_the_end_gets_an_answer(database) {
        let world = World::start(database).await;
        let blocked = world.block_ledger().await;
        let form = format!("{}/v1/forms/website-form?format=json", world.service.web);
        let form = tokio::spawn(reqwest::Client::new().post(form).form(&[("email", "anna@example.com")]).send());
        let calls: Vec<_> = (0..20)
            .map(|call| {
                let client = world.client();
                tokio::spawn(async move { try_record(&client, many(call, 10)).await })
            })
            .collect();
        eventually!(world.service.metric("leadflow_activities_received", &[]).await == 201.0);
        world.service.begin_shutdown();
        blocked.rollback().await.unwrap();
        for answer in join_all(calls).await {
            let results = answer.unwrap().unwrap();
            assert!(results.iter().all(|result| result.outcome() == Outcome::Accepted));
        }
        assert_eq!(form.await.unwrap().unwrap().status(), 200);
        world.service.ended().await;
    }
    async fn what_one_caller_brings_does_not_harm_the_others(database) {
        let world = World::start(database).await;
        world.refuse_rows("object_id = 'unwritable'").await;
        let blocked = world.block_ledger().await;
        let unwritable = Activity { object_id: "unwritable".into(), ..activity("bad", "anna@example.com") };
        let mut batches: Vec<_> = (0..6).map(|call| many(call, 3)).collect();
        batches[3].push(unwritable);
        let calls: Vec<_> = batches
            .into_iter()
            .map(|batch| {
                let client = world.client();
                tokio::spawn(async move { try_record(&client, batch).await })
            })
            .collect();
        eventually!(world.service.metric("leadflow_activities_received", &[]).await == 19.0);
        blocked.rollback().await.unwrap();
        for (call, answer) in join_all(calls).await.into_iter().enumerate() {
            match answer.unwrap() {
                Ok(results) => assert!(results.iter().all(|result| result.outcome() == Outcome::Accepted)),
                Err(status) => assert_eq!((call, status.code()), (3, tonic::Code::Internal)),
            }
        }
        let again = try_record(&world.client(), many(3, 3)).await.unwrap();
        assert!(again.iter().all(|result| result.outcome() == Outcome::Accepted), "nothing half-written");
    }
}
