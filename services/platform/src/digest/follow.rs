//! The consumer's side: compares at the start and every interval, and asks again for what differs.

use std::time::{Duration, Instant};

use futures::future::join_all;
use leadflow_proto::common::v1::{self as pb, digest_service_client::DigestServiceClient};
use tokio_util::sync::CancellationToken;

use super::{
    Buckets, END_OF_TIME, Facts, Span, WIDTHS, differing,
    instruments::Instruments,
    progress::{Progress, Run},
    serve::{from_message, to_message},
    spans,
};
use crate::{
    bus::{Bus, Consumer},
    db::Database,
    error::{Error, Result},
    ids,
    metrics::Metrics,
    rpc::{self, MAX_ANSWER},
};

/// How long the consumer may take to handle what its stream holds; longer, and it is behind.
const PATIENCE: Duration = Duration::from_secs(60);
/// How soon a comparison that could not be made is tried again, at first and at the most.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// What a consumer holds of a producer's facts.
#[derive(Debug)]
pub struct Comparison {
    /// The name of the kind in the contract, for example `accounts`.
    pub kind: &'static str,
    /// What was taken in.
    pub facts: Facts,
    /// What takes it in.
    pub consumer: Consumer,
    /// The service that announces it.
    pub producer: rpc::Client,
}

/// Compares at the start and every `interval`, until shutdown. Replicas may do so at once: asked twice, a producer
/// announces twice, which has no second effect.
pub(crate) async fn follow(
    comparisons: Vec<Comparison>,
    interval: Duration,
    database: Database,
    bus: Bus,
    metrics: Metrics,
    shutdown: CancellationToken,
) {
    let instruments = Instruments::new(&metrics, comparisons.iter().map(|comparison| comparison.kind));
    let followers = comparisons.into_iter().map(|comparison| {
        let producer = DigestServiceClient::new(comparison.producer.clone()).max_decoding_message_size(MAX_ANSWER);
        let (database, bus, instruments) = (database.clone(), bus.clone(), instruments.clone());
        Follower { comparison, producer, database, bus, instruments }.run(interval, &shutdown)
    });
    join_all(followers).await;
}

struct Follower {
    comparison: Comparison,
    producer: DigestServiceClient<rpc::Client>,
    database: Database,
    bus: Bus,
    instruments: Instruments,
}

impl Follower {
    async fn run(self, interval: Duration, shutdown: &CancellationToken) {
        let kind = self.comparison.kind;
        let (mut progress, mut failures) = (Progress::default(), 0_u32);
        loop {
            let compared = tokio::select! {
                () = shutdown.cancelled() => return,
                compared = self.compare(&mut progress) => compared,
            };
            let pause = match compared {
                Ok(()) => {
                    failures = 0;
                    interval
                }
                Err(error) => {
                    failures += 1;
                    // Somebody who is away or behind for a moment is nothing to wake anybody for; the age shows it.
                    if error.is_transient() {
                        tracing::info!(kind, %error, failures, "not compared with the producer; trying again");
                    } else {
                        tracing::warn!(kind, %error, failures, "not compared with the producer; trying again");
                    }
                    (RETRY[0] * 2_u32.pow(failures.min(7) - 1)).min(RETRY[1]).min(interval)
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(spread(pause)) => {}
            }
        }
    }

    /// One comparison.
    async fn compare(&self, progress: &mut Progress) -> Result<()> {
        let kind = self.comparison.kind;
        let mut run = progress.begin(Instant::now());
        let span = Span { begin: run.begin, end: END_OF_TIME };
        match self.descend(span, &WIDTHS, &mut run, progress).await {
            Ok(()) => {
                let differing = run.differing;
                progress.finish(run, Instant::now());
                let stuck = progress.stuck();
                if stuck > 0 {
                    tracing::error!(kind, stuck, "what the producer announces again and again is not taken in");
                }
                self.instruments.compared(kind, differing, stuck);
                Ok(())
            }
            Err(error) => {
                progress.give_up(run);
                Err(error)
            }
        }
    }

    /// Compares a span in buckets of the first width, and what differs in those of the next.
    async fn descend(&self, mut span: Span, widths: &[u64], run: &mut Run, progress: &Progress) -> Result<()> {
        let [width, narrower @ ..] = widths else { return Ok(()) };
        loop {
            let (theirs, end) = self.theirs(span, *width, run).await?;
            self.bus.caught_up(&self.comparison.consumer, PATIENCE).await?;
            let looked_at = Span { end, ..span };
            let ours = self.comparison.facts.sum_up(self.database.reader(), looked_at, *width).await?;
            let differing = differing(&theirs, &ours);
            if narrower.is_empty() {
                self.ask(differing, run, progress).await?;
            } else {
                for span in spans(&differing, *width, looked_at) {
                    Box::pin(self.descend(span, narrower, run, progress)).await?;
                }
            }
            if end >= span.end {
                return Ok(());
            }
            span.begin = end;
        }
    }

    /// What the producer has announced, and published, and until where the answer goes.
    async fn theirs(&self, span: Span, width: u64, run: &mut Run) -> Result<(Buckets, u64)> {
        let request = pb::GetDigestsRequest {
            kind: self.comparison.kind.to_owned(),
            begin_millis: span.begin,
            end_millis: span.end,
            width_millis: width,
        };
        let answer = self.producer.clone().get_digests(request).await?.into_inner();
        if answer.end_millis <= span.begin || answer.end_millis > span.end {
            return Err(Error::internal("the producer's digests lead nowhere"));
        }
        run.settle(answer.settled_millis);
        Ok((answer.digests.iter().map(from_message).collect::<Result<_>>()?, answer.end_millis))
    }

    /// Has the producer announce these milliseconds again.
    async fn ask(&self, mut differing: Buckets, run: &mut Run, progress: &Progress) -> Result<()> {
        differing.retain(|millis, theirs| run.differs(progress, *millis, *theirs));
        if differing.is_empty() {
            return Ok(());
        }
        let kind = self.comparison.kind;
        let digests = differing.into_iter().map(to_message).collect();
        let request = pb::AnnounceAgainRequest { kind: kind.to_owned(), digests };
        let facts = self.producer.clone().announce_again(request).await?.into_inner().announced;
        if facts > 0 {
            tracing::warn!(kind, facts, "events got lost on the bus; the producer announces them again");
        }
        self.instruments.asked(kind, facts);
        Ok(())
    }
}

/// Up to a tenth more or less, so that replicas do not all ask at once.
fn spread(pause: Duration) -> Duration {
    let dice = (ids::new().as_u128() & 0xffff) as f64 / f64::from(0xffff_u32);
    pause.mul_f64(0.9 + 0.2 * dice)
}
