//! Fields that a company has declared for its accounts and contacts, in the conditions of rules.

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::{clock::to_proto, value};
use leadflow_proto::{
    activity::v1::{Field, FieldType},
    contact::v1::{ContactChanged, ContactProfile},
    scoring::v1::RuleGroup,
};
use serde_json::json;

use crate::support::{
    World,
    activity::TestAccount,
    company::{changed, rule},
    fields, reason,
};

fn field(name: &str, kind: FieldType) -> Field {
    Field { name: name.into(), r#type: kind.into(), answer: false }
}

on_each_database! {
    async fn rules_read_the_declared_fields_of_accounts_and_contacts(database) {
        let mut world = World::start(database).await;
        world.apply(changed(|model| {
            model.account_profile = vec![field("segment", FieldType::String), field("fleet", FieldType::Number)];
            model.contact_profile = vec![field("speaks", FieldType::String)];
            let condition = "account.profile.segment == \"key\" && account.profile.fleet >= 10";
            model.fit = Some(RuleGroup { rules: vec![rule("key", condition, 7)], cap_milli: None });
            model.engagement.as_mut().unwrap().rules.push(rule("german", "contact.profile.speaks == \"German\"", 3));
        })).await;
        let (works, other) = (TestAccount::new(), TestAccount::new());
        let profile = |fleet: i64| value::map_to_proto(&serde_json::from_value(json!({"segment": "key", "fleet": fleet})).unwrap());
        world.publish_changed(&works, |account| account.profile = profile(12)).await;
        world.publish_changed(&other, |account| account.profile = profile(9)).await;
        let now = world.now();
        world.record(&[works.does("form_submitted", 0, now), other.does("form_submitted", 0, now)]).await;
        assert_eq!(world.lead(&other).await.score_milli, 20_000);
        eventually!(world.lead(&works).await.score_milli == 27_000);
        let fields = value::map_to_proto(&serde_json::from_value(json!({"speaks": "German"})).unwrap());
        let told = ContactChanged {
            contact_id: works.contact(0).to_string(),
            account_id: works.account_id.to_string(),
            revision: 2,
            update_time: Some(to_proto(world.hand.now())),
            profile: Some(ContactProfile { fields, ..Default::default() }),
            ..Default::default()
        };
        world.publish_contact(&told).await;
        eventually!(world.lead(&works).await.score_milli == 30_000);
    }

    async fn a_rule_that_reads_what_the_model_does_not_name_is_refused(database) {
        let mut world = World::start(database).await;
        let refused = world.scoring.client.apply_configuration(changed(|model| {
            model.account_profile = vec![field("segment", FieldType::String)];
            model.fit.as_mut().unwrap().rules[0].condition = "account.profile.fleet >= 10".into();
        })).await.unwrap_err();
        assert_eq!((reason(&refused).as_str(), fields(&refused)), ("INVALID_CONDITION", vec!["scoring_model.fit.rules[0].condition".to_owned()]));
        let refused = world.scoring.client.apply_configuration(changed(|model| model.contact_profile = vec![field("Speaks", FieldType::String)])).await.unwrap_err();
        assert_eq!(fields(&refused), ["scoring_model.contact_profile[0].name"]);
    }
}
