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
    read(&args).unwrap().all
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
    assert!(all[5].refused.contains("names nobody"), "{}", all[5].refused);
}

#[test]
fn firms_are_matched_where_nobody_is_named_and_the_result_is_measured() {
    let firms = "id,Firma,Ort,Telefon\na,Kestrel Optics GmbH,Hamburg,040 3000001\na,Kestrel Optics,Hamburg,+49 40 3000001\nb,Lotus Pumps,Hamburg,\n";
    let all = matched(firms, &["--country", "DE", "--truth", "id", "--map", "Telefon=ignore"]);
    assert_eq!(all.iter().map(|one| one.outcome).collect::<Vec<_>>(), [Outcome::New, Outcome::Linked, Outcome::New]);
    let shown = truth::measure(&all).to_json();
    assert_eq!((shown["precision"].as_f64(), shown["f1"].as_f64()), (Some(1.0), Some(1.0)));
}

const PATIENTS: &str = "\
rec_id, given_name, surname, street_number, address_1, address_2, suburb, postcode, state, date_of_birth, soc_sec_id
rec-1-org, araminta, halbersteen, 12, mill street, rosehill, ashcombe, 2001, nsw, 19701231, 6988048
rec-1-dup-0, halbersteen, araminta, 12, rosehill, mill street, ashcombe, 2010, nsw, 19701213, 6988048
rec-1-dup-1, berta, halbersteen, 12, mill street, rosehill, ashcombe, 2001, nsw, 19701231, 6988048
rec-2-org, berta, halbersteen, 12, mill street, rosehill, ashcombe, 2001, nsw, 19720406, 7364009
";

#[test]
fn a_day_of_birth_and_a_number_tell_people_apart_and_generated_ids_say_who_is_one() {
    let all = matched(PATIENTS, &["--truth", "rec_id"]);
    let outcomes: Vec<_> = all.iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes, [Outcome::New, Outcome::Linked, Outcome::Linked, Outcome::New]);
    assert!(why(&all[1]).contains("person_number same"), "{}", why(&all[1]));
    assert_eq!(truth::measure(&all).to_json()["f1"].as_f64(), Some(1.0));
}

#[test]
fn names_with_a_day_of_birth_are_enough_and_a_broken_address_is_left_out() {
    let text = "id,first_name,surname,dob,email\n\
        a,Araminta,Halbersteen,1970-12-31,am@\n\
        a,Aramimta,Halbersteen,1970-12-31,\n\
        b,Barnaby,Osterquist,1970-12-31,\n";
    let all = matched(text, &[]);
    assert_eq!(all.iter().map(|one| one.outcome).collect::<Vec<_>>(), [Outcome::New, Outcome::Linked, Outcome::New]);
    assert!(why(&all[0]).contains("`am@` is no address"), "{}", why(&all[0]));
}

#[test]
fn a_file_of_pairs_says_who_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = folder.path().join("pairs.csv");
    std::fs::write(&pairs, "one,other\n11,12\n12,13\n").unwrap();
    let firms = "id,name,addr,city,phone,type\n\
        11,Kestrel Grill,12 Mill St.,Boston,617/555-0100,grill\n\
        12,Kestrel Grill,12 Mill Street,Boston,617-555-0100,american\n\
        14,Lotus Kitchen,9 Canal St.,Boston,617-555-0111,asian\n\
        13,Kestrel Gril,12 Mill Street,Boston,,american\n";
    let pairs = pairs.display().to_string();
    let words = ["--truth", "id", "--pairs", &pairs, "--map", "name=company", "--country", "US"];
    let all = matched(firms, &words);
    let shown = truth::measure(&all).to_json();
    assert_eq!((shown["precision"].as_f64(), shown["recall"].as_f64()), (Some(1.0), Some(1.0)), "{shown}");
}

#[test]
fn a_file_that_names_nobody_says_what_can_be_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.csv");
    std::fs::write(&file, "key,label\n1,Araminta\n").unwrap();
    let Command::Match(args) = Cli::parse_from(["leadflow", "match", &file.display().to_string()]).command else {
        panic!("other words")
    };
    let error = read(&args).err().unwrap().to_string();
    assert!(error.contains("`key`, `label`") && error.contains("birth_date"), "{error}");
}
