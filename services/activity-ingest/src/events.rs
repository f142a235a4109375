//! What activity-ingest listens to.

use leadflow_platform::{
    Result,
    bus::{Consumer, Delivery},
    ids,
};
use leadflow_proto::contact::v1::ContactErased;

use crate::app::erase::{Erased, Eraser};

pub(crate) const ERASURES: Consumer =
    Consumer { stream: "LEADFLOW_CONTACT", durable: "activity-ingest-erasures", subject: "leadflow.contact.v1.erased" };

pub(crate) async fn erasures(eraser: Eraser, deliveries: Vec<Delivery>) -> Result<()> {
    let decode = |delivery: &Delivery| -> Result<Erased> {
        let event: ContactErased = delivery.decode()?;
        Ok(Erased {
            erasure_id: ids::parse("erasure_id", &event.erasure_id)?,
            contact_ids: event.contact_ids.iter().map(|id| ids::parse("contact_ids", id)).collect::<Result<_>>()?,
        })
    };
    eraser.erase(deliveries.iter().map(decode).collect::<Result<_>>()?).await
}
