//! Where settings come from: the environment, or a map in tests. The only place that reads the environment.

use std::{collections::BTreeMap, fmt, path::Path, str::FromStr, time::Duration};

/// The variables of one process.
#[derive(Clone, Debug, Default)]
pub struct Vars(BTreeMap<String, String>);

/// A setting that cannot be used. It names its key and says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct Error {
    key: String,
    problem: String,
}

impl Error {
    /// What is wrong with the setting `key`.
    pub fn new(key: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self { key: key.into(), problem: problem.to_string() }
    }
}

impl Vars {
    /// The variables of the environment.
    pub fn from_env() -> Self {
        Self::from_iter(
            std::env::vars_os()
                .map(|(key, value)| (key.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())),
        )
    }

    /// The same variables with `key` set to `value`.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }

    /// The same variables with `key` set to `value` where nothing was set.
    #[must_use]
    pub fn or(self, key: &str, value: impl Into<String>) -> Self {
        if self.0.contains_key(key) { self } else { self.with(key, value) }
    }

    /// A variable that is set and not empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable without which nothing goes.
    ///
    /// # Errors
    /// When it is not set.
    pub fn required(&self, key: &str) -> Result<&str, Error> {
        self.get(key).ok_or_else(|| Error::new(key, "is not set"))
    }

    /// A variable of another type, or `default` when it is not set.
    ///
    /// # Errors
    /// When it is set to something else.
    pub fn parsed<T: FromStr<Err: fmt::Display>>(&self, key: &str, default: T) -> Result<T, Error> {
        match self.get(key) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|cause| Error::new(key, format!("`{text}` cannot be read: {cause}"))),
        }
    }

    /// A time span with its unit (`30s`, `10m`, `24h`, `250ms`), or `default` when it is not set.
    ///
    /// # Errors
    /// When it has no unit, or is negative.
    pub fn duration(&self, key: &str, default: Duration) -> Result<Duration, Error> {
        let Some(text) = self.get(key) else {
            return Ok(default);
        };
        parse_duration(text).ok_or_else(|| Error::new(key, format!("`{text}` is no time span such as `30s` or `10m`")))
    }

    /// A secret: the variable, or the content of the file that `KEY_FILE` names.
    ///
    /// # Errors
    /// When both are set, or the file cannot be read.
    pub fn secret(&self, key: &str) -> Result<Option<String>, Error> {
        let file_key = format!("{key}_FILE");
        match (self.get(key), self.get(&file_key)) {
            (Some(_), Some(_)) => Err(Error::new(key, format!("set this or {file_key}, not both"))),
            (Some(value), None) => Ok(Some(value.to_owned())),
            (None, Some(path)) => std::fs::read_to_string(Path::new(path))
                .map(|text| Some(text.trim().to_owned()))
                .map_err(|cause| Error::new(file_key, format!("cannot read `{path}`: {cause}"))),
            (None, None) => Ok(None),
        }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Vars {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

/// Reads a time span such as `30s`, `10m`, `24h`, `14d` or `250ms`. A day is 24 hours.
pub fn parse_duration(text: &str) -> Option<Duration> {
    if let Some(days) = text.strip_suffix('d').and_then(|days| days.trim().parse::<u64>().ok()) {
        return days.checked_mul(86_400).map(Duration::from_secs);
    }
    text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(parse_duration("30s"), Some(Duration::from_secs(30)));
        assert_eq!(parse_duration("14d"), Some(Duration::from_secs(14 * 86_400)));
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration("30"), None);
        assert_eq!(parse_duration("-5s"), None);
    }

    #[test]
    fn an_error_names_its_key_and_the_value() {
        let vars = Vars::from_iter([("LEADFLOW_X", "many")]);
        let error = vars.parsed("LEADFLOW_X", 1_u16).unwrap_err();
        assert!(error.to_string().starts_with("LEADFLOW_X: `many` cannot be read"), "{error}");
    }

    #[test]
    fn a_secret_comes_from_the_variable_or_from_a_file_and_never_from_both() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from-file\n").unwrap();
        let vars = Vars::from_iter([("S_FILE", file.path().to_str().unwrap())]);
        assert_eq!(vars.secret("S").unwrap().as_deref(), Some("from-file"));
        assert!(vars.with("S", "x").secret("S").is_err());
    }
}
