//! `leadflow match`: a dry run of the resolution over a CSV file, with the reasons, and measured where the truth is known.

mod truth;

use std::{collections::HashMap, process::ExitCode};

use anyhow::{Context as _, Result};
use leadflow_contact::domain::{Directory, Resolved, matched::Found, normal};
use leadflow_proto::contact::v1::IdentityClaim;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use self::truth::Truth;
use crate::{
    cli::{Format, Match, Outcome},
    import::{field::Field, mapping, row::Reading, table::Line},
    output::{self, Column, Rows},
};

/// What became of one line.
struct Matched {
    line: u64,
    outcome: Outcome,
    /// The first line of those that are one with it.
    group: Option<u64>,
    /// Why, where it was found by how well it agrees.
    found: Option<Found>,
    /// The first line of those that it may be one with.
    may_be: Option<u64>,
    refused: String,
    /// What was left out because it cannot be read.
    left_out: Option<String>,
    truth: String,
}

/// What was read of a file, and as what.
struct Read {
    header: Vec<String>,
    columns: Vec<Field>,
    all: Vec<Matched>,
}

pub(super) fn run(format: Format, args: &Match) -> Result<ExitCode> {
    let read = read(args)?;
    print(format, args, &read);
    let refused = read.all.iter().any(|one| one.outcome == Outcome::Refused);
    Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(args: &Match) -> Result<Read> {
    let mut table = args.csv.open()?;
    let header = table.header.clone();
    let truth = args.truth.as_ref().map(|column| {
        header.iter().position(|head| head == column).with_context(|| format!("--truth: there is no column `{column}`"))
    });
    let truth = truth.transpose()?;
    let known = args.pairs.as_deref().map(Truth::read).transpose()?.unwrap_or_default();
    let columns = mapping::of_people(&header, &args.csv.map)?;
    let reading = Reading { columns: columns.clone(), header: header.clone(), ..Reading::default() };
    let mut people = People::default();
    let mut all = Vec::new();
    while let Some(line) = table.next_line()? {
        let truth = truth.and_then(|column| line.cells.get(column)).map(|cell| known.of(cell)).unwrap_or_default();
        all.push(Matched { truth, ..people.resolve(&line, &reading, &args.country) });
    }
    Ok(Read { header, columns, all })
}

/// All who were found so far.
#[derive(Default)]
struct People {
    directory: Directory,
    /// The line that has brought each contact and account.
    first: HashMap<Uuid, u64>,
    made: u128,
}

impl People {
    fn resolve(&mut self, line: &Line, reading: &Reading, country: &str) -> Matched {
        match self.try_resolve(line, reading, country) {
            Ok(matched) => matched,
            Err(refused) => Matched {
                line: line.number,
                outcome: Outcome::Refused,
                group: None,
                found: None,
                may_be: None,
                refused,
                left_out: None,
                truth: String::new(),
            },
        }
    }

    fn try_resolve(&mut self, line: &Line, reading: &Reading, country: &str) -> Result<Matched, String> {
        if let Some((_, problem)) = &line.problem {
            return Err(problem.clone());
        }
        let who = reading.who(&reading.texts(&line.cells));
        let (mut identity, own) = who.map_err(|problems| {
            let problems = problems.into_iter().map(|problem| format!("{}: {}", problem.field, problem.message));
            problems.collect::<Vec<_>>().join("; ")
        })?;
        if identity.country.is_empty() {
            country.clone_into(&mut identity.country);
        }
        // A broken address leads nobody away from the rest of the line.
        let broken = !identity.email.is_empty() && normal::email(&identity.email).is_none();
        let left_out = broken.then(|| std::mem::take(&mut identity.email));
        let claim = IdentityClaim { identity: Some(identity), source: "file".to_owned(), ..Default::default() };
        let claim = leadflow_contact::read_claim(&claim, own).map_err(|error| error.to_string())?;
        let mut new_id = || {
            self.made += 1;
            Uuid::from_u128(self.made)
        };
        let person = claim.person_profile().is_some() || claim.email.is_some() || claim.external_id.is_some();
        let resolved = if person || claim.company.is_empty() {
            self.directory.resolve(&claim, 0, &mut new_id)
        } else {
            self.directory.resolve_organisation(&claim, 0, &mut new_id)
        };
        Ok(Matched { left_out, ..self.matched(line.number, resolved) })
    }

    /// A line that names a person is about that person, any other about the organisation.
    fn matched(&mut self, line: u64, resolved: Resolved) -> Matched {
        let (id, made, review) = match resolved.contact_id {
            Some(id) => (Some(id), resolved.contact_created, resolved.contact_review),
            None => (resolved.account_id, resolved.account_created, resolved.account_review),
        };
        let outcome = match (made, review) {
            (true, Some(_)) => Outcome::Review,
            (true, None) => Outcome::New,
            (false, _) => Outcome::Linked,
        };
        let all_found = std::mem::take(&mut self.directory.matching.found);
        let is_about = |found: &Found| Some(found.review_id) == review || (!made && Some(found.known_id) == id);
        let found = all_found.into_iter().find(is_about);
        let may_be = found.as_ref().filter(|_| made).and_then(|found| self.first.get(&found.known_id).copied());
        let group = id.map(|id| *self.first.entry(id).or_insert(line));
        let (refused, truth) = Default::default();
        Matched { line, outcome, group, found, may_be, refused, left_out: None, truth }
    }
}

fn print(format: Format, args: &Match, Read { header, columns, all }: &Read) {
    let shown: Vec<_> = all.iter().filter(|one| args.only.is_none_or(|only| one.outcome == only)).collect();
    let measured = args.truth.as_ref().map(|_| truth::measure(all));
    if format == Format::Json {
        let figures = measured.map_or(Json::Null, |measured| measured.to_json());
        let lines = shown.into_iter().map(to_json).collect::<Vec<_>>();
        let meant: serde_json::Map<_, _> =
            header.iter().zip(columns).map(|(head, field)| (head.clone(), json!(field.to_string()))).collect();
        return output::print_json(&json!({ "columns": meant, "lines": lines, "measured": figures }));
    }
    let heads = [("line", true), ("outcome", false), ("with", true), ("weight", true), ("why", false)];
    let mut rows = Rows::new(heads.map(|(head, number)| Column(head, number)));
    for one in shown {
        let with = one.may_be.or(one.group).filter(|with| *with != one.line);
        let weight = one.found.as_ref().map(|found| format!("{:.1}", found.weight)).unwrap_or_default();
        let number = |line: u64| line.to_string();
        let outcome = one.outcome.as_str().to_owned();
        rows.push([number(one.line), outcome, with.map(number).unwrap_or_default(), weight, why(one)]);
    }
    rows.print("There is no such line.");
    let meant = header.iter().zip(columns).map(|(head, field)| format!("`{head}` {field}"));
    println!("\nRead as (--map COLUMN=FIELD says otherwise): {}.", meant.collect::<Vec<_>>().join(", "));
    let count = |outcome| all.iter().filter(|one| one.outcome == outcome).count();
    println!(
        "\n{} lines: {} new, {} linked, {} to be reviewed, {} refused. Nothing was sent.",
        all.len(),
        count(Outcome::New),
        count(Outcome::Linked),
        count(Outcome::Review),
        count(Outcome::Refused)
    );
    if let Some(measured) = measured {
        println!("{measured}");
    }
}

/// The lines of the explanation in one, or why there is none; and what was left out.
fn why(one: &Matched) -> String {
    let left_out = one.left_out.as_ref().map(|email| format!("`{email}` is no address and was left out"));
    [explanation(one)].into_iter().filter(|why| !why.is_empty()).chain(left_out).collect::<Vec<_>>().join("; ")
}

fn explanation(one: &Matched) -> String {
    let Some(found) = &one.found else {
        let by_key = if one.outcome == Outcome::Linked { "an identity, or all that is said, is known" } else { "" };
        return if one.refused.is_empty() { by_key.to_owned() } else { one.refused.clone() };
    };
    let line = |line: &leadflow_contact::domain::matching::Line| {
        format!("{} {} {:+.1}", line.field, line.agreement.as_str(), line.weight)
    };
    found.lines.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn to_json(one: &Matched) -> Json {
    json!({
        "line": one.line,
        "outcome": one.outcome.as_str(),
        "group": one.group,
        "may_be": one.may_be,
        "weight": one.found.as_ref().map(|found| found.weight),
        "lines": one.found.as_ref().map(|found| &found.lines),
        "refused": output::json_text(&one.refused),
        "left_out": one.left_out,
    })
}

#[cfg(test)]
mod tests;
