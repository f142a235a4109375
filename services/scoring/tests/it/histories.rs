//! Generated histories: small, dense, and full of the edges that matter.

use std::collections::BTreeMap;
use std::sync::Arc;

use leadflow_scoring::domain::{
    Activity, Adjustment, Categories, CompiledModel, History, LeadScope, Model, Profile,
    history::Facts,
    model::{
        ActivityType, DAY_MS, Field, FieldKind, Group, Hot, OncePer, Rule, Shares, ThresholdTable, Thresholds, Warm,
    },
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use uuid::Uuid;

/// The moment that histories are about.
pub(crate) const NOW: i64 = 20_000 * DAY_MS + 1_234_567;
const HOUR_MS: i64 = 3_600_000;

/// A history with the lead and the model to score it by.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) at: i64,
    pub(crate) known_at: i64,
    pub(crate) scope: LeadScope,
    pub(crate) model: Model,
    pub(crate) history: History,
}

impl Case {
    pub(crate) fn compiled(&self) -> CompiledModel {
        CompiledModel::compile(1, self.model.clone(), categories()).expect("generated models make sense")
    }

    /// The case as the oracle reads it.
    pub(crate) fn to_json(&self) -> Json {
        json!({
            "at": self.at,
            "known_at": self.known_at,
            "lead": self.scope,
            "categories": tree().collect::<BTreeMap<_, _>>(),
            "model": self.model,
            "activities": self.history.activities,
            "account_revisions": self.history.account_revisions,
            "contact_revisions": self.history.contact_revisions,
            "adjustments": self.history.adjustments,
        })
    }
}

fn tree() -> impl Iterator<Item = (String, Option<String>)> {
    [("chromatography", None), ("hplc", Some("chromatography")), ("gc", Some("chromatography")), ("prep", Some("hplc"))]
        .into_iter()
        .map(|(name, parent)| (name.to_owned(), parent.map(str::to_owned)))
}

pub(crate) fn categories() -> Categories {
    Categories::new(tree())
}

fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(values).prop_map(str::to_owned)
}

const TYPES: &[&str] = &["form_submitted", "email_clicked", "badge_scanned", "call_completed"];
const ENGAGEMENT: &[&str] = &[
    r#"activity.type == "form_submitted""#,
    r#"activity.type in ["email_clicked", "badge_scanned"]"#,
    r#"activity.channel == "web" && activity.attributes.seats >= 5"#,
    r#"contact.role == "decision_maker" || activity.type == "call_completed""#,
    r#"account.employees >= 500 && activity.channel == "email""#,
    r#"answers.budget >= 1000 || activity.source == "expo""#,
    r#"activity.product_category == "hplc""#,
    "true",
];
const FIT: &[&str] =
    &[r#"account.country == "DE""#, "account.employees >= 500", r#"account.industry in ["pharma", "food"]"#];
const QUALIFICATION: &[&str] =
    &["answers.budget >= 1000", "answers.meeting == true", r#"account.country == "DE" || answers.budget < 10"#];

fn rule(index: usize, conditions: &'static [&'static str], engagement: bool) -> impl Strategy<Value = Rule> {
    let spans = proptest::option::of(1_i64..60 * 24).prop_map(|hours| hours.map(|hours| hours * HOUR_MS));
    let once_per = proptest::sample::select(&[OncePer::None, OncePer::Contact, OncePer::Object][..]);
    (
        proptest::sample::select(conditions),
        prop_oneof![4 => 1_i64..40_000, 1 => -20_000_i64..0],
        spans,
        proptest::option::of(0_i64..60_000),
        once_per,
        proptest::option::weighted(0.15, 1_i64..30 * DAY_MS),
    )
        .prop_map(move |(condition, points_milli, half_life_ms, cap_milli, once_per, fast_track_ms)| Rule {
            id: format!("{}-{index}", if engagement { "e" } else { "p" }),
            condition: condition.to_owned(),
            points_milli,
            half_life_ms: half_life_ms.filter(|_| engagement),
            cap_milli: cap_milli.filter(|_| engagement),
            once_per: if engagement { once_per } else { OncePer::None },
            fast_track_ms: fast_track_ms.filter(|_| engagement),
        })
}

fn group(prefix: &'static str, conditions: &'static [&'static str], engagement: bool) -> impl Strategy<Value = Group> {
    let rules = (0..4_usize).map(|index| rule(index, conditions, engagement)).collect::<Vec<_>>();
    (rules, 0_usize..=4, proptest::option::of(0_i64..100_000)).prop_map(move |(mut rules, count, cap_milli)| {
        rules.truncate(count);
        for rule in &mut rules {
            rule.id = format!("{prefix}-{}", rule.id);
        }
        Group { cap_milli, rules }
    })
}

fn thresholds() -> impl Strategy<Value = Thresholds> {
    (0_i64..60_000, 0_i64..60_000, 0..3_i32, 0..3_i32, 0..4_i32).prop_map(|(a, b, contacts, channels, activities)| {
        Thresholds {
            hot: Hot { score_milli: a.max(b), contacts, channels, activities },
            warm: Warm { score_milli: a.min(b) },
        }
    })
}

prop_compose! {
    fn model()(
        window in 1_i64..60,
        max_activities in prop_oneof![Just(1000_usize), 1_usize..8],
        shares in (0..=1000_i32, 0..=1000_i32, 0..=1000_i32, 0..=1000_i32),
        engagement in group("eng", ENGAGEMENT, true),
        fit in group("fit", FIT, false),
        qualification in group("qua", QUALIFICATION, false),
        default in thresholds(),
        own in proptest::option::of(thresholds()),
        of in one_of(&["hplc", "chromatography", "gc"]),
    ) -> Model {
        let field = |name: &str, kind| Field { name: name.to_owned(), kind };
        Model {
            window_ms: window * DAY_MS,
            max_activities,
            reopen_after_ms: 90 * DAY_MS,
            shares_milli: Shares { same: shares.0, below: shares.1, above: shares.2, none: shares.3 },
            activity_types: TYPES.iter().map(|name| ActivityType { name: (*name).to_owned(), opens: true }).collect(),
            attributes: vec![field("seats", FieldKind::Number)],
            account_profile: Vec::new(),
            contact_profile: Vec::new(),
            questions: vec![field("budget", FieldKind::Number), field("meeting", FieldKind::Bool)],
            engagement, fit, qualification,
            thresholds: ThresholdTable { default, categories: own.map(|own| (of, own)).into_iter().collect() },
        }
    }
}

/// Mostly in the past, dense enough to meet, now and then a little ahead.
fn moment() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => (0_i64..40 * 24).prop_map(|hours| NOW - hours * HOUR_MS),
        2 => (0_i64..80 * DAY_MS).prop_map(|ms| NOW - ms),
        1 => (1_i64..300_000).prop_map(|ms| NOW + ms),
    ]
}

fn contact(number: u128) -> Uuid {
    Uuid::from_u128(0xc0 + number)
}

prop_compose! {
    fn activity()(
        id in any::<u128>(),
        source in one_of(&["web", "expo", "newsletter"]),
        event in 0..6_u8,
        activity_type in one_of(TYPES),
        channel in one_of(&["web", "email", "phone", "event"]),
        category in proptest::option::weighted(0.8, one_of(&["hplc", "hplc", "chromatography", "gc", "prep"])),
        occur_time in moment(),
        delay in prop_oneof![3 => Just(0_i64), 1 => 0_i64..20 * DAY_MS],
        who in proptest::option::weighted(0.8, 0_u128..4),
        object in proptest::option::of(0..3_u8),
        seats in proptest::option::of(0..10_i32),
        budget in proptest::option::weighted(0.2, 0..3000_i32),
        meeting in proptest::option::weighted(0.2, any::<bool>()),
        reclassified in proptest::option::weighted(0.05, moment()),
    ) -> Activity {
        let facts = |pairs: [(&str, Option<Json>); 2]| -> Facts {
            pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
        };
        Activity {
            activity_id: Uuid::from_u128(id),
            source_event_id: format!("{event}-{id:032x}").into(),
            source: source.into(),
            activity_type: activity_type.into(),
            channel: channel.into(),
            product_category: category.map(Into::into),
            occur_time,
            record_time: (occur_time + delay).min(NOW + 300_000),
            contact_id: who.map(contact),
            object_id: object.map(|object| format!("o{object}").into()),
            attributes: facts([("seats", seats.map(|seats| json!(f64::from(seats)))), ("", None)]).into(),
            answers: facts([("budget", budget.map(|budget| json!(f64::from(budget)))), ("meeting", meeting.map(Json::from))]).into(),
            reclassify_time: reclassified,
            account_id: None,
        }
    }
}

fn profiles(facts: impl Strategy<Value = Facts>) -> impl Strategy<Value = Vec<Profile>> {
    proptest::collection::vec((facts, moment()), 0..3).prop_map(|revisions| {
        revisions
            .into_iter()
            .enumerate()
            .map(|(index, (facts, record_time))| Profile {
                revision: index as i64 + 1,
                record_time,
                facts: facts.into(),
            })
            .collect()
    })
}

fn account_facts() -> impl Strategy<Value = Facts> {
    (one_of(&["DE", "FR"]), proptest::option::of(1..1000_i32), one_of(&["pharma", "steel"])).prop_map(
        |(country, employees, industry)| {
            let mut facts: Facts =
                [("country".to_owned(), json!(country)), ("industry".to_owned(), json!(industry))].into();
            facts.extend(employees.map(|employees| ("employees".to_owned(), json!(employees))));
            facts
        },
    )
}

fn adjustment() -> impl Strategy<Value = Adjustment> {
    (any::<u128>(), -30_000_i64..30_000, moment(), proptest::option::of(-20 * 24_i64..40 * 24)).prop_map(
        |(id, points_milli, create_time, expire)| Adjustment {
            adjustment_id: Uuid::from_u128(id),
            points_milli,
            create_time,
            expire_time: expire.map(|hours| NOW + hours * HOUR_MS),
            reason: String::new(),
            principal: String::new(),
        },
    )
}

prop_compose! {
    pub(crate) fn case()(
        model in model(),
        mut activities in proptest::collection::vec(activity(), 0..25),
        account_revisions in profiles(account_facts()),
        roles in proptest::collection::vec(
            profiles(one_of(&["decision_maker", "user"]).prop_map(|role| [("role".to_owned(), json!(role))].into())), 4),
        adjustments in prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(adjustment(), 0..3)],
        category in one_of(&["hplc", "chromatography"]),
        previous_close_time in proptest::option::weighted(0.2, moment()),
        closed in proptest::option::weighted(0.1, moment()),
        at in prop_oneof![3 => Just(NOW), 1 => moment()],
        known in prop_oneof![3 => Just(NOW + DAY_MS), 1 => moment()],
    ) -> Case {
        activities.sort_by_key(|activity| activity.activity_id);
        activities.dedup_by_key(|activity| activity.activity_id);
        let contact_revisions = roles.into_iter().enumerate().map(|(n, revisions)| (contact(n as u128), revisions));
        let activities: Vec<Arc<Activity>> = activities.into_iter().map(Arc::new).collect();
        let answering = activities.iter().filter(|activity| !activity.answers.is_empty()).cloned().collect();
        let history = History {
            activities,
            // As the service loads them: what bears answers comes also by itself.
            answering,
            account_revisions,
            contact_revisions: contact_revisions.collect(),
            adjustments,
        };
        let scope =
            LeadScope { product_category: category, previous_close_time, close_time: closed, ..LeadScope::default() };
        Case { at, known_at: known, scope, model, history }
    }
}
