//! Finds out who did what: asks contact about the activities that wait, and announces the answers.
//!
//! An activity is claimed for a while (a lease), not locked, while contact is asked: no transaction stays open, and
//! when the one that claimed it dies, the next one takes it. Two that do the same work announce it once. What this process
//! has written itself is claimed with it, and handed on.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use leadflow_platform::{
    Result,
    clock::Clock,
    db::Database,
    plant::{self, Plant},
    tombstones,
    trace::{Origin, Span, SpanKind, Tracer},
};
use leadflow_proto::contact::v1::IdentityClaim;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    app::{announce, handed::Handed},
    contact::{Contact, Failure},
    domain::{
        activity::Activity,
        pending::{lease_end, next_attempt, pause},
        resolution::{Party, Resolution},
    },
    metrics::Instruments,
    store, wire,
};

/// Activities in one question, as many as contact takes.
const BATCH: u64 = 1000;
/// How often to look into the ledger at least: another replica may have died with activities in its hands.
const IDLE: Duration = Duration::from_secs(1);

/// The task that identifies activities.
#[derive(Clone, Debug)]
pub(crate) struct Identifier {
    pub(crate) database: Database,
    pub(crate) contact: Contact,
    pub(crate) clock: Clock,
    pub(crate) tracer: Tracer,
    pub(crate) metrics: Instruments,
    pub(crate) handed: Arc<Handed>,
}

/// What one question led to.
#[derive(Default)]
struct Settled {
    identified: Vec<Uuid>,
    quarantined: Vec<(Uuid, String)>,
}

impl Identifier {
    /// Identifies until shutdown.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        if let Err(error) = self.database.write(|tx| async move { store::pending::release_all(&tx).await }).await {
            tracing::warn!(%error, "what an earlier life has claimed waits until its lease ends");
        }
        let mut failures = 0_u32;
        let mut looked = None;
        while !shutdown.is_cancelled() {
            // A smaller part after each failure: should a whole batch be too much for contact, it goes through.
            let limit = (BATCH >> failures.min(7)).max(1);
            let more = tokio::select! {
                // Its claims are free again at the next start.
                () = shutdown.cancelled() => break,
                round = self.round(limit, &mut looked) => match round {
                    Ok(claimed) => {
                        failures = 0;
                        claimed == limit
                    }
                    Err(error) => {
                        failures += 1;
                        looked = None;
                        tracing::warn!(%error, failures, "activities wait to be identified; trying again");
                        false
                    }
                },
            };
            if more {
                continue;
            }
            let idle = if failures == 0 { IDLE } else { pause(failures) };
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.handed.rung(), if failures == 0 => {}
                () = tokio::time::sleep(idle) => {}
            }
        }
        self.leave().await;
    }

    /// Lets go of what was handed on, for a replica that goes on.
    async fn leave(&self) {
        let left: Vec<_> = self.handed.close().iter().map(|activity| activity.activity_id).collect();
        let release = move |tx| async move { store::pending::release(&tx, &left).await };
        if let Err(error) = self.database.write(release).await {
            tracing::warn!(%error, "what was handed on waits until its lease ends");
        }
    }

    /// Takes what was handed on; now and then, and when there is nothing but what did not fit in, claims first what waits in
    /// the ledger.
    async fn claim(&self, limit: u64, looked: &mut Option<Instant>) -> Result<Vec<Activity>> {
        let mut claimed = Vec::new();
        let is_due = looked.is_none_or(|time| time.elapsed() >= IDLE);
        if is_due || self.handed.is_empty() && self.handed.has_overflown() {
            let now = self.clock.now();
            let claim = move |tx| async move { store::pending::claim(&tx, now, lease_end(now), limit).await };
            claimed = self.database.write(claim).await?;
            *looked = Some(Instant::now());
            if claimed.len() == limit as usize {
                // There may be more.
                self.handed.ring();
            }
        }
        claimed.extend(self.handed.take(limit as usize - claimed.len()));
        Ok(claimed)
    }

    /// Claims up to `limit` activities, asks who did them, and settles them. Returns how many there were.
    async fn round(&self, limit: u64, looked: &mut Option<Instant>) -> Result<u64> {
        let mut claimed = self.claim(limit, looked).await?;
        if claimed.is_empty() {
            return Ok(0);
        }
        let count = claimed.len() as u64;
        let ids: Vec<_> = claimed.iter().map(|activity| activity.activity_id).collect();
        let spans = self.begin(&mut claimed);
        let asking = self.resolve(claimed);
        let asked = match asks(&spans) {
            Some(span) => span.run(asking).await,
            None => asking.await,
        };
        let settled = match asked {
            Ok(resolved) => self.settle(resolved).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &settled {
            spans.iter().for_each(|span| span.fail(error.reason()));
            self.database.write(move |tx| async move { store::pending::release(&tx, &ids).await }).await?;
        }
        self.report(settled?);
        Ok(count)
    }

    /// Begins a span for each activity, in the trace that it came with; what is announced of it comes from there.
    fn begin(&self, claimed: &mut [Activity]) -> Vec<Span> {
        let spans: Vec<_> = claimed
            .iter_mut()
            .map(|activity| {
                let span = self.tracer.start(SpanKind::Internal, "identify activity", activity.origin);
                activity.origin = span.origin();
                span
            })
            .collect();
        // One question is asked for all of them, in the trace of one: the others say where.
        if let Some(asking) = asks(&spans) {
            let others = spans.iter().filter(|span| span.origin() != asking.origin());
            others.for_each(|span| span.link(asking.origin()));
        }
        spans
    }

    /// Asks contact about all at once, and where that fails for what was asked, about each by itself.
    async fn resolve(&self, claimed: Vec<Activity>) -> Result<Vec<(Activity, Resolution)>> {
        let together = self.contact.resolve(claimed.iter().map(claim).collect()).await;
        match together {
            Ok(resolutions) => return Ok(claimed.into_iter().zip(resolutions).collect()),
            Err(Failure::Down(error)) => return Err(error),
            Err(Failure::Asked(_)) => {}
        }
        let mut resolved = Vec::with_capacity(claimed.len());
        for activity in claimed {
            let resolution = match self.contact.resolve(vec![claim(&activity)]).await {
                Ok(mut resolutions) => resolutions.pop(),
                Err(Failure::Asked(resolution)) => Some(resolution),
                Err(Failure::Down(error)) => return Err(error),
            };
            resolved.extend(resolution.map(|resolution| (activity, resolution)));
        }
        Ok(resolved)
    }

    /// Writes what was found out and announces who was identified, in one transaction.
    async fn settle(&self, resolved: Vec<(Activity, Resolution)>) -> Result<Settled> {
        let now = self.clock.now();
        self.database
            .write(move |tx| async move {
                let ids: Vec<_> = resolved.iter().map(|(activity, _)| activity.activity_id).collect();
                let pending: HashSet<_> = store::pending::lock(&tx, &ids).await?.into_iter().collect();
                let gone = tombstones::among(&tx, &contacts(&resolved)).await?;
                let (mut identified, mut refused, mut failed) = (Vec::new(), Vec::new(), Vec::new());
                let mut known = BTreeMap::new();
                let mut suppressed = Vec::new();
                for (activity, resolution) in resolved {
                    let id = activity.activity_id;
                    match resolution {
                        // Another one has settled it meanwhile.
                        _ if !pending.contains(&id) => {}
                        Resolution::Identified(party, _) if party.contact_id.is_some_and(|id| gone.contains(&id)) => {
                            suppressed.push(activity.suppressed());
                        }
                        Resolution::Suppressed => suppressed.push(activity.suppressed()),
                        Resolution::Identified(party, visitors) => {
                            let first = identified.first().filter(|_| plant::is(Plant::Misidentify));
                            let party = first.map_or(party, |(_, first)| *first);
                            announce::note_account(&mut known, &party, visitors);
                            identified.push((activity, party));
                        }
                        Resolution::Refused(refusal) => refused.push((activity, refusal)),
                        Resolution::Failed(refusal) => {
                            let attempts = activity.attempts.saturating_add(1);
                            failed.push((id, attempts, next_attempt(now, attempts), refusal));
                        }
                    }
                }
                let settled = Settled {
                    identified: identified.iter().map(|(activity, _)| activity.activity_id).collect(),
                    quarantined: refused.iter().map(|(it, refusal)| (it.activity_id, refusal.reason.clone())).collect(),
                };
                store::pending::identify(&tx, &identified).await?;
                store::pending::suppress(&tx, &suppressed).await?;
                let of_nobody = suppressed.into_iter().map(|activity| (activity, Party::default()));
                identified.extend(of_nobody);
                announce::identified(&tx, &identified, &known, now).await?;
                store::pending::set_aside(&tx, refused, now).await?;
                store::pending::postpone(&tx, failed).await?;
                Ok(settled)
            })
            .await
    }

    fn report(&self, settled: Settled) {
        self.metrics.identified(settled.identified.len());
        for (activity_id, reason) in settled.quarantined {
            self.metrics.set_aside(&reason);
            tracing::warn!(%activity_id, reason, "an activity is set aside: who did it can never be told");
        }
    }
}

fn claim(activity: &Activity) -> IdentityClaim {
    wire::claim(&activity.payload, &activity.source)
}

/// The span in which all are asked about: one that is recorded, if there is one.
fn asks(spans: &[Span]) -> Option<&Span> {
    let is_known = |span: &&Span| span.origin() != Origin::default();
    spans.iter().find(|span| span.is_recorded()).or_else(|| spans.iter().find(is_known))
}

/// The contacts that these turned out to be of.
fn contacts(resolved: &[(Activity, Resolution)]) -> Vec<Uuid> {
    let contact = |(_, resolution): &(Activity, Resolution)| match resolution {
        Resolution::Identified(party, _) => party.contact_id,
        _ => None,
    };
    resolved.iter().filter_map(contact).collect()
}
