//! The words of `leadflow erase` and `leadflow erasures`.

use clap::Args;

use super::Limit;

#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The contact's id.
    pub(crate) contact: String,
    /// Why, in words that name nobody.
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct LiftSuppression {
    /// An email address of the person.
    #[arg(required_unless_present_any = ["phone", "external_id"])]
    pub(crate) email: Option<String>,
    /// A phone number, with its country code.
    #[arg(long)]
    pub(crate) phone: Option<String>,
    /// The person's id in a source.
    #[arg(long, requires = "source")]
    pub(crate) external_id: Option<String>,
    /// The source of that id.
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// How they came back, in words that name nobody.
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Erasures {
    /// Only those that are not complete.
    #[arg(long)]
    pub(crate) open: bool,
    #[command(flatten)]
    pub(crate) limit: Limit,
}
