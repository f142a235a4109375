//! A person who is erased is gone: from every table, every stream, every file and every log.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use leadflow::suite::ROLES;
use leadflow_harness::{Backend, eventually, free_port};
use leadflow_platform::config::variable;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, Statement};
use serde_json::{Value as Json, json};

use crate::support::{Cli, World, binary, on_each_backend, sample};

const NOW: &str = "2030-01-02T10:00:00Z";
/// What is planted in every field that may say anything of a person.
const CANARY: &str = "canary";

const NEWSLETTER: &str = "
kind: Source
name: newsletter
default_activity_type: form_submitted
default_channel: web
consent: {basis: consent, purpose: newsletter, confirmation: {}}
";

/// An activity that has a canary in each of its fields, from one person at one company.
fn canary(id: &str, source: &str) -> Json {
    json!({
        "source": source,
        "source_event_id": format!("event-{id}"),
        "activity_type": "quote_requested",
        "product_category": "hplc",
        "object_id": format!("https://example.com/{CANARY}"),
        "identity": {
            "email": format!("{CANARY}@quellwasser-labor.de"),
            "phone": "+49 30 90182099",
            "external_id": format!("{CANARY}-external"),
            "anonymous_id": format!("{CANARY}-anonymous"),
            "company": "Quellwasser Labor", "country": "DE",
            "given_name": format!("{CANARY}-given"), "family_name": format!("{CANARY}-family"),
            "job_title": format!("{CANARY}-job"),
        },
        "attributes": {"section": format!("{CANARY}-declared"), "undeclared": CANARY, "consent_sales": "on"},
        "answers": {"application": format!("{CANARY}-answer"), "undeclared": CANARY},
        "notes": format!("{CANARY}-notes"),
    })
}

/// Where the doors are.
struct Doors {
    cli: Cli,
    http: String,
    nats: String,
    folder: PathBuf,
}

impl Doors {
    /// Plants canaries at each door, in the ledger and in the quarantine. Returns how many activities are recorded.
    async fn plant(&self) -> usize {
        let form = [
            ("email", "canary@quellwasser-labor.de"),
            ("company", "Quellwasser Labor"),
            ("given_name", "canary-given"),
            ("message", "canary-message"),
            ("section", "canary-section"),
            ("other", "canary-other"),
            ("consent_sales", "on"),
        ];
        let posted = reqwest::Client::new().post(format!("{}/v1/forms/website-form", self.http)).form(&form);
        let answer = posted.header("accept", "application/json").send().await.unwrap();
        assert!(answer.status().is_success());
        let file = self.folder.join("canaries.csv");
        let head = "email,given_name,family_name,company,country,scanned_at,notes,minutes";
        let line = "canary@quellwasser-labor.de,canary,canary,Quellwasser Labor,DE,2026-11-10T09:42:00Z,canary,7";
        let broken = line.replace(",DE,", ",Atlantis,").replace(",7", ",canary");
        fs::write(&file, format!("{head}\n{line}\n{broken}\n")).unwrap();
        self.cli.run(&["import", &file.display().to_string(), "--source", "expo"]).await;
        for path in fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path()) {
            fs::remove_file(path).unwrap();
        }
        let bus = async_nats::jetstream::new(async_nats::connect(&self.nats).await.unwrap());
        let unknown_category = {
            let mut one = canary("quarantined", "website-form");
            one["product_category"] = json!("unheard-of");
            one
        };
        let raw = json!({"source": "website-form", "mail": "CANARY@quellwasser-labor.de", "no": "activity"});
        for body in [canary("nats", "website-form"), unknown_category, raw] {
            bus.publish("leadflow.intake.v1.website-form", body.to_string().into()).await.unwrap().await.unwrap();
        }
        self.ask_for_a_newsletter().await;
        4
    }

    /// Asks in the person's name for a consent that has to be confirmed.
    async fn ask_for_a_newsletter(&self) {
        let file = self.folder.join("newsletter.yaml");
        fs::write(&file, NEWSLETTER).unwrap();
        self.cli.ok(&["apply", "-f", &file.display().to_string()]).await;
        let form = [("email", "canary@quellwasser-labor.de"), ("message", CANARY)];
        let posted = reqwest::Client::new().post(format!("{}/v1/forms/newsletter", self.http)).form(&form);
        assert!(posted.send().await.unwrap().status().is_success());
        fs::remove_file(file).unwrap();
    }

    /// The links of consents that the persons have to confirm.
    async fn to_confirm(&self) -> Vec<String> {
        let all = self.cli.json(&["consent", "pending"]).await;
        all.as_array().unwrap().iter().map(|one| one["url"].as_str().unwrap().to_owned()).collect()
    }

    /// The contact, once all that was planted is identified.
    async fn planted(&self, recorded: usize) -> String {
        let list = async || {
            let all = self.cli.json(&["activities", "--limit", "0", "--state", "identified"]).await;
            let of = |one: &Json| one["contact_id"].as_str().map(str::to_owned);
            let contacts: Vec<_> = all.as_array().unwrap().iter().filter_map(of).collect();
            (contacts.len() == recorded).then_some(contacts)
        };
        let mut contacts = eventually!(some: list().await);
        contacts.dedup();
        assert_eq!(contacts.len(), 1, "{contacts:?}");
        eventually!(self.quarantined().await >= 2);
        contacts.remove(0)
    }

    async fn quarantined(&self) -> usize {
        self.cli.json(&["quarantine", "list", "--all", "--limit", "0"]).await.as_array().unwrap().len()
    }

    async fn erase(&self, contact: &str) {
        self.cli.ok(&["erase", contact, "--reason", "asked for it"]).await;
        eventually!(self.cli.json(&["erasures", "--open"]).await.as_array().unwrap().is_empty());
    }
}

/// Keeps an event that cannot be handled and names this contact.
async fn set_aside(url: &str, contact: &str) {
    let database = Database::connect(url).await.unwrap();
    let body: String =
        format!("{contact} {CANARY}@quellwasser-labor.de").bytes().map(|it| format!("{it:02x}")).collect();
    let body = match database.get_database_backend() {
        sea_orm::DatabaseBackend::Postgres => format!("'\\x{body}'"),
        _ => format!("X'{body}'"),
    };
    let sql = format!(
        "INSERT INTO quarantined_events (event_id, consumer, subject, reason, message, payload, create_time) \
         VALUES ('aside', 'somebody', 'leadflow.contact.v1.changed', 'INVALID_FIELD', 'is nothing', {body}, 0)"
    );
    database.execute_unprepared(&sql).await.unwrap();
    database.close().await.unwrap();
}

/// All files below a folder whose bytes hold the canary, in whatever case.
fn with_canary(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(with_canary(&path));
        } else if let Ok(bytes) = fs::read(&path) {
            let bytes = bytes.to_ascii_lowercase();
            if let Some(at) = bytes.windows(CANARY.len()).position(|window| window == CANARY.as_bytes()) {
                let around = &bytes[at.saturating_sub(60)..(at + 60).min(bytes.len())];
                found.push(format!("{}: {}", path.display(), String::from_utf8_lossy(around)));
            }
        }
    }
    found
}

/// All rows of all tables in which the canary is, as text or in bytes.
async fn rows_with_canary(url: &str) -> Vec<String> {
    let database = Database::connect(url).await.unwrap();
    let backend = database.get_database_backend();
    let names = match backend {
        sea_orm::DatabaseBackend::Postgres => "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
        _ => "SELECT name FROM sqlite_master WHERE type = 'table'",
    };
    let mut found = Vec::new();
    for table in texts(&database, names, "name").await {
        let rows = match backend {
            sea_orm::DatabaseBackend::Postgres => format!("SELECT CAST(t AS text) AS row FROM \"{table}\" AS t"),
            _ => {
                let columns = format!("SELECT name FROM pragma_table_info('{table}')");
                let columns = texts(&database, &columns, "name").await;
                let parts: Vec<_> = columns.iter().map(|it| format!("COALESCE(CAST(\"{it}\" AS text), '')")).collect();
                format!("SELECT {} AS row FROM \"{table}\"", parts.join(" || ' ' || "))
            }
        };
        let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
        for row in texts(&database, &rows, "row").await.iter().map(|row| row.to_lowercase()) {
            if row.contains(CANARY) || row.contains(&hex) {
                found.push(format!("{table}: {row}"));
            }
        }
    }
    database.close().await.unwrap();
    found
}

async fn texts(database: &DatabaseConnection, sql: &str, column: &str) -> Vec<String> {
    let rows = database.query_all_raw(Statement::from_string(database.get_database_backend(), sql)).await.unwrap();
    rows.iter()
        .map(|row| {
            row.try_get::<Vec<u8>>("", column).map_or_else(
                |_| row.try_get::<String>("", column).unwrap_or_default(),
                |bytes| String::from_utf8_lossy(&bytes).into_owned(),
            )
        })
        .collect()
}

async fn who_is_erased_stands_in_no_table_and_no_stream_and_comes_back_as_nobody(backend: Backend) {
    let world = World::start(backend, NOW).await;
    let doors = Doors {
        cli: world.cli.clone(),
        http: world.suite.listening.http_url(),
        nats: world.nats.url(),
        folder: world.folder.path().to_owned(),
    };
    let recorded = doors.plant().await;
    let contact = doors.planted(recorded).await;
    let lead =
        eventually!(some: world.cli.lead("Quellwasser Labor", "hplc").await.filter(|it| it["ready_time"].is_string()));
    let exported = world.cli.json(&["export", "contact", &contact]).await;
    assert_eq!(exported["activities"].as_array().unwrap().len(), recorded);
    assert!(exported["activities"].to_string().contains("canary-notes"));
    assert!(exported["identities"].to_string().contains("canary-external"));

    for role in ["contact", "activity-ingest", "scoring"] {
        set_aside(&world.databases[role].url, &contact).await;
    }
    let to_confirm = doors.to_confirm().await;
    assert_eq!(to_confirm.len(), 1);

    doors.erase(&contact).await;
    assert!(doors.to_confirm().await.is_empty());
    // Whoever confirms now is told no more than somebody whose link is too old, and nothing comes back.
    assert_eq!(reqwest::Client::new().post(&to_confirm[0]).send().await.unwrap().status(), 410);
    for (role, database) in &world.databases {
        let rows = rows_with_canary(&database.url).await;
        assert!(rows.is_empty(), "{role}: {rows:#?}");
    }
    let files = with_canary(&world.nats.files());
    assert!(files.is_empty(), "{files:#?}");
    // The lead stays, for it was handed over; of what they have done nothing counts any more.
    let id = lead["lead_id"].as_str().unwrap();
    let lines = async || world.cli.json(&["explain", id]).await["lines"].clone();
    let of_activities = async || lines().await.as_array().unwrap().iter().any(|line| line["activity_id"].is_string());
    eventually!(!of_activities().await);
    let frozen = world.cli.json(&["explain", id, "--hand-over", "1"]).await;
    assert!(frozen["score"].as_f64().unwrap() > 0.0, "history keeps its points");
    eventually!(world.cli.run(&["reconcile", "--settle", "0s"]).await.status.success());

    // The same comes again: it is of nobody, and nothing of it is kept.
    doors.plant().await;
    let of_nobody = async || {
        let all = world.cli.json(&["activities", "--limit", "0", "--state", "identified"]).await;
        all.as_array().unwrap().iter().filter(|one| one["contact_id"].is_null()).count()
    };
    eventually!(of_nobody().await >= recorded);
    for role in ["contact", "scoring", "routing"] {
        let rows = rows_with_canary(&world.databases[role].url).await;
        assert!(rows.is_empty(), "{role}: {rows:#?}");
    }
    let again = world.cli.run(&["erase", &contact, "--reason", "again"]).await;
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && said.contains("NOT_FOUND") && said.contains("contact_id"), "{said}");
}

/// `leadflow up` with all its files in one folder, and its log in a file.
struct Up(Child);

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_and_no_log_of_a_whole_installation_names_who_was_erased() {
    let scratch = leadflow_harness::scratch().unwrap();
    let (data, log) = (scratch.path().join("data"), scratch.path().join("log"));
    let (mut cli, mut command) = (Cli::default(), Command::new(binary()));
    for (role, _) in ROLES {
        let port = free_port().unwrap();
        command.env(variable(role, "LISTEN"), format!("127.0.0.1:{port}"));
        command.env(variable(role, "ADMIN_LISTEN"), format!("127.0.0.1:{}", free_port().unwrap()));
        cli.set(&variable(role, "URL"), format!("http://127.0.0.1:{port}"));
    }
    let http = format!("127.0.0.1:{}", free_port().unwrap());
    command.env("LEADFLOW_ACTIVITY_INGEST_HTTP_LISTEN", &http).env("RUST_LOG", "info,leadflow=debug");
    command.arg("up").arg("--data-dir").arg(&data).stdin(Stdio::null());
    let file = fs::File::create(&log).unwrap();
    command.stdout(file.try_clone().unwrap()).stderr(file);
    let up = Up(command.spawn().unwrap());
    eventually!(cli.run(&["apply", "-f", &sample().display().to_string()]).await.status.success());
    let nats = eventually!(some: nats_url(&log));
    let folder = scratch.path().join("files");
    fs::create_dir(&folder).unwrap();
    let doors = Doors { cli, http: format!("http://{http}"), nats, folder };
    let recorded = doors.plant().await;
    let contact = doors.planted(recorded).await;
    assert!(!with_canary(&data).is_empty(), "they are really there");
    doors.erase(&contact).await;
    drop(up);
    // A database keeps deleted rows in its files until it uses the room again: this is when it is promised.
    for (role, _) in ROLES {
        let url = format!("sqlite:{}", data.join(format!("{role}.sqlite")).display());
        let database = Database::connect(url).await.unwrap();
        for statement in ["PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"] {
            database.execute_unprepared(statement).await.unwrap();
        }
        database.close().await.unwrap();
    }
    let files = with_canary(&data);
    assert!(files.is_empty(), "{files:#?}");
    let text = fs::read_to_string(&log).unwrap().to_lowercase();
    let lines: Vec<_> = text.lines().filter(|line| line.contains(CANARY)).collect();
    assert!(lines.is_empty(), "{lines:#?}");
}

/// Where the private NATS server is, as the log says.
fn nats_url(log: &Path) -> Option<String> {
    let text = fs::read_to_string(log).unwrap();
    let at = text.find("nats://")?;
    Some(text[at..].chars().take_while(|it| !it.is_whitespace() && *it != '"' && *it != '\u{1b}').collect())
}

on_each_backend! {
    who_is_erased_stands_in_no_table_and_no_stream_and_comes_back_as_nobody
}
