//! Conditions that sales managers write for scoring rules and territories, in CEL, the expression language that
//! Kubernetes and Envoy use.
//!
//! A condition is accepted when it parses, refers to declared fields only, and yields a boolean on typed sample values.
//! At run time an absent field is an error in the sense of CEL: `&&` and `||` absorb it where the other side decides,
//! and what remains of it is no match.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use cel::{Context, Program, objects::Key};

use self::check::Checker;

mod check;
#[cfg(test)]
mod tests;
mod texts;

/// The longest condition, in bytes.
const MAX_LENGTH: usize = 4096;
/// How deep a condition may nest; the parser would exhaust the stack on deeper ones.
const MAX_DEPTH: usize = 24;

/// The type of a declared field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Text.
    String,
    /// A number.
    Number,
    /// True or false.
    Bool,
}

/// A typed value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    String(String),
    /// A number; whole or not makes no difference.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// Values by name.
    Record(Record),
}

/// Values by name; an absent name is an unknown value.
pub type Record = BTreeMap<String, Value>;

/// What conditions may refer to.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Dotted path to its type, for example `activity.attributes.seats`.
    fields: BTreeMap<String, FieldType>,
    samples: Record,
}

impl Schema {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a variable with these fields.
    #[must_use]
    pub fn variable<N: Into<String>>(self, name: &str, fields: impl IntoIterator<Item = (N, FieldType)>) -> Self {
        self.declare(&[name], fields)
    }

    /// Declares a record with these fields inside of a variable.
    #[must_use]
    pub fn record<N: Into<String>>(
        self,
        variable: &str,
        name: &str,
        fields: impl IntoIterator<Item = (N, FieldType)>,
    ) -> Self {
        self.declare(&[variable, name], fields)
    }

    fn declare<N: Into<String>>(mut self, path: &[&str], fields: impl IntoIterator<Item = (N, FieldType)>) -> Self {
        let mut record = &mut self.samples;
        for part in path {
            let entry = record.entry((*part).to_owned()).or_insert_with(|| Value::Record(Record::new()));
            let Value::Record(inner) = entry else {
                return self;
            };
            record = inner;
        }
        for (name, kind) in fields {
            let name = name.into();
            self.fields.insert(format!("{}.{name}", path.join(".")), kind);
            record.insert(
                name,
                match kind {
                    FieldType::String => Value::String("sample".to_owned()),
                    FieldType::Number => Value::Number(1.0),
                    FieldType::Bool => Value::Bool(true),
                },
            );
        }
        self
    }
}

/// Why a condition is refused, in words for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// A condition that has passed its check.
#[derive(Clone, Debug)]
pub struct Condition {
    source: Arc<str>,
    program: Arc<Program>,
    references: BTreeSet<String>,
}

impl Condition {
    /// Checks a condition against what it may refer to.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn compile(source: &str, schema: &Schema) -> Result<Self, Error> {
        if source.trim().is_empty() {
            return Err(Error("is empty: write for example `true`".into()));
        }
        if source.len() > MAX_LENGTH {
            return Err(Error(format!("is longer than {MAX_LENGTH} bytes")));
        }
        if source.contains('\0') {
            return Err(Error("has the character U+0000, which cannot be kept: leave it out".into()));
        }
        if nesting(source) > MAX_DEPTH {
            return Err(Error(format!("nests more than {MAX_DEPTH} deep: split it into several rules")));
        }
        let program = Program::compile(source).map_err(|errors| Error(format!("cannot be read: {errors}")))?;
        let evaluator = Evaluator::new();
        let mut samples = evaluator.scope();
        for (name, value) in &schema.samples {
            if let Value::Record(record) = value {
                samples.set(name, record);
            }
        }
        let references = Checker::new(&schema.fields, &samples.0).check(program.expression())?;
        Ok(Self { source: source.into(), program: Arc::new(program), references })
    }

    /// The condition as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The fields that it refers to, as dotted paths.
    pub fn references(&self) -> &BTreeSet<String> {
        &self.references
    }

    /// The texts of which the field at this dotted path must have one for the condition to hold; none when it may hold with
    /// others too. With another text it is false and does not fail.
    pub fn texts(&self, path: &str) -> Option<BTreeSet<String>> {
        texts::texts(self.program.expression(), path)
    }

    /// Whether the condition holds.
    ///
    /// # Errors
    /// The failure in words; it counts as no match.
    pub fn matches(&self, scope: &Scope<'_>) -> Result<bool, String> {
        match self.program.execute(&scope.0) {
            Ok(cel::Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(format!("yields {other:?} instead of true or false")),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// An upper bound of how deep parser and evaluation have to go. Chains of `&&` and `||` are balanced trees.
fn nesting(source: &str) -> usize {
    let (mut open, mut deepest, mut others) = (0_usize, 0, 0);
    for symbol in source.chars() {
        match symbol {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '!' | '?' | '-' | '+' | '*' | '/' | '%' => others += 1,
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest + others
}

/// The functions of CEL. Making one is costly: keep it for many evaluations.
pub struct Evaluator(Context<'static, 'static>);

impl Evaluator {
    /// With the standard library of CEL.
    pub fn new() -> Self {
        Self(Context::default())
    }

    /// A scope without variables.
    pub fn scope(&self) -> Scope<'_> {
        Scope(self.0.new_inner_scope())
    }
}

impl fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Evaluator")
    }
}

impl Default for Evaluator {
    fn default() -> Self {
        Self::new()
    }
}

/// The variables that conditions are evaluated on.
pub struct Scope<'a>(Context<'a, 'static>);

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scope")
    }
}

impl Scope<'_> {
    /// A scope that sees the variables of this one.
    pub fn inner(&self) -> Scope<'_> {
        Scope(self.0.new_inner_scope())
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, record: &Record) {
        self.0.add_variable_from_value(name, map(record));
    }
}

fn map(record: &Record) -> cel::Value {
    let entries: HashMap<Key, cel::Value> =
        record.iter().map(|(name, value)| (Key::from(name.as_str()), to_cel(value))).collect();
    cel::Value::Map(cel::objects::Map { map: Arc::new(entries) })
}

fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Bool(flag) => cel::Value::Bool(*flag),
        // CEL compares numbers of different type by value.
        Value::Number(number) => cel::Value::Float(*number),
        Value::Record(record) => map(record),
    }
}
