//! What became of each activity, so that none vanishes.

use serde::{Deserialize, Serialize};

use super::{category::Categories, history::Activity, model::Shares};

/// What became of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// A rule matches it in an open lead.
    Scored,
    /// It belongs to no account.
    NoAccount,
    /// Its account has no open lead that it could count for.
    NoOpenLead,
    /// No rule matches it.
    NoRule,
    /// Its round is closed, or the lead is disqualified and it is too early to look again.
    Closed,
    /// It was found not to be a buyer's act.
    Reclassified,
}

/// A closed round, as far as an activity's whereabouts go.
#[derive(Clone, Debug)]
pub struct ClosedRound {
    /// The lead's category.
    pub product_category: String,
    /// What happened until then belongs to it or to a round before it.
    pub close_time: i64,
}

/// What became of an activity: `matches` says whether a rule matches it in an open lead, none when it cannot count for
/// any.
pub fn disposition(
    activity: &Activity,
    matches: Option<bool>,
    closed: &[ClosedRound],
    categories: &Categories,
    shares: &Shares,
) -> Disposition {
    if activity.reclassify_time.is_some() {
        return Disposition::Reclassified;
    }
    let of = activity.product_category.as_deref();
    let in_closed = closed.iter().any(|round| {
        categories.share_milli(of, &round.product_category, shares) > 0
            && (activity.occur_time <= round.close_time || of == Some(round.product_category.as_str()))
    });
    match (matches, in_closed) {
        (Some(true), _) => Disposition::Scored,
        (Some(false), _) => Disposition::NoRule,
        (None, true) => Disposition::Closed,
        (None, false) => Disposition::NoOpenLead,
    }
}
