//! The examples for marketing tools do what they say: they publish until they have the receipt.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures::StreamExt as _;
use leadflow_harness::{Backend, Nats, repository};
use serde_json::{Value as Json, json};

use crate::support::{World, built};

/// A Python with the library that the example needs, in an environment of its own.
fn python() -> Result<PathBuf, String> {
    let environment = built("publish-rust").with_file_name("publish-python");
    let interpreter = environment.join("bin/python");
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"];
    succeed(Command::new(&interpreter).args(install).arg(folder().join("requirements.txt")))?;
    Ok(interpreter)
}

fn folder() -> PathBuf {
    repository().join("examples/publish-python")
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    output.status.success().then_some(()).ok_or(format!("{command:?}: {error}"))
}

/// Starts an example that publishes a click on a link in the newsletter.
fn publish(mut example: Command, nats: &Nats) -> Child {
    let activity = json!({
        "source_event_id": "click-1",
        "activity_type": "email_clicked",
        "product_category": "hplc",
        "identity": { "email": "anna@example.com" },
    });
    let mut child = example
        .args([nats.url().as_str(), "newsletter"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(activity.to_string().as_bytes()).unwrap();
    child
}

/// What the example prints in the end.
async fn receipt(child: Child) -> Json {
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Who is not answered sends the same again.
async fn publishes_again(example: Command) {
    let nats = Nats::start().unwrap();
    let leadflow = async_nats::connect(nats.url()).await.unwrap();
    let mut messages = leadflow.subscribe("leadflow.intake.v1.*").await.unwrap();
    leadflow.flush().await.unwrap();
    let child = publish(example, &nats);
    let mut next = async || tokio::time::timeout(Duration::from_secs(30), messages.next()).await.unwrap().unwrap();
    let (first, second) = (next().await, next().await);
    assert_eq!((first.payload, first.headers), (second.payload, second.headers.clone()));
    let inbox = second.headers.unwrap().get("leadflow-receipt").unwrap().to_string();
    leadflow.publish(inbox, json!({ "outcome": "accepted" }).to_string().into()).await.unwrap();
    leadflow.flush().await.unwrap();
    assert_eq!(receipt(child).await["outcome"], "accepted");
}

/// Leadflow records what the example publishes, once.
async fn publishes(example: impl Fn() -> Command) {
    let world = World::start(Backend::Sqlite, "2030-01-02T10:00:00Z").await;
    let first = receipt(publish(example(), &world.nats)).await;
    let again = receipt(publish(example(), &world.nats)).await;
    assert_eq!((first["outcome"].as_str(), again["outcome"].as_str()), (Some("accepted"), Some("duplicate")));
    assert_eq!(first["activity_id"], again["activity_id"]);
    let listed = world.cli.json(&["activities"]).await;
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_rust_publishes_once_and_again_until_it_is_heard() {
    let example = || Command::new(built("publish-rust"));
    publishes(example).await;
    publishes_again(example()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_python_publishes_once_and_again_until_it_is_heard() {
    let interpreter = match python() {
        Ok(interpreter) => interpreter,
        Err(reason) => return println!("skipped: the library of the Python example cannot be installed: {reason}"),
    };
    let example = || {
        let mut command = Command::new(&interpreter);
        command.arg(folder().join("publish.py"));
        command
    };
    publishes(example).await;
    publishes_again(example()).await;
}
