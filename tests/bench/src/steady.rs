//! Sending at a fixed rate, whether the suite keeps up or not (an open loop): a slow answer delays no later call, and
//! each call counts from the moment at which it was due. So nothing is flattered.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use hdrhistogram::Histogram;
use leadflow_proto::{activity::v1 as activity, routing::v1 as routing};
use prost::Message as _;
use tokio::task::{JoinHandle, JoinSet};

use crate::{
    data::{Generator, is_hot},
    load::{CONNECTIONS, client, record},
    world::World,
};

/// The account and the category of a lead.
type Lead = (String, String);
/// When something was seen of each lead.
type Moments = Arc<Mutex<HashMap<Lead, Instant>>>;

/// What was measured, in microseconds.
#[derive(Debug)]
pub(crate) struct Latencies {
    /// From when a call was due to its answer, which comes after the commit.
    pub(crate) accept: Histogram<u64>,
    /// From that answer until everybody could see the assignment.
    pub(crate) assign: Histogram<u64>,
}

/// Sends `rate` activities a second for a time, one a call; scoring holds `scored` ones before.
///
/// # Errors
/// When an activity is not accepted, or a hot one leads to no assignment.
pub(crate) async fn steady(
    world: &World,
    generator: &mut Generator,
    rate: f64,
    time: Duration,
    scored: u64,
) -> Result<Latencies> {
    let offers = Watch::start(world).await?;
    let clients = (0..CONNECTIONS).map(|_| client(world)).collect::<Result<Vec<_>>>()?;
    let activities = generator.take((rate * time.as_secs_f64()).ceil() as usize);
    let count = activities.len() as u64;
    let (mut calls, mut accept, answers) = (JoinSet::new(), Histogram::new(3)?, Moments::default());
    let begin = Instant::now();
    for (number, activity) in activities.into_iter().enumerate() {
        let due = begin + Duration::from_secs_f64(number as f64 / rate);
        tokio::time::sleep_until(due.into()).await;
        let (mut client, answers) = (clients[number % CONNECTIONS].clone(), answers.clone());
        calls.spawn(async move {
            let hot = is_hot(&activity).then(|| lead_of(&activity));
            record(&mut client, vec![activity]).await?;
            if let Some(lead) = hot {
                note(&answers, lead);
            }
            anyhow::Ok(due.elapsed())
        });
    }
    while let Some(call) = calls.join_next().await {
        accept.record(micros(call??))?;
    }
    world.caught_up(scored + count).await?;
    let assign = offers.since(&answers).await?;
    Ok(Latencies { accept, assign })
}

/// Watches what routing offers, as the console does.
struct Watch {
    seen: Moments,
    listener: JoinHandle<()>,
}

impl Watch {
    async fn start(world: &World) -> Result<Self> {
        let mut offers = world.subscribe("leadflow.assignment.v1.offered").await?;
        let seen = Moments::default();
        let here = seen.clone();
        let listener = tokio::spawn(async move {
            while let Some(message) = offers.next().await {
                if let Ok(event) = routing::AssignmentEvent::decode(message.payload) {
                    let assignment = event.assignment.unwrap_or_default();
                    note(&here, (assignment.account_name, assignment.product_category));
                }
            }
        });
        Ok(Self { seen, listener })
    }

    /// How long after its answer each of these was offered.
    async fn since(self, answers: &Moments) -> Result<Histogram<u64>> {
        self.listener.abort();
        let (seen, answers) = (locked(&self.seen), locked(answers));
        ensure!(!answers.is_empty(), "nothing hot was sent: the time was too short");
        let mut histogram = Histogram::new(3)?;
        for (lead, answered) in answers.iter() {
            let offered = seen.get(lead).with_context(|| format!("the lead of {lead:?} was not offered"))?;
            // The offer may overtake the answer.
            histogram.record(micros(offered.saturating_duration_since(*answered)))?;
        }
        Ok(histogram)
    }
}

fn lead_of(activity: &activity::Activity) -> Lead {
    let company = activity.identity.as_ref().map(|identity| identity.company.clone()).unwrap_or_default();
    (company, activity.product_category.clone())
}

fn note(moments: &Moments, lead: Lead) {
    locked(moments).entry(lead).or_insert_with(Instant::now);
}

fn locked(moments: &Moments) -> std::sync::MutexGuard<'_, HashMap<Lead, Instant>> {
    moments.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In whole microseconds.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
