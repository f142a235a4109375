//! The words of `leadflow quarantine`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Limit;

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// List what could not be recorded, in the order of arrival.
    List(QuarantineList),
    /// Show one of them with what came.
    Show {
        /// The quarantine id.
        id: String,
    },
    /// Replace what is kept by a right activity; then replay it.
    Correct(Correct),
    /// Put what is kept into the ledger, through the same check.
    Replay(Replay),
    /// Say of what is kept that it is nothing.
    Discard(Discard),
    /// Look at events between the roles that could not be handled; redrive or discard them.
    #[command(subcommand)]
    Events(Events),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Events {
    /// List what the roles have set aside, and why.
    List(EventList),
    /// Show one of them with its body.
    Show {
        /// The event, as the list names it: CONSUMER/EVENT.
        id: String,
    },
    /// Have events handled once more, as they came.
    Redrive(EventSelection),
    /// Say of events that they are nothing.
    Discard(EventSelection),
}

/// Which events.
#[derive(Clone, Debug, Args)]
pub(crate) struct WhichEvents {
    /// Only of this consumer, for example scoring-activities.
    #[arg(long)]
    pub(crate) consumer: Option<String>,
    /// Only those with this reason, for example `INVALID_FIELD`.
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct EventList {
    #[command(flatten)]
    pub(crate) which: WhichEvents,
    #[command(flatten)]
    pub(crate) limit: Limit,
}

/// These events, or all that the filters let through.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("events").required(true))]
pub(crate) struct EventSelection {
    /// Events, as the list names them: CONSUMER/EVENT.
    #[arg(group = "events")]
    pub(crate) ids: Vec<String>,
    /// All, or those that --consumer and --reason leave.
    #[arg(long, group = "events")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) which: WhichEvents,
}

/// Which ones.
#[derive(Clone, Debug, Args)]
pub(crate) struct Which {
    /// Only those that came through this door: csv, webhook or nats.
    #[arg(long)]
    pub(crate) door: Option<String>,
    /// Only from this source.
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Only those with this reason, for example `UNKNOWN_SOURCE`.
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineList {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Only open, replayed or discarded ones (default: open).
    #[arg(long, conflicts_with = "all")]
    pub(crate) state: Option<String>,
    /// Replayed and discarded ones too.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) limit: Limit,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("correction").required(true).multiple(true))]
pub(crate) struct Correct {
    /// The quarantine id.
    pub(crate) id: String,
    /// A field and its value, for example `identity.email=anna@example.com`; without a value the field is taken out. May
    /// be given several times.
    #[arg(long, value_name = "FIELD=VALUE", group = "correction")]
    pub(crate) set: Vec<String>,
    /// A file with the whole activity, in JSON as `quarantine show --output json` prints it.
    #[arg(long, value_name = "FILE", group = "correction")]
    pub(crate) file: Option<PathBuf>,
}

/// These ones, or all that the filters let through.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("selection").required(true))]
pub(crate) struct Selection {
    /// Quarantine ids.
    #[arg(group = "selection")]
    pub(crate) ids: Vec<String>,
    /// All open ones, or those that --door, --source and --reason leave.
    #[arg(long, group = "selection")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) which: Which,
    /// Only say what would happen.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Why, for those who look later.
    #[arg(long, default_value = "")]
    pub(crate) note: String,
}

#[derive(Debug, Args)]
pub(crate) struct Discard {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Why it is nothing.
    #[arg(long)]
    pub(crate) note: String,
}
