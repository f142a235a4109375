//! What is said of who it was.

use std::collections::HashMap;

use uuid::Uuid;

use super::{matching::Own, normal, who::Key};

/// What an activity says of who did it, in normal form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Who it is, where that is known beforehand; then nothing else is said.
    pub contact_id: Option<Uuid>,
    /// The address.
    pub email: Option<String>,
    /// Source and the person's id in it.
    pub external_id: Option<(String, String)>,
    /// A cookie or device id.
    pub anonymous_id: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    /// The same, where it is a mobile that the source has verified to be the person's own.
    pub mobile: Option<String>,
    /// The organisation's registrable domain, from the address or told; never free mail.
    pub domain: Option<String>,
    /// The organisation's name.
    pub company: String,
    /// ISO 3166-1 alpha-2, or empty.
    pub country: String,
    /// As written.
    pub region: String,
    /// As written.
    pub postal_code: String,
    /// As written.
    pub city: String,
    /// Street and house number, as written.
    pub street: String,
    /// As written.
    pub given_name: String,
    /// As written.
    pub family_name: String,
    /// As written.
    pub job_title: String,
    /// What only a file says that is matched.
    pub own: Own,
}

impl Claim {
    /// Everything that may lead to somebody.
    pub fn keys(&self) -> Vec<Key> {
        let mut keys = self.person_keys();
        if keys.is_empty() {
            keys.extend(self.description());
        }
        keys.extend(self.domain.clone().map(Key::Domain));
        keys.extend(self.name_key());
        keys
    }

    /// The keys of a person, the strongest first.
    pub fn person_keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        keys.extend(self.email.clone().map(Key::Email));
        keys.extend(self.mobile.clone().map(Key::Mobile));
        keys.extend(self.external_id.clone().map(|(source, id)| Key::ExternalId(source, id)));
        keys.extend(self.anonymous_id.clone().map(Key::AnonymousId));
        keys.extend(self.phone.clone().map(Key::Phone));
        keys
    }

    /// Whether it names a person, and none that is known.
    pub fn is_of_a_stranger(&self, contact_of: &HashMap<Key, Uuid>) -> bool {
        let keys = self.person_keys();
        self.contact_id.is_none() && !keys.is_empty() && !keys.iter().any(|key| contact_of.contains_key(key))
    }

    /// Whether it bears an identity that is one person's.
    pub(super) fn is_named(&self) -> bool {
        self.email.is_some() || self.mobile.is_some() || self.external_id.is_some()
    }

    /// Whom it means when it says nothing stronger.
    fn description(&self) -> Option<Key> {
        let said = self.person_profile()?;
        Some(Key::Description(format!("{:?}", said.details()).to_lowercase()))
    }

    pub(super) fn name_key(&self) -> Option<Key> {
        let key = normal::company_key(&self.company);
        (!key.is_empty()).then(|| Key::Name(key, self.country.clone()))
    }
}
