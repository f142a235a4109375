//! What contact listens to.

use leadflow_platform::{
    Result,
    bus::{Consumer, Delivery},
};
use leadflow_proto::activity::v1::ConsentRecorded;

use crate::{app::App, wire};

pub(crate) const CONSENTS: Consumer = Consumer {
    stream: "LEADFLOW_ACTIVITY",
    durable: "contact-consents",
    subject: "leadflow.activity.v1.consent_recorded",
};

pub(crate) async fn consents(app: App, deliveries: Vec<Delivery>) -> Result<()> {
    let now = app.clock.now();
    let decode = |delivery: &Delivery| wire::consent_recorded(delivery.decode::<ConsentRecorded>()?, now);
    app.follow_consents(deliveries.iter().map(decode).collect::<Result<_>>()?).await
}
