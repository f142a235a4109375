//! What is gone stays gone: ids that are buried, and messages of a stream.

use std::{sync::Arc, time::Duration};

use leadflow_harness::{Nats, on_each_database};
use leadflow_platform::{clock::from_millis, ids, tombstones};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{STREAM, SUBJECT, bus, jetstream, open};

on_each_database! {
    async fn ids_that_are_buried_are_told_from_others_however_often(test) {
        let database = open(&test).await;
        let (gone, alive): (Vec<Uuid>, Uuid) = ((0..700).map(|_| ids::new()).collect(), ids::new());
        for _ in 0..2 {
            tombstones::bury(&database, gone.clone(), from_millis(1)).await.unwrap();
        }
        let asked = [&gone[..], &[alive]].concat();
        let among = database.write(move |tx| async move { tombstones::among(&tx, &asked).await }).await.unwrap();
        assert_eq!(among, gone.into_iter().collect());
    }

    async fn who_buries_waits_for_all_that_have_asked_before(test) {
        let database = open(&test).await;
        let (asked, go, id) = (Arc::new(Notify::new()), Arc::new(Notify::new()), ids::new());
        let taking_in = tokio::spawn({
            let (database, asked, go) = (database.clone(), asked.clone(), go.clone());
            async move {
                database
                    .write(move |tx| async move {
                        let gone = tombstones::among(&tx, &[id]).await?;
                        asked.notify_one();
                        go.notified().await;
                        Ok(gone.is_empty())
                    })
                    .await
            }
        });
        asked.notified().await;
        let mut burying = tokio::spawn({
            let database = database.clone();
            async move { tombstones::bury(&database, vec![id], from_millis(1)).await }
        });
        let early = tokio::time::timeout(Duration::from_millis(300), &mut burying).await;
        assert!(early.is_err(), "somebody takes in what is being buried");
        go.notify_one();
        assert!(taking_in.await.unwrap().unwrap(), "it was alive when it was asked for");
        burying.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_message_that_is_forgotten_is_in_no_file_and_the_others_stay() {
    let nats = Nats::start().unwrap();
    let (bus, stream) = (bus(&nats).await, jetstream(&nats).await);
    for n in 0..300 {
        let text = if n % 100 == 0 { format!("canary-{n}") } else { format!("message-{n}") };
        stream.publish(SUBJECT, text.into()).await.unwrap().await.unwrap();
    }
    let is_canary = |_: &str, body: &[u8]| body.starts_with(b"canary");
    assert_eq!(bus.forget(STREAM.name, is_canary).await.unwrap(), 3);
    assert_eq!(bus.forget(STREAM.name, is_canary).await.unwrap(), 0);
    let left = stream.get_stream(STREAM.name).await.unwrap().cached_info().state.messages;
    assert_eq!(left, 297);
    assert!(!holds(&nats.files(), b"canary") && holds(&nats.files(), b"message-299"));
}

fn holds(folder: &std::path::Path, word: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return holds(&path, word);
        }
        std::fs::read(&path).is_ok_and(|bytes| bytes.windows(word.len()).any(|window| window == word))
    })
}
