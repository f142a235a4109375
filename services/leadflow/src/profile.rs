//! The profile with a purpose: which fields of accounts, contacts and activities somebody uses.
//!
//! The *static* profile is what accounts and contacts are; its fields are those of the contract, and those that the company
//! declares (`ProfileField`). The *activity* profile is what their activities say; its fields are declared by sources and by
//! the scoring model. What the model reads of declared static fields it names, too, with their types.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use leadflow_platform::condition::{Condition, FieldType, Schema};
use leadflow_proto::{
    activity::v1 as activity, contact::v1 as contact, routing::v1 as routing, scoring::v1 as scoring,
};
use leadflow_scoring::domain::compiled::{ACCOUNT_FACTS, CONTACT_FACTS};

use crate::manifest::Manifest;

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
    pub(crate) profile_fields: Vec<contact::ProfileField>,
}

impl From<Manifest> for Configuration {
    fn from(manifest: Manifest) -> Self {
        let Manifest { model, sources, territories, profile_fields, .. } = manifest;
        Self { model, sources, territories, profile_fields }
    }
}

/// One field of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Field {
    /// `the scoring model`, `source NAME` or `ProfileField`; empty: the contract.
    pub(crate) declared_by: BTreeSet<String>,
    /// Rules, territories and pages.
    pub(crate) used_by: BTreeSet<String>,
    /// The scoring model reads what no `ProfileField` declares, or as another type.
    pub(crate) is_undeclared: bool,
}

impl Field {
    /// Whether the contract has it, and not the company.
    pub(crate) fn is_of_contract(&self) -> bool {
        self.declared_by.is_empty()
    }

    /// Whether nobody uses it though the company declares it, or the model uses it and nobody declares it.
    pub(crate) fn is_wrong(&self) -> bool {
        self.is_undeclared || (self.used_by.is_empty() && !self.is_of_contract())
    }
}

/// Whether a field is of the static profile, by its name.
pub(crate) fn is_static(name: &str) -> bool {
    name.starts_with("account.") || name.starts_with("contact.")
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
    for name in undeclared(configuration) {
        fields.entry(name).or_default().is_undeclared = true;
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

/// What the scoring model reads of declared static fields, each with its type.
fn read_by_the_model(configuration: &Configuration) -> impl Iterator<Item = (String, activity::FieldType)> {
    let model = configuration.model.iter();
    let accounts = model.clone().flat_map(|model| &model.account_profile).map(|field| ("account", field));
    let contacts = model.flat_map(|model| &model.contact_profile).map(|field| ("contact", field));
    accounts.chain(contacts).map(|(of, field)| (format!("{of}.profile.{}", field.name), field.r#type()))
}

fn name_of(field: &contact::ProfileField) -> String {
    let of = if field.subject() == contact::ProfileSubject::Contact { "contact" } else { "account" };
    format!("{of}.profile.{}", field.name)
}

/// What the scoring model reads and no `ProfileField` declares so.
fn undeclared(configuration: &Configuration) -> impl Iterator<Item = String> {
    let declared: BTreeMap<_, _> =
        configuration.profile_fields.iter().map(|field| (name_of(field), field.r#type())).collect();
    let is_so = move |(name, read): &(String, activity::FieldType)| match declared.get(name) {
        None | Some(contact::ProfileFieldType::Unspecified) => false,
        Some(contact::ProfileFieldType::Number) => *read == activity::FieldType::Number,
        Some(contact::ProfileFieldType::Bool) => *read == activity::FieldType::Bool,
        Some(contact::ProfileFieldType::String | contact::ProfileFieldType::Enum) => {
            *read == activity::FieldType::String
        }
    };
    read_by_the_model(configuration).filter(move |field| !is_so(field)).map(|(name, _)| name)
}

/// The fields that the company declares, each with who does.
fn declared(configuration: &Configuration) -> Vec<(String, String)> {
    let name = |field: &activity::Field| {
        format!("{}.{}", if field.answer { "answers" } else { "activity.attributes" }, field.name)
    };
    let of_source = |source: &activity::Source| -> Vec<_> {
        source.fields.iter().map(|field| (name(field), format!("source {}", source.name))).collect()
    };
    let mut declared: Vec<_> = configuration.sources.iter().flat_map(of_source).collect();
    declared.extend(configuration.profile_fields.iter().map(|field| (name_of(field), "ProfileField".to_owned())));
    declared.extend(read_by_the_model(configuration).map(|(name, _)| (name, "the scoring model".to_owned())));
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
        .record("account", "profile", typed(&model.account_profile))
        .variable("contact", CONTACT_FACTS)
        .record("contact", "profile", typed(&model.contact_profile))
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

    fn configuration(text: &str) -> Configuration {
        let mut manifest = Manifest::default();
        manifest.add("x.yaml", text).unwrap();
        Configuration::from(manifest)
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
        let names: Vec<_> =
            fields.iter().filter(|(_, field)| field.is_wrong()).map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["activity.attributes.colour", "activity.attributes.hall", "answers.horoscope"]);
        assert!(fields["activity.attributes.hall"].declared_by.contains("source expo"));
        assert!(fields["contact.seniority"].is_of_contract() && fields["contact.seniority"].used_by.is_empty());
    }

    #[test]
    fn a_declared_static_field_has_a_purpose_and_the_model_reads_what_is_declared() {
        let declared = "\
kind: ScoringModel
account_profile: [{name: segment, type: string}, {name: fleet, type: number}, {name: ghost, type: string}]
fit: {rules: [{id: key, condition: account.profile.segment == \"key\" || account.profile.ghost == \"x\", points: 1}]}
thresholds: {default: {hot: {score: 10}, warm: {score: 5}}}
---
{kind: ProfileField, subject: account, name: segment, type: enum, allowed_values: [key, other], description: who serves it}
---
{kind: ProfileField, subject: account, name: fleet, type: string, description: what they drive}
---
{kind: ProfileField, subject: contact, name: shoe_size, type: number, description: nobody knows}
";
        let fields = fields(&configuration(declared)).unwrap();
        let segment = &fields["account.profile.segment"];
        assert!(!segment.is_wrong() && segment.used_by.contains("rule key"), "{segment:?}");
        let wrong: Vec<_> =
            fields.iter().filter(|(_, field)| field.is_wrong()).map(|(name, _)| name.as_str()).collect();
        assert_eq!(wrong, ["account.profile.fleet", "account.profile.ghost", "contact.profile.shoe_size"]);
        assert!(fields["account.profile.ghost"].is_undeclared, "a rule reads it, and nobody declares it");
        assert!(fields["account.profile.fleet"].is_undeclared, "a number here and a text there");
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
        let fields = fields(&Configuration::from(manifest)).unwrap();
        let questions = fields.iter().filter(|(name, _)| name.starts_with("answers."));
        assert!(questions.clone().count() > 0);
        let idle: Vec<_> = questions.filter(|(_, field)| field.used_by.is_empty()).map(|(name, _)| name).collect();
        assert!(idle.is_empty(), "{idle:?}");
    }
}
