//! Mutations: recorded with their principal, and a repeated request answered as the first time.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures::future::join_all;
use leadflow_harness::on_each_database;
use leadflow_platform::{
    audit::{self, Mutation},
    auth::Principal,
    clock::from_millis,
    db::Database,
    error::{Error, Result},
    ids,
};
use prost_types::Duration;
use sea_orm::EntityTrait as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::support::{
    notes::{count, write_note},
    open,
};

/// An answer whose number and text come back as they were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    run: usize,
    revision: i64,
    score: f64,
    note: Option<String>,
}

/// Asks for the mutation, whose work writes a note and counts its runs.
async fn ask(database: &Database, mutation: Mutation, runs: &Arc<AtomicUsize>) -> Result<Answer> {
    let runs = runs.clone();
    audit::mutate(database, mutation, |tx| async move {
        let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
        write_note(&tx, 1, i64::try_from(run).unwrap(), "made").await?;
        Ok(Answer { run, revision: i64::MAX - 1, score: 0.1 + 0.2, note: Some("größer".into()) })
    })
    .await
}

fn mutation(principal: &str, request_id: Uuid, request: Duration) -> Mutation {
    Mutation::new(Principal::new(principal), "CloseLead", "lead-1", from_millis(1_234))
        .with_request(&request_id.to_string(), &request)
        .unwrap()
}

fn request(seconds: i64) -> Duration {
    Duration { seconds, nanos: 0 }
}

on_each_database! {
    async fn a_repeated_request_gets_the_first_answer_and_does_the_work_once(test) {
        let (database, runs, id) = (open(&test).await, Arc::default(), ids::new());
        let first = ask(&database, mutation("anna", id, request(1)), &runs).await.unwrap();
        let second = ask(&database, mutation("anna", id, request(1)), &runs).await.unwrap();
        assert_eq!(first, second);
        assert_eq!((first.revision, first.score), (i64::MAX - 1, 0.1 + 0.2));
        assert_eq!((runs.load(Ordering::SeqCst), count(&database).await), (1, 1));
    }

    async fn sixteen_calls_at_once_with_one_request_id_do_the_work_once(test) {
        let (database, runs, id) = (open(&test).await, Arc::default(), ids::new());
        let answers = join_all((0..16).map(|_| ask(&database, mutation("anna", id, request(1)), &runs))).await;
        let answers = answers.into_iter().collect::<Result<Vec<_>>>().unwrap();
        assert!(answers.iter().all(|answer| answer.run == 1), "{answers:?}");
        assert_eq!((runs.load(Ordering::SeqCst), count(&database).await), (1, 1));
        assert_eq!(audit::Entity::find().all(database.reader()).await.unwrap().len(), 1);
    }

    async fn a_request_id_of_another_request_is_refused_by_the_name_of_its_field(test) {
        let (database, runs, id) = (open(&test).await, Arc::default(), ids::new());
        ask(&database, mutation("anna", id, request(1)), &runs).await.unwrap();
        let error = ask(&database, mutation("anna", id, request(2)), &runs).await.unwrap_err();
        assert_eq!((error.reason(), error.violations()[0].0.as_str()), ("REQUEST_ID_REUSED", "request_id"));
        assert_eq!(count(&database).await, 1);
    }

    async fn a_request_id_belongs_to_its_principal_and_its_method(test) {
        let (database, runs, id) = (open(&test).await, Arc::default(), ids::new());
        let mut of_another_method = mutation("anna", id, request(1));
        of_another_method.method = "AdjustScore";
        for mutation in [mutation("anna", id, request(1)), mutation("bert", id, request(2)), of_another_method] {
            ask(&database, mutation, &runs).await.unwrap();
        }
        assert_eq!(count(&database).await, 3);
    }

    async fn work_that_fails_leaves_nothing_and_may_be_asked_for_again_under_its_id(test) {
        let (database, runs, id) = (open(&test).await, Arc::default(), ids::new());
        let failed: Result<Answer> = audit::mutate(&database, mutation("anna", id, request(1)), |tx| async move {
            write_note(&tx, 1, 1, "undone").await?;
            Err(Error::precondition("NOT_YET", "later"))
        })
        .await;
        assert_eq!(failed.unwrap_err().reason(), "NOT_YET");
        assert_eq!(count(&database).await, 0);
        assert!(audit::Entity::find().all(database.reader()).await.unwrap().is_empty());
        ask(&database, mutation("anna", id, request(1)), &runs).await.unwrap();
        assert_eq!(count(&database).await, 1);
    }

    async fn a_mutation_is_recorded_with_who_did_what_to_what_and_when(test) {
        let (database, runs, id) = (open(&test).await, Arc::default(), ids::new());
        ask(&database, mutation("anna", id, request(1)), &runs).await.unwrap();
        let row = audit::Entity::find().one(database.reader()).await.unwrap().unwrap();
        assert_eq!((row.principal.as_str(), row.method.as_str(), row.resource.as_str()), ("anna", "CloseLead", "lead-1"));
        assert_eq!((row.create_time, row.request_id), (1_234, Some(id)));
    }

    async fn without_a_request_id_each_call_does_the_work_and_is_recorded(test) {
        let (database, runs) = (open(&test).await, Arc::default());
        for _ in 0..3 {
            let mutation = Mutation::new(Principal::new("anna"), "CloseLead", "lead-1", from_millis(1_234))
                .with_request("", &request(1))
                .unwrap();
            ask(&database, mutation, &runs).await.unwrap();
        }
        let rows = audit::Entity::find().all(database.reader()).await.unwrap();
        assert_eq!((rows.len(), count(&database).await), (3, 3));
        assert!(rows.iter().all(|row| row.answer.is_none()), "no answer is kept that nobody can ask for");
    }

    async fn an_answer_without_content_is_repeated_too(test) {
        let (database, id) = (open(&test).await, ids::new());
        for _ in 0..2 {
            audit::mutate(&database, mutation("anna", id, request(1)), |tx| async move { write_note(&tx, 1, 1, "made").await })
                .await
                .unwrap();
        }
        assert_eq!(count(&database).await, 1);
    }
}

#[test]
fn a_request_id_that_is_no_uuid_is_refused_by_the_name_of_its_field() {
    let error = Mutation::new(Principal::new("anna"), "CloseLead", "lead-1", from_millis(0))
        .with_request("mine", &request(1))
        .unwrap_err();
    assert_eq!(error.violations()[0].0, "request_id");
}
