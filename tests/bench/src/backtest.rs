//! Replay: how fast the pure scoring domain is, on one core, without a database and without a bus.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Instant,
};

use anyhow::{Context as _, Result};
use leadflow_platform::clock::from_proto;
use leadflow_proto::activity::v1 as pb;
use leadflow_scoring::domain::{
    Activity, Categories, CompiledModel, Evaluated, History, LeadScope, Model, Prepared, Profile, history::Facts,
};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{data::CATEGORIES, world::World};

/// The model as scoring has published it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn model(world: &World) -> Result<CompiledModel> {
    let database = world.database("scoring")?;
    let query = "SELECT content FROM scoring_models ORDER BY version DESC LIMIT 1";
    let statement = sea_orm::Statement::from_string(database.get_database_backend(), query);
    let row = database.query_one_raw(statement).await?.context("no model is published")?;
    let model: Model = serde_json::from_value(row.try_get_by_index(0)?)?;
    let categories = Categories::new(CATEGORIES.map(|name| (name.to_owned(), None)));
    Ok(CompiledModel::compile(1, model, categories)?)
}

/// Scores each lead of these activities at its end, and returns how many activities a second went through.
///
/// # Errors
/// When the activities are none that scoring can read.
pub(crate) fn activities_per_s(model: &CompiledModel, activities: &[pb::Activity]) -> Result<f64> {
    let accounts = histories(activities)?;
    let begin = Instant::now();
    for history in accounts.values() {
        let Some(at) = history.activities.iter().map(|activity| activity.occur_time).max() else { continue };
        let opened = history.activities.iter().filter(|activity| model.model.opens(&activity.activity_type));
        let categories: BTreeSet<_> = opened.filter_map(|activity| activity.product_category.clone()).collect();
        let evaluated = Evaluated::new(model, history, i64::MAX);
        for product_category in categories {
            let scope = LeadScope { product_category: product_category.to_string(), ..Default::default() };
            std::hint::black_box(Prepared::new(&evaluated, &scope, &[], at).score(at));
        }
    }
    Ok(activities.len() as f64 / begin.elapsed().as_secs_f64())
}

/// What scoring would hold of them, by account.
fn histories(activities: &[pb::Activity]) -> Result<BTreeMap<String, History>> {
    let mut accounts = BTreeMap::<String, History>::new();
    for (number, activity) in activities.iter().enumerate() {
        let identity = activity.identity.clone().unwrap_or_default();
        let history = accounts.entry(identity.company).or_insert_with(|| History {
            account_revisions: vec![Profile {
                revision: 1,
                record_time: 0,
                facts: BTreeMap::from([("country".to_owned(), json!(identity.country))]).into(),
            }],
            ..Default::default()
        });
        let contact = history.activities.len() as u128 % 3;
        history.activities.push(scored(number, contact, activity)?.into());
    }
    Ok(accounts)
}

fn scored(number: usize, contact: u128, activity: &pb::Activity) -> Result<Activity> {
    let time = from_proto("occur_time", &activity.occur_time.unwrap_or_default())?.as_millisecond();
    let text = |text: &str| Some(text).filter(|text| !text.is_empty()).map(Into::into);
    let facts = |facts: &HashMap<String, prost_types::Value>| -> Arc<Facts> {
        Arc::new(facts.iter().map(|(name, value)| (name.clone(), json(value))).collect())
    };
    Ok(Activity {
        activity_id: Uuid::from_u128(number as u128),
        source: activity.source.as_str().into(),
        source_event_id: activity.source_event_id.as_str().into(),
        activity_type: activity.activity_type.as_str().into(),
        channel: activity.channel().as_str_name().trim_start_matches("CHANNEL_").to_lowercase().into(),
        product_category: text(&activity.product_category),
        occur_time: time,
        record_time: time,
        contact_id: Some(Uuid::from_u128(contact)),
        object_id: text(&activity.object_id),
        attributes: facts(&activity.attributes),
        answers: facts(&activity.answers),
        reclassify_time: None,
        account_id: None,
    })
}

fn json(value: &prost_types::Value) -> Json {
    use prost_types::value::Kind;
    match &value.kind {
        Some(Kind::StringValue(text)) => json!(text),
        Some(Kind::NumberValue(number)) => json!(number),
        Some(Kind::BoolValue(flag)) => json!(flag),
        _ => Json::Null,
    }
}
