//! Keys, tokens and key files.

use std::{fs, path::PathBuf};

use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet},
};
use leadflow_harness::scratch;
use leadflow_platform::{auth::Auth, clock::Clock, vars::Vars};
use serde_json::{Value, json};
use tempfile::TempDir;

// Made for these tests, and used nowhere else.
const EC_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVIko0EeviAJPrqbZ
+Id3LVZY54NaSUJ1fA4NlZnEGPehRANCAAQk41vIjOKjzBRkstYYEd//nW+oSZ48
t9K6nkwi/Cn6g5tXyoEsTTwNKQ5o21j2XrnvXDkkZRo+RrkgazLSqLOu
-----END PRIVATE KEY-----";
const OTHER_EC_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWvfLmARrNLz53AYu
AaxSeY5kGCmB1LpXDYeIIv4Tl+qhRANCAATrvAsfGbE9csw7JtXcH2epPNCKn8C1
h8uAlNMl71QGK716ZwRFOm5vp/nefd8mUj79VHevdtYk2crHEhu/svnE
-----END PRIVATE KEY-----";
const ED_KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEII+Chrj7RVZvWpmcQoXJF0MQQ8DM5yoWJC+m+eM1aiMk
-----END PRIVATE KEY-----";

/// A key and the name that it has in the key set.
pub(crate) struct Signer {
    kid: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Signer {
    pub(crate) fn ec(kid: &'static str) -> Self {
        Self { kid, algorithm: Algorithm::ES256, key: EncodingKey::from_ec_pem(EC_KEY.as_bytes()).unwrap() }
    }

    pub(crate) fn other_ec(kid: &'static str) -> Self {
        Self { kid, algorithm: Algorithm::ES256, key: EncodingKey::from_ec_pem(OTHER_EC_KEY.as_bytes()).unwrap() }
    }

    pub(crate) fn ed(kid: &'static str) -> Self {
        Self { kid, algorithm: Algorithm::EdDSA, key: EncodingKey::from_ed_pem(ED_KEY.as_bytes()).unwrap() }
    }

    pub(crate) fn secret(kid: &'static str, secret: &[u8]) -> Self {
        Self { kid, algorithm: Algorithm::HS256, key: EncodingKey::from_secret(secret) }
    }

    pub(crate) fn jwk(&self) -> Jwk {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.kid.into());
        jwk
    }

    /// As the key sets of some providers are.
    pub(crate) fn jwk_without_alg(&self) -> Jwk {
        let mut jwk = self.jwk();
        jwk.common.key_algorithm = None;
        jwk
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.kid.into()), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.key).unwrap()
    }
}

/// Good claims of `anna` for an hour.
pub(crate) fn claims() -> Value {
    let now = Clock::system().now().as_second();
    json!({
        "iss": "https://login.example", "aud": "leadflow", "sub": "anna", "exp": now + 3_600,
        "scope": "openid contact.read contact.write",
    })
}

/// The claims with one of them changed, or taken out by `null`.
pub(crate) fn claims_but(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

/// A file of keys.
pub(crate) struct KeyFile {
    pub(crate) folder: TempDir,
}

impl KeyFile {
    pub(crate) fn with(keys: Vec<Jwk>) -> Self {
        let file = Self { folder: scratch().unwrap() };
        file.replace(keys);
        file
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("jwks.json")
    }

    /// As one replaces a file: a new one under the old name.
    pub(crate) fn replace(&self, keys: Vec<Jwk>) {
        let fresh = self.folder.path().join("fresh.json");
        fs::write(&fresh, serde_json::to_string(&JwkSet { keys }).unwrap()).unwrap();
        fs::rename(fresh, self.path()).unwrap();
    }

    pub(crate) fn auth(&self) -> Auth {
        let vars = Vars::from_iter([
            ("LEADFLOW_AUTH_JWKS_FILE", self.path().to_str().unwrap()),
            ("LEADFLOW_AUTH_ISSUER", "https://login.example"),
        ]);
        Auth::from_vars(&vars).unwrap()
    }
}
