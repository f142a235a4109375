//! The Rust arithmetic held against the one in Python.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use leadflow_scoring::domain::{Evaluated, Prepared, schedule::next_check_time};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use serde_json::Value as Json;

use crate::histories::{Case, case};

const CASES: usize = 600;

#[test]
fn every_line_band_and_next_check_is_what_the_oracle_computes() {
    let mut runner = TestRunner::deterministic();
    let cases: Vec<Case> =
        (0..CASES).map(|_| case().new_tree(&mut runner).expect("a case can be generated").current()).collect();
    let results = ask_the_oracle(&cases);
    assert_eq!(results.len(), CASES);
    let (mut lines, mut hot, mut scheduled) = (0, 0, 0);
    for (case, expected) in cases.iter().zip(&results) {
        let model = case.compiled();
        let evaluated = Evaluated::new(&model, &case.history, case.known_at);
        let prepared = Prepared::new(&evaluated, &case.scope, &case.history.adjustments, case.at);
        let score = prepared.score(case.at);
        let next = next_check_time(&prepared, &score);
        let context = || serde_json::to_string_pretty(&(case.to_json(), expected)).unwrap();

        let theirs = expected["lines"].as_array().unwrap();
        assert_eq!(score.lines.len(), theirs.len(), "{score:#?}\n{}", context());
        let ties = theirs.iter().filter(|line| line["near_tie"] == true).count() as i64;
        for (ours, theirs) in score.lines.iter().zip(theirs) {
            assert_eq!(serde_json::to_value(ours.kind).unwrap(), theirs["kind"], "{}", context());
            assert_eq!(ours.rule.as_deref(), theirs["rule"].as_str(), "{}", context());
            let tolerance = if ours.milli == theirs["milli"] { 0 } else { ties };
            assert!((ours.milli - theirs["milli"].as_i64().unwrap()).abs() <= tolerance, "{ours:?} {}", context());
        }
        lines += theirs.len();
        if ties > 0 {
            continue;
        }
        assert_eq!(score.milli, expected["score_milli"], "{}", context());
        assert_eq!(serde_json::to_value(score.band).unwrap(), expected["band"], "{}", context());
        assert_eq!(serde_json::to_value(score.validations).unwrap(), expected["validations"], "{}", context());
        assert_eq!(score.fast_track.is_some(), expected["fast_track"].as_bool().unwrap(), "{}", context());
        assert_eq!(next, expected["next_check_time"].as_i64(), "{}", context());
        hot += usize::from(expected["band"] == "hot");
        scheduled += usize::from(next.is_some());
    }
    // The histories must be worth the comparison.
    assert!(lines > 3 * CASES && hot > CASES / 20 && scheduled > CASES / 10, "{lines} lines, {hot} hot, {scheduled}");
}

fn ask_the_oracle(cases: &[Case]) -> Vec<Json> {
    let folder = leadflow_harness::repository().join("tests/oracle");
    let mut oracle = Command::new("python3")
        .arg("score.py")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle needs python3");
    let mut stdin = oracle.stdin.take().unwrap();
    let input: String = cases.iter().map(|case| format!("{}\n", case.to_json())).collect();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = oracle.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "the oracle failed");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
