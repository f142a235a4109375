//! Sending, batch by batch. After each acknowledged batch it is written down how far the import has come.

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use backon::{ExponentialBuilder, Retryable as _};
use indicatif::{ProgressBar, ProgressStyle};
use leadflow_proto::activity::v1::{Door, RecordActivitiesRequest, RecordResult, record_result::Outcome};
use tonic::Code;
use tonic_types::StatusExt as _;

use super::{meaning, report};
use crate::{
    cli::{Format, Import},
    client::Clients,
    commands::roles::termination,
    import::{
        batch::{Batch, Seen, read},
        failures::Failures,
        progress::{Progress, State},
        row::Reading,
        table::Table,
    },
};

/// An interrupted import ends like a program that Ctrl-C has ended.
pub(super) const INTERRUPTED: u8 = 130;

pub(super) async fn run(
    clients: &Clients,
    format: Format,
    args: &Import,
    mut table: Table,
    reading: &Reading,
) -> Result<ExitCode> {
    // Two imports of one file would write the same files beside it.
    let lock = std::fs::File::open(&args.csv.file)?;
    if lock.try_lock().is_err() {
        bail!("another import of {} is under way", args.csv.file.display());
    }
    let state = State::of(&args.csv.file, &meaning(clients, args, reading))?;
    let mut progress: Progress = state.read();
    let errors = args.sending.errors.clone().unwrap_or_else(|| args.csv.file.with_extension("errors.csv"));
    let mut failures = Failures::open(errors, &reading.header, table.delimiter, progress.errors_bytes)?;
    let resumed = progress.summary.lines;
    let stop = termination()?;
    let mut seen = Seen::default();
    if resumed > 0 {
        eprintln!("Going on after the first {resumed} lines, which were sent before");
        skip(&mut table, reading, &mut seen, resumed)?;
    }
    let bar = progress_bar(&args.csv.file)?;
    while !stop.is_cancelled() {
        let batch = read(&mut table, reading, &mut seen, usize::from(args.sending.batch))?;
        if batch.summary.lines == 0 {
            bar.finish_and_clear();
            state.remove()?;
            return report::finish(format, args, &progress.summary, resumed, &failures);
        }
        let sent = tokio::select! {
            results = send(clients, &batch, &bar) => results,
            () = stop.cancelled() => break,
        };
        let results = sent.inspect_err(|_| {
            bar.finish_and_clear();
            eprintln!("{}", how_to_go_on(progress.summary.lines));
        })?;
        acknowledge(&mut progress, batch, &results, reading, &mut failures)?;
        state.write(&progress)?;
        bar.set_position(table.position());
        bar.set_message(format!("{} lines", progress.summary.lines));
    }
    bar.finish_and_clear();
    eprintln!("{}", how_to_go_on(progress.summary.lines));
    Ok(ExitCode::from(INTERRUPTED))
}

pub(super) fn how_to_go_on(lines: u64) -> String {
    format!("Interrupted after {lines} lines: give the same command again to go on from there")
}

/// Reads what an interrupted import has sent, to know it again.
fn skip(table: &mut Table, reading: &Reading, seen: &mut Seen, lines: u64) -> Result<()> {
    let mut left = lines;
    while left > 0 {
        let batch = read(table, reading, seen, usize::try_from(left.min(1000))?)?;
        if batch.summary.lines == 0 {
            bail!("the file has become shorter while it was read");
        }
        left -= batch.summary.lines;
    }
    Ok(())
}

/// Sends a batch and returns what became of each activity.
async fn send(clients: &Clients, batch: &Batch, bar: &ProgressBar) -> Result<Vec<RecordResult>> {
    if batch.activities.is_empty() {
        return Ok(Vec::new());
    }
    let attempt = async || {
        let request = RecordActivitiesRequest { activities: batch.activities.clone(), door: Door::Csv.into() };
        clients.activity.clone().record_activities(request).await
    };
    let results = persistently(bar, attempt).await?.into_inner().results;
    if results.len() != batch.activities.len() {
        bail!("the service answered {} of {} activities", results.len(), batch.activities.len());
    }
    Ok(results)
}

/// Makes a call that is safe to repeat; what may pass is tried again, for a minute.
pub(super) async fn persistently<T, F: Future<Output = Result<T, tonic::Status>>>(
    bar: &ProgressBar,
    attempt: impl FnMut() -> F,
) -> Result<T, tonic::Status> {
    let pauses = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(16);
    let tell = |status: &tonic::Status, _| bar.set_message(format!("trying again: {}", status.message()));
    attempt.retry(pauses).when(may_pass).notify(tell).await
}

/// Whether the same call may succeed later: not when the service has decided.
fn may_pass(status: &tonic::Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::ResourceExhausted | Code::Aborted | Code::DeadlineExceeded => true,
        // A connection that breaks in the middle of a call, which no service has decided.
        Code::Unknown | Code::Cancelled | Code::Internal => status.get_error_details().error_info().is_none(),
        _ => false,
    }
}

/// Counts what became of a batch and writes its refused lines down.
fn acknowledge(
    progress: &mut Progress,
    batch: Batch,
    results: &[RecordResult],
    reading: &Reading,
    failures: &mut Failures,
) -> Result<()> {
    let mut refused = batch.failures;
    let mut counted = batch.summary;
    for ((result, activity), line) in results.iter().zip(&batch.activities).zip(batch.lines) {
        match result.outcome() {
            Outcome::Accepted => counted.accepted += 1,
            Outcome::Duplicate => {
                counted.duplicates += 1;
                counted.conflicting += u64::from(result.conflicting);
            }
            Outcome::Quarantined => {
                counted.quarantined += 1;
                refused.push(report::failure(result, activity, line, reading));
            }
            Outcome::Rejected | Outcome::Unspecified => {
                counted.rejected += 1;
                refused.push(report::failure(result, activity, line, reading));
            }
        }
    }
    refused.sort_by_key(|failure| failure.line);
    progress.errors_bytes = failures.add(&refused)?;
    progress.summary.add(&counted);
    Ok(())
}

/// On a terminal only.
pub(super) fn progress_bar(file: &Path) -> Result<ProgressBar> {
    let bar = ProgressBar::new(std::fs::metadata(file)?.len());
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg}  {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    Ok(bar)
}
