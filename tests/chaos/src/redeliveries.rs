//! Counts what the bus has handed out more than once, from the metrics of all consumers.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::world::World;

/// How often the counters are read. What a process counts after that and before its death is not seen: the sum is too
/// low rather than too high.
const EVERY: Duration = Duration::from_millis(500);
const METRIC: &str = "leadflow_consumer_redelivered_total";

/// Reads the counters of all processes until `stop`.
pub(crate) async fn count(world: Arc<World>, total: Arc<AtomicU64>, stop: CancellationToken) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(1)).build()?;
    let ports: Vec<_> = world.fleet().members.iter().map(|member| member.admin_port).collect();
    let mut seen: HashMap<(u16, String), u64> = HashMap::new();
    while !stop.is_cancelled() {
        let read = |port: &u16| read(client.clone(), *port);
        for (port, text) in futures::future::join_all(ports.iter().map(read)).await.into_iter().flatten() {
            for (series, value) in counters(&text) {
                let before = seen.insert((port, series), value).unwrap_or(0);
                // A process that was started again counts from nothing.
                total.fetch_add(if value >= before { value - before } else { value }, Ordering::Relaxed);
            }
        }
        let _ = tokio::time::timeout(EVERY, stop.cancelled()).await;
    }
    Ok(())
}

async fn read(client: reqwest::Client, port: u16) -> Option<(u16, String)> {
    let answer = client.get(format!("http://127.0.0.1:{port}/metrics")).send().await.ok()?;
    Some((port, answer.text().await.ok()?))
}

/// The series of the metric with their values.
fn counters(text: &str) -> Vec<(String, u64)> {
    let lines = text.lines().filter(|line| line.starts_with(METRIC));
    lines
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(name, value)| Some((name.into(), whole(value)?)))
        .collect()
}

fn whole(text: &str) -> Option<u64> {
    text.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counters_are_found_in_what_prometheus_reads() {
        let text = "# TYPE leadflow_consumer_redelivered_total counter\n\
                    leadflow_consumer_redelivered_total{consumer=\"routing-leads\"} 12\n\
                    leadflow_consumer_pending{consumer=\"routing-leads\"} 3\n";
        let found = counters(text);
        assert_eq!(found, [("leadflow_consumer_redelivered_total{consumer=\"routing-leads\"}".to_owned(), 12)]);
    }
}
