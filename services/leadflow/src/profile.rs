//! The profile with a purpose: which fields of accounts, contacts and activities somebody uses.
//!
//! The *static* profile is what accounts and contacts are; its fields are those of the contract. The *activity* profile is
//! what their activities say; its fields are declared by sources and by the scoring model.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use leadflow_platform::condition::{Condition, FieldType, Schema};
use leadflow_proto::{activity::v1 as activity, routing::v1 as routing, scoring::v1 as scoring};
use leadflow_scoring::domain::compiled::{ACCOUNT_FACTS, CONTACT_FACTS};

/// The static fields that the lists show: `leadflow accounts`, `leadflow leads`.
const ON_PAGES: [&str; 5] =
    ["account.name", "account.country", "account.region", "account.industry", "account.relation"];
/// What every activity has, declared or not.
const ACTIVITY_FACTS: [(&str, FieldType); 5] = [
    ("type", FieldType::String),
    ("channel", FieldType::String),
    ("source", FieldType::String),
    ("product_category", FieldType::String),
    ("object_id", FieldType::String),
];

/// All that declares or uses fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configuration {
    pub(crate) model: Option<scoring::ScoringModel>,
    pub(crate) sources: Vec<activity::Source>,
    pub(crate) territories: Vec<routing::Territory>,
}

/// One field of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Field {
    /// `the scoring model` or `source NAME`; empty: the contract.
    pub(crate) declared_by: BTreeSet<String>,
    /// Rules, territories and pages.
    pub(crate) used_by: BTreeSet<String>,
}

impl Field {
    /// Whether it is of the static profile, which nobody declares.
    pub(crate) fn is_static(&self) -> bool {
        self.declared_by.is_empty()
    }
}

/// All fields by their names in conditions, such as `account.industry` and `answers.budget`.
///
/// # Errors
/// When a condition cannot be read.
pub(crate) fn fields(configuration: &Configuration) -> Result<BTreeMap<String, Field>> {
    let mut fields: BTreeMap<String, Field> = BTreeMap::new();
    let facts = ACCOUNT_FACTS.iter().map(|(name, _)| format!("account.{name}"));
    let facts = facts.chain(CONTACT_FACTS.iter().map(|(name, _)| format!("contact.{name}")));
    fields.extend(facts.map(|name| (name, Field::default())));
    for (name, by) in declared(configuration) {
        fields.entry(name).or_default().declared_by.insert(by);
    }
    for name in ON_PAGES {
        fields.entry(name.to_owned()).or_default().used_by.insert("lists".to_owned());
    }
    let of_territories = leadflow_routing::domain::lead::schema();
    let territories = configuration.territories.iter().filter(|territory| !territory.condition.is_empty());
    let territories = territories.map(|it| (format!("territory {}", it.name), &it.condition, &of_territories));
    let of_rules = schema(configuration);
    let rules = rules(configuration).map(|rule| (format!("rule {}", rule.id), &rule.condition, &of_rules));
    for (by, condition, schema) in rules.chain(territories) {
        let read = Condition::compile(condition, schema).map_err(|error| anyhow!("the condition of {by} {error}"))?;
        for name in read.references() {
            if let Some(field) = fields.get_mut(name) {
                field.used_by.insert(by.clone());
            }
        }
    }
    Ok(fields)
}

/// The fields of the activity profile, each with who declares it.
fn declared(configuration: &Configuration) -> Vec<(String, String)> {
    let name = |field: &activity::Field| {
        format!("{}.{}", if field.answer { "answers" } else { "activity.attributes" }, field.name)
    };
    let of_source = |source: &activity::Source| -> Vec<_> {
        source.fields.iter().map(|field| (name(field), format!("source {}", source.name))).collect()
    };
    let mut declared: Vec<_> = configuration.sources.iter().flat_map(of_source).collect();
    if let Some(model) = &configuration.model {
        let attributes = model.attributes.iter().map(|field| format!("activity.attributes.{}", field.name));
        let questions = model.questions.iter().map(|field| format!("answers.{}", field.name));
        declared.extend(attributes.chain(questions).map(|name| (name, "the scoring model".to_owned())));
    }
    declared
}

/// What the conditions of rules may look at.
fn schema(configuration: &Configuration) -> Schema {
    let typed = |fields: &[activity::Field]| -> Vec<_> {
        let kind = |field: &activity::Field| match field.r#type() {
            activity::FieldType::Number => FieldType::Number,
            activity::FieldType::Bool => FieldType::Bool,
            activity::FieldType::String | activity::FieldType::Unspecified => FieldType::String,
        };
        fields.iter().map(|field| (field.name.clone(), kind(field))).collect()
    };
    let model = configuration.model.clone().unwrap_or_default();
    Schema::new()
        .variable("account", ACCOUNT_FACTS)
        .variable("contact", CONTACT_FACTS)
        .variable("activity", ACTIVITY_FACTS)
        .record("activity", "attributes", typed(&model.attributes))
        .variable("answers", typed(&model.questions))
}

fn rules(configuration: &Configuration) -> impl Iterator<Item = &scoring::Rule> {
    let groups = configuration.model.iter().flat_map(|model| [&model.engagement, &model.fit, &model.qualification]);
    groups.flatten().flat_map(|group| &group.rules)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::manifest::Manifest;

    fn configuration(text: &str) -> Configuration {
        let mut manifest = Manifest::default();
        manifest.add("x.yaml", text).unwrap();
        Configuration { model: manifest.model, sources: manifest.sources, territories: manifest.territories }
    }

    const MODEL: &str = "\
kind: ScoringModel
attributes: [{name: form, type: string}, {name: colour, type: string}]
questions: [{name: budget, type: number}, {name: horoscope, type: string}]
engagement: {rules: [{id: forms, condition: activity.attributes.form == \"contact\", points: 1}]}
qualification: {rules: [{id: rich, condition: answers.budget >= 1000, points: 1}]}
thresholds: {default: {hot: {score: 10}, warm: {score: 5}}}
---
kind: Source
name: expo
default_activity_type: badge_scanned
default_channel: event
fields: [{name: hall, type: string}]
---
kind: Territory
name: dach
condition: account.postal_code.startsWith(\"1\")
";

    #[test]
    fn a_field_is_used_by_the_rules_and_territories_that_look_at_it() {
        let fields = fields(&configuration(MODEL)).unwrap();
        let used = |name: &str| fields[name].used_by.iter().cloned().collect::<Vec<_>>().join(", ");
        assert_eq!(used("activity.attributes.form"), "rule forms");
        assert_eq!(used("answers.budget"), "rule rich");
        assert_eq!(used("account.postal_code"), "territory dach");
        assert_eq!(used("account.industry"), "lists");
        let unused: Vec<_> =
            fields.iter().filter(|(_, field)| field.used_by.is_empty() && !field.is_static()).collect();
        let names: Vec<_> = unused.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["activity.attributes.colour", "activity.attributes.hall", "answers.horoscope"]);
        assert!(fields["activity.attributes.hall"].declared_by.contains("source expo"));
        assert!(fields["contact.seniority"].is_static() && fields["contact.seniority"].used_by.is_empty());
    }

    #[test]
    fn a_condition_that_looks_at_what_nobody_declares_is_an_error() {
        let wrong = MODEL.replace("answers.budget >=", "answers.money >=");
        let error = fields(&configuration(&wrong)).unwrap_err().to_string();
        assert!(error.contains("rule rich") && error.contains("money"), "{error}");
    }

    #[test]
    fn each_declared_question_of_the_sample_company_has_a_purpose() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/laboratory");
        let manifest = Manifest::read(&[folder]).unwrap();
        let configuration =
            Configuration { model: manifest.model, sources: manifest.sources, territories: manifest.territories };
        let fields = fields(&configuration).unwrap();
        let questions = fields.iter().filter(|(name, _)| name.starts_with("answers."));
        assert!(questions.clone().count() > 0);
        let idle: Vec<_> = questions.filter(|(_, field)| field.used_by.is_empty()).map(|(name, _)| name).collect();
        assert!(idle.is_empty(), "{idle:?}");
    }
}
