use clap::Parser as _;

use super::*;
use crate::cli::{Cli, Command};

const PEOPLE: &str = "\
rec_id,given_name,surname,street_number,address_1,suburb,postcode,state
1,Araminta,Halbersteen,12,Mill Street,Ashcombe,2001,NSW
1,araminta,Halberstene,12,Mill St,Ashcombe,2001,NSW
2,Barnaby,Halbersteen,12,Mill Street,Ashcombe,2001,NSW
1,,Halbersteen,12,Mill Street,Ashcombe,2001,NSW
3,Quentin,Osterquist,7,Station Road,Dunmore,3300,VIC
4,,,7,Station Road,Dunmore,3300,VIC
";

fn matched(text: &str, words: &[&str]) -> Vec<Matched> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.csv");
    std::fs::write(&file, text).unwrap();
    let name = file.display().to_string();
    let cli = Cli::parse_from(["leadflow", "match", &name].iter().chain(words));
    let Command::Match(args) = cli.command else { panic!("other words") };
    read(&args).unwrap()
}

#[test]
fn each_line_says_whether_it_is_new_linked_or_to_be_reviewed_and_with_whom() {
    let all = matched(PEOPLE, &["--truth", "rec_id"]);
    let outcomes: Vec<_> = all.iter().map(|one| one.outcome).collect();
    let expected = [Outcome::New, Outcome::Linked, Outcome::New, Outcome::Review, Outcome::New, Outcome::Refused];
    assert_eq!(outcomes, expected);
    assert_eq!((all[1].group, all[1].line), (Some(2), 3), "lines are counted with the header");
    assert!(why(&all[1]).contains("family_name near"), "{}", why(&all[1]));
    assert!(all[3].may_be.is_some());
    assert!(all[5].refused.contains("who it was"), "{}", all[5].refused);
}

#[test]
fn firms_are_matched_where_nobody_is_named_and_the_result_is_measured() {
    let firms = "id,Firma,Ort,Telefon\na,Kestrel Optics GmbH,Hamburg,040 3000001\na,Kestrel Optics,Hamburg,+49 40 3000001\nb,Lotus Pumps,Hamburg,\n";
    let all = matched(firms, &["--country", "DE", "--truth", "id", "--map", "Telefon=ignore"]);
    assert_eq!(all.iter().map(|one| one.outcome).collect::<Vec<_>>(), [Outcome::New, Outcome::Linked, Outcome::New]);
    let shown = truth::measure(&all).to_json();
    assert_eq!((shown["precision"].as_f64(), shown["f1"].as_f64()), (Some(1.0), Some(1.0)));
}
