//! What has brought something about, in one line of text.

use std::fmt;

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};

use super::HEADER;

/// The span that something comes from, or none that is known.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin(Option<Place>);

#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
}

impl Origin {
    /// The span that runs here.
    pub fn current() -> Self {
        Context::map_current(Self::of)
    }

    pub(super) fn of(context: &Context) -> Self {
        let span = context.span();
        let place = span.span_context();
        Self(place.is_valid().then(|| Place {
            trace_id: place.trace_id(),
            span_id: place.span_id(),
            flags: place.trace_flags(),
        }))
    }

    /// Reads a `traceparent`. What is none is no origin: a caller's mistake in it must not cost the call.
    pub fn parse(text: &str) -> Self {
        Self(parse(text))
    }

    /// What the headers of a call say.
    pub fn of_headers(headers: &http::HeaderMap) -> Self {
        headers.get(HEADER).and_then(|value| value.to_str().ok()).map(Self::parse).unwrap_or_default()
    }

    /// The `traceparent`.
    pub fn traceparent(self) -> Option<String> {
        self.0.map(|place| place.to_string())
    }

    /// This one where it is known, otherwise the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }

    /// The trace that it belongs to.
    pub fn trace_id(self) -> Option<TraceId> {
        self.0.map(|place| place.trace_id)
    }

    pub(super) fn span_context(self) -> SpanContext {
        self.0.map_or(SpanContext::NONE, |place| {
            SpanContext::new(place.trace_id, place.span_id, place.flags, true, TraceState::NONE)
        })
    }

    pub(super) fn context(self) -> Context {
        let empty = Context::new();
        if self.0.is_some() { empty.with_remote_span_context(self.span_context()) } else { empty }
    }
}

/// Of a later version only what this one knows is read: <https://www.w3.org/TR/trace-context/#versioning-of-traceparent>.
fn parse(text: &str) -> Option<Place> {
    let mut fields = text.splitn(5, '-');
    let version = hex::<2>(fields.next()?)?;
    let (trace_id, span_id, flags) =
        (hex::<32>(fields.next()?)?, hex::<16>(fields.next()?)?, hex::<2>(fields.next()?)?);
    if version == "ff" || (version == "00" && fields.next().is_some()) {
        return None;
    }
    let place = Place {
        trace_id: TraceId::from_hex(trace_id).ok()?,
        span_id: SpanId::from_hex(span_id).ok()?,
        flags: TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED,
    };
    (place.trace_id != TraceId::INVALID && place.span_id != SpanId::INVALID).then_some(place)
}

/// The text when it is that many digits, in lower case.
fn hex<const N: usize>(text: &str) -> Option<&str> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == N && text.bytes().all(is_digit)).then_some(text)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(place) => fmt::Display::fmt(&place, f),
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_is_handed_on_as_it_came() {
        assert_eq!(Origin::parse(PARENT).traceparent().as_deref(), Some(PARENT));
        let unsampled = PARENT.replace("-01", "-00");
        assert_eq!(Origin::parse(&unsampled).traceparent(), Some(unsampled));
        assert_eq!(Origin::parse(PARENT).trace_id().unwrap().to_string(), "0af7651916cd43dd8448eb211c80319c");
    }

    #[test]
    fn of_a_later_version_the_part_that_is_known_is_read() {
        let later = PARENT.replacen("00", "cc", 1) + "-what-the-future-may-be-like";
        assert_eq!(Origin::parse(&later), Origin::parse(PARENT));
    }

    #[test]
    fn what_is_no_traceparent_is_no_origin() {
        let spoilt = [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b71692033310-01",
        ];
        for text in spoilt {
            assert_eq!(Origin::parse(text), Origin::default(), "{text}");
        }
        assert_eq!(Origin::default().traceparent(), None);
    }
}
