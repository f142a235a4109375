//! However an import ends, the same command goes on, and every line counts once.

use std::{
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use leadflow_harness::{Backend, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::NOW;
use crate::support::{Cli, World};

/// Good lines; each tenth line besides is none.
const LINES: usize = 600;

fn show() -> String {
    let mut content = String::from("email,scanned at\n");
    for n in 0..LINES {
        content.push_str(&format!("visitor-{n}@firma-{n}.de,2026-11-24 10:00\n"));
        if n % 10 == 0 {
            content.push_str(&format!("visitor-{n}@firma-{n}.de,tomorrow\n"));
        }
    }
    content
}

/// An import of `show.csv` that sends line by line, in a process of its own.
fn start(world: &World, cli: &Cli) -> Child {
    let file = world.write("show.csv", show()).display().to_string();
    let mut command = cli.command(&[
        "import",
        &file,
        "--source",
        "expo",
        "--time-zone",
        "Europe/Berlin",
        "--batch",
        "1",
        "-o",
        "json",
    ]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// How many lines are acknowledged, as the import has written it down.
fn acknowledged(world: &World) -> Option<u64> {
    let text = std::fs::read_to_string(world.folder.path().join("show.import.json")).ok()?;
    serde_json::from_str::<Json>(&text).unwrap()["summary"]["lines"].as_u64()
}

async fn every_line_counts_once(world: &World, resumed_after: u64) {
    let file = world.folder.path().join("show.csv");
    let resumed = world.import(&file, &[]).await;
    assert_eq!(resumed.code, Some(1), "lines have failed: {}", resumed.errors);
    let lines = (LINES + LINES / 10) as u64;
    assert_eq!(resumed.count("resumed_after"), resumed_after);
    assert_eq!((resumed.count("lines"), resumed.count("sent")), (lines, LINES as u64));
    assert_eq!(resumed.count("accepted") + resumed.count("duplicates"), LINES as u64);
    assert!(resumed.count("duplicates") <= 1, "only what was under way is sent again: {}", resumed.summary);
    assert_eq!(world.recorded("expo").await.len(), LINES);
    let errors = std::fs::read_to_string(world.folder.path().join("show.errors.csv")).unwrap();
    let mut failed: Vec<_> = errors.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(failed.len(), LINES / 10);
    failed.dedup();
    assert_eq!(failed.len(), LINES / 10, "each failed line is there once");
    assert_eq!(acknowledged(world), None, "how far it came is forgotten at the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_killed_goes_on_where_it_was() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let mut import = start(&world, &world.cli);
    eventually!(acknowledged(&world).is_some_and(|lines| lines >= 25));
    import.kill().unwrap();
    import.wait().unwrap();
    let done = acknowledged(&world).unwrap();
    assert!(done < LINES as u64);
    every_line_counts_once(&world, done).await;
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_ends_an_import_in_order_and_says_how_to_go_on() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let import = start(&world, &world.cli);
    eventually!(acknowledged(&world).is_some_and(|lines| lines >= 25));
    kill_process(Pid::from_raw(i32::try_from(import.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    let output = import.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    let done = acknowledged(&world).unwrap();
    assert!(said.contains(&format!("Interrupted after {done} lines: give the same command again")), "{said}");
    every_line_counts_once(&world, done).await;
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_outlives_a_service_that_goes_and_comes_back() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let (door, url) = Door::before(&world.suite.listening.url("activity-ingest")).await;
    let mut cli = world.cli.clone();
    cli.set("LEADFLOW_ACTIVITY_INGEST_URL", url);
    let mut import = start(&world, &cli);
    eventually!(acknowledged(&world).is_some_and(|lines| lines >= 25));
    door.open.send(false).unwrap();
    let refused = door.refused.clone();
    eventually!(import.try_wait().unwrap().is_some() || refused.load(Ordering::SeqCst) >= 2);
    if import.try_wait().unwrap().is_some() {
        panic!("it does not wait: {:?}", import.wait_with_output());
    }
    door.open.send(true).unwrap();
    let output = tokio::task::spawn_blocking(move || import.wait_with_output().unwrap()).await.unwrap();
    let summary: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["sent"], &summary["resumed_after"]), (&LINES.into(), &0.into()), "{summary}");
    assert_eq!(world.recorded("expo").await.len(), LINES);
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_changed_meanwhile_begins_anew() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let mut import = start(&world, &world.cli);
    eventually!(acknowledged(&world).is_some_and(|lines| lines >= 25));
    import.kill().unwrap();
    import.wait().unwrap();
    let before = world.recorded("expo").await.len() as u64;
    let file = world.write("show.csv", format!("{}one-more@firma.de,2026-11-24 10:00\n", show()));
    let imported = world.import(&file, &[]).await;
    assert_eq!((imported.count("resumed_after"), imported.count("sent")), (0, LINES as u64 + 1));
    assert_eq!(imported.count("duplicates"), before);
    assert_eq!(world.recorded("expo").await.len(), LINES + 1);
    world.suite.stop().await.unwrap();
}

/// A door before a service that can be shut: what is under way is cut off, and nobody comes in.
struct Door {
    open: watch::Sender<bool>,
    refused: Arc<AtomicUsize>,
}

impl Door {
    async fn before(url: &str) -> (Self, String) {
        let behind = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let front = format!("http://{}", listener.local_addr().unwrap());
        let (open, is_open) = watch::channel(true);
        let refused = Arc::new(AtomicUsize::new(0));
        let count = refused.clone();
        tokio::spawn(async move {
            while let Ok((mut outside, _)) = listener.accept().await {
                if !*is_open.borrow() {
                    count.fetch_add(1, Ordering::SeqCst);
                    continue;
                }
                let (behind, mut is_open) = (behind.clone(), is_open.clone());
                tokio::spawn(async move {
                    let mut inside = TcpStream::connect(behind).await.unwrap();
                    // Small messages would wait for each other at a door that holds them back.
                    outside.set_nodelay(true).unwrap();
                    inside.set_nodelay(true).unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut outside, &mut inside) => {}
                        _ = is_open.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        (Self { open, refused }, front)
    }
}
