//! What scoring listens to.

use leadflow_platform::{
    Error, Result,
    bus::{Consumer, Delivery},
    ids,
};
use leadflow_proto::{
    activity::v1::{ActivityReattributed, ActivityRecorded},
    contact::v1::{AccountChanged, ContactChanged, ContactErased},
    routing::v1::{AssignmentEvent, HandOverHeld},
};

use crate::{app::App, contact::Contact, wire};

pub(crate) const ACTIVITIES: Consumer =
    Consumer { stream: "LEADFLOW_ACTIVITY", durable: "scoring-activities", subject: "leadflow.activity.v1.recorded" };
pub(crate) const REATTRIBUTIONS: Consumer = Consumer {
    stream: "LEADFLOW_ACTIVITY",
    durable: "scoring-reattributions",
    subject: "leadflow.activity.v1.reattributed",
};
pub(crate) const ACCOUNTS: Consumer =
    Consumer { stream: "LEADFLOW_CONTACT", durable: "scoring-accounts", subject: "leadflow.account.v1.changed" };
pub(crate) const CONTACTS: Consumer =
    Consumer { stream: "LEADFLOW_CONTACT", durable: "scoring-contacts", subject: "leadflow.contact.v1.changed" };
pub(crate) const ERASURES: Consumer =
    Consumer { stream: "LEADFLOW_CONTACT", durable: "scoring-erasures", subject: "leadflow.contact.v1.erased" };
pub(crate) const ASSIGNMENTS: Consumer =
    Consumer { stream: "LEADFLOW_ASSIGNMENT", durable: "scoring-assignments", subject: "leadflow.assignment.v1.>" };

pub(crate) async fn activities(app: App, deliveries: Vec<Delivery>) -> Result<()> {
    let decode = |delivery: &Delivery| wire::recorded(delivery.decode::<ActivityRecorded>()?, delivery.origin);
    app.record(deliveries.iter().map(decode).collect::<Result<_>>()?).await
}

pub(crate) async fn reattributions(app: App, deliveries: Vec<Delivery>) -> Result<()> {
    let decode = |delivery: &Delivery| {
        let moved = delivery.decode::<ActivityReattributed>()?.activity;
        let moved = moved.ok_or_else(|| Error::invalid("activity", "is missing"))?;
        wire::recorded(moved, delivery.origin)
    };
    app.reattribute(deliveries.iter().map(decode).collect::<Result<_>>()?).await
}

pub(crate) async fn accounts(app: App, deliveries: Vec<Delivery>) -> Result<()> {
    let decode = |delivery: &Delivery| wire::account_revision(delivery.decode::<AccountChanged>()?, delivery.origin);
    app.follow_accounts(deliveries.iter().map(decode).collect::<Result<_>>()?).await
}

pub(crate) async fn contacts(app: App, deliveries: Vec<Delivery>) -> Result<()> {
    let decode = |delivery: &Delivery| wire::contact_revision(delivery.decode::<ContactChanged>()?, delivery.origin);
    app.follow_contacts(deliveries.iter().map(decode).collect::<Result<_>>()?).await
}

/// Forgets each, and reports it to contact.
pub(crate) async fn erasures(app: App, contact: Contact, deliveries: Vec<Delivery>) -> Result<()> {
    for delivery in &deliveries {
        let event: ContactErased = delivery.decode()?;
        let erasure_id = ids::parse("erasure_id", &event.erasure_id)?;
        let contact_ids = event.contact_ids.iter().map(|id| ids::parse("contact_ids", id)).collect::<Result<_>>()?;
        contact.report_erasure(erasure_id, app.erase(contact_ids).await?).await?;
    }
    Ok(())
}

pub(crate) async fn assignments(app: App, deliveries: Vec<Delivery>) -> Result<()> {
    let mut news = Vec::with_capacity(deliveries.len());
    for delivery in &deliveries {
        let one = if delivery.subject.ends_with(".held") {
            Some(wire::held_news(delivery.decode::<HandOverHeld>()?)?)
        } else {
            wire::assignment_news(delivery.decode::<AssignmentEvent>()?)?
        };
        news.extend(one.map(|one| (one, delivery.origin)));
    }
    app.follow_assignments(news).await
}
