//! Where NATS is, and how a role shows itself there.

use std::{fmt, path::PathBuf};

use crate::vars::{Error, Vars};

const USER: &str = "LEADFLOW_NATS_USER";
const PASSWORD: &str = "LEADFLOW_NATS_PASSWORD";
const CREDENTIALS: &str = "LEADFLOW_NATS_CREDENTIALS_FILE";
const CA: &str = "LEADFLOW_NATS_CA_FILE";
const REPLICAS: &str = "LEADFLOW_NATS_REPLICAS";

/// How NATS is reached.
#[derive(Clone, Debug)]
pub struct Config {
    /// `nats://HOST:PORT`. A name with several addresses is a cluster; each of them is tried.
    pub url: String,
    pub(super) login: Login,
    /// Whom the server's certificate must come from. With it, nothing is said without TLS.
    pub(super) ca_file: Option<PathBuf>,
    /// On how many servers the streams that the role owns are kept.
    pub(super) replicas: usize,
}

/// How the role shows itself.
#[derive(Clone)]
pub(super) enum Login {
    Nobody,
    Password { user: String, password: String },
    Credentials(PathBuf),
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => formatter.write_str("Nobody"),
            Self::Password { user, .. } => write!(formatter, "Password({user})"),
            Self::Credentials(path) => write!(formatter, "Credentials({})", path.display()),
        }
    }
}

impl Config {
    /// A server that asks for no login, as `leadflow up` and tests have it.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), login: Login::Nobody, ca_file: None, replicas: 1 }
    }

    /// Reads `LEADFLOW_NATS_URL`; `LEADFLOW_NATS_USER` with `LEADFLOW_NATS_PASSWORD` (or `…_FILE`), or
    /// `LEADFLOW_NATS_CREDENTIALS_FILE`; `LEADFLOW_NATS_CA_FILE`; `LEADFLOW_NATS_REPLICAS` (1).
    ///
    /// # Errors
    /// When a setting cannot be used; the error names it.
    pub fn from_vars(vars: &Vars) -> Result<Self, Error> {
        let replicas = vars.parsed(REPLICAS, 1)?;
        if ![1, 3, 5].contains(&replicas) {
            return Err(Error::new(REPLICAS, format!("`{replicas}` keeps no majority: use 1, 3 or 5")));
        }
        Ok(Self {
            url: vars.get("LEADFLOW_NATS_URL").unwrap_or("nats://127.0.0.1:4222").to_owned(),
            login: Login::from_vars(vars)?,
            ca_file: file(CA, vars)?,
            replicas,
        })
    }
}

impl Login {
    fn from_vars(vars: &Vars) -> Result<Self, Error> {
        let (user, password) = (vars.get(USER), vars.secret(PASSWORD)?);
        match (user, password, file(CREDENTIALS, vars)?) {
            (None, None, None) => Ok(Self::Nobody),
            (None, None, Some(path)) => Ok(Self::Credentials(path)),
            (Some(user), Some(password), None) => Ok(Self::Password { user: user.to_owned(), password }),
            (Some(_), None, None) => Err(Error::new(USER, format!("set {PASSWORD}_FILE too"))),
            (None, Some(_), None) => Err(Error::new(PASSWORD, format!("set {USER} too"))),
            (_, _, Some(_)) => Err(Error::new(CREDENTIALS, format!("set this or {USER}, not both"))),
        }
    }
}

/// A file that has to be there: a server would be tried again for ever without it.
fn file(key: &str, vars: &Vars) -> Result<Option<PathBuf>, Error> {
    let Some(path) = vars.get(key) else { return Ok(None) };
    std::fs::File::open(path).map_err(|cause| Error::new(key, format!("cannot read `{path}`: {cause}")))?;
    Ok(Some(path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(pairs: &[(&str, &str)]) -> String {
        Config::from_vars(&Vars::from_iter(pairs.iter().copied())).unwrap_err().to_string()
    }

    #[test]
    fn half_a_login_or_two_of_them_are_refused_by_name() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml").display().to_string();
        assert!(problem(&[(USER, "scoring")]).starts_with("LEADFLOW_NATS_USER: set LEADFLOW_NATS_PASSWORD_FILE"));
        assert!(problem(&[(PASSWORD, "x")]).starts_with("LEADFLOW_NATS_PASSWORD: set LEADFLOW_NATS_USER"));
        let both = problem(&[(CREDENTIALS, &path), (USER, "scoring"), (PASSWORD, "x")]);
        assert!(both.starts_with("LEADFLOW_NATS_CREDENTIALS_FILE: "), "{both}");
    }

    #[test]
    fn a_file_that_is_missing_is_said_at_the_start() {
        assert!(problem(&[(CA, "/nowhere/ca.crt")]).starts_with("LEADFLOW_NATS_CA_FILE: cannot read"));
        assert!(problem(&[(CREDENTIALS, "/nowhere/creds")]).starts_with("LEADFLOW_NATS_CREDENTIALS_FILE: cannot read"));
    }

    #[test]
    fn streams_are_kept_on_an_odd_number_of_servers() {
        assert!(problem(&[(REPLICAS, "2")]).starts_with("LEADFLOW_NATS_REPLICAS: "));
        let three = Config::from_vars(&Vars::from_iter([(REPLICAS, "3")])).unwrap();
        assert_eq!((three.replicas, three.url.as_str()), (3, "nats://127.0.0.1:4222"));
    }

    #[test]
    fn a_password_is_in_no_log() {
        let vars = Vars::from_iter([(USER, "scoring"), (PASSWORD, "sesame")]);
        let shown = format!("{:?}", Config::from_vars(&vars).unwrap());
        assert!(shown.contains("scoring") && !shown.contains("sesame"), "{shown}");
    }
}
