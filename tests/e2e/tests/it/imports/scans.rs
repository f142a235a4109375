//! Badge scans of a trade show.

use leadflow_harness::{Backend, eventually};

use super::NOW;
use crate::support::{World, sample};

/// Four scans of three people: thirty days old, new, and one who wants a quotation. Thirty days ago the clocks of Berlin
/// had just been set back.
const SHOW: &str = "\
E-Mail,Company,Country,Interest,Activity type,Scanned at,Minutes
old@fernblick-labor.de,Fernblick Labor,Germany,HPLC,,2026-10-26 11:00,2
new@neuland-labor.de,Neuland Labor,Germany,HPLC,,2026-11-25 11:00,2
ask@eilig-labor.de,Eilig Labor,Germany,HPLC,quote_requested,2026-11-24T16:00:00+01:00,12
";

async fn scans_count_at_the_time_of_the_scan_and_reach_the_rep(backend: Backend) {
    let world = World::start(backend, NOW).await;
    let show = world.write("show.csv", SHOW);
    let first = world.import(&show, &[]).await;
    assert_eq!((first.code, first.counts()), (Some(0), [3, 3, 3, 0, 0, 0, 0, 0]), "{}", first.errors);

    let lead =
        eventually!(some: world.cli.lead("Eilig Labor", "hplc").await.filter(|lead| lead["status"] == "offered"));
    assert_eq!(lead["band"], "hot");
    let score = async |account| world.cli.lead(account, "hplc").await.map(|lead| lead["score"].as_f64().unwrap());
    // Six points, of which half are left after thirty days.
    assert_eq!(eventually!(some: score("Neuland Labor").await), 6.0);
    assert_eq!(eventually!(some: score("Fernblick Labor").await), 3.0);
    let recorded = world.recorded("expo").await;
    let when: Vec<_> = recorded.iter().map(|one| one["occur_time"].as_str().unwrap()).collect();
    assert_eq!(when, ["2026-10-26T10:00:00Z", "2026-11-25T10:00:00Z", "2026-11-24T15:00:00Z"]);
    assert_eq!((&recorded[0]["activity_type"], &recorded[0]["channel"]), (&"badge_scanned".into(), &"event".into()));

    // A late file of the same show changes the score in hindsight, and the same file again changes nothing.
    let late = world.write("late.csv", format!("{SHOW}late@fernblick-labor.de,,,hplc,,26.10.2026 11:00,2\n"));
    assert_eq!(world.import(&late, &[]).await.counts(), [4, 4, 1, 3, 0, 0, 0, 0]);
    eventually!(score("Fernblick Labor").await == Some(6.0));
    assert_eq!(world.import(&show, &[]).await.counts(), [3, 3, 0, 3, 0, 0, 0, 0]);
    assert_eq!(world.recorded("expo").await.len(), 4);
    world.reconciled().await;
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scans_count_at_the_time_of_the_scan_and_reach_the_rep_on_sqlite() {
    scans_count_at_the_time_of_the_scan_and_reach_the_rep(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scans_count_at_the_time_of_the_scan_and_reach_the_rep_on_postgres() {
    scans_count_at_the_time_of_the_scan_and_reach_the_rep(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_counts_once_in_a_file_and_a_corrected_detail_makes_no_second_scan() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let head = "email,scanned at,notes\n";
    let line = "a@doppelt.de,2026-11-24 10:00,";
    let twice =
        world.write("twice.csv", format!("{head}{line}x\nb@doppelt.de,2026-11-24 10:00,y\n{line}x\n\n{line}x\n"));
    let imported = world.import(&twice, &[]).await;
    assert_eq!((imported.code, imported.counts()), (Some(0), [4, 2, 2, 0, 0, 0, 2, 0]));

    let corrected = world.write("corrected.csv", format!("{head}{line}corrected\nA@doppelt.de,2026-11-25 10:00,\n"));
    let imported = world.import(&corrected, &[]).await;
    assert_eq!(imported.counts(), [2, 2, 1, 1, 0, 0, 0, 0]);
    assert_eq!(imported.count("conflicting"), 1, "the first stands, and somebody is told");
    assert_eq!(world.recorded("expo").await.len(), 3);
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_excel_saves_is_read() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let content = "Vorname;Name;Firma;E-Mail;Land;Datum;Uhrzeit;Bemerkung\r\n\
                   Jörg;Weiß;\"Müller; Sohn\";j.weiss@muellerundsohn.de;Germany;24.11.2026;10:14;\"zwei Zeilen\r\nim Feld\"\r\n";
    let file = world.write("messe.csv", format!("\u{feff}{content}"));
    assert_eq!(world.import(&file, &[]).await.counts(), [1, 1, 1, 0, 0, 0, 0, 0]);
    let recorded = world.recorded("expo").await;
    assert_eq!(recorded[0]["occur_time"], "2026-11-24T09:14:00Z");
    let accounts = eventually!(some: {
        let found = world.cli.json(&["accounts", "--name", "Müller"]).await;
        found.as_array().unwrap().first().cloned()
    });
    assert_eq!((&accounts["name"], &accounts["country"]), (&"Müller; Sohn".into(), &"DE".into()));

    // The same from an older Excel: refused line by line, until the encoding is named. It is the same scan.
    let (old, _, _) = encoding_rs::WINDOWS_1252.encode(content);
    let file = world.write("alt.csv", old);
    let imported = world.import(&file, &[]).await;
    assert_eq!((imported.code, imported.counts()), (Some(1), [1, 0, 0, 0, 0, 0, 0, 1]));
    let errors = std::fs::read_to_string(world.folder.path().join("alt.errors.csv")).unwrap();
    assert!(
        errors.contains("INVALID_ENCODING") && errors.contains("--encoding") && errors.contains("Jörg"),
        "{errors}"
    );
    let imported = world.import(&file, &["--encoding", "windows-1252"]).await;
    assert_eq!((imported.code, imported.counts()), (Some(0), [1, 1, 0, 1, 0, 0, 0, 0]));
    assert_eq!(imported.count("conflicting"), 0);
    assert!(!world.folder.path().join("alt.errors.csv").exists(), "nothing is wrong any more");
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_sends_nothing_and_a_saved_mapping_needs_no_words() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let file = world.write("reader.csv", "Wer;Wann;Halle\na@messe.de;11/24/2026 09:30 AM;7\nb@messe.de;soon;7\n");
    let mapping = world.folder.path().join("mappings/reader.yaml").display().to_string();
    let words = [
        "--map",
        "Wer=email",
        "--map",
        "Wann=occur_time",
        "--map",
        "Halle=attribute.hall",
        "--time-format",
        "%m/%d/%Y %I:%M %p",
        "--category",
        "hplc",
    ];
    let dry = world.import(&file, &[&words[..], &["--dry-run", "--save-mapping", &mapping]].concat()).await;
    assert_eq!((dry.code, &dry.summary["would_send"], &dry.summary["invalid"]), (Some(1), &1.into(), &1.into()));
    assert_eq!(dry.summary["problems"][0]["line"], 3);
    let first = &dry.summary["first"][0];
    assert_eq!((&first["occur_time"], &first["attributes"]["hall"]), (&"2026-11-24T08:30:00Z".into(), &"7".into()));
    assert_eq!(world.recorded("expo").await.len(), 0);
    let mut names: Vec<_> = std::fs::read_dir(world.folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["mappings", "reader.csv"], "a dry run leaves nothing beside the file");

    let imported = world.import(&file, &["--mapping", &mapping, "--category", "hplc"]).await;
    assert_eq!(imported.counts(), [2, 1, 1, 0, 0, 0, 0, 1], "{}", imported.errors);
    assert_eq!(world.recorded("expo").await[0]["source_event_id"], first["source_event_id"]);
    let other = world.write("other.csv", "email,date\na@messe.de,2026-11-24\n");
    let refused = world.import(&other, &["--mapping", &mapping]).await;
    assert_eq!((refused.code, refused.errors.contains("`Halle`")), (Some(1), true), "{}", refused.errors);
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_files_are_imported_without_a_complaint() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let copy = |name: &str| world.write(name, std::fs::read(sample().join(name)).unwrap());
    let badges = world.import(&copy("expo-badges.csv"), &["--map", "Stand=object_id"]).await;
    assert_eq!((badges.code, badges.counts()), (Some(0), [20, 20, 20, 0, 0, 0, 0, 0]), "{}", badges.errors);
    let calls = world.import_from(&copy("calls.csv"), "inside-sales", &["--kind", "calls"]).await;
    assert_eq!((calls.code, calls.counts()), (Some(0), [12, 12, 12, 0, 0, 0, 0, 0]), "{}", calls.errors);
    // Scans of three people, their own call, and what they told: sales-ready by two files alone.
    eventually!(world.cli.lead("Albrechtsau Pharma", "hplc").await.is_some_and(|lead| lead["status"] == "offered"));
    world.reconciled().await;
    world.suite.stop().await.unwrap();
}
