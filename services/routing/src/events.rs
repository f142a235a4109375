//! What routing listens to.

use leadflow_platform::{
    Result,
    bus::{Consumer, Delivery},
};

use crate::{app::App, wire};

pub(crate) const LEADS: Consumer =
    Consumer { stream: "LEADFLOW_LEAD", durable: "routing-leads", subject: "leadflow.lead.v1.>" };

pub(crate) async fn leads(app: App, deliveries: Vec<Delivery>) -> Result<()> {
    app.follow(deliveries.iter().map(wire::news).collect::<Result<_>>()?).await
}
