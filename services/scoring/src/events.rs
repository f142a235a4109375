//! What scoring listens to.

use leadflow_platform::{
    Error, Result,
    bus::{Consumer, Delivery},
};
use leadflow_proto::{
    activity::v1::{ActivityReattributed, ActivityRecorded},
    contact::v1::{AccountChanged, ContactChanged},
    routing::v1::{AssignmentEvent, HandOverHeld},
};

use crate::{app::App, wire};

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
