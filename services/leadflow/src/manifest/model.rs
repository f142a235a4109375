//! The scoring model as sales managers write it: points with decimals, time spans with units.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use leadflow_platform::vars::parse_duration;
use leadflow_proto::scoring::v1 as pb;
use serde::Deserialize;

use super::kinds::{Field, field};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    #[serde(rename = "kind")]
    _kind: String,
    window: Option<String>,
    max_activities: Option<i32>,
    reopen_after: Option<String>,
    shares: Option<Shares>,
    #[serde(default)]
    activity_types: Vec<ActivityType>,
    #[serde(default)]
    attributes: Vec<Field>,
    #[serde(default)]
    questions: Vec<Field>,
    #[serde(default)]
    account_profile: Vec<Field>,
    #[serde(default)]
    contact_profile: Vec<Field>,
    #[serde(default)]
    engagement: Group,
    #[serde(default)]
    fit: Group,
    #[serde(default)]
    qualification: Group,
    thresholds: Thresholds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shares {
    #[serde(default = "one")]
    same: f64,
    #[serde(default)]
    below: f64,
    #[serde(default)]
    above: f64,
    #[serde(default = "half")]
    none: f64,
}

fn one() -> f64 {
    1.0
}

fn half() -> f64 {
    0.5
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActivityType {
    name: String,
    #[serde(default)]
    opens: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    cap: Option<f64>,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    condition: String,
    points: f64,
    half_life: Option<String>,
    cap: Option<f64>,
    #[serde(default)]
    once_per: OncePer,
    fast_track: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OncePer {
    #[default]
    None,
    Contact,
    Object,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Thresholds {
    default: Limits,
    #[serde(default)]
    categories: BTreeMap<String, Limits>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    hot: Hot,
    warm: Warm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hot {
    score: f64,
    #[serde(default)]
    contacts: i32,
    #[serde(default)]
    channels: i32,
    #[serde(default)]
    activities: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Warm {
    score: f64,
}

pub(super) fn scoring_model(it: Model) -> Result<pb::ScoringModel> {
    let share = |share: f64| milli("shares", share).map(|milli| i32::try_from(milli).unwrap_or(i32::MAX));
    let own = |(name, limits): (String, Limits)| Ok((name, thresholds(&limits)?));
    Ok(pb::ScoringModel {
        window: it.window.map(|text| span("window", &text)).transpose()?,
        max_activities: it.max_activities.unwrap_or_default(),
        reopen_after: it.reopen_after.map(|text| span("reopen_after", &text)).transpose()?,
        shares: it
            .shares
            .map(|it| {
                anyhow::Ok(pb::Shares {
                    same_milli: share(it.same)?,
                    below_milli: share(it.below)?,
                    above_milli: share(it.above)?,
                    none_milli: share(it.none)?,
                })
            })
            .transpose()?,
        activity_types: it
            .activity_types
            .into_iter()
            .map(|it| pb::ActivityType { name: it.name, opens: it.opens })
            .collect(),
        attributes: it.attributes.into_iter().map(field).collect(),
        questions: it.questions.into_iter().map(field).collect(),
        account_profile: it.account_profile.into_iter().map(field).collect(),
        contact_profile: it.contact_profile.into_iter().map(field).collect(),
        engagement: Some(group("engagement", it.engagement)?),
        fit: Some(group("fit", it.fit)?),
        qualification: Some(group("qualification", it.qualification)?),
        default_thresholds: Some(thresholds(&it.thresholds.default)?),
        category_thresholds: it.thresholds.categories.into_iter().map(own).collect::<Result<_>>()?,
        ..Default::default()
    })
}

fn group(name: &str, it: Group) -> Result<pb::RuleGroup> {
    let cap_milli = it.cap.map(|cap| milli(&format!("{name}.cap"), cap)).transpose()?;
    let rules = it.rules.into_iter().map(|it| rule(name, it)).collect::<Result<_>>()?;
    Ok(pb::RuleGroup { rules, cap_milli })
}

fn rule(group: &str, it: Rule) -> Result<pb::Rule> {
    let at = |field: &str| format!("{group} rule `{}`: {field}", it.id);
    let once_per = match it.once_per {
        OncePer::None => pb::OncePer::None,
        OncePer::Contact => pb::OncePer::Contact,
        OncePer::Object => pb::OncePer::Object,
    };
    Ok(pb::Rule {
        points_milli: milli(&at("points"), it.points)?,
        half_life: it.half_life.as_deref().map(|text| span(&at("half_life"), text)).transpose()?,
        cap_milli: it.cap.map(|cap| milli(&at("cap"), cap)).transpose()?,
        fast_track: it.fast_track.as_deref().map(|text| span(&at("fast_track"), text)).transpose()?,
        once_per: once_per.into(),
        condition: it.condition,
        id: it.id,
    })
}

fn thresholds(it: &Limits) -> Result<pb::Thresholds> {
    Ok(pb::Thresholds {
        hot_score_milli: milli("hot.score", it.hot.score)?,
        hot_validations: Some(pb::Validations {
            contacts: it.hot.contacts,
            channels: it.hot.channels,
            activities: it.hot.activities,
        }),
        warm_score_milli: milli("warm.score", it.warm.score)?,
    })
}

/// Points as thousandths. More than three decimals cannot be kept and are refused.
pub(crate) fn milli(field: &str, points: f64) -> Result<i64> {
    let milli = points * 1000.0;
    let whole = milli.round();
    if !points.is_finite() || (milli - whole).abs() > 1e-6 || whole.abs() > 1e12 {
        anyhow::bail!("{field}: `{points}` must be a number with at most three decimals");
    }
    Ok(whole as i64)
}

/// A time span as people write it.
pub(super) fn span(field: &str, text: &str) -> Result<prost_types::Duration> {
    let span =
        parse_duration(text).with_context(|| format!("{field}: `{text}` is no time span such as `30d` or `12h`"))?;
    prost_types::Duration::try_from(span).with_context(|| format!("{field}: `{text}` is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_keep_three_decimals_and_no_more() {
        assert_eq!(milli("x", 12.345).unwrap(), 12_345);
        assert_eq!(milli("x", -0.1).unwrap(), -100);
        assert!(milli("x", 0.0001).is_err());
        assert!(milli("x", f64::NAN).is_err());
    }
}
