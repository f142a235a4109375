//! What is wrong is named, line by line, in a file that can be corrected and imported.

use std::path::Path;

use leadflow_harness::Backend;

use super::NOW;
use crate::support::World;

/// A good line, then one of each kind of mistake.
const SHOW: &str = "\
E-Mail;Country;Interest;Scanned at;Minutes;Notes
good@richtig.de;Germany;HPLC;2026-11-24 10:00;5;\"two
lines\"
time@richtig.de;Germany;HPLC;yesterday;5;
country@richtig.de;Elbonia;HPLC;2026-11-24 10:00;many;
who@richtig.de;Germany
;Germany;HPLC;2026-11-24 10:00;5;nobody
later@richtig.de;Germany;HPLC;2027-11-24 10:00;5;
lasers@richtig.de;Germany;Lasers;2026-11-24 10:00;5;
address@;Germany;HPLC;2026-11-24 10:00;5;
good@richtig.de;Germany;HPLC;2026-11-24 10:00;9;\"another story\"
last@richtig.de;Germany;HPLC;2026-11-24 10:00;5;
";

fn read(path: &Path) -> Vec<Vec<String>> {
    let content = std::fs::read_to_string(path).unwrap();
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b';').flexible(true).has_headers(false).from_reader(content.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn files(world: &World) -> Vec<String> {
    let names = std::fs::read_dir(world.folder.path()).unwrap().map(|it| it.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_lines_are_named_corrected_and_imported_again() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let show = world.write("show.csv", SHOW);
    let imported = world.import(&show, &["--batch", "2"]).await;
    assert_eq!((imported.code, imported.counts()), (Some(1), [10, 5, 2, 0, 3, 0, 0, 5]), "{}", imported.errors);
    let errors = world.folder.path().join("show.errors.csv");
    assert_eq!(imported.summary["errors_file"], errors.display().to_string());
    assert_eq!(files(&world), ["show.csv", "show.errors.csv"], "how far it came is forgotten at the end");

    let rows = read(&errors);
    let head = "import_line import_reason import_field import_message import_event_id import_quarantine_id E-Mail";
    assert_eq!(rows[0][..7].join(" ").trim_start_matches('\u{feff}'), head);
    let told: Vec<_> = rows[1..].iter().map(|row| (row[0].as_str(), row[1].as_str(), row[2].as_str())).collect();
    let expected = [
        ("4", "INVALID_TIME", "Scanned at"),
        ("5", "INVALID_COUNTRY", "Country, Minutes"),
        ("6", "WRONG_COLUMNS", ""),
        ("7", "MISSING_IDENTITY", "E-Mail"),
        ("8", "OCCUR_TIME_IN_FUTURE", "Scanned at"),
        ("9", "UNKNOWN_PRODUCT_CATEGORY", "Interest"),
        ("10", "INVALID_EMAIL", "E-Mail"),
        ("11", "DUPLICATE_EVENT_ID", ""),
    ];
    assert_eq!(told, expected);
    let kept = |row: &Vec<String>| (!row[4].is_empty(), !row[5].is_empty());
    assert_eq!(rows[1..].iter().map(kept).filter(|kept| *kept == (true, true)).count(), 3, "those that were sent");
    assert_eq!(rows[8][6..], ["good@richtig.de", "Germany", "HPLC", "2026-11-24 10:00", "9", "another story"]);

    // Somebody corrects the file and imports it as it is.
    let text = std::fs::read_to_string(&errors).unwrap();
    let text = text.replace("yesterday", "2026-11-23 10:00").replace("Elbonia", "Spain").replace(";many;", ";3;");
    let text = text.replace("who@richtig.de;Germany", "who@richtig.de;Germany;HPLC;2026-11-23 09:00;1;");
    let text = text.replace(";;Germany;HPLC", ";nobody@richtig.de;Germany;HPLC").replace("2027-11-24", "2026-11-22");
    let text = text.replace("Lasers", "HPLC").replace("address@;", "address@richtig.de;");
    std::fs::write(&errors, text.replace("2026-11-24 10:00;9", "2026-11-24 15:00;9")).unwrap();
    let again = world.import(&errors, &[]).await;
    assert_eq!((again.code, again.counts()), (Some(0), [8, 8, 8, 0, 0, 0, 0, 0]), "{}", again.errors);
    assert_eq!(world.recorded("expo").await.len(), 10);
    // What was quarantined came in under the id that it had.
    let ids: Vec<_> = world.recorded("expo").await.iter().map(|one| one["source_event_id"].clone()).collect();
    for row in rows[1..].iter().filter(|row| !row[4].is_empty()) {
        assert!(ids.contains(&row[4].as_str().into()), "{row:?}");
    }
    // Somebody else mends one of them in the quarantine: it is in the ledger, and stays there once.
    let kept = world.cli.json(&["quarantine", "list", "--door", "csv", "--source", "expo"]).await;
    assert_eq!(kept.as_array().unwrap().len(), 3);
    let email = rows[1..].iter().find(|row| row[1] == "INVALID_EMAIL").unwrap();
    world.cli.ok(&["quarantine", "correct", &email[5], "--set", "identity.email=address@richtig.de"]).await;
    world.cli.ok(&["quarantine", "replay", &email[5]]).await;
    assert_eq!(world.recorded("expo").await.len(), 10);
    world.reconciled().await;
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_imported_is_refused_and_nothing_is_sent() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let noise: Vec<u8> = (0_u32..20 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let text: Vec<u8> = noise.iter().map(|byte| b'a' + byte % 26).collect();
    let cases: [(&str, &[u8], &str); 7] = [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n\n", "is empty"),
        ("header.csv", b"Booth,Hall\n1,2\n", "no column says who it was"),
        ("data.csv", b"anna@example.com,2026-11-24\n", "a header line is needed"),
        ("timeless.csv", b"email\nanna@example.com\n", "no column says when"),
        ("noise.csv", &noise, "is no text"),
        ("text.csv", &text, "is a quote not closed?"),
    ];
    for (name, content, expected) in cases {
        let file = world.write(name, content);
        let refused = world.import(&file, &[]).await;
        assert_eq!(refused.code, Some(1), "{name}");
        assert!(refused.errors.contains(expected), "{name}: {}", refused.errors);
        std::fs::remove_file(file).unwrap();
    }
    let missing = world.import(Path::new("/nonexistent/show.csv"), &[]).await;
    assert!(missing.code == Some(1) && missing.errors.contains("/nonexistent/show.csv"), "{}", missing.errors);
    let good = world.write("good.csv", "email,date\nanna@example.com,2026-11-24\n");
    let unknown = world.import_from(&good, "expo-2", &[]).await;
    assert!(unknown.code == Some(1) && unknown.errors.contains("`expo-2` is not registered"), "{}", unknown.errors);
    assert_eq!(world.recorded("expo").await.len(), 0);
    assert_eq!(files(&world), ["good.csv"], "nothing is left behind");
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_good_lines_come_through_twenty_megabytes_of_garbage() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let mut content = String::from("email,date\nfirst@example.com,2026-11-24\n");
    for n in 0..20_000_u32 {
        content.extend(
            (0..1000_u32)
                .map(|m| char::from(b' ' + (n.wrapping_mul(31).wrapping_add(m.wrapping_mul(n | 1)) % 94) as u8)),
        );
        content.push('\n');
    }
    // Quotes that were never closed swallow what follows; a good line behind the garbage needs an end of them.
    let content = content.replace('"', "'");
    let file = world.write("garbage.csv", format!("{content}last@example.com,2026-11-24\n"));
    let imported = world.import(&file, &[]).await;
    assert_eq!(imported.code, Some(1));
    assert_eq!(
        (imported.count("lines"), imported.count("accepted"), imported.count("sent")),
        (20_002, 2, 2),
        "{}",
        imported.summary
    );
    assert_eq!(imported.count("invalid"), 20_000);
    world.suite.stop().await.unwrap();
}
