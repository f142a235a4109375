//! Tokens: JWT, signed by a key of a JWK set that is read from a file, and again whenever the file has changed.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use http::HeaderMap;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm},
};
use serde::Deserialize;

use super::{MAX_PRINCIPAL, Principal};
use crate::error::{Code, Error, Result};

/// The keys that sign tokens, and what tokens must say.
#[derive(Debug)]
pub struct Keys {
    path: PathBuf,
    issuer: String,
    audience: String,
    read: Mutex<KeySet>,
}

/// What the file held when it was last read.
#[derive(Debug)]
struct KeySet {
    modified: SystemTime,
    keys: JwkSet,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    scope: String,
}

impl Keys {
    /// Reads the key set.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub(super) fn load(path: PathBuf, issuer: &str, audience: &str) -> Result<Self, String> {
        let read = Mutex::new(KeySet::read(&path)?);
        Ok(Self { path, issuer: issuer.to_owned(), audience: audience.to_owned(), read })
    }

    /// Checks the token and its scope.
    pub(super) fn admit(&self, headers: &HeaderMap, scope: &str) -> Result<Principal> {
        let token = headers
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(|| unauthenticated("TOKEN_REQUIRED", "send a token: `authorization: Bearer …`"))?;
        let invalid = |cause| unauthenticated("INVALID_TOKEN", "the token is not valid").because(cause);
        let header = decode_header(token).map_err(invalid)?;
        let kid = header.kid.unwrap_or_default();
        let jwk = self.key(&kid).ok_or_else(|| unauthenticated("UNKNOWN_KEY", "no known key has signed the token"))?;
        // The algorithm comes from our key, never from the token.
        let algorithm = algorithm(&jwk)
            .ok_or_else(|| unauthenticated("UNKNOWN_KEY", "the key that has signed the token is none for tokens"))?;
        let mut validation = Validation::new(algorithm);
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let key = DecodingKey::from_jwk(&jwk).map_err(invalid)?;
        let claims = decode::<Claims>(token, &key, &validation).map_err(invalid)?.claims;
        if claims.sub.is_empty() || claims.sub.len() > MAX_PRINCIPAL {
            return Err(unauthenticated("INVALID_TOKEN", "the token's `sub` must be a name of 1 to 200 bytes"));
        }
        if !claims.scope.split(' ').any(|held| held == scope) {
            return Err(Error::new(
                Code::PermissionDenied,
                "SCOPE_REQUIRED",
                format!("the token of `{}` does not hold the scope `{scope}`", claims.sub),
            ));
        }
        Ok(Principal::new(claims.sub))
    }

    /// The key of this id, from the file as it is now: a key that was added counts at once, and one that was taken out
    /// no longer does. While the file cannot be read, the last keys stay.
    fn key(&self, kid: &str) -> Option<Jwk> {
        let mut set = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if modified(&self.path).is_ok_and(|modified| modified != set.modified) {
            match KeySet::read(&self.path) {
                Ok(fresh) => *set = fresh,
                Err(problem) => tracing::warn!(problem, "the keys are not fresh"),
            }
        }
        set.keys.find(kid).cloned()
    }
}

impl KeySet {
    fn read(path: &Path) -> Result<Self, String> {
        // The time comes first: what is written between the two is read again.
        let modified = modified(path)?;
        let text = std::fs::read_to_string(path).map_err(|cause| unreadable(path, &cause))?;
        let keys =
            serde_json::from_str(&text).map_err(|cause| format!("`{}` is no JWK set: {cause}", path.display()))?;
        Ok(Self { modified, keys })
    }
}

fn modified(path: &Path) -> Result<SystemTime, String> {
    std::fs::metadata(path).and_then(|file| file.modified()).map_err(|cause| unreadable(path, &cause))
}

fn unreadable(path: &Path, cause: &std::io::Error) -> String {
    format!("cannot read `{}`: {cause}", path.display())
}

/// The one algorithm that `jwk` signs tokens with: what it says, or else what its kind is for (RFC 7518, RFC 8037). None
/// for keys that do not sign, and for secrets, which do not belong into a file of public keys.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    let said = jwk.common.key_algorithm;
    match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => match said {
            None | Some(KeyAlgorithm::RS256) => Some(Algorithm::RS256),
            Some(KeyAlgorithm::RS384) => Some(Algorithm::RS384),
            Some(KeyAlgorithm::RS512) => Some(Algorithm::RS512),
            Some(KeyAlgorithm::PS256) => Some(Algorithm::PS256),
            Some(KeyAlgorithm::PS384) => Some(Algorithm::PS384),
            Some(KeyAlgorithm::PS512) => Some(Algorithm::PS512),
            Some(_) => None,
        },
        AlgorithmParameters::EllipticCurve(curve) => match (&curve.curve, said) {
            (EllipticCurve::P256, None | Some(KeyAlgorithm::ES256)) => Some(Algorithm::ES256),
            (EllipticCurve::P384, None | Some(KeyAlgorithm::ES384)) => Some(Algorithm::ES384),
            _ => None,
        },
        AlgorithmParameters::OctetKeyPair(curve) => match (&curve.curve, said) {
            (EllipticCurve::Ed25519, None | Some(KeyAlgorithm::EdDSA)) => Some(Algorithm::EdDSA),
            _ => None,
        },
        _ => None,
    }
}

fn unauthenticated(reason: &'static str, message: &str) -> Error {
    Error::new(Code::Unauthenticated, reason, message)
}
