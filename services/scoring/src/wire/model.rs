use std::collections::{BTreeMap, HashMap, HashSet};

use leadflow_platform::{Error, Result, ids};
use leadflow_proto::{
    activity::v1::{Field as PbField, FieldType, ProductCategory},
    common::v1 as common,
    scoring::v1 as pb,
};

use super::{explanation::thresholds as thresholds_to, time};
use crate::{
    app::configure::Change,
    domain::{
        Model,
        model::{
            ActivityType, DAY_MS, Field, FieldKind, Group, Hot, OncePer, Rule, Shares, ThresholdTable, Thresholds, Warm,
        },
    },
    store::models::{Category, Version},
};

/// The categories as the contract has them, each at most once.
pub(crate) fn categories(categories: Vec<ProductCategory>) -> Result<Vec<Category>> {
    let mut seen = HashSet::new();
    let one = |(index, category): (usize, ProductCategory)| {
        let field = |name: &str| format!("product_categories[{index}].{name}");
        let ProductCategory { name, display_name, parent } = category;
        ids::check_name(&field("name"), &name)?;
        if !seen.insert(name.clone()) {
            let twice = format!("`{name}` is in the request twice: keep one");
            return Err(Error::field("DUPLICATE_NAME", field("name"), twice));
        }
        let display_name = super::storable(&field("display_name"), &display_name)?;
        let display_name = if display_name.is_empty() { name.clone() } else { display_name };
        Ok(Category { name, display_name, parent: (!parent.is_empty()).then_some(parent) })
    };
    categories.into_iter().enumerate().map(one).collect()
}

pub(crate) fn change(change: &Change) -> common::Change {
    let pretty = |json: &serde_json::Value| serde_json::to_string_pretty(json).unwrap_or_default();
    let action = match &change.before {
        None => common::change::Action::Created,
        Some(before) if *before == change.after => common::change::Action::Unchanged,
        Some(_) => common::change::Action::Updated,
    };
    common::Change {
        kind: change.kind.clone(),
        name: change.name.clone(),
        action: action.into(),
        before: change.before.as_ref().map(pretty).unwrap_or_default(),
        after: pretty(&change.after),
    }
}

/// The model as the contract has it, with the defaults that the contract names.
pub(crate) fn scoring_model(model: pb::ScoringModel) -> Result<Model> {
    let shares = model.shares.map_or_else(Shares::default, |shares| Shares {
        same: shares.same_milli,
        below: shares.below_milli,
        above: shares.above_milli,
        none: shares.none_milli,
    });
    let default = model.default_thresholds.as_ref().ok_or_else(|| {
        Error::invalid("scoring_model.default_thresholds", "is required: say when a lead is warm and hot")
    })?;
    let types = model.activity_types.into_iter().map(|known| ActivityType { name: known.name, opens: known.opens });
    let max_activities = match model.max_activities {
        0 => 1000,
        number => usize::try_from(number)
            .map_err(|_| Error::invalid("scoring_model.max_activities", "must not be negative"))?,
    };
    Ok(Model {
        window_ms: span("scoring_model.window", model.window.as_ref())?.unwrap_or(365 * DAY_MS),
        max_activities,
        reopen_after_ms: span("scoring_model.reopen_after", model.reopen_after.as_ref())?.unwrap_or(90 * DAY_MS),
        shares_milli: shares,
        activity_types: types.collect(),
        attributes: fields("scoring_model.attributes", model.attributes)?,
        questions: fields("scoring_model.questions", model.questions)?,
        account_profile: fields("scoring_model.account_profile", model.account_profile)?,
        contact_profile: fields("scoring_model.contact_profile", model.contact_profile)?,
        engagement: group("scoring_model.engagement", model.engagement)?,
        fit: group("scoring_model.fit", model.fit)?,
        qualification: group("scoring_model.qualification", model.qualification)?,
        thresholds: ThresholdTable {
            default: thresholds(default),
            categories: model.category_thresholds.iter().map(|(name, own)| (name.clone(), thresholds(own))).collect(),
        },
    })
}

fn span(field: &str, span: Option<&prost_types::Duration>) -> Result<Option<i64>> {
    let Some(span) = span else { return Ok(None) };
    span.seconds
        .checked_mul(1000)
        .and_then(|millis| millis.checked_add(i64::from(span.nanos) / 1_000_000))
        .filter(|millis| (1..=100 * 365 * DAY_MS).contains(millis))
        .map(Some)
        .ok_or_else(|| Error::invalid(field, "must be longer than zero and at most a hundred years"))
}

fn fields(field: &str, fields: Vec<PbField>) -> Result<Vec<Field>> {
    let one = |(index, declared): (usize, PbField)| {
        let kind = match declared.r#type() {
            FieldType::String => FieldKind::String,
            FieldType::Number => FieldKind::Number,
            FieldType::Bool => FieldKind::Bool,
            FieldType::Unspecified => {
                return Err(Error::invalid(format!("{field}[{index}].type"), "must be string, number or bool"));
            }
        };
        Ok(Field { name: declared.name, kind })
    };
    fields.into_iter().enumerate().map(one).collect()
}

fn group(field: &str, group: Option<pb::RuleGroup>) -> Result<Group> {
    let Some(group) = group else { return Ok(Group::default()) };
    let one = |(index, rule): (usize, pb::Rule)| {
        let field = format!("{field}.rules[{index}]");
        Ok(Rule {
            once_per: match rule.once_per() {
                pb::OncePer::Unspecified | pb::OncePer::None => OncePer::None,
                pb::OncePer::Contact => OncePer::Contact,
                pb::OncePer::Object => OncePer::Object,
            },
            half_life_ms: span(&format!("{field}.half_life"), rule.half_life.as_ref())?,
            fast_track_ms: span(&format!("{field}.fast_track"), rule.fast_track.as_ref())?,
            id: rule.id,
            condition: rule.condition,
            points_milli: rule.points_milli,
            cap_milli: rule.cap_milli,
        })
    };
    let rules = group.rules.into_iter().enumerate().map(one).collect::<Result<_>>()?;
    Ok(Group { cap_milli: group.cap_milli, rules })
}

fn thresholds(thresholds: &pb::Thresholds) -> Thresholds {
    let needed = thresholds.hot_validations.unwrap_or_default();
    Thresholds {
        hot: Hot {
            score_milli: thresholds.hot_score_milli,
            contacts: needed.contacts,
            channels: needed.channels,
            activities: needed.activities,
        },
        warm: Warm { score_milli: thresholds.warm_score_milli },
    }
}

/// A published version.
pub(crate) fn version(version: &Version) -> pb::ScoringModel {
    let model = &version.model;
    let span = |millis: i64| prost_types::Duration {
        seconds: millis / 1000,
        nanos: i32::try_from(millis % 1000).unwrap_or(0) * 1_000_000,
    };
    let fields = |fields: &[Field]| fields.iter().map(field_to).collect();
    let own = |table: &BTreeMap<String, Thresholds>| -> HashMap<_, _> {
        table.iter().map(|(name, own)| (name.clone(), thresholds_to(own))).collect()
    };
    let group = |group: &Group| pb::RuleGroup {
        cap_milli: group.cap_milli,
        rules: group.rules.iter().map(|rule| rule_to(rule, span)).collect(),
    };
    pb::ScoringModel {
        version: version.number,
        window: Some(span(model.window_ms)),
        max_activities: i32::try_from(model.max_activities).unwrap_or(i32::MAX),
        reopen_after: Some(span(model.reopen_after_ms)),
        shares: Some(pb::Shares {
            same_milli: model.shares_milli.same,
            below_milli: model.shares_milli.below,
            above_milli: model.shares_milli.above,
            none_milli: model.shares_milli.none,
        }),
        activity_types: model
            .activity_types
            .iter()
            .map(|known| pb::ActivityType { name: known.name.clone(), opens: known.opens })
            .collect(),
        attributes: fields(&model.attributes),
        questions: fields(&model.questions),
        account_profile: fields(&model.account_profile),
        contact_profile: fields(&model.contact_profile),
        engagement: Some(group(&model.engagement)),
        fit: Some(group(&model.fit)),
        qualification: Some(group(&model.qualification)),
        default_thresholds: Some(thresholds_to(&model.thresholds.default)),
        category_thresholds: own(&model.thresholds.categories),
        publish_time: Some(time(version.publish_time)),
        publish_principal: version.principal.clone(),
    }
}

fn field_to(field: &Field) -> PbField {
    let kind = match field.kind {
        FieldKind::String => FieldType::String,
        FieldKind::Number => FieldType::Number,
        FieldKind::Bool => FieldType::Bool,
    };
    PbField { name: field.name.clone(), r#type: kind.into(), answer: false }
}

fn rule_to(rule: &Rule, span: impl Fn(i64) -> prost_types::Duration) -> pb::Rule {
    let once_per = match rule.once_per {
        OncePer::None => pb::OncePer::None,
        OncePer::Contact => pb::OncePer::Contact,
        OncePer::Object => pb::OncePer::Object,
    };
    pb::Rule {
        id: rule.id.clone(),
        condition: rule.condition.clone(),
        points_milli: rule.points_milli,
        half_life: rule.half_life_ms.map(&span),
        cap_milli: rule.cap_milli,
        once_per: once_per.into(),
        fast_track: rule.fast_track_ms.map(&span),
    }
}
