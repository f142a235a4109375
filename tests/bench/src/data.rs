//! What the buyers of an invented company do: the same for the same seed, skewed as life is.

use leadflow_platform::clock::to_proto;
use leadflow_proto::{activity::v1 as pb, contact::v1::Identity};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// The product categories of `company/company.yaml`.
pub(crate) const CATEGORIES: [&str; 5] = ["pumps", "valves", "sensors", "drives", "service"];
/// The source of `company/company.yaml`.
pub(crate) const SOURCE: &str = "bench";

/// One activity of so many is a request for a quotation, which makes its lead hot at once.
const ONE_HOT_IN: u64 = 50;
/// Prime, so that the hot ones go over all accounts and categories before one comes twice.
const LEAP: u64 = 1_000_003;
/// What people do, how, and how often in a hundred.
const ACTS: [(&str, pb::Channel, u32); 7] = [
    ("page_viewed", pb::Channel::Web, 45),
    ("email_opened", pb::Channel::Email, 20),
    ("email_clicked", pb::Channel::Email, 12),
    ("form_submitted", pb::Channel::Web, 9),
    ("badge_scanned", pb::Channel::Event, 5),
    ("email_delivered", pb::Channel::Email, 5),
    ("call_completed", pb::Channel::Phone, 4),
];

/// Makes activities, one after the other.
#[derive(Debug)]
pub(crate) struct Generator {
    rng: StdRng,
    accounts: u64,
    copies: u64,
    now: jiff::Timestamp,
    made: u64,
}

impl Generator {
    /// Activities of so many accounts, which happen until `now`.
    pub(crate) fn new(seed: u64, accounts: u64, now: jiff::Timestamp) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), accounts, copies: 1, now, made: 0 }
    }

    /// The same activities from now on, each account in the place of one of its `copies`, evenly.
    pub(crate) fn spread(&mut self, copies: u64) {
        self.copies = copies;
    }

    /// How many of those made so far are hot.
    pub(crate) fn hot(&self) -> u64 {
        self.made.div_ceil(ONE_HOT_IN)
    }

    /// The next ones.
    pub(crate) fn take(&mut self, count: usize) -> Vec<pb::Activity> {
        (0..count).map(|_| self.next()).collect()
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> pb::Activity {
        let number = self.made;
        self.made += 1;
        let (account, mut activity) =
            if number.is_multiple_of(ONE_HOT_IN) { self.quotation(number / ONE_HOT_IN) } else { self.ordinary() };
        // Some come late, as those of a trade show or of a nightly export do; but a late request is hot no more.
        let is_late = self.rng.random_ratio(1, 10) && !is_hot(&activity);
        let late = if is_late { self.rng.random_range(0..30 * 86_400_000) } else { 0 };
        let time = self.now - jiff::SignedDuration::from_millis(late);
        let person = self.rng.random_range(0..=account % 5);
        activity.source = SOURCE.into();
        activity.source_event_id = format!("event-{number}");
        activity.occur_time = Some(to_proto(time));
        activity.identity = Some(identity(account + self.accounts * (account * 7919 % self.copies), person));
        activity
    }

    fn quotation(&self, number: u64) -> (u64, pb::Activity) {
        let pair = number * LEAP % (self.accounts * CATEGORIES.len() as u64);
        let (account, category) = (pair % self.accounts, CATEGORIES[(pair / self.accounts) as usize]);
        (
            account,
            pb::Activity {
                activity_type: "quote_requested".into(),
                channel: pb::Channel::Web.into(),
                product_category: category.into(),
                ..Default::default()
            },
        )
    }

    fn ordinary(&mut self) -> (u64, pb::Activity) {
        // Four fifths of what happens comes from one fifth of the accounts.
        let among = if self.rng.random_ratio(4, 5) { (self.accounts / 5).max(1) } else { self.accounts };
        let account = self.rng.random_range(0..among);
        let mut place = self.rng.random_range(0..100);
        let act = ACTS.iter().find(|(_, _, share)| {
            let here = place < *share;
            place = place.saturating_sub(*share);
            here
        });
        let (activity_type, channel, _) = act.copied().unwrap_or(ACTS[0]);
        let mut activity = pb::Activity {
            activity_type: activity_type.into(),
            channel: channel.into(),
            object_id: format!("object-{}", self.rng.random_range(0..40)),
            ..Default::default()
        };
        if self.rng.random_ratio(9, 10) {
            let category = (account + self.rng.random_range(0..3)) % CATEGORIES.len() as u64;
            activity.product_category = CATEGORIES[category as usize].into();
        }
        self.describe(&mut activity);
        (account, activity)
    }

    fn describe(&mut self, activity: &mut pb::Activity) {
        let rng = &mut self.rng;
        let mut say = |name: &str, value: prost_types::value::Kind| {
            activity.attributes.insert(name.into(), prost_types::Value { kind: Some(value) });
        };
        let text = |text: &str| prost_types::value::Kind::StringValue(text.to_owned());
        match activity.activity_type.as_str() {
            "page_viewed" => {
                say("section", text(["products", "uses", "prices", "news", "careers"][rng.random_range(0..5)]))
            }
            "form_submitted" => say("form", text(["contact", "brochure", "webinar"][rng.random_range(0..3)])),
            "badge_scanned" => say("minutes", prost_types::value::Kind::NumberValue(rng.random_range(1..20).into())),
            "call_completed" => {
                say("minutes", prost_types::value::Kind::NumberValue(rng.random_range(1..20).into()));
                let budget = prost_types::value::Kind::NumberValue(f64::from(rng.random_range(1..10)) * 10_000.0);
                activity.answers.insert("budget".into(), prost_types::Value { kind: Some(budget) });
            }
            _ => say("campaign", text(["spring", "summer", "autumn"][rng.random_range(0..3)])),
        }
    }
}

/// What an account is called, by which its assignment is known again. Names that resembled each other would be looked at as
/// if they were one company's.
fn company(account: u64) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "wu", "za"];
    let mixed = account.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let word: String = (0..5).map(|place| SYLLABLES[(mixed >> (40 + 4 * place)) as usize % 16]).collect();
    format!("{word} Works {account}")
}

/// What is said of a person of an account.
pub(crate) fn identity(account: u64, person: u64) -> Identity {
    Identity {
        email: format!("person{person}@works{account}.example"),
        company: company(account),
        country: ["DE", "US", "FR", "AT", "GB", "JP"][(account % 6) as usize].into(),
        ..Default::default()
    }
}

/// Whether it makes its lead hot.
pub(crate) fn is_hot(activity: &pb::Activity) -> bool {
    activity.activity_type == "quote_requested"
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn generator() -> Generator {
        Generator::new(7, 1000, "2026-11-26T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_same_seed_makes_the_same_activities() {
        assert_eq!(generator().take(500), generator().take(500));
    }

    #[test]
    fn one_in_fifty_is_hot_and_no_lead_is_hot_twice() {
        let mut generator = generator();
        let all = generator.take(50_000);
        let hot: Vec<_> = all.iter().filter(|activity| is_hot(activity)).collect();
        assert_eq!(hot.len() as u64, generator.hot());
        let leads: HashSet<_> = hot
            .iter()
            .map(|activity| (activity.identity.as_ref().unwrap().company.clone(), activity.product_category.clone()))
            .collect();
        assert_eq!(leads.len(), hot.len());
    }

    #[test]
    fn a_fifth_of_the_accounts_does_more_than_three_quarters_of_all() {
        let few = generator()
            .take(10_000)
            .iter()
            .filter(|activity| {
                let company = &activity.identity.as_ref().unwrap().company;
                company.rsplit(' ').next().unwrap().parse::<u64>().unwrap() < 200
            })
            .count();
        assert!((7600..9000).contains(&few), "{few}");
    }
}
