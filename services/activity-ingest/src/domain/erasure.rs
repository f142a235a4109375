//! Somebody who is to be forgotten, and how to find them where no contact is known.

use std::collections::BTreeSet;

use crate::domain::activity::Identity;

/// Ids that are shorter may be anything in a text.
const MIN_ID: usize = 6;
/// Digits that tell a telephone from others.
const MIN_DIGITS: usize = 7;

/// What leads to somebody who is to be forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Person {
    /// Lower case.
    pub(crate) emails: BTreeSet<String>,
    /// E.164.
    pub(crate) phones: BTreeSet<String>,
    /// With their sources.
    pub(crate) external_ids: BTreeSet<(String, String)>,
    pub(crate) anonymous_ids: BTreeSet<String>,
    /// Given and family names.
    pub(crate) names: BTreeSet<(String, String)>,
}

impl Person {
    /// Whether an activity of this source with this identity is of this person.
    pub(crate) fn is(&self, source: &str, identity: &Identity) -> bool {
        let external_id = (source.to_owned(), identity.external_id.trim().to_owned());
        self.emails.contains(&identity.email.trim().to_lowercase())
            || self.external_ids.contains(&external_id)
            || self.anonymous_ids.contains(identity.anonymous_id.trim())
            || self.has_phone(&identity.phone)
            || (self.is_called(identity) && is_only_called(identity))
    }

    /// Whether the identity has the person's whole name.
    pub(crate) fn is_called(&self, identity: &Identity) -> bool {
        let same = |known: &str, said: &str| !known.is_empty() && known.eq_ignore_ascii_case(said.trim());
        self.names
            .iter()
            .any(|(given, family)| same(given, &identity.given_name) && same(family, &identity.family_name))
    }

    /// However it is written: the national number stands at the end of the international one.
    fn has_phone(&self, written: &str) -> bool {
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        let significant = digits.trim_start_matches('0');
        significant.len() >= MIN_DIGITS && self.phones.iter().any(|phone| phone.ends_with(significant))
    }

    /// Whether a text that is no activity names the person by an address or an id of theirs.
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        let text = String::from_utf8_lossy(text).to_lowercase();
        self.words().any(|word| text.contains(&word.to_lowercase()))
    }

    /// The words that tell of a text that it names the person.
    pub(crate) fn words(&self) -> impl Iterator<Item = &String> {
        let ids = self.external_ids.iter().map(|(_, id)| id).chain(&self.anonymous_ids);
        self.emails.iter().chain(&self.phones).chain(ids.filter(|id| id.len() >= MIN_ID))
    }
}

/// Whether nothing but a name says who it was: a namesake with an address of their own is another.
fn is_only_called(identity: &Identity) -> bool {
    let Identity { email, phone, external_id, anonymous_id, .. } = identity;
    [email, phone, external_id, anonymous_id].into_iter().all(|text| text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Person {
        Person {
            emails: ["ada@example.de".to_owned()].into(),
            phones: ["+4930901820".to_owned()].into(),
            external_ids: [("crm".to_owned(), "C-4711".to_owned()), ("crm".to_owned(), "7".to_owned())].into(),
            anonymous_ids: ["cookie-1".to_owned()].into(),
            names: [("Ada".to_owned(), "Lovelace".to_owned()), (String::new(), String::new())].into(),
        }
    }

    #[test]
    fn a_person_is_found_by_each_address_however_it_is_written() {
        let of = |change: fn(&mut Identity)| {
            let mut identity = Identity::default();
            change(&mut identity);
            identity
        };
        for theirs in [
            of(|it| it.email = " Ada@Example.DE".into()),
            of(|it| it.phone = "030 / 90 18-20".into()),
            of(|it| it.phone = "0049 30 901820".into()),
            of(|it| it.external_id = "C-4711".into()),
            of(|it| it.anonymous_id = "cookie-1".into()),
            of(|it| (it.given_name, it.family_name) = ("ada".into(), "Lovelace ".into())),
        ] {
            assert!(ada().is("crm", &theirs), "{theirs:?}");
        }
        for others in [
            Identity::default(),
            of(|it| it.email = "bert@example.de".into()),
            of(|it| it.phone = "1820".into()),
            of(|it| it.given_name = "Ada".into()),
            Identity {
                email: "ada@other.de".into(),
                given_name: "Ada".into(),
                family_name: "Lovelace".into(),
                ..Identity::default()
            },
        ] {
            assert!(!ada().is("crm", &others), "{others:?}");
        }
        assert!(!ada().is("shop", &of(|it| it.external_id = "C-4711".into())), "an id is one of its source");
    }

    #[test]
    fn a_text_names_a_person_by_an_address_and_not_by_a_short_id() {
        assert!(ada().is_in(b"{\"mail\": \"ADA@example.de\", broken"));
        assert!(ada().is_in(b"call +4930901820 at 7"));
        assert!(!ada().is_in(b"at 7 o'clock"));
        assert!(!Person::default().is_in(b"anything"));
    }
}
