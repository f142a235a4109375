//! What a line says: an activity, or what is wrong with it.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::SignedDuration;
use leadflow_contact::domain::matching::Own;
use leadflow_platform::clock::to_proto;
use leadflow_proto::{
    activity::v1::{Activity, CallDetails, CallDirection, FieldType, Source},
    contact::v1::Identity,
};
use prost_types::Duration;
use sha2::{Digest as _, Sha256};

use super::{
    country,
    field::{Field, Kind},
    mapping::Values,
    value::{self, Times},
};

/// How the lines of one file become activities.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) source: Source,
    pub(crate) kind: Kind,
    pub(crate) header: Vec<String>,
    /// The field of each column.
    pub(crate) columns: Vec<Field>,
    pub(crate) values: Values,
    pub(crate) times: Times,
    /// For lines that name none.
    pub(crate) activity_type: String,
    /// For lines that name none.
    pub(crate) product_category: String,
}

/// What is wrong with one field of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) reason: &'static str,
    pub(crate) field: Field,
    pub(crate) message: String,
}

/// Tells contents apart.
pub(crate) type Fingerprint = [u8; 16];

/// Of who it was, what is enough by itself; the first that a line has.
const STRONGEST: [&str; 4] = ["email", "phone", "external_id", "anonymous_id"];

/// What the mapped cells of a line say, by field; empty ones say nothing.
pub(crate) type Texts = BTreeMap<Field, String>;

impl Reading {
    /// The mapped cells of a line.
    pub(crate) fn texts(&self, cells: &[String]) -> Texts {
        let mut texts = Texts::new();
        let said = self.columns.iter().zip(cells).filter(|(field, text)| **field != Field::Ignored && !text.is_empty());
        for (field, text) in said {
            let between = if *field == Field::Notes { "\n" } else { " " };
            let all = texts.entry(field.clone()).or_default();
            if !all.is_empty() {
                all.push_str(between);
            }
            all.push_str(text);
        }
        texts
    }

    /// The id of the event: the line's own, that of an earlier import, that of the call, or one made of the source, who it
    /// was, when and what. Not of the details, so that a line has the same id in every file, whatever else is corrected
    /// or mapped meanwhile.
    pub(crate) fn event_id(&self, texts: &Texts) -> String {
        let said = [Field::EventId, Field::EarlierEventId, Field::CallId];
        if let Some(id) = said.iter().find_map(|field| texts.get(field)) {
            return id.clone();
        }
        let strongest = STRONGEST.map(Field::Identity).into_iter().find(|field| texts.contains_key(field));
        let is_of_event = |field: &Field| match (field, &strongest) {
            (Field::Identity(_), Some(strongest)) => field == strongest,
            (Field::FullName, Some(_)) => false,
            (field, _) => field.is_of_event(),
        };
        let source = ("source".to_owned(), self.source.name.as_str());
        let said = texts.iter().filter(|(field, _)| is_of_event(field));
        let digest =
            fingerprint(std::iter::once(source).chain(said.map(|(field, text)| (field.to_string(), text.as_str()))));
        digest.iter().fold("csv-".to_owned(), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        })
    }

    /// What the source declares of an attribute or an answer.
    fn declared(&self, field: &Field) -> Option<FieldType> {
        let (name, answer) = match field {
            Field::Attribute(name) => (name, false),
            Field::Answer(name) => (name, true),
            _ => return None,
        };
        self.source.fields.iter().find(|it| it.name == *name && it.answer == answer).map(|it| it.r#type())
    }

    /// Whether rules can see an attribute or an answer.
    pub(crate) fn is_declared(&self, field: &Field) -> bool {
        self.declared(field).is_some()
    }

    /// The column that holds this field of the activity; the field itself when none does.
    pub(crate) fn column(&self, path: &str) -> String {
        let holds = |field: &Field| field.path() == path || (path == "identity" && field.identifies());
        let index = self.columns.iter().position(holds);
        index.and_then(|index| self.header.get(index)).map_or_else(|| path.to_owned(), Clone::clone)
    }

    /// The activity that a line means.
    ///
    /// # Errors
    /// All that cannot be read.
    pub(crate) fn activity(&self, texts: &Texts) -> Result<Activity, Vec<Problem>> {
        let event_id = self.event_id(texts);
        let mut cells = Cells { texts: self.replaced(texts), problems: Vec::new() };
        self.check_identity(&mut cells);
        let identity = self.identity(&mut cells);
        let call = (self.kind == Kind::Calls).then(|| self.call(&mut cells));
        let occur_time = cells.read(&Field::OccurTime, "INVALID_TIME", |text| self.times.parse(text));
        if occur_time.is_none() && !cells.texts.contains_key(&Field::OccurTime) {
            cells.refuse("MISSING_TIME", Field::OccurTime, "is empty: say when it was");
        }
        let (mut attributes, mut answers) = (Vec::new(), Vec::new());
        for field in cells.texts.keys().cloned().collect::<Vec<_>>() {
            let (name, values) = match &field {
                Field::Attribute(name) => (name, &mut attributes),
                Field::Answer(name) => (name, &mut answers),
                _ => continue,
            };
            let value = cells.read(&field, "WRONG_TYPE", |text| value::typed(text, self.declared(&field)));
            values.extend(value.map(|value| (name.clone(), value)));
        }
        let or = |text: String, default: &str| if text.is_empty() { default.to_owned() } else { text };
        let activity = Activity {
            source: self.source.name.clone(),
            source_event_id: event_id,
            activity_type: or(cells.text(&Field::ActivityType), &self.activity_type),
            product_category: or(category(&cells.text(&Field::ProductCategory)), &self.product_category),
            occur_time: occur_time.map(to_proto),
            identity: Some(identity),
            object_id: cells.text(&Field::ObjectId),
            attributes: attributes.into_iter().collect(),
            answers: answers.into_iter().collect(),
            notes: cells.text(&Field::Notes),
            call,
            ..Activity::default()
        };
        if cells.problems.is_empty() { Ok(activity) } else { Err(cells.problems) }
    }

    /// Who a line means, if anybody, and what is the person's own.
    ///
    /// # Errors
    /// All that cannot be read.
    pub(crate) fn who(&self, texts: &Texts) -> Result<(Identity, Own), Vec<Problem>> {
        let mut cells = Cells { texts: self.replaced(texts), problems: Vec::new() };
        let identity = self.identity(&mut cells);
        let own = Own { birth_date: cells.text(&Field::BirthDate), person_number: cells.text(&Field::PersonNumber) };
        if cells.problems.is_empty() { Ok((identity, own)) } else { Err(cells.problems) }
    }

    /// The texts in the words of the mapping's values.
    fn replaced(&self, texts: &Texts) -> Texts {
        let other = |field: &Field, text: &String| {
            let words = self.values.get(field)?;
            words.iter().find(|(word, _)| word.to_lowercase() == text.to_lowercase()).map(|(_, value)| value.clone())
        };
        let replace =
            |(field, text): (&Field, &String)| (field.clone(), other(field, text).unwrap_or_else(|| text.clone()));
        texts.iter().map(replace).filter(|(_, text)| !text.is_empty()).collect()
    }

    fn check_identity(&self, cells: &mut Cells) {
        if !cells.texts.keys().any(Field::identifies) && !describes(&cells.texts) {
            let message = "nothing says who it was: fill in email, phone, company or another mapped identity";
            let field = self.columns.iter().find(|field| field.identifies()).cloned();
            cells.refuse("MISSING_IDENTITY", field.unwrap_or(Field::Ignored), message);
        }
    }

    fn identity(&self, cells: &mut Cells) -> Identity {
        let country = cells.read(&Field::Identity("country"), "INVALID_COUNTRY", |text| {
            country::code(text).ok_or_else(|| {
                format!("`{text}` is no country: write two letters (DE), or put it under `values` of the mapping")
            })
        });
        let says = |name: &'static str| cells.text(&Field::Identity(name));
        let (given, family) = split_name(&cells.text(&Field::FullName));
        let or = |text: String, other: String| if text.is_empty() { other } else { text };
        Identity {
            email: says("email"),
            phone: says("phone"),
            external_id: says("external_id"),
            anonymous_id: says("anonymous_id"),
            domain: says("domain"),
            company: says("company"),
            country: country.unwrap_or_default().to_owned(),
            region: says("region"),
            postal_code: says("postal_code"),
            given_name: or(says("given_name"), given),
            family_name: or(says("family_name"), family),
            job_title: says("job_title"),
            street: says("street"),
            city: says("city"),
            ..Identity::default()
        }
    }

    fn call(&self, cells: &mut Cells) -> CallDetails {
        let direction = if self.columns.contains(&Field::Direction) {
            cells.required(&Field::Direction, "say inbound or outbound", value::direction)
        } else {
            Some(CallDirection::Outbound)
        };
        let disposition = cells.required(&Field::Disposition, "say how the call ended", value::disposition);
        let in_seconds = cells.read(&Field::Duration, "INVALID_CALL_DURATION", |text| {
            value::duration(text, SignedDuration::from_secs(1))
        });
        let in_minutes = cells.read(&Field::DurationMinutes, "INVALID_CALL_DURATION", |text| {
            value::duration(text, SignedDuration::from_mins(1))
        });
        let duration = |millis: i64| Duration { seconds: millis / 1000, nanos: (millis % 1000) as i32 * 1_000_000 };
        CallDetails {
            direction: direction.map_or(0, Into::into),
            disposition: disposition.map_or(0, Into::into),
            duration: in_seconds.or(in_minutes).map(duration),
            agent: cells.text(&Field::Agent),
            call_id: cells.text(&Field::CallId),
        }
    }
}

/// The texts of one line, and what was wrong with them so far.
struct Cells {
    texts: Texts,
    problems: Vec<Problem>,
}

impl Cells {
    fn text(&self, field: &Field) -> String {
        self.texts.get(field).cloned().unwrap_or_default()
    }

    fn refuse(&mut self, reason: &'static str, field: Field, message: impl Into<String>) {
        self.problems.push(Problem { reason, field, message: message.into() });
    }

    /// What a cell stands for; none when it is empty, or cannot be read.
    fn read<T>(
        &mut self,
        field: &Field,
        reason: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.texts.get(field)?;
        read(text).map_err(|message| self.refuse(reason, field.clone(), message)).ok()
    }

    fn required<T>(&mut self, field: &Field, hint: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        if !self.texts.contains_key(field) {
            self.refuse("INVALID_FIELD", field.clone(), format!("is empty: {hint}"));
        }
        self.read(field, "INVALID_FIELD", read)
    }
}

/// Of named texts, in any order and with any capitals.
pub(crate) fn fingerprint<'a>(words: impl Iterator<Item = (String, &'a str)>) -> Fingerprint {
    let words: BTreeMap<_, _> = words.collect();
    let mut hash = Sha256::new();
    for (name, text) in words {
        let text = text.to_lowercase();
        hash.update(format!("{}:{name}{}:{text}", name.len(), text.len()));
    }
    let mut half = Fingerprint::default();
    half.copy_from_slice(&hash.finalize()[..16]);
    half
}

/// Whether a name and an address say who it was.
fn describes(texts: &Texts) -> bool {
    let says = |names: &[&'static str]| names.iter().any(|name| texts.contains_key(&Field::Identity(name)));
    (says(&["given_name", "family_name"]) || texts.contains_key(&Field::FullName)) && says(&["street", "postal_code"])
}

/// Names of product categories are lower case with hyphens.
fn category(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join("-")
}

/// Given and family name of `Ada Lovelace` or `Lovelace, Ada`.
pub(super) fn split_name(name: &str) -> (String, String) {
    let parts = match name.split_once(',') {
        Some((family, given)) => (given, family),
        None => name.rsplit_once(' ').unwrap_or(("", name)),
    };
    (parts.0.trim().to_owned(), parts.1.trim().to_owned())
}

#[cfg(test)]
mod tests;
