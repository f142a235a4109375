//! The configuration of the tests: numbers that can be added up in the head.

use leadflow_proto::{
    activity::v1::{Field, FieldType, ProductCategory},
    scoring::v1::{
        ActivityType, ApplyConfigurationRequest, OncePer, Rule, RuleGroup, ScoringModel, Shares, Thresholds,
        Validations,
    },
};

pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;
/// How far back activities count.
pub(crate) const WINDOW: i64 = 100 * DAY;
/// How long a disqualified lead stays closed.
pub(crate) const REOPEN_AFTER: i64 = 30 * DAY;

pub(crate) fn span(millis: i64) -> prost_types::Duration {
    prost_types::Duration { seconds: millis / 1000, nanos: 0 }
}

pub(crate) fn category(name: &str, parent: &str) -> ProductCategory {
    ProductCategory { name: name.to_owned(), display_name: name.to_uppercase(), parent: parent.to_owned() }
}

pub(crate) fn rule(id: &str, condition: &str, points: i64) -> Rule {
    Rule { id: id.to_owned(), condition: condition.to_owned(), points_milli: points * 1000, ..Default::default() }
}

/// A rule for activities of a type.
fn of_type(id: &str, activity_type: &str, points: i64) -> Rule {
    rule(id, &format!("activity.type == \"{activity_type}\""), points)
}

fn field(name: &str, kind: FieldType) -> Field {
    Field { name: name.to_owned(), r#type: kind.into(), answer: false }
}

pub(crate) fn thresholds(hot: i64, warm: i64, contacts: i32, activities: i32) -> Thresholds {
    Thresholds {
        hot_score_milli: hot * 1000,
        hot_validations: Some(Validations { contacts, channels: 1, activities }),
        warm_score_milli: warm * 1000,
    }
}

/// A form gives 20 points that halve in ten days, 60 at the most. A badge gives 15 once per contact, for good. A bounce
/// takes 15 that halve in a day. A request for a demonstration is hot at once, for 14 days. Hot is 50 with two contacts
/// and three activities; warm is 20.
pub(crate) fn model() -> ScoringModel {
    let types = [
        ("form_submitted", true),
        ("badge_scanned", true),
        ("demo_requested", true),
        ("call_completed", false),
        ("page_viewed", false),
        ("email_delivered", false),
        ("email_bounced", false),
    ];
    let engagement = vec![
        Rule { half_life: Some(span(10 * DAY)), cap_milli: Some(60_000), ..of_type("form", "form_submitted", 20) },
        Rule { once_per: OncePer::Contact.into(), ..of_type("badge", "badge_scanned", 15) },
        Rule { once_per: OncePer::Object.into(), ..of_type("page", "page_viewed", 2) },
        Rule { half_life: Some(span(DAY)), ..of_type("bounce", "email_bounced", -15) },
        Rule { fast_track: Some(span(14 * DAY)), ..of_type("demo", "demo_requested", 5) },
        rule("boss", "contact.role == \"decision_maker\" && activity.type == \"form_submitted\"", 4),
        rule("large-order", "activity.attributes.seats >= 10", 3),
    ];
    ScoringModel {
        window: Some(span(WINDOW)),
        reopen_after: Some(span(REOPEN_AFTER)),
        shares: Some(Shares { same_milli: 1000, below_milli: 0, above_milli: 0, none_milli: 500 }),
        activity_types: types.into_iter().map(|(name, opens)| ActivityType { name: name.to_owned(), opens }).collect(),
        attributes: vec![field("seats", FieldType::Number)],
        questions: vec![field("budget", FieldType::Number), field("meeting", FieldType::Bool)],
        engagement: Some(RuleGroup { rules: engagement, cap_milli: Some(90_000) }),
        fit: Some(RuleGroup { rules: vec![rule("germany", "account.country == \"DE\"", 10)], cap_milli: None }),
        qualification: Some(RuleGroup { rules: vec![rule("budget", "answers.budget >= 1000", 8)], cap_milli: None }),
        default_thresholds: Some(thresholds(50, 20, 2, 3)),
        ..Default::default()
    }
}

/// The model with the fields of `change` another way.
pub(crate) fn changed(change: impl FnOnce(&mut ScoringModel)) -> ApplyConfigurationRequest {
    let mut model = model();
    change(&mut model);
    ApplyConfigurationRequest { scoring_model: Some(model), ..Default::default() }
}

/// `chromatography` with `hplc` and `gc` below it, and `scales`.
pub(crate) fn configuration() -> ApplyConfigurationRequest {
    ApplyConfigurationRequest {
        product_categories: vec![
            category("chromatography", ""),
            category("hplc", "chromatography"),
            category("gc", "chromatography"),
            category("scales", ""),
        ],
        scoring_model: Some(model()),
        validate_only: false,
    }
}
