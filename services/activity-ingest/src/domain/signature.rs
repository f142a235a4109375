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

    /// The example with which SendGrid tests its own libraries.
    const EXAMPLE_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe6\
        2gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
    const EXAMPLE_SIGNATURE: &str =
        "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=";
    const EXAMPLE_BODY: &str = "[{\"email\":\"hello@world.com\",\"event\":\"dropped\",\"reason\":\"Bounced Address\",\
        \"sg_event_id\":\"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA\",\
        \"sg_message_id\":\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0\",\
        \"smtp-id\":\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>\",\"timestamp\":1600112492}]\r\n";

    fn verify_example(timestamp: &str, signature: &str, body: &str) -> Result<(), &'static str> {
        let now = Timestamp::from_second(1_600_112_502).unwrap();
        let key = PublicKey::parse(EXAMPLE_KEY).unwrap();
        key.verify(timestamp, signature, body.as_bytes(), now).map_err(|error| error.reason())
    }

    #[test]
    fn what_sendgrid_itself_has_signed_is_let_in() {
        assert_eq!(verify_example("1600112502", EXAMPLE_SIGNATURE, EXAMPLE_BODY), Ok(()));
        let forged = Err("INVALID_SIGNATURE");
        let anew = serde_json::from_str::<serde_json::Value>(EXAMPLE_BODY).unwrap().to_string();
        for body in [EXAMPLE_BODY.trim_end(), &anew, &EXAMPLE_BODY.replace("dropped", "clicked"), ""] {
            assert_eq!(verify_example("1600112502", EXAMPLE_SIGNATURE, body), forged, "{body}");
        }
        for timestamp in ["1600112503", "", " 1600112502", "+1600112502", "01600112502", "1600112502.0"] {
            assert_eq!(verify_example(timestamp, EXAMPLE_SIGNATURE, EXAMPLE_BODY), forged, "{timestamp}");
        }
        // A digit that moves from the time into the body leaves the signed bytes as they were; but then it is 1970.
        let shifted = verify_example("160011250", EXAMPLE_SIGNATURE, &format!("2{EXAMPLE_BODY}"));
        assert_eq!(shifted, Err("STALE_SIGNATURE"));
    }

    #[test]
    fn garbage_is_no_signature() {
        let zeros = STANDARD.encode([0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00]);
        let longer = STANDARD.encode([STANDARD.decode(EXAMPLE_SIGNATURE).unwrap(), vec![0]].concat());
        for signature in ["=", &EXAMPLE_SIGNATURE[..40], &zeros, &longer, &"A".repeat(10_000), "1600112502"] {
            assert_eq!(verify_example("1600112502", signature, EXAMPLE_BODY), Err("INVALID_SIGNATURE"), "{signature}");
        }
    }

    #[test]
    fn a_key_of_another_curve_is_none() {
        let der = STANDARD.decode(EXAMPLE_KEY).unwrap();
        let other_curve = [&der[..15], &[0x22], &der[16..]].concat();
        for bytes in [&der[..40], &other_curve, &[]] {
            assert!(PublicKey::parse(&STANDARD.encode(bytes)).is_none());
        }
        assert!(
            PublicKey::parse(&format!("-----BEGIN PUBLIC KEY-----\n{EXAMPLE_KEY}\n-----END PUBLIC KEY-----")).is_none()
        );
    }

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
