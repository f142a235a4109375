//! What the identifier announces, and announces again: who did what, and what that says about contacting them.

use jiff::Timestamp;
use leadflow_platform::{
    Result,
    db::Tx,
    outbox::{self, Message},
};
use prost::Message as _;

use crate::{
    domain::{activity::Activity, resolution::Party},
    store, wire,
};

/// The subject on which identified activities are announced.
const RECORDED: &str = "leadflow.activity.v1.recorded";
/// The subject on which it is announced what they say about contacting people.
const CONSENT_RECORDED: &str = "leadflow.activity.v1.consent_recorded";

/// Announces activities that are identified.
pub(super) async fn activities(tx: &Tx, identified: &[(Activity, Party)], now: Timestamp) -> Result<()> {
    let message = |(activity, party): &(Activity, Party)| Message {
        subject: RECORDED.to_owned(),
        payload: wire::recorded(activity, party).encode_to_vec(),
        origin: activity.origin,
    };
    outbox::announce_all(tx, identified.iter().map(message).collect(), now).await
}

/// Announces what identified activities say about contacting the person, where they say anything and it is known who it
/// was.
pub(super) async fn statements(tx: &Tx, identified: &[(Activity, Party)], now: Timestamp) -> Result<()> {
    let said = |(activity, party): &(Activity, Party)| {
        let statement = activity.payload.statement.as_ref()?;
        let event = wire::consent_recorded(activity, statement, party.contact_id?);
        let message =
            Message { subject: CONSENT_RECORDED.to_owned(), payload: event.encode_to_vec(), origin: activity.origin };
        Some((activity.activity_id, message))
    };
    let (ids, messages): (Vec<_>, Vec<_>) = identified.iter().filter_map(said).unzip();
    store::statements::note(tx, &ids).await?;
    outbox::announce_all(tx, messages, now).await
}
