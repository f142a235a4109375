//! The words of `leadflow site-map`.

use clap::{Args, Subcommand};

use super::Limit;

#[derive(Debug, Subcommand)]
pub(crate) enum SiteMap {
    /// Show what is known of how an account buys, and what is worth asking next.
    Show {
        /// The account's id.
        account: String,
        /// For this product category (default: whatever it buys).
        #[arg(long)]
        category: Option<String>,
    },
    /// Add a fact. An earlier one about the same is superseded.
    Add(Box<AddFact>),
    /// Take a fact back.
    Retract {
        /// The fact's id.
        fact: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// List facts, the newest first, superseded and retracted ones too.
    Facts {
        /// The account's id.
        account: String,
        /// Only player, budget, buying_process, requirement, incumbent or note.
        #[arg(long)]
        kind: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddFact {
    /// The account's id.
    pub(crate) account: String,
    /// player, budget, buying_process, requirement, incumbent or note.
    #[arg(long)]
    pub(crate) kind: String,
    /// In words: the budget, the process, one requirement, one supplier, the note.
    #[arg(long, default_value = "")]
    pub(crate) content: String,
    /// Of a player: decision_maker, champion, influencer, user or gatekeeper.
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// Of a player who is a contact: the id.
    #[arg(long, default_value = "")]
    pub(crate) contact: String,
    /// Of a player who is no contact yet: the name.
    #[arg(long, default_value = "")]
    pub(crate) player: String,
    /// Of a player who is no contact yet.
    #[arg(long, default_value = "")]
    pub(crate) job_title: String,
    /// Of a budget, in whole units of the company's own currency.
    #[arg(long)]
    pub(crate) amount: Option<i64>,
    /// The product category that it is about (default: the whole account).
    #[arg(long, default_value = "")]
    pub(crate) category: String,
    /// How sure it is, in percent.
    #[arg(long)]
    pub(crate) confidence: i32,
    /// Where it comes from: call, visit, website, ….
    #[arg(long)]
    pub(crate) source: String,
    /// Who said it, in words.
    #[arg(long, default_value = "")]
    pub(crate) said_by: String,
    /// Who said it: the id of a contact.
    #[arg(long, default_value = "")]
    pub(crate) said_by_contact: String,
    /// When it was said or seen (RFC 3339; default: now).
    #[arg(long)]
    pub(crate) observed: Option<String>,
}
