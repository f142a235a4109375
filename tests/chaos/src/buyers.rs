//! The people who send activities: a company pool that grows, clear-cut identities, every word that the model knows.

use std::{collections::BTreeMap, time::Duration};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value as Json, json};

use crate::activity::{Activity, Door, Identity};

const DAY: i64 = 24 * 3_600_000;
/// How many activities a company makes on the average before the next one joins.
const PER_COMPANY: usize = 12;
/// The oldest that an activity is; the model's window is 90 days.
const OLDEST: i64 = 100 * DAY;
/// A first copy may be late by this, so that others overtake it.
const SHUFFLED_WITHIN: u64 = 1_500;
/// When the last copy is sent at the latest.
const COPIES_WITHIN: u64 = 12_000;
/// Companies whose facts the configuration holds.
const KNOWN: [(&str, &str, &str); 5] = [
    ("Anlagenbau Null", "anlagenbau-null.de", "DE"),
    ("Brauerei Eins", "brauerei-eins.de", "DE"),
    ("Cellulosa Dos", "cellulosa-dos.es", "ES"),
    ("Distillerie Trois", "distillerie-trois.fr", "FR"),
    ("Elverk Fyra", "elverk-fyra.se", "SE"),
];
const COUNTRIES: [(&str, &str); 6] =
    [("DE", "de"), ("AT", "at"), ("SE", "se"), ("ES", "es"), ("FR", "fr"), ("GB", "co.uk")];
const CATEGORIES: [&str; 4] = ["pumps", "vacuum-pumps", "valves", "sensors"];

/// What keeps an activity from ever being recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Poison {
    UnknownCategory,
    BadEmail,
    TooOld,
    /// No activity at all; on NATS only, where anybody may publish bytes.
    Garbage,
}

/// An activity, and how it is going to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) door: Door,
    pub(crate) source_event_id: String,
    pub(crate) activity: Activity,
    pub(crate) poison: Option<Poison>,
    /// When each copy is sent, from now on: one to five.
    pub(crate) copies: Vec<Duration>,
}

/// Makes activities, the same ones from the same seed but for the time.
#[derive(Debug)]
pub(crate) struct Buyers {
    doors: &'static [Door],
    random: StdRng,
    made: usize,
}

impl Buyers {
    /// Through all doors.
    pub(crate) fn new(seed: u64) -> Self {
        Self::through(&[Door::Grpc, Door::Http, Door::Nats], seed)
    }

    /// Through these doors.
    pub(crate) fn through(doors: &'static [Door], seed: u64) -> Self {
        Self { doors, random: StdRng::seed_from_u64(seed), made: 0 }
    }

    /// The next activity at `now` (Unix milliseconds).
    pub(crate) fn next(&mut self, now: i64) -> Planned {
        self.made += 1;
        let door = self.doors.choose(&mut self.random).copied().unwrap_or(Door::Grpc);
        let mut activity = self.activity(door, now);
        let poison = self.random.random_bool(0.01).then(|| self.poison(door));
        match poison {
            Some(Poison::UnknownCategory) => activity.product_category = "perpetual-motion".into(),
            Some(Poison::BadEmail) => activity.identity.email = "nobody".into(),
            Some(Poison::TooOld) => activity.occur_time = 0,
            Some(Poison::Garbage) | None => {}
        }
        let source_event_id = format!("event-{}", self.made);
        Planned { door, source_event_id, activity, poison, copies: self.copies() }
    }

    fn poison(&mut self, door: Door) -> Poison {
        let kinds = [Poison::UnknownCategory, Poison::BadEmail, Poison::TooOld, Poison::Garbage];
        let known = if door == Door::Nats { kinds.len() } else { kinds.len() - 1 };
        *kinds[..known].choose(&mut self.random).unwrap_or(&Poison::TooOld)
    }

    fn copies(&mut self) -> Vec<Duration> {
        let first = self.random.random_range(0..SHUFFLED_WITHIN);
        let more = [0, 0, 0, 1, 1, 2, 3, 4].choose(&mut self.random).copied().unwrap_or(0);
        let others = (0..more).map(|_| self.random.random_range(first..COPIES_WITHIN));
        let mut copies: Vec<_> = std::iter::once(first).chain(others.collect::<Vec<_>>()).collect();
        copies.sort_unstable();
        copies.into_iter().map(Duration::from_millis).collect()
    }

    fn activity(&mut self, door: Door, now: i64) -> Activity {
        let kind = self.kind(door);
        let (mut attributes, mut answers) = (BTreeMap::new(), BTreeMap::new());
        self.values(door, kind, &mut attributes, &mut answers);
        let channel = match (door, kind) {
            (Door::Http, _) => "web",
            (Door::Nats, _) => "email",
            (Door::Grpc, "badge_scanned") => "event",
            (Door::Grpc, _) => "phone",
        };
        let object = matches!(kind, "email_clicked" | "email_opened" | "page_viewed");
        Activity {
            activity_type: kind.into(),
            channel: channel.into(),
            product_category: self.category(),
            occur_time: self.occur_time(now),
            identity: self.identity(),
            attributes,
            answers,
            object_id: if object { format!("object-{}", self.random.random_range(0..20)) } else { String::new() },
        }
    }

    fn kind(&mut self, door: Door) -> &'static str {
        let kinds: &[_] = match door {
            // One in fifty asks for a quotation, which makes a lead hot at once.
            Door::Http if self.random.random_bool(0.06) => &["quote_requested"],
            Door::Http => &["form_submitted", "form_submitted", "page_viewed", "page_viewed"],
            Door::Grpc => &["call_completed", "call_completed", "call_received", "badge_scanned"],
            Door::Nats => &["email_opened", "email_opened", "email_clicked", "email_unsubscribed"],
        };
        kinds.choose(&mut self.random).copied().unwrap_or("page_viewed")
    }

    fn values(
        &mut self,
        door: Door,
        kind: &str,
        attributes: &mut BTreeMap<String, Json>,
        answers: &mut BTreeMap<String, Json>,
    ) {
        let random = &mut self.random;
        let mut attribute = |name: &str, value: Json| attributes.insert(name.into(), value);
        match (door, kind) {
            (Door::Http, "page_viewed") => {
                let sections = ["products", "prices", "careers"];
                attribute("section", json!(sections[random.random_range(0..sections.len())]));
            }
            (Door::Http, _) => {
                let forms = ["contact", "samples", "newsletter"];
                attribute("form", json!(forms[random.random_range(0..forms.len())]));
                if random.random_bool(0.3) {
                    answers.insert("budget".into(), json!(random.random_range(1..20) * 5000));
                    answers.insert("months".into(), json!(random.random_range(1..12)));
                }
            }
            (Door::Grpc, _) => {
                attribute("minutes", json!(random.random_range(1..30)));
                attribute("meeting_wanted", json!(random.random_bool(0.2)));
                if random.random_bool(0.2) {
                    answers.insert("decides".into(), json!(random.random_bool(0.5)));
                }
            }
            (Door::Nats, _) => {
                attribute("campaign", json!(format!("campaign-{}", random.random_range(0..4))));
            }
        }
    }

    fn category(&mut self) -> String {
        if self.random.random_bool(0.1) {
            return String::new();
        }
        CATEGORIES.choose(&mut self.random).copied().unwrap_or_default().into()
    }

    /// Some as it happens, most in hindsight, a few beyond the window.
    fn occur_time(&mut self, now: i64) -> i64 {
        let back = self.random.random_range(0.0_f64..1.0).powi(3);
        let back = (back * OLDEST as f64) as i64;
        now - back
    }

    fn identity(&mut self) -> Identity {
        let companies = KNOWN.len() + 1 + self.made / PER_COMPANY;
        // The later a company came, the more it has to say: leads open and grow all through the run.
        let draw = self.random.random_range(0.0_f64..1.0).sqrt();
        let number = ((draw * companies as f64) as usize).min(companies - 1);
        let (company, domain, country) = company(number);
        // One in twelve is known by the company's network only.
        let person = self.random.random_range(0..12);
        if person == 0 {
            return Identity { domain, company, country, ..Identity::default() };
        }
        Identity { email: format!("person-{}@{domain}", person % 5), company, country, ..Identity::default() }
    }
}

/// Name, domain and country of a company.
fn company(number: usize) -> (String, String, String) {
    if let Some((name, domain, country)) = KNOWN.get(number) {
        return ((*name).into(), (*domain).into(), (*country).into());
    }
    let (country, end) = COUNTRIES[number % COUNTRIES.len()];
    (format!("Company {number}"), format!("company-{number}.{end}"), country.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(seed: u64, count: usize) -> Vec<Planned> {
        let mut buyers = Buyers::new(seed);
        (0..count).map(|_| buyers.next(1_800_000_000_000)).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_activities() {
        let told = |seed| format!("{:?}", made(seed, 200));
        assert_eq!(told(7), told(7));
        assert_ne!(told(7), told(8));
    }

    #[test]
    fn every_activity_is_sent_one_to_five_times_and_one_in_a_hundred_is_poison() {
        let all = made(1, 5000);
        assert!((1..=5).all(|count| all.iter().any(|one| one.copies.len() == count)));
        assert!(all.iter().all(|one| (1..=5).contains(&one.copies.len())));
        let poison = all.iter().filter(|one| one.poison.is_some()).count();
        assert!((25..100).contains(&poison), "{poison}");
    }

    #[test]
    fn a_domain_always_has_the_same_name_and_country() {
        let mut known = BTreeMap::new();
        for one in made(3, 5000).into_iter().filter(|one| one.poison != Some(Poison::BadEmail)) {
            let identity = one.activity.identity;
            let domain = identity.email.split('@').nth(1).unwrap_or(&identity.domain).to_owned();
            let said = (identity.company, identity.country);
            assert_eq!(*known.entry(domain).or_insert_with(|| said.clone()), said);
        }
    }
}
