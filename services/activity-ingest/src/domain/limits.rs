//! How much of anything an activity may carry, so that one sender cannot fill the ledger.

use jiff::{SignedDuration, Timestamp};

/// Activities in one call.
pub(crate) const MAX_ITEMS: usize = 1000;
/// Bytes of the source's own id of the event.
pub(crate) const MAX_EVENT_ID: usize = 200;
/// Bytes of an email address, a name and whatever else says who did it (RFC 3696 allows an address 320).
pub(crate) const MAX_IDENTITY: usize = 320;
/// Bytes of what it was done to.
pub(crate) const MAX_OBJECT_ID: usize = 500;
/// Bytes of free text.
pub(crate) const MAX_NOTES: usize = 10_000;
/// Bytes of the name of an attribute, an answer or an activity type.
pub(crate) const MAX_KEY: usize = 63;
/// Bytes of the value of an attribute or an answer.
pub(crate) const MAX_VALUE: usize = 1000;
/// Attributes, and answers, of one activity.
pub(crate) const MAX_FIELDS: usize = 100;
/// Bytes of a telephone system's own id of a call.
pub(crate) const MAX_CALL_ID: usize = 200;
/// How long a call may take; longer is a clock that was not stopped.
pub(crate) const MAX_CALL: SignedDuration = SignedDuration::from_hours(24);
/// Bytes of an address on the web.
pub(crate) const MAX_URL: usize = 2000;

/// How far ahead of our clock a source's clock may be.
pub(crate) const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// How long a person may be given to confirm a consent, in seconds: a minute to 90 days.
pub(crate) const CONFIRM_WITHIN: std::ops::RangeInclusive<u32> = 60..=90 * 86_400;

/// Nothing happened before 2000-01-01T00:00:00Z.
pub(crate) fn earliest() -> Timestamp {
    Timestamp::constant(946_684_800, 0)
}
