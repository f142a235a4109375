//! Secret keys of a service's own: given in production, made and kept in the data folder for the embedded default.

use std::{fmt, fs, io, io::Write as _, net::SocketAddr, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use aws_lc_rs::rand;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    config::{data_dir, variable},
    error::{Error, Result},
    vars::{self, Vars},
};

/// Bytes of a key at the least.
const MIN_BYTES: usize = 32;

/// A secret key: given, or a file in the data folder.
#[derive(Clone)]
pub struct SecretKey(Place);

#[derive(Clone)]
enum Place {
    Given(Vec<u8>),
    File(PathBuf),
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

impl SecretKey {
    /// Reads `LEADFLOW_<ROLE>_<NAME>` (or `…_FILE`), Base64 of 32 bytes or more. A role that listens on loopback only may
    /// do without: it keeps a key of its own in the data folder.
    ///
    /// # Errors
    /// When it is not set and the role listens beyond loopback, or is no key.
    pub fn from_vars(role: &str, port: u16, name: &str, vars: &Vars) -> Result<Self, vars::Error> {
        let key = variable(role, name);
        let Some(text) = vars.secret(&key)? else {
            let listens = vars.parsed(&variable(role, "LISTEN"), SocketAddr::from(([127, 0, 0, 1], port)))?;
            if listens.ip().is_loopback() {
                let file = format!("{role}-{}.key", name.to_lowercase().replace('_', "-"));
                return Ok(Self(Place::File(data_dir(vars).join(file))));
            }
            return Err(vars::Error::new(key, "is not set: give all replicas the same 32 random bytes in Base64"));
        };
        Self::given(&key, &text)
    }

    /// Reads `LEADFLOW_<ROLE>_<NAME>` (or `…_FILE`): any number of keys as [`SecretKey::from_vars`] takes one, with blanks
    /// or ends of lines between them.
    ///
    /// # Errors
    /// When one of them is no key.
    pub fn several(role: &str, name: &str, vars: &Vars) -> Result<Vec<Self>, vars::Error> {
        let key = variable(role, name);
        let text = vars.secret(&key)?.unwrap_or_default();
        text.split_whitespace().map(|one| Self::given(&key, one)).collect()
    }

    fn given(key: &str, text: &str) -> Result<Self, vars::Error> {
        let secret = STANDARD.decode(text.trim()).unwrap_or_default();
        if secret.len() < MIN_BYTES {
            return Err(vars::Error::new(
                key,
                "must be 32 bytes or more in Base64, such as `openssl rand -base64 32` makes",
            ));
        }
        Ok(Self(Place::Given(secret)))
    }

    /// The key; made where there is none yet.
    ///
    /// # Errors
    /// `INTERNAL` when its file cannot be read, or made.
    pub fn load(&self) -> Result<Vec<u8>> {
        let path = match &self.0 {
            Place::Given(secret) => return Ok(secret.clone()),
            Place::File(path) => path,
        };
        let failed = |cause| Error::internal(format!("the key {} cannot be used", path.display())).because(cause);
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = generate()?;
                fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
                // For nobody else to read, and never over one that another process has made meanwhile.
                let mut file =
                    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
                file.write_all(made.as_bytes()).map_err(failed)?;
                made
            }
            read => read.map_err(failed)?,
        };
        let secret = STANDARD.decode(text.trim()).unwrap_or_default();
        if secret.len() < MIN_BYTES {
            return Err(Error::internal(format!("{} holds no key", path.display())));
        }
        Ok(secret)
    }
}

fn generate() -> Result<String> {
    let mut secret = [0; MIN_BYTES];
    rand::fill(&mut secret).map_err(|cause| Error::internal("no random numbers").because(cause))?;
    Ok(STANDARD.encode(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(vars: &Vars) -> Result<SecretKey, vars::Error> {
        SecretKey::from_vars("contact", 7101, "SUPPRESSION_KEY", vars)
    }

    #[test]
    fn on_loopback_a_key_is_made_once_and_kept_for_nobody_else_to_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let vars = Vars::from_iter([("LEADFLOW_DATA_DIR", folder.path().to_str().unwrap())]);
        let first = key(&vars).unwrap().load().unwrap();
        assert_eq!((first.len(), first == key(&vars).unwrap().load().unwrap()), (32, true));
        let file = folder.path().join("contact-suppression-key.key");
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn beyond_loopback_a_key_has_to_be_given() {
        let vars = Vars::from_iter([("LEADFLOW_CONTACT_LISTEN", "0.0.0.0:7101")]);
        let error = key(&vars).unwrap_err().to_string();
        assert!(error.starts_with("LEADFLOW_CONTACT_SUPPRESSION_KEY: "), "{error}");
        let short = vars.clone().with("LEADFLOW_CONTACT_SUPPRESSION_KEY", "c2hvcnQ=");
        assert!(key(&short).unwrap_err().to_string().contains("32 bytes"));
        let given = vars.with("LEADFLOW_CONTACT_SUPPRESSION_KEY", STANDARD.encode([7; 32]));
        assert_eq!(key(&given).unwrap().load().unwrap(), [7; 32]);
    }

    #[test]
    fn several_keys_stand_between_blanks_and_each_is_one() {
        let several =
            |text: &str| SecretKey::several("contact", "OLD", &Vars::from_iter([("LEADFLOW_CONTACT_OLD", text)]));
        let (first, second) = (STANDARD.encode([7; 32]), STANDARD.encode([8; 32]));
        let keys = several(&format!("{first}\n {second}\n")).unwrap();
        assert_eq!(keys.iter().map(|it| it.load().unwrap()).collect::<Vec<_>>(), [[7; 32], [8; 32]]);
        assert!(several("").unwrap().is_empty());
        assert!(several(&format!("{first} c2hvcnQ=")).unwrap_err().to_string().starts_with("LEADFLOW_CONTACT_OLD: "));
    }
}
