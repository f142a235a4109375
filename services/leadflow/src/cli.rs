//! The words of the command line.

mod consent;
mod export;
mod import;
mod match_file;
mod merge;
mod observe;
mod privacy;
mod profile;
mod quarantine;
mod site_map;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use consent::{About, Consent, Grant, MayContact, UnsubscribeLink, Withdraw};
pub(crate) use export::{Export, ExportTo};
pub(crate) use import::{CsvFile, Import, ImportCommand, RecordImport, Records, Sending};
pub(crate) use match_file::{Match, Outcome};
pub(crate) use merge::{Merge, Merges, Two, Unmerge};
pub(crate) use observe::Observe;
pub(crate) use privacy::{Erase, Erasures, LiftSuppression};
pub(crate) use profile::{Lint, Profile};
pub(crate) use quarantine::{
    Correct, Discard, EventList, EventSelection, Events, Quarantine, QuarantineList, Replay, Selection, Which,
    WhichEvents,
};
pub(crate) use site_map::{AddFact, SiteMap};

/// Leadflow turns activities into scored leads and routes the sales-ready ones to the right rep.
#[derive(Debug, Parser)]
#[command(version, about, infer_subcommands = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// How to print: for people or for scripts.
    #[arg(long, short, global = true, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
    /// Who acts, where no token is asked for (default: the user of the system).
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub(crate) principal: Option<String>,
    /// File with the token to show.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table.
    Table,
    /// JSON.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run all roles in one process, on SQLite and a private NATS server.
    Up(Up),
    /// Run one role: contact, scoring, routing or activity-ingest.
    Serve {
        /// The role.
        role: String,
    },
    /// Bring the tables of a role up to date, or of all.
    Migrate {
        /// The role, or `all`.
        role: String,
    },
    /// Make the configuration be as the files say.
    Apply(Apply),
    /// Send the lines of a CSV file as activities, each once: badge scans, calls, visits; or as accounts and contacts.
    Import(Box<ImportCommand>),
    /// Write accounts or contacts into a CSV file, or all that is held of a person as JSON.
    #[command(subcommand)]
    Export(Export),
    /// Say which lines of a CSV file are the same people or firms, and why. Nothing is sent.
    Match(Match),
    /// List leads, the highest score first.
    Leads(Leads),
    /// Show one lead with its contacts, assignment and latest activities.
    Lead {
        /// The lead's id.
        lead: String,
    },
    /// Say why a lead has its score.
    Explain(Explain),
    /// Say why a lead went to its rep, or why it is held.
    ExplainAssignment {
        /// Id of a lead or of an assignment.
        id: String,
    },
    /// List assignments, the newest first.
    Assignments(Assignments),
    /// Accept an offered lead.
    Accept {
        /// The assignment's id.
        assignment: String,
    },
    /// Give a lead back.
    Reject(Reject),
    /// Give or take points by hand.
    Adjust(Adjust),
    /// Close a lead with its outcome.
    Close(Close),
    /// List activities in the order of acceptance.
    Activities(Activities),
    /// Look at what could not be recorded, or not be handled; correct, replay, redrive or discard it.
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// What a person has said about being contacted: list it, add to it.
    #[command(subcommand)]
    Consent(Consent),
    /// Say whether a person may be contacted, and why; the exit code is 1 for no.
    MayContact(MayContact),
    /// Delete a person everywhere, for good.
    Erase(Erase),
    /// Let somebody who was erased and has come back of their own will be known again.
    LiftSuppression(LiftSuppression),
    /// List erasures, and which services are still at it.
    Erasures(Erasures),
    /// Say that a mobile is a contact's own, as you have made sure, or that it is so no more.
    VerifyMobile(VerifyMobile),
    /// List accounts by name.
    Accounts(Accounts),
    /// Merge two accounts or two contacts that are one; all that belongs to either belongs to the survivor.
    #[command(subcommand)]
    Merge(Merge),
    /// Take a merge back.
    Unmerge(Unmerge),
    /// List merges, the newest first.
    Merges(Merges),
    /// What is known of how accounts buy, and what is worth asking next.
    #[command(subcommand)]
    SiteMap(SiteMap),
    /// Tell what you have seen or heard of an account or a person.
    Observe(Observe),
    /// The fields of accounts, contacts and activities, and who uses them.
    #[command(subcommand)]
    Profile(Profile),
    /// List hand-overs for which nobody is eligible.
    Holds,
    /// List pools, and what each rep is owed.
    Pools,
    /// Compare ledger, evidence, leads and assignments, and name what is missing.
    Reconcile(Reconcile),
    /// Load a folder's configuration and send its sample activities.
    Sample {
        /// The folder, for example `examples/laboratory`.
        folder: PathBuf,
        /// Where the progress is kept.
        #[arg(long, default_value = "data")]
        data_dir: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Where databases and streams lie.
    #[arg(long, env = "LEADFLOW_DATA_DIR", default_value = "data")]
    pub(crate) data_dir: PathBuf,
    /// A folder with a sample company to load first.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) sample: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// Files or folders of YAML; may be given several times.
    #[arg(long = "file", short, required = true, value_name = "PATH")]
    pub(crate) files: Vec<PathBuf>,
    /// Print the difference and change nothing; the exit code is 1 when there is one.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Pages.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Limit {
    /// How many to show at the most; 0: all.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Leads {
    /// Only hot, warm or cold ones.
    #[arg(long)]
    pub(crate) band: Option<String>,
    /// Only incubating, handed_over, held, offered, accepted or closed ones.
    #[arg(long)]
    pub(crate) status: Option<String>,
    /// Only of this product category.
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// Only of this account (id).
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// Only those that this rep has.
    #[arg(long)]
    pub(crate) rep: Option<String>,
    /// Closed ones too.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) limit: Limit,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The lead's id.
    pub(crate) lead: String,
    /// As of this moment (RFC 3339); now by default.
    #[arg(long)]
    pub(crate) at: Option<String>,
    /// From what was known at this moment (RFC 3339); all by default.
    #[arg(long)]
    pub(crate) known_at: Option<String>,
    /// As it was frozen at this hand-over.
    #[arg(long, conflicts_with_all = ["at", "known_at"])]
    pub(crate) hand_over: Option<i32>,
}

#[derive(Debug, Args)]
pub(crate) struct Assignments {
    /// Only of this rep.
    #[arg(long)]
    pub(crate) rep: Option<String>,
    /// Only offered, accepted, rejected, withdrawn or completed ones.
    #[arg(long)]
    pub(crate) state: Option<String>,
    #[command(flatten)]
    pub(crate) limit: Limit,
}

#[derive(Debug, Args)]
pub(crate) struct Reject {
    /// The assignment's id.
    pub(crate) assignment: String,
    /// not_a_buyer, wrong_territory, too_early, bad_data, duplicate or other.
    #[arg(long)]
    pub(crate) reason: String,
    /// In words; needed with `other`.
    #[arg(long, default_value = "")]
    pub(crate) note: String,
}

#[derive(Debug, Args)]
pub(crate) struct Adjust {
    /// The lead's id.
    pub(crate) lead: String,
    /// Points to give, or with a minus to take.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) points: f64,
    /// Why.
    #[arg(long)]
    pub(crate) reason: String,
    /// Until when (RFC 3339); for good by default.
    #[arg(long)]
    pub(crate) expires: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Close {
    /// The lead's id.
    pub(crate) lead: String,
    /// won, lost or disqualified.
    #[arg(long)]
    pub(crate) reason: String,
    /// Why, in words.
    #[arg(long)]
    pub(crate) note: String,
}

#[derive(Debug, Args)]
pub(crate) struct Activities {
    /// Only from this source.
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Only of this account (id).
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// Only of this contact (id).
    #[arg(long)]
    pub(crate) contact: Option<String>,
    /// Only pending, identified or quarantined ones.
    #[arg(long)]
    pub(crate) state: Option<String>,
    #[command(flatten)]
    pub(crate) limit: Limit,
}

#[derive(Debug, Args)]
pub(crate) struct Accounts {
    /// Only those whose name begins so.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Only of this country (two letters).
    #[arg(long)]
    pub(crate) country: Option<String>,
    /// Only those with this owner.
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// Only those that belong to this account (id).
    #[arg(long)]
    pub(crate) parent: Option<String>,
    #[command(flatten)]
    pub(crate) limit: Limit,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyMobile {
    /// The contact's id.
    pub(crate) contact: String,
    /// The number, with its country code.
    pub(crate) phone: String,
    /// It is the contact's own no more.
    #[arg(long)]
    pub(crate) withdraw: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// What is younger than this is still in flight.
    #[arg(long, default_value = "60s")]
    pub(crate) settle: String,
}
