//! What the identifier announces, and announces again: who did what, and what that says about contacting them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use leadflow_platform::{
    Result,
    db::Tx,
    outbox::{self, Message},
};
use prost::Message as _;
use uuid::Uuid;

use crate::{
    domain::{activity::Activity, resolution::Party},
    store, wire,
};

/// The subject on which identified activities are announced.
const RECORDED: &str = "leadflow.activity.v1.recorded";
/// The subject on which it is announced what they say about contacting people.
const CONSENT_RECORDED: &str = "leadflow.activity.v1.consent_recorded";
/// The subject on which activities are announced that belong to another account than before.
const REATTRIBUTED: &str = "leadflow.activity.v1.reattributed";

/// Announces all that follows from activities that have just been identified, and moves what people have done before to
/// the accounts where they are known to be.
pub(super) async fn identified(
    tx: &Tx,
    identified: &[(Activity, Party)],
    known: &BTreeMap<Uuid, (Uuid, i64)>,
    now: Timestamp,
) -> Result<()> {
    activities(tx, identified, now).await?;
    statements(tx, identified, now).await?;
    confirmations(tx, identified).await?;
    reattribute(tx, known, now).await
}

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

/// Notes which consents the persons have to confirm, and which they have confirmed.
async fn confirmations(tx: &Tx, identified: &[(Activity, Party)]) -> Result<()> {
    let said =
        identified.iter().filter_map(|(it, party)| Some((it, it.payload.statement.as_ref()?, party.contact_id?)));
    let asked = said.clone().filter_map(|(it, said, _)| Some((it.activity_id, said.expire_time(it.record_time)?)));
    store::confirmations::note(tx, &asked.collect::<Vec<_>>()).await?;
    store::confirmations::settle(tx, said.filter_map(|(_, said, _)| said.confirms).collect()).await
}

/// Notes where a person is, and all visitors who turned out to be that person.
pub(super) fn note_account(
    known: &mut BTreeMap<Uuid, (Uuid, i64)>,
    party: &Party,
    visitors: impl IntoIterator<Item = Uuid>,
) {
    if let (Some(contact_id), Some(account_id)) = (party.contact_id, party.account_id) {
        let people = visitors.into_iter().chain([contact_id]);
        known.extend(people.map(|person| (person, (account_id, party.account_revision))));
    }
}

/// What these people have done before it was known where they are, counts for the account where they are.
async fn reattribute(tx: &Tx, known: &BTreeMap<Uuid, (Uuid, i64)>, now: Timestamp) -> Result<()> {
    reattributions(tx, &store::reattribution::move_to(tx, known).await?, now).await
}

/// Announces activities that belong to another account than before.
pub(super) async fn reattributions(tx: &Tx, moved: &[(Activity, Party)], now: Timestamp) -> Result<()> {
    let message = |(activity, party): &(Activity, Party)| Message {
        subject: REATTRIBUTED.to_owned(),
        payload: wire::reattributed(activity, party).encode_to_vec(),
        origin: activity.origin,
    };
    outbox::announce_all(tx, moved.iter().map(message).collect(), now).await
}
