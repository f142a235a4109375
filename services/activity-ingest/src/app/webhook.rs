//! What providers post: checked against the key of its source, then taken in like everything else.

use leadflow_platform::{Result, auth::Principal};

use crate::{
    app::{App, Outcome},
    domain::{door::Door, limits::MAX_ITEMS, sendgrid, signature::PublicKey, source::Source},
    error,
};

/// What a provider has posted.
#[derive(Debug)]
pub(crate) struct Posted<'a> {
    pub(crate) provider: &'a str,
    pub(crate) source: &'a str,
    pub(crate) timestamp: &'a str,
    pub(crate) signature: &'a str,
    pub(crate) body: &'a [u8],
}

/// What became of the events of one post.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) accepted: usize,
    pub(crate) duplicate: usize,
    pub(crate) quarantined: usize,
    /// Events that say nothing of a buyer.
    pub(crate) ignored: usize,
}

impl Counts {
    fn add(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            match outcome {
                Outcome::Recorded(recorded) if recorded.duplicate => self.duplicate += 1,
                Outcome::Recorded(_) => self.accepted += 1,
                Outcome::Quarantined(..) | Outcome::Rejected(_) => self.quarantined += 1,
            }
        }
    }
}

impl App {
    /// Takes in what a provider has posted; returns after it is committed.
    ///
    /// # Errors
    /// `UNKNOWN_SOURCE`, `WEBHOOK_NOT_CONFIGURED`, `INVALID_SIGNATURE`, `STALE_SIGNATURE`; and as [`App::record`], after
    /// which the provider tries again.
    pub(crate) async fn record_webhook(&self, posted: Posted<'_>) -> Result<Counts> {
        let source = self.verify_webhook(&posted).await.inspect_err(|error| self.refused_webhook(error))?;
        let told = sendgrid::read(&source, posted.body);
        let principal = Principal::new(format!("webhook:{}:{}", posted.provider, posted.source));
        let mut counts = Counts { ignored: told.ignored, ..Counts::default() };
        self.metrics.ignored(Door::Webhook, told.ignored);
        let (mut rest, mut taken) = (told.incoming.into_iter(), 0);
        loop {
            let batch: Vec<_> = rest.by_ref().take(MAX_ITEMS).collect();
            let length = batch.len();
            if length == 0 {
                return Ok(counts);
            }
            match self.record(batch, &principal, Door::Webhook).await {
                // One of them keeps all out of the ledger, and must not hold up the others.
                Err(error) if !error.is_transient() => {
                    for one in sendgrid::read(&source, posted.body).incoming.into_iter().skip(taken).take(length) {
                        counts.add(&self.record_or_keep(one, &principal, Door::Webhook).await?);
                    }
                }
                outcomes => counts.add(&outcomes?),
            }
            taken += length;
        }
    }

    async fn verify_webhook(&self, posted: &Posted<'_>) -> Result<Source> {
        let source = self.source(posted.source).await?;
        let webhook = source.webhook.as_ref().filter(|webhook| webhook.provider == posted.provider);
        let webhook = webhook.ok_or_else(|| error::webhook_not_configured(posted.provider, posted.source))?;
        let key = PublicKey::parse(&webhook.public_key).ok_or_else(error::invalid_signature)?;
        key.verify(posted.timestamp, posted.signature, posted.body, self.clock.now())?;
        Ok(source)
    }

    /// Counts a post that is not let in.
    pub(crate) fn refused_webhook(&self, error: &leadflow_platform::Error) {
        self.metrics.received(Door::Webhook, 1);
        self.metrics.rejected(Door::Webhook, error, 1);
    }
}
