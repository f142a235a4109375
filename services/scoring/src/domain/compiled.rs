//! A model whose conditions are compiled. Only a model that makes sense compiles.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use leadflow_platform::{
    Error, Result,
    condition::{Condition, FieldType, Schema},
    plant::{self, Plant},
};

use super::{
    category::Categories,
    conditions::{ACTIVITY_WORDS, Conditions},
    evaluated::Own,
    model::{Field, FieldKind, Group, MAX_MILLI, Model, Rule, Thresholds},
};

/// A model that is ready to score.
#[derive(Clone, Debug)]
pub struct CompiledModel {
    /// The version under which it was published; 0 before.
    pub version: i32,
    /// The model as written.
    pub model: Model,
    /// The tree that shares and thresholds look at.
    pub categories: Categories,
    /// The conditions of the engagement rules, in their order.
    pub engagement: Arc<Conditions>,
    /// The conditions of the fit rules.
    pub fit: Arc<Conditions>,
    /// The conditions of the qualification rules.
    pub qualification: Arc<Conditions>,
    /// Of each engagement rule, the types of activities that it can match; any, where it does not say.
    types: Vec<Option<BTreeSet<String>>>,
    /// The engagement rules, by what they look at, in their order.
    looking: [Vec<usize>; 3],
}

/// What an engagement rule looks at beside the activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// At nothing: what it says of an activity it says for good, and [`Own`] holds it.
    Nowhere,
    /// At profiles.
    AtProfiles,
    /// At answers, which differ from lead to lead.
    AtAnswers,
}

impl Looks {
    fn of(condition: &Condition, rule: usize) -> Self {
        let looks_at = |variable: &str| condition.references().iter().any(|path| path.starts_with(variable));
        match (looks_at("answers."), looks_at("account.") || looks_at("contact.")) {
            (true, _) => Self::AtAnswers,
            (false, false) if Own::holds(rule) => Self::Nowhere,
            _ => Self::AtProfiles,
        }
    }
}

/// The static facts of an account that conditions may use.
pub const ACCOUNT_FACTS: [(&str, FieldType); 8] = [
    ("name", FieldType::String),
    ("country", FieldType::String),
    ("region", FieldType::String),
    ("postal_code", FieldType::String),
    ("industry", FieldType::String),
    ("employees", FieldType::Number),
    ("revenue", FieldType::Number),
    ("relation", FieldType::String),
];

/// The static facts of a contact that conditions may use.
pub const CONTACT_FACTS: [(&str, FieldType); 5] = [
    ("role", FieldType::String),
    ("function", FieldType::String),
    ("seniority", FieldType::String),
    ("stage", FieldType::String),
    ("country", FieldType::String),
];

/// The last word of types that never open a lead: what is sent to people is not what they do, and leaving is no interest.
const NO_ACT: [&str; 5] = ["sent", "delivered", "bounced", "unsubscribed", "complained"];

impl CompiledModel {
    /// Checks the model and compiles its conditions.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` that names each field at fault, `INVALID_CONDITION` for a condition.
    pub fn compile(version: i32, mut model: Model, categories: Categories) -> Result<Self> {
        check(&model, &categories)?;
        if plant::is(Plant::DecayOff) {
            model.engagement.rules.iter_mut().for_each(|rule| rule.half_life_ms = None);
        }
        let schemas = Schemas::of(&model);
        let compile = |name, group: &Group, schema| compile_group(name, group, schema);
        let engagement = compile("engagement", &model.engagement, &schemas.engagement)?;
        Ok(Self {
            version,
            types: engagement.iter().map(|condition| condition.texts("activity.type")).collect(),
            looking: [Looks::Nowhere, Looks::AtProfiles, Looks::AtAnswers].map(|looks| {
                let rules = engagement.iter().enumerate();
                rules.filter(|(rule, condition)| Looks::of(condition, *rule) == looks).map(|(rule, _)| rule).collect()
            }),
            engagement: Arc::new(engagement),
            fit: Arc::new(compile("fit", &model.fit, &schemas.fit)?),
            qualification: Arc::new(compile("qualification", &model.qualification, &schemas.qualification)?),
            model,
            categories,
        })
    }

    /// Whether a rule looks at this fact of a contact.
    pub fn looks_at_contact(&self, fact: &str) -> bool {
        self.engagement.iter().any(|condition| condition.references().contains(&format!("contact.{fact}")))
    }

    /// Whether a rule looks at anything of a contact.
    pub fn looks_at_contacts(&self) -> bool {
        self.engagement.iter().any(|condition| condition.references().iter().any(|path| path.starts_with("contact.")))
    }

    /// The indexes of the engagement rules that can match activities of this type, and look there.
    pub(super) fn engagement_rules(&self, activity_type: &str, looks: Looks) -> impl Iterator<Item = usize> {
        let can = move |rule: &usize| self.types[*rule].as_ref().is_none_or(|types| types.contains(activity_type));
        self.looking[looks as usize].iter().copied().filter(can)
    }
}

struct Schemas {
    engagement: Schema,
    fit: Schema,
    qualification: Schema,
}

impl Schemas {
    fn of(model: &Model) -> Self {
        let typed = |fields: &[Field]| -> Vec<(String, FieldType)> {
            fields.iter().map(|field| (field.name.clone(), field.kind.into())).collect()
        };
        let answers = typed(&model.questions);
        // It takes no schema to add to: up to 1.96, rustc frees the argument twice when a closure takes equal ones by value
        // (rust-lang/rust#155241), in release builds.
        let of_account = || {
            Schema::new().variable("account", ACCOUNT_FACTS).record("account", "profile", typed(&model.account_profile))
        };
        Self {
            engagement: of_account()
                .variable("activity", ACTIVITY_WORDS.map(|name| (name, FieldType::String)))
                .record("activity", "attributes", typed(&model.attributes))
                .variable("contact", CONTACT_FACTS)
                .record("contact", "profile", typed(&model.contact_profile))
                .variable("answers", answers.clone()),
            fit: of_account(),
            qualification: of_account().variable("answers", answers),
        }
    }
}

impl From<FieldKind> for FieldType {
    fn from(kind: FieldKind) -> Self {
        match kind {
            FieldKind::String => Self::String,
            FieldKind::Number => Self::Number,
            FieldKind::Bool => Self::Bool,
        }
    }
}

fn compile_group(name: &str, group: &Group, schema: &Schema) -> Result<Conditions> {
    let mut conditions = Vec::with_capacity(group.rules.len());
    let mut failures: Option<Error> = None;
    for (index, rule) in group.rules.iter().enumerate() {
        match Condition::compile(&rule.condition, schema) {
            Ok(condition) => conditions.push(condition),
            Err(cause) => {
                let field = format!("{name}.rules[{index}].condition");
                let error = Error::field("INVALID_CONDITION", field, format!("of rule `{}`: {cause}", rule.id));
                failures = Some(match failures {
                    Some(first) => first.and(error),
                    None => error,
                });
            }
        }
    }
    failures.map_or_else(|| Ok(Conditions::new(conditions)), Err)
}

fn check(model: &Model, categories: &Categories) -> Result<()> {
    let mut errors = Vec::new();
    let mut refuse = |field: String, problem: &str| errors.push(Error::invalid(field, problem));

    for (field, value) in [("window", model.window_ms), ("reopen_after", model.reopen_after_ms)] {
        if value <= 0 {
            refuse(field.into(), "must be longer than zero");
        }
    }
    if !(1..=10_000).contains(&model.max_activities) {
        refuse("max_activities".into(), "must be from 1 to 10000");
    }
    let shares = model.shares_milli;
    for (field, share) in
        [("same", shares.same), ("below", shares.below), ("above", shares.above), ("none", shares.none)]
    {
        if !(0..=1000).contains(&share) {
            refuse(format!("shares.{field}"), "must be from 0 to 1");
        }
    }
    check_names(model, &mut refuse);
    let mut ids = BTreeSet::new();
    for (group, rules) in
        [("engagement", &model.engagement), ("fit", &model.fit), ("qualification", &model.qualification)]
    {
        check_cap(format!("{group}.cap"), rules.cap_milli, &mut refuse);
        for (index, rule) in rules.rules.iter().enumerate() {
            let field = format!("{group}.rules[{index}]");
            check_rule(&field, rule, group == "engagement", &mut refuse);
            if !ids.insert(rule.id.as_str()) {
                refuse(format!("{field}.id"), "is there twice: rule ids are unique in the model");
            }
        }
    }
    check_thresholds("thresholds.default", &model.thresholds.default, &mut refuse);
    for (category, thresholds) in &model.thresholds.categories {
        let field = format!("thresholds.categories.{category}");
        if !categories.contains(category) {
            refuse(field.clone(), "is no product category");
        }
        check_thresholds(&field, thresholds, &mut refuse);
    }
    errors.into_iter().reduce(Error::and).map_or(Ok(()), Err)
}

fn check_names(model: &Model, refuse: &mut impl FnMut(String, &str)) {
    let names = |fields: &[Field]| fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
    let types = model.activity_types.iter().map(|known| known.name.clone()).collect::<Vec<_>>();
    for (field, names) in [
        ("attributes", names(&model.attributes)),
        ("questions", names(&model.questions)),
        ("account_profile", names(&model.account_profile)),
        ("contact_profile", names(&model.contact_profile)),
        ("activity_types", types),
    ] {
        let mut seen = HashSet::new();
        for (index, name) in names.into_iter().enumerate() {
            if !is_word(&name) {
                refuse(format!("{field}[{index}].name"), "must be lower case letters, digits and underscores");
            } else if !seen.insert(name) {
                refuse(format!("{field}[{index}].name"), "is there twice");
            }
        }
    }
    for (index, known) in model.activity_types.iter().enumerate() {
        if known.opens && known.name.rsplit('_').next().is_some_and(|fact| NO_ACT.contains(&fact)) {
            refuse(format!("activity_types[{index}].opens"), "must be false: this is nothing that a buyer has done");
        }
    }
}

fn check_rule(field: &str, rule: &Rule, engagement: bool, refuse: &mut impl FnMut(String, &str)) {
    if !is_word(&rule.id.replace('-', "_")) {
        refuse(format!("{field}.id"), "must be lower case letters, digits, hyphens and underscores");
    }
    if !(-MAX_MILLI..=MAX_MILLI).contains(&rule.points_milli) {
        refuse(format!("{field}.points"), "must be at most a million");
    }
    check_cap(format!("{field}.cap"), rule.cap_milli, refuse);
    for (name, span) in [("half_life", rule.half_life_ms), ("fast_track", rule.fast_track_ms)] {
        if span.is_some_and(|span| span <= 0) {
            refuse(format!("{field}.{name}"), "must be longer than zero");
        }
    }
    let only_engagement = rule.half_life_ms.is_some()
        || rule.cap_milli.is_some()
        || rule.fast_track_ms.is_some()
        || rule.once_per != super::model::OncePer::None;
    if !engagement && only_engagement {
        refuse(field.to_owned(), "may have a half_life, cap, once_per or fast_track only under engagement");
    }
}

fn check_cap(field: String, cap: Option<i64>, refuse: &mut impl FnMut(String, &str)) {
    if cap.is_some_and(|cap| !(0..=MAX_MILLI).contains(&cap)) {
        refuse(field, "must be from 0 to a million");
    }
}

fn check_thresholds(field: &str, thresholds: &Thresholds, refuse: &mut impl FnMut(String, &str)) {
    let Thresholds { hot, warm } = thresholds;
    if warm.score_milli > hot.score_milli {
        refuse(format!("{field}.warm.score"), "must not be above hot.score");
    }
    for (name, score) in [("hot", hot.score_milli), ("warm", warm.score_milli)] {
        if !(-MAX_MILLI..=MAX_MILLI).contains(&score) {
            refuse(format!("{field}.{name}.score"), "must be at most a million");
        }
    }
    if hot.contacts < 0 || hot.channels < 0 || hot.activities < 0 {
        refuse(format!("{field}.hot"), "must not ask for less than zero contacts, channels or activities");
    }
}

fn is_word(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
