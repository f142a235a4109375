//! What routing listens to.

use leadflow_platform::{
    Result,
    bus::{Consumer, Delivery},
};

use crate::{app::App, wire};

pub(crate) const LEADS: Consumer =
    Consumer { stream: "LEADFLOW_LEAD", durable: "routing-leads", subject: "leadflow.lead.v1.>" };

pub(crate) async fn leads(app: App, deliveries: Vec<Delivery>) -> Result<()> {
    let news: Vec<_> =
        deliveries.iter().filter_map(|delivery| wire::news(delivery).transpose()).collect::<Result<_>>()?;
    if news.is_empty() { Ok(()) } else { app.follow(news).await }
}
