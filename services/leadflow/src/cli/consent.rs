//! The words of `leadflow consent` and `leadflow may-contact`.

use clap::{Args, Subcommand};

use super::Limit;

#[derive(Debug, Subcommand)]
pub(crate) enum Consent {
    /// List what a person has said about being contacted, the latest first.
    List {
        /// The contact's id.
        contact: String,
        #[command(flatten)]
        limit: Limit,
    },
    /// Add a grant, with its ground and what shows it.
    Grant(Grant),
    /// Add a withdrawal.
    Withdraw(Withdraw),
    /// Make the link by which a person unsubscribes, with the headers of an email.
    UnsubscribeLink(UnsubscribeLink),
    /// List the consents that people have to confirm, with the links and where to send them.
    Pending {
        #[command(flatten)]
        limit: Limit,
    },
}

#[derive(Debug, Args)]
pub(crate) struct UnsubscribeLink {
    /// The contact's id.
    pub(crate) contact: String,
    /// email, phone, text_message, mail or chat.
    #[arg(long, default_value = "email")]
    pub(crate) channel: String,
    /// From what, for example `newsletter`; from everything by default.
    #[arg(long, default_value = "")]
    pub(crate) purpose: String,
    /// The registered source whose messages they are.
    #[arg(long)]
    pub(crate) source: String,
}

/// Of whom, how and where it was said.
#[derive(Debug, Args)]
pub(crate) struct About {
    /// The contact's id.
    pub(crate) contact: String,
    /// email, phone, text_message, mail or chat; may be given several times.
    #[arg(long = "channel", required = true)]
    pub(crate) channels: Vec<String>,
    /// Where it was said: a form, a trade show, a call.
    #[arg(long)]
    pub(crate) source: String,
    /// What shows it: the wording, a recording, a reference.
    #[arg(long, default_value = "")]
    pub(crate) proof: String,
    /// Carried over from another system: it never overrules what the person has said here.
    #[arg(long)]
    pub(crate) imported: bool,
    /// When it was said (RFC 3339); now by default.
    #[arg(long)]
    pub(crate) at: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Grant {
    #[command(flatten)]
    pub(crate) about: About,
    /// What for, for example `sales` or `newsletter`.
    #[arg(long)]
    pub(crate) purpose: String,
    /// consent, contract or legitimate_interest.
    #[arg(long)]
    pub(crate) basis: String,
}

#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    #[command(flatten)]
    pub(crate) about: About,
    /// From what; from everything by default.
    #[arg(long, default_value = "")]
    pub(crate) purpose: String,
}

#[derive(Debug, Args)]
pub(crate) struct MayContact {
    /// The contact's id.
    pub(crate) contact: String,
    /// email, phone, text_message, mail or chat.
    #[arg(long)]
    pub(crate) channel: String,
    /// What for, for example `sales`.
    #[arg(long)]
    pub(crate) purpose: String,
    /// When (RFC 3339); now by default.
    #[arg(long)]
    pub(crate) at: Option<String>,
}
