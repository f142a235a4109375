//! What is kept of a person who was erased: keyed hashes of what leads to them, which tell again who it is and tell
//! nobody who it was.

use std::fmt;

use aws_lc_rs::hmac;

use super::{Claim, Key};

/// Bytes of a secret at the least.
pub const MIN_SECRET: usize = 32;

/// The key of the hashes. Without it, or with another one, nobody who was erased is known again.
#[derive(Clone)]
pub struct Suppressor(hmac::Key);

impl fmt::Debug for Suppressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Suppressor")
    }
}

impl Suppressor {
    /// With this secret of [`MIN_SECRET`] bytes or more.
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// What is kept of a key; of a key that leads to an organisation, nothing.
    pub fn hash(&self, key: &Key) -> Option<Vec<u8>> {
        let (kind, scope, value) = match key {
            Key::Email(email) => ("email", "", email),
            Key::Mobile(mobile) => ("mobile", "", mobile),
            Key::ExternalId(source, id) => ("external_id", source.as_str(), id),
            Key::AnonymousId(id) => ("anonymous_id", "", id),
            Key::Phone(phone) => ("phone", "", phone),
            Key::Domain(_) | Key::Name(..) | Key::Reference(_) | Key::Description(_) => return None,
        };
        // None of the parts has a NUL in it, so that two keys never read the same.
        Some(hmac::sign(&self.0, format!("{kind}\0{scope}\0{value}").as_bytes()).as_ref().to_vec())
    }
}

/// The keys of a claim by which somebody who was erased would be known again. A number may be another's by now: it counts
/// where nothing else is said, and a verified one where neither an address nor an id is.
pub fn telling_keys(claim: &Claim) -> Vec<Key> {
    let keys = claim.person_keys();
    let only_numbers = keys.iter().all(Key::is_number);
    let only_mobile = claim.email.is_none() && claim.external_id.is_none();
    let tells = |key: &Key| match key {
        Key::Phone(_) => only_numbers,
        Key::Mobile(_) => only_mobile,
        _ => true,
    };
    keys.into_iter().filter(tells).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_tells_kinds_sources_and_secrets_apart_and_holds_nothing_of_the_value() {
        let suppressor = Suppressor::new(&[7; MIN_SECRET]);
        let keys = [
            Key::Email("ada@example.de".into()),
            Key::AnonymousId("ada@example.de".into()),
            Key::ExternalId("crm".into(), "ada@example.de".into()),
            Key::ExternalId("shop".into(), "ada@example.de".into()),
            Key::Phone("+491701234567".into()),
            Key::Mobile("+491701234567".into()),
        ];
        let mut hashes: Vec<_> = keys.iter().map(|key| suppressor.hash(key).unwrap()).collect();
        hashes.push(Suppressor::new(&[8; MIN_SECRET]).hash(&keys[0]).unwrap());
        assert!(hashes.iter().all(|hash| hash.len() == 32));
        let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
        assert_eq!(suppressor.hash(&Key::Domain("example.de".into())), None);
    }

    #[test]
    fn a_phone_tells_only_where_nothing_else_is_said() {
        let phone = Claim { phone: Some("+4930901820".into()), ..Claim::default() };
        assert_eq!(telling_keys(&phone).len(), 1);
        let with_address = Claim { email: Some("ada@example.de".into()), ..phone };
        assert_eq!(telling_keys(&with_address), [Key::Email("ada@example.de".into())]);
    }

    #[test]
    fn a_verified_mobile_tells_unless_an_address_or_an_id_says_that_it_is_anothers_by_now() {
        let mobile = || Some("+491701234567".to_owned());
        let seen = Claim { phone: mobile(), mobile: mobile(), anonymous_id: Some("cookie".into()), ..Claim::default() };
        let told = [Key::Mobile("+491701234567".into()), Key::AnonymousId("cookie".into())];
        assert_eq!(telling_keys(&seen), told);
        let with_address = Claim { email: Some("ada@example.de".into()), ..seen };
        assert!(!telling_keys(&with_address).contains(&told[0]));
    }
}
