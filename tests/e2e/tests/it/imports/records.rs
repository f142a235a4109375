//! Accounts and contacts from CSV files, and back.

use std::{path::Path, process::Stdio};

use leadflow_harness::{Backend, eventually};
use serde_json::Value as Json;

use super::{Imported, NOW};
use crate::support::World;

impl World {
    /// Imports a file as `accounts` or `contacts`.
    async fn import_records(&self, kind: &str, file: &Path, words: &[&str]) -> Imported {
        let file = file.display().to_string();
        let output = self.cli.run(&[&["import", kind, &file, "--output", "json"], words].concat()).await;
        Imported {
            code: output.status.code(),
            summary: serde_json::from_slice(&output.stdout).unwrap_or_default(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    async fn all_accounts(&self) -> Vec<Json> {
        self.cli.json(&["accounts", "--limit", "0"]).await.as_array().unwrap().clone()
    }
}

/// Lines, created, updated, unchanged, rejected, invalid.
fn counts(imported: &Imported) -> [u64; 6] {
    ["lines", "created", "updated", "unchanged", "rejected", "invalid"].map(|name| imported.count(name))
}

/// What looked wrong: field, text, lines, suggestions.
fn remarks(imported: &Imported) -> Vec<String> {
    let said = |it: &Json| {
        let meant: Vec<_> = it["suggestions"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        let text = |name: &str| it[name].as_str().unwrap().to_owned();
        format!("{} {} {} {}", text("field"), text("text"), it["lines"], meant.join("/"))
    };
    imported.summary["remarks"].as_array().unwrap().iter().map(said).collect()
}

/// The children stand before their parents, an industry and two countries are misspelt.
const GROUP: &str = "\
Account,Sector,Revenue in millions,Employees,Country,Subsidiary of
Betalab,technolgy,12.5,40,Germany,Alphalab Holding
Gammalab,technolgy,3,7,Philipines,Betalab
Alphalab Holding AG,finance,1100.04,2822,Germany,
Deltalab,research,1,3,Korea,
";

async fn accounts_come_in_with_parents_and_what_looks_wrong_is_told(backend: Backend) {
    let world = World::start(backend, NOW).await;
    let before = world.all_accounts().await.len();
    let file = world.write("group.csv", GROUP);
    let dry = world.import_records("accounts", &file, &["--dry-run"]).await;
    assert_eq!((dry.code, counts(&dry)), (Some(0), [4, 4, 0, 0, 0, 0]), "{}", dry.errors);
    assert_eq!(world.all_accounts().await.len(), before);

    let first = world.import_records("accounts", &file, &[]).await;
    assert_eq!((first.code, counts(&first)), (Some(0), [4, 4, 0, 0, 0, 0]), "{}", first.errors);
    let expected = ["country Korea 1 KP/KR", "country Philipines 1 PH", "industry technolgy 2 technology"];
    assert_eq!(remarks(&first), expected);
    let accounts = world.all_accounts().await;
    let one = |name: &str| accounts.iter().find(|it| it["name"] == name).unwrap();
    let (alpha, beta, gamma) = (one("Alphalab Holding AG"), one("Betalab"), one("Gammalab"));
    assert_eq!(beta["parent_account_id"], alpha["account_id"]);
    assert_eq!(gamma["parent_account_id"], beta["account_id"]);
    assert_eq!((&alpha["revenue"], &alpha["employees"]), (&1_100_040_000_i64.into(), &2_822.into()));
    assert_eq!((&gamma["country"], &gamma["industry"]), (&Json::Null, &"technolgy".into()), "as it is, or left out");
    let results = std::fs::read_to_string(world.folder.path().join("group.results.csv")).unwrap();
    assert_eq!(results.lines().filter(|line| line.contains(",created,")).count(), 4, "{results}");
    assert!(results.contains("`Philipines` is no country"), "{results}");

    // Again nothing, and with a mapping what is right.
    assert_eq!(counts(&world.import_records("accounts", &file, &[]).await), [4, 0, 0, 4, 0, 0]);
    let mapping = "columns: {}\nvalues:\n  country: {Philipines: PH, Korea: KR}\n  industry: {technolgy: technology}\n";
    let mapping = world.write("group.yaml", mapping).display().to_string();
    let corrected = world.import_records("accounts", &file, &["--mapping", &mapping]).await;
    assert_eq!((counts(&corrected), remarks(&corrected)), ([4, 0, 3, 1, 0, 0], Vec::new()));
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_come_in_with_parents_and_what_looks_wrong_is_told_on_sqlite() {
    accounts_come_in_with_parents_and_what_looks_wrong_is_told(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_come_in_with_parents_and_what_looks_wrong_is_told_on_postgres() {
    accounts_come_in_with_parents_and_what_looks_wrong_is_told(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_accounts_of_a_real_crm_come_in_as_they_are() {
    let file = leadflow_harness::repository().join("../shared/data/crm_sales_opportunities/accounts.csv");
    if !file.exists() {
        eprintln!("skipped: {} is not there", file.display());
        return;
    }
    let world = World::start(Backend::Sqlite, NOW).await;
    let before = world.all_accounts().await.len();
    // Beside the file an import leaves its own.
    let file = world.write("accounts.csv", std::fs::read(file).unwrap());
    let words = ["--map", "revenue=revenue_millions", "--map", "office_location=country"];
    let imported = world.import_records("accounts", &file, &words).await;
    assert_eq!((imported.code, counts(&imported)), (Some(0), [85, 85, 0, 0, 0, 0]), "{}", imported.errors);
    let expected = ["country Korea 1 KP/KR", "country Philipines 1 PH", "industry technolgy 12 technology"];
    assert_eq!(remarks(&imported), expected);
    let accounts = world.all_accounts().await;
    assert_eq!(accounts.len(), before + 85);
    let below = |name: &str| {
        let parent = accounts.iter().find(|it| it["name"] == name).unwrap()["account_id"].clone();
        accounts.iter().filter(|it| it["parent_account_id"] == parent).count()
    };
    let parents = ["Acme Corporation", "Massive Dynamic", "Bubba Gump", "Inity", "Sonron", "Golddex", "Warephase"];
    assert_eq!(parents.map(below), [4, 1, 2, 2, 3, 2, 1]);
    assert_eq!(accounts.iter().filter(|it| !it["parent_account_id"].is_null()).count(), 15);
    assert_eq!(counts(&world.import_records("accounts", &file, &words).await), [85, 0, 0, 85, 0, 0]);
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_exported_and_imported_again_changes_nothing() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let file = world.write("group.csv", GROUP);
    world.import_records("accounts", &file, &[]).await;
    let people = "E-Mail,Name,Buying role,Stage,Account,Country\n\
                  ada@alphalab.de,Ada Lovelace,Decision maker,customer,,Germany\n\
                  bert@alphalab.de,Bert Brecht,user,prospect,,\n";
    let people = world.write("people.csv", people);
    let imported = world.import_records("contacts", &people, &[]).await;
    assert_eq!((imported.code, counts(&imported)), (Some(0), [2, 2, 0, 0, 0, 0]), "{}", imported.errors);
    for (kind, lines) in [("accounts", world.all_accounts().await.len()), ("contacts", 2)] {
        let path = world.folder.path().join(format!("all-{kind}.csv"));
        world.cli.ok(&["export", kind, &path.display().to_string()]).await;
        let again = world.import_records(kind, &path, &[]).await;
        assert_eq!(counts(&again), [lines as u64, 0, 0, lines as u64, 0, 0], "{kind} {}", again.summary);
    }
    let printed = world.cli.ok(&["export", "contacts"]).await;
    assert!(printed.contains("ada@alphalab.de") && printed.contains("decision_maker"), "{printed}");
    world.suite.stop().await.unwrap();
}

/// A field of each type, and who is told to use them.
const FIELDS: &str = "\
{kind: ProfileField, subject: account, name: segment, type: enum, allowed_values: [key, other], description: who serves it}
---
{kind: ProfileField, subject: account, name: fleet, type: number, description: cars that they lease}
---
{kind: ProfileField, subject: account, name: leasing, type: bool, description: whether they lease}
---
{kind: ProfileField, subject: contact, name: speaks, type: string, description: in which language we ring}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn declared_fields_come_in_from_columns_go_out_again_and_have_to_have_a_purpose() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let manifest = world.write("fields.yaml", FIELDS).display().to_string();
    let applied = world.cli.ok(&["apply", "-f", &manifest]).await;
    assert!(applied.contains("created   ProfileField/account.fleet"), "{applied}");
    let file = world.write("firms.csv", "name,profile.segment,Cars,profile.leasing\nWorks,key,12,ja\nShop,huge,,\n");
    let imported = world.import_records("accounts", &file, &["--map", "Cars=profile.fleet"]).await;
    assert_eq!((imported.code, counts(&imported)), (Some(1), [2, 1, 0, 0, 1, 0]), "{}", imported.errors);
    let errors = std::fs::read_to_string(world.folder.path().join("firms.errors.csv")).unwrap();
    assert!(errors.contains("3,WRONG_TYPE,profile.segment,"), "{errors}");
    let accounts = world.all_accounts().await;
    let works = accounts.iter().find(|it| it["name"] == "Works").unwrap();
    assert_eq!(works["profile"], serde_json::json!({"segment": "key", "fleet": 12.0, "leasing": true}));
    let people = world.write("people.csv", "email,profile.speaks\nada@works.de,German\n");
    assert_eq!(counts(&world.import_records("contacts", &people, &[]).await), [1, 1, 0, 0, 0, 0]);
    for kind in ["accounts", "contacts"] {
        let path = world.folder.path().join(format!("all-{kind}.csv"));
        world.cli.ok(&["export", kind, &path.display().to_string()]).await;
        let again = world.import_records(kind, &path, &[]).await;
        assert_eq!(again.count("lines"), again.count("unchanged"), "{kind} {}", again.summary);
    }
    let lint = world.cli.run(&["profile", "lint", "--output", "json"]).await;
    let idle = String::from_utf8_lossy(&lint.stdout).into_owned();
    assert!(
        !lint.status.success() && idle.contains("account.profile.fleet") && idle.contains("contact.profile.speaks"),
        "{idle}"
    );
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_in_a_line_is_told_with_its_column_and_can_be_corrected() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let content = "Name,Website,Parent,Employees\n\
                   Good,good.de,,5\n\
                   Mail,gmail.com,,5\n\
                   Lost,lost.de,Nobody,5\n\
                   Many,many.de,,\"2,822\"\n\
                   Ring,,Chain,\nChain,,Ring,\n";
    let file = world.write("firms.csv", content);
    let imported = world.import_records("accounts", &file, &[]).await;
    assert_eq!((imported.code, counts(&imported)), (Some(1), [6, 1, 0, 0, 2, 3]), "{}", imported.errors);
    let path = world.folder.path().join("firms.errors.csv");
    let errors = std::fs::read_to_string(&path).unwrap();
    for expected in [
        "3,FREE_MAIL_DOMAIN,Website,",
        "4,UNKNOWN_PARENT,Parent,",
        "5,INVALID_FIELD,Employees,",
        "6,HIERARCHY_CYCLE,Parent,",
        "7,HIERARCHY_CYCLE,Parent,",
    ] {
        assert!(errors.contains(expected), "{expected}: {errors}");
    }
    let corrected = errors.replace("gmail.com", "mail-works.de").replace("Nobody", "Good").replace("2,822", "2822");
    let corrected = world.write("corrected.csv", corrected.replace("Ring,,Chain,", "Ring,,,"));
    let imported = world.import_records("accounts", &corrected, &[]).await;
    assert_eq!((imported.code, counts(&imported)), (Some(0), [5, 5, 0, 0, 0, 0]), "{}", imported.errors);
    // A file that says nothing of accounts is refused before anything is sent.
    let other = world.write("other.csv", "Colour,Size\nred,7\n");
    let refused = world.import_records("accounts", &other, &[]).await;
    assert_eq!((refused.code, refused.errors.contains("`Colour`")), (Some(1), true), "{}", refused.errors);
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_of_accounts_that_was_killed_goes_on_where_it_was() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let before = world.all_accounts().await.len();
    let mut content = String::from("name,parent\n");
    for n in 0..60 {
        content.push_str(&format!("Child {n},Parent {n}\nParent {n},\n"));
    }
    let file = world.write("many.csv", content);
    let path = file.display().to_string();
    let mut command = world.cli.command(&["import", "accounts", &path, "--batch", "1", "-o", "json"]);
    let mut import = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let acknowledged = || -> Option<u64> {
        let text = std::fs::read_to_string(world.folder.path().join("many.import.json")).ok()?;
        serde_json::from_str::<Json>(&text).unwrap()["summary"]["lines"].as_u64()
    };
    // In the midst of the children, who come after all parents.
    eventually!(acknowledged().is_some_and(|lines| lines >= 65));
    import.kill().unwrap();
    import.wait().unwrap();
    let done = acknowledged().unwrap();
    let resumed = world.import_records("accounts", &file, &[]).await;
    assert_eq!((resumed.code, resumed.count("resumed_after")), (Some(0), done), "{}", resumed.errors);
    let [lines, created, _, unchanged, ..] = counts(&resumed);
    assert_eq!((lines, created + unchanged), (120, 120));
    assert!(unchanged <= 1, "only what was under way is sent again: {}", resumed.summary);
    assert_eq!(world.all_accounts().await.len(), before + 120);
    let results = std::fs::read_to_string(world.folder.path().join("many.results.csv")).unwrap();
    assert_eq!(results.lines().count(), 121, "each line is there once");
    assert_eq!(acknowledged(), None);
    world.suite.stop().await.unwrap();
}
