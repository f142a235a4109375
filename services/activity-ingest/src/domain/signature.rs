//! Signatures of webhooks: ECDSA on P-256 with SHA-256 over the timestamp and the raw bytes of the body, as SendGrid and
//! other providers sign them.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use leadflow_platform::Result;

use crate::{domain::limits::MAX_AHEAD, error};

/// How old a signature may be. A provider tries again for 24 hours, and whether it signs each try anew is its own affair:
/// a shorter time could lose what is late. What is sent again within it has no second effect, for each event bears its id.
pub(crate) const MAX_AGE: SignedDuration = SignedDuration::from_hours(25);

/// The key that checks the signatures of a source.
#[derive(Debug)]
pub(crate) struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// Reads a key as providers show it: its `SubjectPublicKeyInfo` in DER, in Base64. None when it is no key of P-256.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let der = STANDARD.decode(text.trim()).ok()?;
        ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, der).ok().map(Self)
    }

    /// Checks that the provider has signed these bytes, and that it did so lately.
    ///
    /// # Errors
    /// `INVALID_SIGNATURE`; `STALE_SIGNATURE` when it is too old, or from the future.
    pub(crate) fn verify(&self, timestamp: &str, signature: &str, body: &[u8], now: Timestamp) -> Result<()> {
        let signature = STANDARD.decode(signature.trim()).map_err(|_| error::invalid_signature())?;
        let signed = [timestamp.as_bytes(), body].concat();
        self.0.verify_sig(&signed, &signature).map_err(|_| error::invalid_signature())?;
        // What is signed is true: only now is it worth a look.
        let time = timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let age = now.duration_since(time.ok_or_else(error::invalid_signature)?);
        if age > MAX_AGE || -age > MAX_AHEAD { Err(error::stale_signature()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        encoding::AsDer as _,
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
    };

    use super::*;

    const NOW: &str = "2026-11-24T12:00:00Z";

    struct Signer(EcdsaKeyPair);

    impl Signer {
        fn new() -> Self {
            Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
        }

        fn public_key(&self) -> String {
            STANDARD.encode(self.0.public_key().as_der().unwrap().as_ref())
        }

        fn sign(&self, timestamp: &str, body: &[u8]) -> String {
            let signed = [timestamp.as_bytes(), body].concat();
            STANDARD.encode(self.0.sign(&SystemRandom::new(), &signed).unwrap())
        }
    }

    fn ago(duration: SignedDuration) -> String {
        (NOW.parse::<Timestamp>().unwrap() - duration).as_second().to_string()
    }

    fn verify(key: &str, timestamp: &str, signature: &str, body: &[u8]) -> Result<(), &'static str> {
        let key = PublicKey::parse(key).unwrap();
        key.verify(timestamp, signature, body, NOW.parse().unwrap()).map_err(|error| error.reason())
    }

    #[test]
    fn what_the_provider_has_signed_lately_is_let_in_and_nothing_else() {
        let (signer, stranger, body) = (Signer::new(), Signer::new(), br#"[{"event":"open"}]"#);
        let now = ago(SignedDuration::ZERO);
        let (key, signature) = (signer.public_key(), signer.sign(&now, body));
        assert_eq!(verify(&key, &now, &signature, body), Ok(()));
        let forged = Err("INVALID_SIGNATURE");
        assert_eq!(verify(&stranger.public_key(), &now, &signature, body), forged, "another's key");
        assert_eq!(verify(&key, &now, &signature, br#"[{"event": "open"}]"#), forged, "written anew");
        assert_eq!(verify(&key, &ago(SignedDuration::from_secs(1)), &signature, body), forged, "another time");
        assert_eq!(verify(&key, &now, "MEUCIQ", body), forged, "a part of one");
        assert_eq!(verify(&key, &now, "*", body), forged, "no Base64");
        assert_eq!(verify(&key, &now, "", body), forged, "nothing");
        assert_eq!(verify(&key, "", &signer.sign("", body), body), forged, "signed at no time");
    }

    #[test]
    fn a_late_try_of_the_provider_is_let_in_and_an_old_recording_is_not() {
        let (signer, body) = (Signer::new(), b"[]");
        let signed = |age: SignedDuration| {
            let then = ago(age);
            verify(&signer.public_key(), &then, &signer.sign(&then, body), body)
        };
        assert_eq!(signed(SignedDuration::from_hours(24)), Ok(()));
        assert_eq!(signed(MAX_AGE + SignedDuration::from_secs(1)), Err("STALE_SIGNATURE"));
        assert_eq!(signed(SignedDuration::from_mins(-6)), Err("STALE_SIGNATURE"));
    }

    #[test]
    fn a_key_is_one_of_p256_in_base64() {
        assert!(PublicKey::parse("").is_none());
        assert!(PublicKey::parse("bm8ga2V5").is_none());
        assert!(PublicKey::parse(&format!(" {}\n", Signer::new().public_key())).is_some());
    }
}
