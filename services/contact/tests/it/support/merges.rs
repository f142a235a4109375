use leadflow_platform::{auth::Credentials, rpc};
use leadflow_proto::contact::v1::{self as pb, merge_service_client::MergeServiceClient};

use super::World;

/// Merges, over gRPC.
impl World {
    pub(crate) fn merges(&self) -> MergeServiceClient<rpc::Client> {
        MergeServiceClient::new(rpc::channel(self.contact.url(), Credentials::Name("tester".to_owned())).unwrap())
    }

    pub(crate) async fn merge(&self, request: pb::MergeRequest) -> Result<pb::Merge, tonic::Status> {
        Ok(self.merges().merge(request).await?.into_inner().merge.unwrap())
    }

    /// Merges one account into another.
    pub(crate) async fn merge_accounts(&self, survivor_id: &str, merged_id: &str) -> pb::Merge {
        let request = pb::MergeRequest {
            kind: pb::MergeKind::Account.into(),
            survivor_id: survivor_id.to_owned(),
            merged_id: merged_id.to_owned(),
            note: "the same company".to_owned(),
            ..Default::default()
        };
        self.merge(request).await.unwrap()
    }

    /// Merges one contact into another.
    pub(crate) async fn merge_contacts(&self, survivor_id: &str, merged_id: &str) -> pb::Merge {
        let request = pb::MergeRequest {
            kind: pb::MergeKind::Contact.into(),
            survivor_id: survivor_id.to_owned(),
            merged_id: merged_id.to_owned(),
            ..Default::default()
        };
        self.merge(request).await.unwrap()
    }

    pub(crate) async fn undo(&self, merge_id: &str) -> Result<pb::Merge, tonic::Status> {
        let request = pb::UndoMergeRequest { merge_id: merge_id.to_owned(), ..Default::default() };
        Ok(self.merges().undo_merge(request).await?.into_inner().merge.unwrap())
    }

    /// Merges, the newest first.
    pub(crate) async fn list_merges(&self, request: pb::ListMergesRequest) -> Vec<pb::Merge> {
        self.merges().list_merges(request).await.unwrap().into_inner().merges
    }
}
