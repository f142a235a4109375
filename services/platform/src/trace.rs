//! Traces: one for each activity, from the door to the assignment, through every role and every batch.
//!
//! What was done is a [`Span`]; what it was done for is an [`Origin`], which is one `traceparent` (W3C) and travels in
//! the headers of calls and of events, and in the tables where something waits. A role whose spans go nowhere hands
//! the origins on all the same, so that the chain holds on both sides of it.
//!
//! The spans of this module are made by the interface of OpenTelemetry itself. A layer under `tracing` would be one for
//! the whole process; here each role has a [`Tracer`] of its own, also when all roles run in one process. The log
//! joins by `trace_id`.

use std::{borrow::Cow, future::Future, time::Duration};

use opentelemetry::{
    Context, KeyValue,
    trace::{FutureExt as _, SpanBuilder, Status, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::Instrument as _;

use crate::error::Result;

pub use crate::trace::{export::Config, http::edge, origin::Origin};
pub use opentelemetry::trace::SpanKind;

mod export;
mod http;
mod origin;

/// The header that carries an origin.
pub const HEADER: &str = "traceparent";
/// How long the last spans may take to go out.
const FLUSH: Duration = Duration::from_secs(5);

/// Makes the spans of one role.
#[derive(Clone, Debug, Default)]
pub struct Tracer(Option<Exporting>);

#[derive(Clone, Debug)]
struct Exporting {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Tracer {
    /// The tracer of `role`; one that makes no spans when nothing says where they go.
    ///
    /// # Errors
    /// `INTERNAL` when the exporter cannot be made.
    pub fn new(role: &str, config: &Config) -> Result<Self> {
        let exporting = export::provider(role, config)?.map(|provider| {
            let tracer = provider.tracer("leadflow");
            Exporting { provider, tracer }
        });
        Ok(Self(exporting))
    }

    /// Begins a span that `origin` has brought about, or the first one of a trace.
    pub fn start(&self, kind: SpanKind, name: impl Into<Cow<'static, str>>, origin: Origin) -> Span {
        let (context, is_own) = match &self.0 {
            Some(exporting) => (exporting.start(kind, name.into(), &origin.context()), true),
            None => (origin.context(), false),
        };
        Span { context, is_own, is_entry: true }
    }

    /// Sends what was not sent yet, within five seconds. The last thing that a role does.
    pub async fn close(self) {
        let Some(Exporting { provider, .. }) = self.0 else { return };
        let flushed = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH));
        match tokio::time::timeout(FLUSH, flushed).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last spans were not sent"),
            Ok(Err(error)) => tracing::warn!(%error, "the last spans were not sent"),
            Err(_) => tracing::warn!("the last spans were not sent within {FLUSH:?}"),
        }
    }
}

impl Exporting {
    fn start(&self, kind: SpanKind, name: Cow<'static, str>, parent: &Context) -> Context {
        let span = self.tracer.build_with_context(SpanBuilder::from_name(name).with_kind(kind), parent);
        let context = Context::new().with_span(span);
        // What is done inside finds here who makes its spans.
        if context.span().is_recording() { context.with_value(self.clone()) } else { context }
    }
}

/// Begins a span inside the one that runs here. Outside of any there is none.
pub fn child(kind: SpanKind, name: impl Into<Cow<'static, str>>) -> Span {
    Context::map_current(|current| {
        let (context, is_own) = match current.get::<Exporting>() {
            Some(exporting) => (exporting.start(kind, name.into(), current), true),
            None => (current.clone(), false),
        };
        Span { context, is_own, is_entry: false }
    })
}

/// Something that is being done. It ends when it is dropped.
///
/// Where no spans are made it is only the place in somebody else's trace, or nothing at all.
#[derive(Debug)]
pub struct Span {
    context: Context,
    /// It was made here, and ends here.
    is_own: bool,
    /// The trace comes in here.
    is_entry: bool,
}

impl Span {
    /// What comes of it says that it comes from here.
    pub fn origin(&self) -> Origin {
        Origin::of(&self.context)
    }

    /// Runs in it. Where a trace comes in, the lines of the log say from here on which one it is.
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let log = match self.origin().trace_id() {
            // Of the highest level, so that no filter takes the id away from the lines that are left.
            Some(trace_id) if self.is_entry => tracing::error_span!("trace", %trace_id),
            _ => tracing::Span::none(),
        };
        future.with_context(self.context.clone()).instrument(log)
    }

    /// Says more of it, when it is recorded. Never anything of a person.
    pub fn describe<const N: usize>(&self, attributes: impl FnOnce() -> [KeyValue; N]) {
        if self.is_recorded() {
            self.context.span().set_attributes(attributes());
        }
    }

    /// Says in which other span a part of it was done.
    pub fn link(&self, other: Origin) {
        if self.is_recorded() && other.trace_id().is_some() {
            self.context.span().add_link(other.span_context(), Vec::new());
        }
    }

    /// Whether somebody will see it.
    pub fn is_recorded(&self) -> bool {
        self.is_own && self.context.span().is_recording()
    }

    /// It did not succeed, for this stable reason.
    pub fn fail(&self, reason: &str) {
        self.describe(|| [KeyValue::new("error.type", reason.to_owned())]);
        if self.is_own {
            self.context.span().set_status(Status::error(reason.to_owned()));
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        // What was started inside may hold the context longer than the span takes.
        if self.is_own {
            self.context.span().end();
        }
    }
}

/// Runs a future that becomes a task of its own where it was made: in the same span, with the same log.
pub(crate) fn carry<F: Future>(future: F) -> impl Future<Output = F::Output> + use<F> {
    future.with_current_context().in_current_span()
}
