//! Printing, for people and for scripts.

use std::{io::IsTerminal as _, process::ExitCode};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde_json::Value as Json;
use tonic_types::StatusExt as _;

use crate::cli::Format;

/// Rows with the same columns.
pub(crate) struct Rows {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

/// A column: its head, and whether it holds numbers.
pub(crate) struct Column(pub(crate) &'static str, pub(crate) bool);

impl Rows {
    pub(crate) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = String>) {
        self.rows.push(row.into_iter().collect());
    }

    /// Prints the table, or `empty` when there is nothing in it.
    pub(crate) fn print(self, empty: &str) {
        if self.rows.is_empty() {
            println!("{empty}");
            return;
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if !std::io::stdout().is_terminal() {
            // A script that reads the table must not find broken lines.
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        table.set_header(self.columns.iter().map(|column| column.0.to_uppercase()));
        for row in self.rows {
            table.add_row(row.into_iter().zip(&self.columns).map(|(text, column)| {
                let alignment = if column.1 { CellAlignment::Right } else { CellAlignment::Left };
                Cell::new(text).set_alignment(alignment)
            }));
        }
        println!("{}", table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
    }
}

/// Prints a list as JSON or by `table`.
pub(crate) fn list(format: Format, json: Vec<Json>, more: bool, table: impl FnOnce()) {
    if format == Format::Json {
        print_json(&Json::Array(json));
        return;
    }
    table();
    if more {
        println!("… there are more: use --limit 0 for all");
    }
}

/// Prints JSON, indented.
pub(crate) fn print_json(json: &Json) {
    println!("{}", serde_json::to_string_pretty(json).unwrap_or_default());
}

/// Thousandths as points: `12.5`.
pub(crate) fn points(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    let (whole, part) = (milli.unsigned_abs() / 1000, milli.unsigned_abs() % 1000);
    if part == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{}", format!("{part:03}").trim_end_matches('0'))
}

/// Thousandths as points, always with the same number of digits, so that columns of them add up by eye.
pub(crate) fn fixed(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", milli.unsigned_abs() / 1000, milli.unsigned_abs() % 1000)
}

/// A moment of a message.
pub(crate) fn moment(time: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok())
}

/// A moment as scripts read it; null when there is none.
pub(crate) fn json_time(time: Option<&prost_types::Timestamp>) -> Json {
    moment(time).map_or(Json::Null, |time| Json::String(time.to_string()))
}

/// A moment as people read it, in UTC, to the minute.
pub(crate) fn short_time(time: Option<&prost_types::Timestamp>) -> String {
    moment(time).map(|time| time.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

/// Text or null.
pub(crate) fn json_text(text: &str) -> Json {
    if text.is_empty() { Json::Null } else { Json::String(text.to_owned()) }
}

/// The name of an enum value without its prefix, in lower case: `BAND_HOT` is `hot`.
pub(crate) fn word(name: &str, prefix: &str) -> String {
    match name.strip_prefix(prefix).unwrap_or(name) {
        "UNSPECIFIED" => String::new(),
        name => name.to_lowercase(),
    }
}

/// Says on standard error what went wrong, with its fields.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    if let Some(status) = error.chain().find_map(|cause| cause.downcast_ref::<tonic::Status>()) {
        if status.code() == tonic::Code::Unavailable && status.get_error_details().error_info().is_none() {
            eprintln!("error: nothing answers: is `leadflow up` running? ({})", status.message());
            return ExitCode::FAILURE;
        }
        eprintln!("error: {}", status.message());
        let details = status.get_error_details();
        if let Some(info) = details.error_info() {
            eprintln!("  reason: {}", info.reason);
        }
        for violation in details.bad_request().map(|bad| &bad.field_violations[..]).unwrap_or_default() {
            eprintln!("  {}: {}", violation.field, violation.description);
        }
    } else {
        eprintln!("error: {error:#}");
    }
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_are_shown_as_points() {
        for (milli, shown) in
            [(0, "0"), (1, "0.001"), (-1500, "-1.5"), (12_000, "12"), (-1, "-0.001"), (10_010, "10.01")]
        {
            assert_eq!(points(milli), shown);
        }
        assert_eq!(fixed(-1500), "-1.500");
    }

    #[test]
    fn enum_values_are_shown_as_words() {
        assert_eq!(word("LEAD_STATUS_HANDED_OVER", "LEAD_STATUS_"), "handed_over");
        assert_eq!(word("BAND_UNSPECIFIED", "BAND_"), "");
    }
}
