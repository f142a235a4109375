//! Sending: as much as goes through, by each door.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use anyhow::{Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use leadflow_platform::{
    auth::Credentials,
    clock::from_proto,
    rpc::{Client, channel},
};
use leadflow_proto::activity::v1 as pb;
use pb::{activity_service_client::ActivityServiceClient, record_result::Outcome};

use crate::{
    data::SOURCE,
    usage::{self, Cpu},
    world::World,
};

/// Activities in one call of the batch door.
const BATCH: usize = 1000;
/// Calls of the batch door under way.
const BATCHES: usize = 8;
/// Connections of the doors that take one activity a call.
pub(crate) const CONNECTIONS: usize = 64;

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// A thousand activities a call.
    GrpcBatches,
    /// One activity a call.
    GrpcSingle,
    /// A web form.
    Http,
}

impl Door {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::GrpcBatches, Self::GrpcSingle, Self::Http];

    /// The word in the summary.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::GrpcBatches => "grpc_batches",
            Self::GrpcSingle => "grpc_single",
            Self::Http => "http",
        }
    }
}

/// What came of a flood.
#[derive(Debug)]
pub(crate) struct Flood {
    /// Until the last one was accepted.
    pub(crate) accepted_s: f64,
    /// Until all of it was scored and routed.
    pub(crate) e2e_s: f64,
    /// Seconds of CPU for ten thousand activities.
    pub(crate) cpu: Cpu,
}

/// Sends all of it as fast as it is taken, and waits until scoring holds `scored` activities and all is at rest.
///
/// # Errors
/// When an activity is not accepted, or something gets stuck or lost.
pub(crate) async fn flood(world: &World, door: Door, activities: Vec<pb::Activity>, scored: u64) -> Result<Flood> {
    let count = activities.len() as u64;
    let progress = progress(count, door.as_str());
    let before = usage::cpu(&world.processes())?;
    let begin = Instant::now();
    match door {
        Door::GrpcBatches => batches(world, activities, &progress).await?,
        Door::GrpcSingle => single(world, activities, &progress).await?,
        Door::Http => http(world, activities, &progress).await?,
    }
    let accepted_s = begin.elapsed().as_secs_f64();
    progress.set_message("accepted; waiting until all is scored and routed");
    let e2e_s = world.caught_up(scored).await?.duration_since(begin).as_secs_f64();
    let cpu = usage::per_ten_thousand(&before, &usage::cpu(&world.processes())?, count);
    progress.finish_and_clear();
    Ok(Flood { accepted_s, e2e_s, cpu })
}

async fn batches(world: &World, activities: Vec<pb::Activity>, progress: &ProgressBar) -> Result<()> {
    let client = client(world)?;
    let calls = activities.chunks(BATCH).map(|batch| {
        let (mut client, batch) = (client.clone(), batch.to_vec());
        async move {
            let count = batch.len() as u64;
            record(&mut client, batch).await?;
            progress.inc(count);
            anyhow::Ok(())
        }
    });
    stream::iter(calls.collect::<Vec<_>>()).buffer_unordered(BATCHES).try_collect().await
}

async fn single(world: &World, activities: Vec<pb::Activity>, progress: &ProgressBar) -> Result<()> {
    let clients = (0..CONNECTIONS).map(|_| client(world)).collect::<Result<Vec<_>>>()?;
    let next = AtomicU64::new(0);
    let worker = |mut client: ActivityServiceClient<Client>| {
        let (next, activities) = (&next, &activities);
        async move {
            while let Some(activity) = activities.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                record(&mut client, vec![activity.clone()]).await?;
                progress.inc(1);
            }
            anyhow::Ok(())
        }
    };
    futures::future::try_join_all(clients.into_iter().map(worker)).await?;
    Ok(())
}

async fn http(world: &World, activities: Vec<pb::Activity>, progress: &ProgressBar) -> Result<()> {
    let url = format!("{}/v1/forms/{SOURCE}?format=json", world.address("LEADFLOW_ACTIVITY_INGEST_HTTP_URL")?);
    let http = reqwest::Client::new();
    let posts = activities.iter().map(|activity| {
        let post = http.post(&url).form(&form(activity));
        async move {
            let answer = post.send().await?;
            ensure!(answer.status().is_success(), "a form was refused: {}", answer.text().await?);
            answer.bytes().await?;
            progress.inc(1);
            Ok(())
        }
    });
    stream::iter(posts).buffer_unordered(CONNECTIONS).try_collect().await
}

/// A client with a connection of its own.
///
/// # Errors
/// When the suite has been stopped.
pub(crate) fn client(world: &World) -> Result<ActivityServiceClient<Client>> {
    let url = world.address("LEADFLOW_ACTIVITY_INGEST_URL")?;
    Ok(ActivityServiceClient::new(channel(&url, Credentials::Name("bench".into()))?))
}

/// Sends activities, each of which has to be accepted as new.
///
/// # Errors
/// When one is not.
pub(crate) async fn record(client: &mut ActivityServiceClient<Client>, activities: Vec<pb::Activity>) -> Result<()> {
    let request = pb::RecordActivitiesRequest { activities, ..Default::default() };
    let results = client.record_activities(request).await?.into_inner().results;
    let other = results.iter().find(|result| result.outcome() != Outcome::Accepted);
    ensure!(other.is_none(), "an activity was not accepted: {other:?}");
    Ok(())
}

/// The fields of a form that says the same.
fn form(activity: &pb::Activity) -> Vec<(String, String)> {
    use prost_types::value::Kind;
    let identity = activity.identity.clone().unwrap_or_default();
    let time = activity.occur_time.as_ref().and_then(|time| from_proto("occur_time", time).ok());
    let words = [
        ("event_id", activity.source_event_id.clone()),
        ("activity_type", activity.activity_type.clone()),
        ("product_category", activity.product_category.clone()),
        ("object_id", activity.object_id.clone()),
        ("email", identity.email),
        ("company", identity.company),
        ("country", identity.country),
        ("occur_time", time.map(|time| time.to_string()).unwrap_or_default()),
    ];
    let values = activity.attributes.iter().chain(&activity.answers).filter_map(|(name, value)| {
        let text = match value.kind.as_ref()? {
            Kind::StringValue(text) => text.clone(),
            Kind::NumberValue(number) => number.to_string(),
            _ => return None,
        };
        Some((name.clone(), text))
    });
    words.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(values).collect()
}

fn progress(count: u64, name: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("  {prefix:12} {bar:30} {human_pos}/{human_len} {per_sec} {msg}");
    ProgressBar::new(count).with_prefix(name).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
