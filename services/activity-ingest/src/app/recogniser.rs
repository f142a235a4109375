//! Recognises who did what before it is written. What is recognised enters the ledger identified, and is announced in the
//! same transaction: no claim, no second write. Who tells contact something new is found out afterwards, from the
//! ledger, since nothing may be made known that is not committed yet.

use std::time::Duration;

use leadflow_platform::trace::{SpanKind, Tracer};
use tokio::time::{Instant, timeout};

use crate::{app::ledger::Group, contact::Contact, wire};

/// How long an acceptance waits for contact at the most.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long contact is left alone when it did not answer.
const REST: Duration = Duration::from_secs(5);

/// Asks contact whom it knows.
#[derive(Debug)]
pub(crate) struct Recogniser {
    contact: Contact,
    tracer: Tracer,
    rest_end: Option<Instant>,
}

impl Recogniser {
    /// Asks this contact service.
    pub(crate) fn new(contact: Contact, tracer: Tracer) -> Self {
        Self { contact, tracer, rest_end: None }
    }

    /// Says in the entries of these groups who did it, where contact knows it at once.
    pub(crate) async fn recognise(&mut self, groups: impl IntoIterator<Item = &mut Group>) {
        if self.rest_end.is_some_and(|end| Instant::now() < end) {
            return;
        }
        let entries = groups.into_iter().flat_map(|Group { entries, origin, .. }| {
            let origin = *origin;
            entries.iter_mut().map(move |entry| (entry, origin))
        });
        let entries: Vec<_> = entries.collect();
        if entries.is_empty() {
            return;
        }
        let claims = entries.iter().map(|(entry, _)| wire::claim(&entry.payload, &entry.source)).collect();
        let Ok(Ok(known)) = timeout(PATIENCE, self.contact.recognise(claims)).await else {
            tracing::debug!("contact recognises nobody right now");
            self.rest_end = Some(Instant::now() + REST);
            return;
        };
        for ((entry, origin), recognised) in entries.into_iter().zip(known) {
            if recognised.is_some() {
                // What is announced comes from here, as it does when the identifier finds it out.
                let span = self.tracer.start(SpanKind::Internal, "identify activity", entry.origin.or(origin));
                entry.origin = span.origin();
            }
            entry.recognised = recognised;
        }
    }
}
