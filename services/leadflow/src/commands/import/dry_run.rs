//! What an import would do, as far as it can be told without sending anything.

use std::process::ExitCode;

use anyhow::Result;
use leadflow_proto::activity::v1::Activity;
use serde_json::{Map, Value as Json, json};

use super::report;
use crate::{
    cli::Format,
    import::{
        batch::{Seen, read},
        progress::Summary,
        row::Reading,
        table::Table,
    },
    output::{self, json_time, word},
};

/// Lines that are shown.
const FIRST: usize = 3;
/// Problems that are shown.
const PROBLEMS: usize = 20;

pub(super) fn run(format: Format, mut table: Table, reading: &Reading) -> Result<ExitCode> {
    let mut seen = Seen::default();
    let (mut summary, mut first, mut problems) = (Summary::default(), Vec::new(), Vec::new());
    loop {
        let batch = read(&mut table, reading, &mut seen, 1000)?;
        if batch.summary.lines == 0 {
            break;
        }
        summary.add(&batch.summary);
        first.extend(batch.activities.iter().take(FIRST - first.len()).map(to_json));
        problems.extend(batch.failures.into_iter().take(PROBLEMS - problems.len()));
    }
    if format == Format::Json {
        let columns: Map<_, _> =
            reading.header.iter().cloned().zip(reading.columns.iter().map(|it| json!(it))).collect();
        let problems = problems
            .iter()
            .map(|it| json!({ "line": it.line, "reason": it.reason, "field": it.field, "message": it.message }));
        output::print_json(&json!({
            "columns": columns,
            "lines": summary.lines,
            "would_send": summary.sent,
            "repeated": summary.repeated,
            "invalid": summary.invalid,
            "problems": problems.collect::<Vec<_>>(),
            "first": first,
        }));
    } else {
        println!("\nThe first lines would be sent so:");
        first.iter().for_each(output::print_json);
        report::print_problems(&problems, summary.invalid);
        println!(
            "\n{} lines: {} would be sent, {} are repeated, {} cannot be read. Nothing was sent.",
            summary.lines, summary.sent, summary.repeated, summary.invalid
        );
    }
    Ok(if summary.invalid > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// An activity as it would be sent, without what is not said.
fn to_json(activity: &Activity) -> Json {
    let identity = activity.identity.clone().unwrap_or_default();
    let call = activity.call.as_ref().map(|call| {
        said([
            ("direction", json!(word(call.direction().as_str_name(), "CALL_DIRECTION_"))),
            ("disposition", json!(word(call.disposition().as_str_name(), "CALL_DISPOSITION_"))),
            ("duration_seconds", json!(call.duration.map(|it| it.seconds as f64 + f64::from(it.nanos) / 1e9))),
            ("agent", json!(call.agent)),
            ("call_id", json!(call.call_id)),
        ])
    });
    let identity = said([
        ("email", json!(identity.email)),
        ("phone", json!(identity.phone)),
        ("external_id", json!(identity.external_id)),
        ("anonymous_id", json!(identity.anonymous_id)),
        ("domain", json!(identity.domain)),
        ("company", json!(identity.company)),
        ("country", json!(identity.country)),
        ("region", json!(identity.region)),
        ("postal_code", json!(identity.postal_code)),
        ("given_name", json!(identity.given_name)),
        ("family_name", json!(identity.family_name)),
        ("job_title", json!(identity.job_title)),
        ("street", json!(identity.street)),
        ("city", json!(identity.city)),
    ]);
    said([
        ("source", json!(activity.source)),
        ("source_event_id", json!(activity.source_event_id)),
        ("activity_type", json!(activity.activity_type)),
        ("product_category", json!(activity.product_category)),
        ("occur_time", json_time(activity.occur_time.as_ref())),
        ("identity", identity),
        ("object_id", json!(activity.object_id)),
        ("attributes", values(&activity.attributes)),
        ("answers", values(&activity.answers)),
        ("notes", json!(activity.notes)),
        ("call", call.unwrap_or_default()),
    ])
}

fn values(values: &std::collections::HashMap<String, prost_types::Value>) -> Json {
    let values = leadflow_platform::value::map_from_proto("values", values).unwrap_or_default();
    Json::Object(values.into_iter().collect())
}

fn said<const N: usize>(pairs: [(&str, Json); N]) -> Json {
    let says = |value: &Json| !(value.is_null() || value == "" || value.as_object().is_some_and(Map::is_empty));
    let kept = pairs.into_iter().filter(|(_, value)| says(value));
    Json::Object(kept.map(|(name, value)| (name.to_owned(), value)).collect())
}
