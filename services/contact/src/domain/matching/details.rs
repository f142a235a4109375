//! What is known of a person or of an organisation, as it is written and as it is compared.

use super::{company::Company, line::Thresholds, names::Name, own::Own, place::Place};

/// Who is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A person.
    Person,
    /// An organisation.
    Organisation,
}

impl Subject {
    /// From which weights on two descriptions are one, and a person has to look. They were chosen on generated data, see
    /// `tests/it/matching.rs`: of a million people whom nothing connects, fewer than one pair reaches the upper one.
    pub fn thresholds(self) -> Thresholds {
        match self {
            Self::Person => Thresholds { link: 21.5, review: 16.0 },
            Self::Organisation => Thresholds { link: 16.0, review: 13.0 },
        }
    }
}

/// What is known, as written. What is empty is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The person's.
    pub given_name: String,
    /// The person's.
    pub family_name: String,
    /// The organisation's name.
    pub company: String,
    /// The person's addresses.
    pub emails: Vec<String>,
    /// In any writing; E.164 where the country is known.
    pub phones: Vec<String>,
    /// The organisation's.
    pub domains: Vec<String>,
    /// Street and house number.
    pub street: String,
    /// The place.
    pub city: String,
    /// As written.
    pub postal_code: String,
    /// State or province, as written.
    pub region: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// The person's own.
    pub own: Own,
}

/// Details in the form in which they are compared.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    pub(super) details: Details,
    pub(super) name: Name,
    pub(super) company: Company,
    pub(super) place: Place,
    /// Digits only.
    pub(super) phones: Vec<String>,
    /// Of birth, as eight digits, the year first; or empty.
    pub(super) day: String,
    /// The person's own, without signs; or empty.
    pub(super) number: String,
}

impl Profile {
    /// The details as written.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// The same, with what is the person's own.
    #[must_use]
    pub fn owning(mut self, own: &Own) -> Self {
        (self.day, self.number) = (own.day(), own.number());
        self.details.own = own.clone();
        self
    }

    /// Whether a person is named well enough to be told from others: by the family name, or by the given name at an
    /// address or with what is one's own, and never by a name alone.
    pub fn names_a_person(&self) -> bool {
        let placed = !self.place.street.is_empty() || !self.place.postal_code.is_empty();
        let at_work = !self.company.is_empty() || !self.details.domains.is_empty();
        let reached = !self.phones.is_empty() || !self.details.emails.is_empty();
        let own = !self.day.is_empty() || !self.number.is_empty();
        let name = &self.name;
        let full = !name.family.is_empty() && (placed || at_work || reached || own || !self.place.city.is_empty());
        full || (!name.given.is_empty() && (placed || own))
    }

    /// Whether the other says nothing that this one does not know, word for word: so it is a repetition.
    pub(super) fn covers(&self, other: &Self) -> bool {
        fn known<T: Default + PartialEq>(mine: &T, said: &T) -> bool {
            *said == T::default() || mine == said
        }
        let all = |mine: &[String], said: &[String]| said.iter().all(|one| mine.contains(one));
        known(&self.name, &other.name)
            && known(&self.company, &other.company)
            && known(&self.place.street.number, &other.place.street.number)
            && known(&self.place.street.name, &other.place.street.name)
            && known(&self.place.city, &other.place.city)
            && known(&self.place.postal_code, &other.place.postal_code)
            && known(&self.place.country, &other.place.country)
            && known(&self.day, &other.day)
            && known(&self.number, &other.number)
            && all(&self.phones, &other.phones)
            && all(&self.details.emails, &other.details.emails)
    }
}

impl From<Details> for Profile {
    fn from(details: Details) -> Self {
        let phones = details.phones.iter().map(|phone| phone.chars().filter(char::is_ascii_digit).collect());
        Self {
            name: Name::read(&details.given_name, &details.family_name),
            company: Company::read(&details.company),
            place: Place::read(&details),
            phones: phones.filter(|digits: &String| digits.len() >= 6).collect(),
            day: details.own.day(),
            number: details.own.number(),
            details,
        }
    }
}
