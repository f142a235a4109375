//! How long it takes after a fault until the suite works from end to end again: the time until an activity that was
//! accepted after the fault is scored and its hot lead is with routing. Whatever happens meanwhile counts against us.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use leadflow_platform::clock::Clock;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    activity::{Activity, Door, Identity},
    book::{Answer, Book},
    buyers::Planned,
    doors::Doors,
    tables::Tables,
    world::lock,
};

/// How often a company that nobody knows asks for a quotation.
const EVERY: Duration = Duration::from_millis(500);
/// How often it is looked whether their leads have come to routing.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug)]
struct Probe {
    accepted: Instant,
    routed: Option<Instant>,
}

/// The probes so far, by activity.
#[derive(Debug, Default)]
pub(crate) struct Probes(Mutex<HashMap<String, Probe>>);

impl Probes {
    /// Sends probes until `stop`.
    pub(crate) async fn send(self: Arc<Self>, doors: Arc<Doors>, book: Arc<Book>, stop: CancellationToken) {
        let mut number = 0;
        while !stop.is_cancelled() {
            number += 1;
            let (probes, doors, book) = (self.clone(), doors.clone(), book.clone());
            tokio::spawn(async move {
                let planned = probe(number);
                let index = book.open(&planned);
                let answer = doors.send(index, &planned).await;
                if let Answer::Kept(Some(id)) = &answer {
                    lock(&probes.0).insert(id.clone(), Probe { accepted: Instant::now(), routed: None });
                }
                book.answered(index, answer);
            });
            let _ = tokio::time::timeout(EVERY, stop.cancelled()).await;
        }
    }

    /// Notes when the leads of the probes have come to routing, until `stop`.
    pub(crate) async fn watch(self: Arc<Self>, tables: Arc<Tables>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // While the database is down nobody can say; it is asked again.
            let _ = self.look(&tables).await;
            let _ = tokio::time::timeout(LOOK, stop.cancelled()).await;
        }
    }

    async fn look(&self, tables: &Tables) -> anyhow::Result<()> {
        let waiting: Vec<_> =
            lock(&self.0).iter().filter(|(_, probe)| probe.routed.is_none()).map(|(id, _)| format!("'{id}'")).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let scored = format!(
            "SELECT l.lead_id::text, e.activity_id::text FROM evidence e JOIN leads l ON l.account_id = e.account_id \
             WHERE e.activity_id IN ({})",
            waiting.join(",")
        );
        let leads: HashMap<_, _> = tables.pairs("scoring", &scored).await?.into_iter().collect();
        if leads.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = leads.keys().map(|id| format!("'{id}'")).collect();
        let routed = format!("SELECT DISTINCT lead_id::text FROM hand_overs WHERE lead_id IN ({})", ids.join(","));
        let (routed, now) = (tables.column("routing", &routed).await?, Instant::now());
        let mut probes = lock(&self.0);
        for activity in routed.iter().filter_map(|lead| leads.get(lead)) {
            if let Some(probe) = probes.get_mut(activity) {
                probe.routed = Some(now);
            }
        }
        Ok(())
    }

    /// How long each fault was felt after its end; none for a fault that was never recovered from.
    pub(crate) fn recoveries(&self, ends: &[(Instant, String)]) -> Vec<Recovery> {
        let probes = lock(&self.0);
        let after = |end: Instant| {
            let later = probes.values().filter(|probe| probe.accepted >= end);
            later.filter_map(|probe| Some((probe.routed? - end, probe.accepted - end))).min()
        };
        let recovery = |(end, fault): &(Instant, String)| {
            let (took, accepted) = after(*end).unzip();
            Recovery { fault: fault.clone(), took, accepted }
        };
        ends.iter().map(recovery).collect()
    }
}

/// How long a fault was felt after its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recovery {
    pub(crate) fault: String,
    /// Until the first probe that was accepted after it was with routing.
    pub(crate) took: Option<Duration>,
    /// Until this probe was accepted.
    pub(crate) accepted: Option<Duration>,
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.took.zip(self.accepted) {
            Some((took, accepted)) => {
                write!(f, "{:>7.1} s, accepted after {:>4.1} s: ", took.as_secs_f64(), accepted.as_secs_f64())?;
            }
            None => f.write_str("                           never: ")?,
        }
        f.write_str(&self.fault)
    }
}

/// The nearest rank of a share of the recoveries; none when it was never recovered from, or nothing happened.
pub(crate) fn percentile(recoveries: &[Recovery], share: f64) -> Option<Duration> {
    let mut sorted: Vec<_> = recoveries.iter().map(|recovery| recovery.took.unwrap_or(Duration::MAX)).collect();
    sorted.sort_unstable();
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().filter(|time| *time < Duration::MAX)
}

fn probe(number: usize) -> Planned {
    let activity = Activity {
        activity_type: "quote_requested".into(),
        channel: "phone".into(),
        product_category: "sensors".into(),
        occur_time: Clock::system().now().as_millisecond(),
        identity: Identity {
            email: format!("buyer@probe-{number}.fr"),
            company: format!("Probe {number}"),
            country: "FR".into(),
            ..Identity::default()
        },
        attributes: [("minutes".to_owned(), json!(7))].into(),
        answers: [].into(),
        object_id: String::new(),
    };
    let source_event_id = format!("probe-{number}");
    Planned { door: Door::Grpc, source_event_id, activity, poison: None, copies: vec![Duration::ZERO] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_is_from_the_end_of_a_fault_to_the_first_later_probe_that_has_arrived() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let probes = Probes::default();
        for (id, accepted, routed) in [("a", 1, Some(20)), ("b", 6, Some(9)), ("c", 7, Some(8)), ("d", 30, None)] {
            lock(&probes.0).insert(id.into(), Probe { accepted: at(accepted), routed: routed.map(at) });
        }
        let ends = [(at(5), "kill".to_owned()), (at(10), "pause".to_owned())];
        let recoveries = probes.recoveries(&ends);
        let took: Vec<_> = recoveries.iter().map(|recovery| recovery.took).collect();
        assert_eq!(took, [Some(Duration::from_secs(3)), None]);
        assert_eq!(percentile(&recoveries, 0.5), Some(Duration::from_secs(3)));
        assert_eq!(percentile(&recoveries, 0.99), None, "what was never recovered from is the longest of all");
    }
}
