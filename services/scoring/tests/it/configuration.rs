//! Configuration as code: what is accepted, what is refused and by which name, and what a change does.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{
    activity::v1::{Field, FieldType, ProductCategory},
    scoring::v1::{ApplyConfigurationRequest, ListScoringModelsRequest, Rule, Shares},
};
use tonic::Code;

use crate::support::{
    World,
    activity::TestAccount,
    company::{self, category, changed, rule, span},
    fields, reason,
};

fn categories(product_categories: Vec<ProductCategory>) -> ApplyConfigurationRequest {
    ApplyConfigurationRequest { product_categories, ..Default::default() }
}

/// The model with one more engagement rule, the eighth.
fn with_rule(rule: Rule) -> ApplyConfigurationRequest {
    changed(|model| model.engagement.as_mut().unwrap().rules.push(rule))
}

fn with_condition(condition: &str) -> ApplyConfigurationRequest {
    with_rule(rule("new", condition, 1))
}

/// What is refused, with the reason and the first field at fault.
fn refused() -> Vec<(&'static str, &'static str, ApplyConfigurationRequest)> {
    let (invalid, condition) = ("INVALID_FIELD", "scoring_model.engagement.rules[7].condition");
    let shares = Shares { same_milli: 1001, ..Default::default() };
    let fit = |new: Rule| changed(|model| model.fit.as_mut().unwrap().rules.push(new));
    let bad = "INVALID_CONDITION";
    vec![
        ("CATEGORY_CYCLE", "product_categories", categories(vec![category("a", "b"), category("b", "a")])),
        ("CATEGORY_CYCLE", "product_categories", categories(vec![category("chromatography", "hplc")])),
        ("CATEGORY_CYCLE", "product_categories", categories(vec![category("a", "a")])),
        (
            "UNKNOWN_PRODUCT_CATEGORY",
            "product_categories[1].parent",
            categories(vec![category("hplc", "chromatography"), category("new", "nowhere")]),
        ),
        ("DUPLICATE_NAME", "product_categories[1].name", categories(vec![category("a", ""), category("a", "")])),
        (invalid, "product_categories[0].name", categories(vec![category("No Name", "")])),
        (
            invalid,
            "product_categories[0].display_name",
            categories(vec![ProductCategory { display_name: "a\0b".to_owned(), ..category("a", "") }]),
        ),
        (bad, condition, with_condition("")),
        (bad, condition, with_condition("activity.type ==")),
        (bad, condition, with_condition("activity.colour == \"red\"")),
        (bad, condition, with_condition("answers.colour == \"red\"")),
        (bad, condition, with_condition("activity.attributes.colour == \"red\"")),
        (bad, condition, with_condition("activity.type")),
        (
            bad,
            condition,
            with_condition("activity.attributes.seats == \"ten\" && activity.attributes.seats + \"a\" == \"b\""),
        ),
        (bad, condition, with_condition("[1, 2].exists(x, x == 1)")),
        (bad, condition, with_condition(&"(".repeat(200))),
        (bad, condition, with_condition(&format!("true || activity.type == \"{}\"", "x".repeat(5000)))),
        (bad, condition, with_condition("activity.type == \"a\0b\"")),
        (bad, "scoring_model.fit.rules[1].condition", fit(rule("new", "activity.type == \"form_submitted\"", 1))),
        (
            bad,
            "scoring_model.qualification.rules[1].condition",
            changed(|model| model.qualification.as_mut().unwrap().rules.push(rule("new", "contact.role == \"x\"", 1))),
        ),
        (invalid, "scoring_model.engagement.rules[7].id", with_rule(rule("form", "true", 1))),
        (invalid, "scoring_model.engagement.rules[7].id", with_rule(rule("New Rule", "true", 1))),
        (invalid, "scoring_model.fit.rules[1].id", fit(rule("form", "true", 1))),
        (invalid, "scoring_model.engagement.rules[7].points", with_rule(rule("new", "true", 1_000_001))),
        (
            invalid,
            "scoring_model.engagement.rules[7].points",
            with_rule(Rule { points_milli: i64::MIN, ..rule("new", "true", 1) }),
        ),
        (
            invalid,
            "scoring_model.engagement.rules[7].cap",
            with_rule(Rule { cap_milli: Some(-1), ..rule("new", "true", 1) }),
        ),
        (
            invalid,
            "scoring_model.engagement.rules[7].half_life",
            with_rule(Rule { half_life: Some(span(0)), ..rule("new", "true", 1) }),
        ),
        (
            invalid,
            "scoring_model.engagement.rules[7].fast_track",
            with_rule(Rule { fast_track: Some(span(-1000)), ..rule("new", "true", 1) }),
        ),
        (
            invalid,
            "scoring_model.fit.rules[1]",
            fit(Rule { half_life: Some(span(1000)), ..rule("new", "account.country == \"DE\"", 1) }),
        ),
        (
            invalid,
            "scoring_model.engagement.cap",
            changed(|model| model.engagement.as_mut().unwrap().cap_milli = Some(-1)),
        ),
        (invalid, "scoring_model.window", changed(|model| model.window = Some(span(0)))),
        (
            invalid,
            "scoring_model.reopen_after",
            changed(|model| model.reopen_after = Some(prost_types::Duration { seconds: i64::MAX, nanos: 0 })),
        ),
        (invalid, "scoring_model.max_activities", changed(|model| model.max_activities = -1)),
        (invalid, "scoring_model.max_activities", changed(|model| model.max_activities = 10_001)),
        (invalid, "scoring_model.shares.same", changed(|model| model.shares = Some(shares))),
        (
            invalid,
            "scoring_model.attributes[1].name",
            changed(|model| model.attributes.push(model.attributes[0].clone())),
        ),
        (
            invalid,
            "scoring_model.questions[2].name",
            changed(|model| {
                model.questions.push(Field { name: "A b".to_owned(), r#type: FieldType::Bool.into(), answer: false })
            }),
        ),
        (
            invalid,
            "scoring_model.questions[0].type",
            changed(|model| model.questions[0].r#type = FieldType::Unspecified.into()),
        ),
        (
            invalid,
            "scoring_model.activity_types[7].name",
            changed(|model| model.activity_types.push(model.activity_types[0].clone())),
        ),
        (
            invalid,
            "scoring_model.activity_types[5].opens",
            changed(|model| {
                assert_eq!(model.activity_types[5].name, "email_delivered");
                model.activity_types[5].opens = true;
            }),
        ),
        (invalid, "scoring_model.default_thresholds", changed(|model| model.default_thresholds = None)),
        (
            invalid,
            "scoring_model.thresholds.default.warm.score",
            changed(|model| model.default_thresholds = Some(company::thresholds(10, 20, 1, 1))),
        ),
        (
            invalid,
            "scoring_model.thresholds.default.hot",
            changed(|model| model.default_thresholds = Some(company::thresholds(50, 20, -1, 1))),
        ),
        (
            invalid,
            "scoring_model.thresholds.categories.nowhere",
            changed(|model| {
                model.category_thresholds.insert("nowhere".to_owned(), company::thresholds(50, 20, 1, 1));
            }),
        ),
    ]
}

on_each_database! {
    async fn what_does_not_make_sense_is_refused_by_name_and_nothing_is_written(database) {
        let mut world = World::start(database).await;
        for (expected, field, mut request) in refused() {
            // A good change beside the bad one must not be written either.
            request.product_categories.push(category("good", ""));
            let error = world.scoring.client.apply_configuration(request).await.unwrap_err();
            let fields = fields(&error);
            assert_eq!(
                (error.code(), reason(&error).as_str()),
                (Code::InvalidArgument, expected),
                "{field}: {error:?}"
            );
            assert_eq!(fields.first().map(String::as_str), Some(field), "{error:?}");
        }
        let changes = world.apply(company::configuration()).await;
        assert!(changes.iter().all(|(_, action)| action == "ACTION_UNCHANGED"), "{changes:?}");
        assert_eq!(world.apply(categories(vec![category("good", "")])).await[0].1, "ACTION_CREATED");
    }

    async fn all_faults_of_a_model_are_told_at_once(database) {
        let mut world = World::start(database).await;
        let bad = changed(|model| {
            let rules = &mut model.engagement.as_mut().unwrap().rules;
            rules[0].condition = "((".to_owned();
            rules[2].condition = "account.colour == 1".to_owned();
        });
        let error = world.scoring.client.apply_configuration(bad).await.unwrap_err();
        assert_eq!(fields(&error), [0, 2].map(|index| format!("scoring_model.engagement.rules[{index}].condition")));
        assert!(error.message().contains("of rule `page`"), "{}", error.message());
    }

    async fn a_model_that_differs_is_a_new_version_and_one_that_does_not_is_none(database) {
        let mut world = World::start_empty(database).await;
        let changes = world.apply(company::configuration()).await;
        assert_eq!(changes.len(), 5);
        assert!(changes.iter().all(|(_, action)| action == "ACTION_CREATED"), "{changes:?}");
        let changes = world.apply(company::configuration()).await;
        assert!(changes.iter().all(|(_, action)| action == "ACTION_UNCHANGED"), "{changes:?}");

        world.hand.advance(1000);
        let update = changed(|model| model.max_activities = 7);
        let dry = ApplyConfigurationRequest { validate_only: true, ..update.clone() };
        let expected = vec![("company".to_owned(), "ACTION_UPDATED".to_owned())];
        assert_eq!(world.apply(dry.clone()).await, expected);
        assert_eq!(world.apply(dry).await, expected);
        let mut maria = world.scoring.client_as("maria");
        let change = maria.apply_configuration(update.clone()).await.unwrap().into_inner().changes.remove(0);
        assert_eq!(change.kind, "ScoringModel");
        assert!(change.before.contains("\"max_activities\": 1000") && change.after.contains("\"max_activities\": 7"));
        world.apply(update).await;

        let models = world
            .scoring
            .client
            .list_scoring_models(ListScoringModelsRequest::default())
            .await
            .unwrap()
            .into_inner()
            .scoring_models;
        let told: Vec<_> = models
            .iter()
            .map(|model| (model.version, model.max_activities, model.publish_principal.as_str()))
            .collect();
        assert_eq!(told, [(2, 7, "maria"), (1, 1000, "tester")]);
        // What was applied is what is shown.
        let mut shown = models[1].clone();
        (shown.version, shown.publish_time, shown.publish_principal) = (0, None, String::new());
        for group in [&mut shown.engagement, &mut shown.fit, &mut shown.qualification] {
            for rule in &mut group.as_mut().unwrap().rules {
                if rule.once_per() == leadflow_proto::scoring::v1::OncePer::None {
                    rule.once_per = 0;
                }
            }
        }
        shown.max_activities = 0;
        assert_eq!(shown, company::model());
    }

    async fn a_new_model_scores_every_account_again(database) {
        let mut world = World::start(database).await;
        let (lead, other) = (TestAccount::new(), TestAccount::new());
        let now = world.now();
        world.record(&[lead.does("badge_scanned", 0, now), other.does("page_viewed", 0, now)]).await;
        assert!(world.leads(&other).await.is_empty());
        let update = changed(|model| {
            model.engagement.as_mut().unwrap().rules[1].points_milli = 25_000;
            model.activity_types[4].opens = true;
        });
        world.apply(update).await;
        eventually!(world.lead(&lead).await.score_milli == 25_000);
        eventually!(!world.leads(&other).await.is_empty());
        let (lead, opened) = (world.lead(&lead).await, world.lead(&other).await);
        assert_eq!((lead.model_version, opened.model_version, opened.score_milli), (2, 2, 2_000));
    }

    async fn a_category_that_moves_moves_its_points(database) {
        let mut world = World::start(database).await;
        let shares = Shares { same_milli: 1000, below_milli: 500, above_milli: 0, none_milli: 0 };
        world.apply(changed(|model| model.shares = Some(shares))).await;
        let account = TestAccount::new();
        let now = world.now();
        world
            .record(&[
                account.does("badge_scanned", 0, now).in_category("scales"),
                account.does("badge_scanned", 1, now).in_category("gc"),
            ])
            .await;
        let score = async |world: &mut World| {
            let leads = world.leads(&account).await;
            leads.iter().find(|lead| lead.product_category == "scales").unwrap().score_milli
        };
        assert_eq!(score(&mut world).await, 15_000);
        world.apply(categories(vec![category("gc", "scales")])).await;
        eventually!(score(&mut world).await == 22_500);
    }
}
