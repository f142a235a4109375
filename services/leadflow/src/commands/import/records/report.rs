//! What people and scripts read of an import of accounts or contacts.

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use serde_json::{Value as Json, json};

use super::Tally;
use crate::{
    cli::{Format, RecordImport},
    commands::import::report::print_problems,
    import::{
        failures::{Failure, Failures},
        records::{
            field::IGNORED,
            outcome::{Outcomes, Summary},
            remark::Remarks,
            row::Reading,
        },
    },
    output,
};

/// Problems that are shown.
const PROBLEMS: usize = 20;

/// Says what each column means.
pub(super) fn print_columns(file: &Path, reading: &Reading) {
    println!("Columns of {}", file.display());
    let width = reading.header.iter().map(|head| head.chars().count()).max().unwrap_or_default();
    for (head, word) in reading.header.iter().zip(&reading.columns) {
        println!("  {head:<width$}  {}", if *word == IGNORED { "–" } else { word.0 });
    }
}

/// Says what would become of the file. The exit code is 1 when a line would fail.
pub(super) fn rehearsed(format: Format, args: &RecordImport, tally: &Tally, failed: &[Failure]) -> Result<ExitCode> {
    let shown = &failed[..failed.len().min(PROBLEMS)];
    if format == Format::Json {
        let mut json = to_json(args, tally)?;
        let problem =
            |it: &Failure| json!({ "line": it.line, "reason": it.reason, "field": it.field, "message": it.message });
        json["dry_run"] = json!(true);
        json["problems"] = shown.iter().map(problem).collect();
        output::print_json(&json);
    } else {
        print_problems(shown, failed.len() as u64);
        print_remarks(&tally.remarks);
        print_summary(&tally.summary);
        println!("\nNothing was changed.");
    }
    Ok(code(&tally.summary))
}

/// Says what became of the file. The exit code is 1 when a line has failed.
pub(super) fn finish(
    format: Format,
    args: &RecordImport,
    tally: &Tally,
    resumed: u64,
    failures: &Failures,
    outcomes: &Outcomes,
) -> Result<ExitCode> {
    let errors = (tally.summary.failed() > 0).then(|| failures.path().display().to_string());
    if format == Format::Json {
        let mut json = to_json(args, tally)?;
        json["resumed_after"] = json!(resumed);
        json["errors_file"] = json!(errors);
        json["results_file"] = json!(outcomes.path());
        output::print_json(&json);
    } else {
        print_remarks(&tally.remarks);
        print_summary(&tally.summary);
        println!("\nWhat became of each line is in {}", outcomes.path().display());
        if let Some(errors) = errors {
            println!("The lines that failed are in {errors}: correct them there and import that file.");
        }
    }
    Ok(code(&tally.summary))
}

fn code(summary: &Summary) -> ExitCode {
    if summary.failed() > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn to_json(args: &RecordImport, tally: &Tally) -> Result<Json> {
    let mut json = serde_json::to_value(tally.summary)?;
    json["file"] = json!(args.csv.file);
    let remark = |(field, text, it): (&str, &str, &crate::import::records::remark::Remark)| {
        json!({
            "field": field,
            "text": text,
            "lines": it.lines,
            "first_line": it.first_line,
            "message": it.message,
            "suggestions": it.suggestions,
        })
    };
    json["remarks"] = tally.remarks.iter().map(remark).collect();
    Ok(json)
}

fn print_summary(summary: &Summary) {
    println!("\n{:>8} lines", summary.lines);
    let counts = [
        (summary.created, "created"),
        (summary.updated, "updated"),
        (summary.unchanged, "unchanged: it was so before"),
        (summary.rejected, "rejected"),
        (summary.invalid, "not readable"),
    ];
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        println!("{count:>8} {what}");
    }
}

/// Says what looks wrong, each text once.
fn print_remarks(remarks: &Remarks) {
    let mut remarks = remarks.iter().peekable();
    if remarks.peek().is_some() {
        println!("\nLooks wrong (what is right stands under `values` of a mapping):");
    }
    for (field, text, it) in remarks {
        let meant = it.suggestions.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
        let meant = if meant.is_empty() { meant } else { format!("; {meant} is meant?") };
        println!("  {field} `{text}` {}{meant} ({} lines, the first is {})", it.message, it.lines, it.first_line);
    }
}
