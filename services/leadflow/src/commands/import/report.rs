//! What people and scripts read of an import.

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use leadflow_proto::activity::v1::{Activity, RecordResult};
use serde_json::json;
use tonic_types::RpcStatusExt as _;

use crate::{
    cli::{Format, Import},
    import::{
        failures::{Failure, Failures},
        field::Field,
        progress::Summary,
        row::Reading,
        table::Line,
    },
    output,
};

/// Says what each column means.
pub(super) fn print_columns(file: &Path, delimiter: u8, reading: &Reading) {
    println!("Columns of {} (delimited by {:?})", file.display(), char::from(delimiter));
    let width = reading.header.iter().map(|head| head.chars().count()).max().unwrap_or_default();
    for (head, field) in reading.header.iter().zip(&reading.columns) {
        let meaning = match field {
            Field::Ignored => "–".to_owned(),
            Field::Attribute(_) | Field::Answer(_) if !reading.is_declared(field) => {
                format!("{field} (not declared by the source: no rule sees it)")
            }
            field => field.to_string(),
        };
        println!("  {head:<width$}  {meaning}");
    }
}

/// A line that the service has refused, in the words of the file.
pub(super) fn failure(result: &RecordResult, activity: &Activity, line: Line, reading: &Reading) -> Failure {
    let error = result.error.clone().unwrap_or_default();
    let details = error.get_error_details();
    let violations = details.bad_request().map(|bad| &bad.field_violations[..]).unwrap_or_default();
    let told: Vec<_> = violations
        .iter()
        .map(|it| {
            let path = it.field.split_once("].").map_or(it.field.as_str(), |(_, path)| path);
            (reading.column(path), it.description.clone())
        })
        .collect();
    let messages = told.iter().map(|(column, text)| format!("{column}: {text}")).collect::<Vec<_>>().join("; ");
    Failure {
        line: line.number,
        reason: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
        field: told.into_iter().map(|(column, _)| column).collect::<Vec<_>>().join(", "),
        message: if messages.is_empty() { error.message } else { messages },
        event_id: activity.source_event_id.clone(),
        quarantine_id: result.quarantine_id.clone(),
        cells: line.cells,
    }
}

/// Says what became of the file. The exit code is 1 when a line has failed.
pub(super) fn finish(
    format: Format,
    args: &Import,
    summary: &Summary,
    resumed: u64,
    failures: &Failures,
) -> Result<ExitCode> {
    let errors = (summary.failed() > 0).then(|| failures.path().display().to_string());
    if format == Format::Json {
        let mut shown = serde_json::to_value(summary)?;
        shown["file"] = json!(args.csv.file);
        shown["resumed_after"] = json!(resumed);
        shown["errors_file"] = json!(errors);
        output::print_json(&shown);
    } else {
        print_summary(summary, errors.as_deref());
    }
    Ok(if summary.failed() > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print_summary(summary: &Summary, errors: Option<&str>) {
    println!("\n{:>8} lines, {} sent", summary.lines, summary.sent);
    let counts = [
        (summary.accepted, "accepted"),
        (summary.duplicates, "duplicates: in the ledger before, nothing happened"),
        (summary.quarantined, "quarantined: refused and kept, see `leadflow quarantine list`"),
        (summary.rejected, "rejected"),
        (summary.repeated, "repeated in the file, sent once"),
        (summary.invalid, "not readable, not sent"),
    ];
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        println!("{count:>8} {what}");
    }
    if summary.conflicting > 0 {
        println!("{:>8} of the duplicates say something else than before; the first stands", summary.conflicting);
    }
    if let Some(errors) = errors {
        println!("\nThe lines that failed are in {errors}: correct them there and import that file.");
    }
}

/// Says what could not be read, the first lines of it.
pub(super) fn print_problems(problems: &[Failure], all: u64) {
    if problems.is_empty() {
        return;
    }
    println!("\nCannot be read:");
    for it in problems {
        println!("  line {}: {} ({})", it.line, it.message, it.reason);
    }
    if all > problems.len() as u64 {
        println!("  … and {} more", all - problems.len() as u64);
    }
}
