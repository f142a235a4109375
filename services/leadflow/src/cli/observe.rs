//! The words of `leadflow observe`.

use clap::Args;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whom").required(true))]
pub(crate) struct Observe {
    /// What was seen or heard.
    pub(crate) notes: String,
    /// Of this account (id).
    #[arg(long, group = "whom")]
    pub(crate) account: Option<String>,
    /// Of this contact (id).
    #[arg(long, group = "whom")]
    pub(crate) contact: Option<String>,
    /// Of whoever has this email.
    #[arg(long, group = "whom")]
    pub(crate) email: Option<String>,
    /// Of the company of this name.
    #[arg(long, group = "whom")]
    pub(crate) company: Option<String>,
    /// Where the company is (two letters).
    #[arg(long, default_value = "")]
    pub(crate) country: String,
    /// The product category, if one is known.
    #[arg(long, default_value = "")]
    pub(crate) category: String,
    /// When (RFC 3339; default: now).
    #[arg(long)]
    pub(crate) occurred: Option<String>,
    /// A registered source.
    #[arg(long, default_value = "colleagues")]
    pub(crate) source: String,
}
