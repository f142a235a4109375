//! The report to the contact service that nothing of somebody is left here.

use leadflow_platform::{Result, rpc};
use leadflow_proto::contact::v1::{ReportErasureRequest, privacy_service_client::PrivacyServiceClient};
use uuid::Uuid;

use crate::ROLE;

/// The contact service.
#[derive(Clone, Debug)]
pub(crate) struct Contact(PrivacyServiceClient<rpc::Client>);

impl Contact {
    /// The service behind this channel.
    pub(crate) fn new(channel: rpc::Client) -> Self {
        Self(PrivacyServiceClient::new(channel))
    }

    /// Says that nothing of somebody is left here.
    ///
    /// # Errors
    /// `UNAVAILABLE` when contact is.
    pub(crate) async fn report_erasure(&self, erasure_id: Uuid, deleted: u64) -> Result<()> {
        let deleted = i64::try_from(deleted).unwrap_or(i64::MAX);
        let request = ReportErasureRequest { erasure_id: erasure_id.to_string(), service: ROLE.to_owned(), deleted };
        self.0.clone().report_erasure(request).await?;
        Ok(())
    }
}
