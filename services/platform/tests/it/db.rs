//! The database: transactions, callers that go away, migrations, and what its errors mean.

use std::{
    future::{Future as _, poll_fn},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use futures::future::join_all;
use leadflow_harness::{Backend, TestDatabase, eventually, on_each_database};
use leadflow_platform::{
    db::{Config, Database},
    error::{Code, Error, Result},
    vars::Vars,
};
use sea_orm::{ConnectionTrait as _, DatabaseBackend};
use tokio::sync::{Barrier, Notify, oneshot};

use crate::support::{
    config,
    notes::{Migrator, OlderMigrator, count, execute, number, write_note},
    open,
};

on_each_database! {
    async fn work_is_committed_when_it_succeeds_and_undone_when_it_fails(test) {
        let database = open(&test).await;
        let answer = database.write(|tx| async move { write_note(&tx, 1, 1, "kept").await.map(|()| "done") }).await;
        assert_eq!(answer.unwrap(), "done");
        let failed: Result<()> = database
            .write(|tx| async move {
                write_note(&tx, 1, 2, "undone").await?;
                Err(Error::precondition("NO", "changed my mind"))
            })
            .await;
        assert_eq!(failed.unwrap_err().reason(), "NO");
        assert_eq!(count(&database).await, 1);
    }

    async fn callers_that_go_away_leave_neither_half_a_transaction_nor_a_spoiled_pool(test) {
        let database = open(&test).await;
        // Each goes away at another point of its transaction, from before it begins to after its commit.
        for caller in 0..50 {
            let mut writing = Box::pin(database.write(move |tx| two_notes(tx, caller)));
            let mut patience = 1 + caller % 25;
            let leave = poll_fn(|context| {
                patience -= 1;
                match writing.as_mut().poll(context) {
                    Poll::Pending if patience > 0 => Poll::Pending,
                    _ => Poll::Ready(()),
                }
            });
            leave.await;
        }
        let good = join_all((100..150).map(|caller| database.write(move |tx| two_notes(tx, caller)))).await;
        good.into_iter().collect::<Result<Vec<()>>>().unwrap();
        let halves = "SELECT count(*) FROM (SELECT author FROM notes GROUP BY author HAVING count(*) <> 2) AS halves";
        assert_eq!(number(&database, halves).await, 0);
        assert_eq!(number(&database, "SELECT count(*) FROM notes WHERE author >= 100").await, 100);
        // Nothing that was committed waits in a transaction which nobody knows of.
        let another = open(&test).await;
        eventually!(number(&another, "SELECT count(*) FROM notes WHERE author < 100").await == 100);
    }

    async fn a_transaction_outlives_its_caller(test) {
        let database = open(&test).await;
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let caller = tokio::spawn({
            let (database, begun, go) = (database.clone(), begun.clone(), go.clone());
            async move {
                database
                    .write(move |tx| async move {
                        begun.notify_one();
                        go.notified().await;
                        write_note(&tx, 1, 1, "written all the same").await
                    })
                    .await
            }
        });
        begun.notified().await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        go.notify_one();
        eventually!(count(&database).await == 1);
    }

    async fn work_that_panics_is_undone_and_the_next_work_succeeds(test) {
        let database = open(&test).await;
        let failed: Result<()> = database
            .write(|tx| async move {
                write_note(&tx, 1, 1, "undone").await?;
                panic!("a bug")
            })
            .await;
        assert_eq!(failed.unwrap_err().code(), Code::Internal);
        database.write(|tx| async move { write_note(&tx, 1, 2, "kept").await }).await.unwrap();
        assert_eq!(count(&database).await, 1);
    }

    async fn a_transaction_that_is_kept_beyond_its_work_writes_nothing(test) {
        let database = open(&test).await;
        let (keep, kept) = oneshot::channel();
        let failed: Result<()> = database
            .write(|tx| async move {
                write_note(&tx, 1, 1, "undone").await?;
                drop(keep.send(tx.clone()));
                Ok(())
            })
            .await;
        assert_eq!(failed.unwrap_err().code(), Code::Internal);
        drop(kept.await.unwrap());
        database.write(|tx| async move { write_note(&tx, 1, 2, "kept").await }).await.unwrap();
        assert_eq!(count(&database).await, 1);
    }

    async fn thirty_two_writers_in_two_processes_all_succeed(test) {
        let (one, other) = (open(&test).await, open(&test).await);
        let written = join_all((0..32).map(|author| {
            let database = if author % 2 == 0 { one.clone() } else { other.clone() };
            async move {
                database
                    .write(move |tx| async move {
                        // Who reads first and writes then must hold the right to write from the beginning.
                        execute(&tx, "SELECT count(*) FROM notes", []).await?;
                        two_notes(tx, author).await
                    })
                    .await
            }
        }))
        .await;
        written.into_iter().collect::<Result<Vec<()>>>().unwrap();
        assert_eq!(count(&one).await, 64);
    }

    async fn a_lock_lets_one_transaction_in_at_a_time(test) {
        let database = open(&test).await;
        database.write(|tx| async move { write_note(&tx, 1, 1, "0").await }).await.unwrap();
        let start = Arc::new(Barrier::new(16));
        let written = join_all((0..16).map(|_| {
            let (database, start) = (database.clone(), start.clone());
            async move {
                start.wait().await;
                database
                    .write(|tx| async move {
                        tx.lock(42).await?;
                        let notes = "SELECT note FROM notes";
                        let row = tx.query_one_raw(sea_orm::Statement::from_string(tx.get_database_backend(), notes)).await?;
                        let before: i64 = row.unwrap().try_get_by_index::<String>(0)?.parse().unwrap();
                        execute(&tx, "UPDATE notes SET note = $1", [(before + 1).to_string().into()]).await
                    })
                    .await
            }
        }))
        .await;
        written.into_iter().collect::<Result<Vec<()>>>().unwrap();
        assert_eq!(number(&database, "SELECT CAST(note AS bigint) FROM notes").await, 16);
    }

    async fn a_database_is_migrated_after_migrating_and_not_before(test) {
        let database = Database::open(&config(&test)).await.unwrap();
        assert!(!database.is_migrated::<Migrator>().await.unwrap());
        database.migrate::<OlderMigrator>().await.unwrap();
        assert!(!database.is_migrated::<Migrator>().await.unwrap());
        database.migrate::<Migrator>().await.unwrap();
        assert!(database.is_migrated::<Migrator>().await.unwrap());
        // While a release is rolled out, replicas of the older one start on the newer tables.
        assert!(database.is_migrated::<OlderMigrator>().await.unwrap());
        database.migrate::<Migrator>().await.unwrap();
    }

    async fn data_that_breaks_a_rule_is_our_own_fault_and_not_worth_another_try(test) {
        let database = open(&test).await;
        database.write(|tx| async move { write_note(&tx, 1, 1, "first").await }).await.unwrap();
        for broken in [
            "INSERT INTO notes (author, number) VALUES (1, 1)",
            "INSERT INTO notes (author, number) VALUES (1, -1)",
            "INSERT INTO notes (author, number) VALUES (1, NULL)",
            "INSERT INTO notes (author, number, topic) VALUES (1, 2, 'unknown')",
            "INSERT INTO nothing (author) VALUES (1)",
        ] {
            let error = database.write(move |tx| async move { execute(&tx, broken, []).await }).await.unwrap_err();
            assert_eq!((error.code(), error.is_transient()), (Code::Internal, false), "{broken}: {error}");
        }
    }

    async fn a_closed_database_is_away_and_not_the_caller_s_fault(test) {
        let database = open(&test).await;
        database.clone().close().await;
        let error = database.write(|tx| async move { write_note(&tx, 1, 1, "never").await }).await.unwrap_err();
        assert_eq!((error.code(), error.is_transient()), (Code::Unavailable, true), "{error}");
    }
}

async fn two_notes(tx: leadflow_platform::db::Tx, author: i64) -> Result<()> {
    write_note(&tx, author, 1, "one").await?;
    tokio::task::yield_now().await;
    write_note(&tx, author, 2, "two").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_migrate_one_postgresql_at_once_do_not_collide() {
    let test = TestDatabase::create(Backend::Postgres).await.unwrap();
    let databases = join_all((0..4).map(|_| async { Database::open(&config(&test)).await.unwrap() })).await;
    let migrated = join_all(databases.iter().map(|database| database.migrate::<Migrator>())).await;
    migrated.into_iter().collect::<Result<Vec<()>>>().unwrap();
    assert!(databases[0].is_migrated::<Migrator>().await.unwrap());
}

#[tokio::test]
async fn sqlite_writes_ahead_and_syncs_fully_before_it_answers() {
    let test = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let database = open(&test).await;
    let (mode, synchronous, foreign_keys) = database
        .write(|tx| async move {
            let pragma = async |sql| {
                let statement = sea_orm::Statement::from_string(DatabaseBackend::Sqlite, sql);
                tx.query_one_raw(statement).await.map(Option::unwrap)
            };
            let mode: String = pragma("PRAGMA journal_mode").await?.try_get_by_index(0)?;
            let synchronous: i32 = pragma("PRAGMA synchronous").await?.try_get_by_index(0)?;
            let foreign_keys: i32 = pragma("PRAGMA foreign_keys").await?.try_get_by_index(0)?;
            Ok((mode, synchronous, foreign_keys))
        })
        .await
        .unwrap();
    // 2 is FULL.
    assert_eq!((mode.as_str(), synchronous, foreign_keys), ("wal", 2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_transactions_in_each_other_s_way_the_one_that_is_given_up_may_be_tried_again() {
    let test = TestDatabase::create(Backend::Postgres).await.unwrap();
    let database = open(&test).await;
    database.write(|tx| two_notes(tx, 1)).await.unwrap();
    let met = Arc::new(Barrier::new(2));
    let crossing = |first: i64, second: i64| {
        let met = met.clone();
        database.write(move |tx| async move {
            let update = "UPDATE notes SET note = 'mine' WHERE number = $1";
            execute(&tx, update, [first.into()]).await?;
            met.wait().await;
            execute(&tx, update, [second.into()]).await
        })
    };
    let (one, other) = tokio::join!(crossing(1, 2), crossing(2, 1));
    let error = one.and(other).unwrap_err();
    assert_eq!((error.code(), error.is_transient()), (Code::Unavailable, true), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_between_serialisable_transactions_may_be_tried_again() {
    let test = TestDatabase::create(Backend::Postgres).await.unwrap();
    let database = open(&test).await;
    database.write(|tx| two_notes(tx, 1)).await.unwrap();
    let met = Arc::new(Barrier::new(2));
    let update = || {
        let met = met.clone();
        database.write(move |tx| async move {
            execute(&tx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", []).await?;
            execute(&tx, "SELECT 1", []).await?;
            met.wait().await;
            execute(&tx, "UPDATE notes SET note = 'mine'", []).await
        })
    };
    let (one, other) = tokio::join!(update(), update());
    let error = one.and(other).unwrap_err();
    assert_eq!((error.code(), error.is_transient()), (Code::Unavailable, true), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_server_ends_may_be_tried_again_and_the_pool_heals() {
    let test = TestDatabase::create(Backend::Postgres).await.unwrap();
    let database = open(&test).await;
    let ended = |tx| async move { execute(&tx, "SELECT pg_terminate_backend(pg_backend_pid())", []).await };
    let error = database.write(ended).await.unwrap_err();
    assert_eq!((error.code(), error.is_transient()), (Code::Unavailable, true), "{error}");
    for number in 0..8 {
        database.write(move |tx| async move { write_note(&tx, 1, number, "healed").await }).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_postgresql_cannot_hold_is_not_worth_another_try() {
    let test = TestDatabase::create(Backend::Postgres).await.unwrap();
    let database = open(&test).await;
    let error = database.write(|tx| async move { write_note(&tx, 1, 1, "a\0b").await }).await.unwrap_err();
    assert_eq!((error.code(), error.is_transient()), (Code::Internal, false), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let port = leadflow_harness::free_port().unwrap();
    let config = Config { url: format!("postgres://nobody@127.0.0.1:{port}/nothing"), max_connections: 4 };
    let opened = tokio::time::timeout(Duration::from_secs(25), Database::open(&config)).await.unwrap();
    assert_eq!(opened.unwrap_err().code(), Code::Unavailable);
}

#[test]
fn a_database_that_cannot_work_is_refused_by_the_name_of_its_variable() {
    let refused = |key: &str, value: &str| {
        let vars = Vars::from_iter([(key, value)]);
        Config::from_vars("contact", &vars).unwrap_err().to_string()
    };
    for (key, value) in [
        ("LEADFLOW_CONTACT_DATABASE_URL", "mysql://localhost"),
        ("LEADFLOW_CONTACT_DATABASE_URL", "sqlite::memory:"),
        ("LEADFLOW_DATABASE_MAX_CONNECTIONS", "2"),
        ("LEADFLOW_DATABASE_MAX_CONNECTIONS", "many"),
    ] {
        let message = refused(key, value);
        assert!(message.starts_with(&format!("{key}: ")), "{message}");
    }
}

/// A disk that is full, as far as this connection can tell.
async fn limit_pages(database: &Database, pages: i64) {
    let limit = format!("PRAGMA max_page_count = {pages}");
    database.write(move |tx| async move { Ok(tx.execute_unprepared(&limit).await?) }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_committed_after_the_disk_was_full_is_there_for_all() {
    let test = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let database = open(&test).await;
    let another = open(&test).await;
    let long = "x".repeat(200_000);
    for number in 0..3 {
        limit_pages(&database, 1).await;
        let long = long.clone();
        let error = database.write(move |tx| async move { write_note(&tx, 1, number, &long).await }).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        // One that fails by itself, and is rolled back.
        let refused = database.write(move |tx| async move { write_note(&tx, 2, -1, "below zero").await }).await;
        assert!(refused.is_err());
    }
    // There is room again.
    limit_pages(&database, 1_000_000).await;
    for number in 0..3 {
        let refused = database.write(move |tx| async move { write_note(&tx, 2, -1, "below zero").await }).await;
        assert!(refused.is_err());
        database.write(move |tx| async move { write_note(&tx, 1, number, "kept").await }).await.unwrap();
        assert_eq!(count(&another).await, number + 1);
    }
}
