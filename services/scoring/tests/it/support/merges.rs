use std::collections::BTreeSet;

use leadflow_harness::eventually;
use leadflow_platform::{clock::to_proto, ids};
use leadflow_proto::{
    contact::v1::{ContactChanged, ContactErased},
    scoring::v1::{Explanation, Lead},
};
use uuid::Uuid;

use super::{World, activity::TestAccount, event, revision};

/// What contact says of merges.
impl World {
    /// The account is merged into another from now on, or is itself again; waits until that has come in.
    pub(crate) async fn merge(&self, account: &mut TestAccount, into: Option<&TestAccount>) {
        account.revision += 1;
        self.publish_merged(account, into).await;
        let tables = self.tables().await;
        let id = account.account_id;
        eventually!(revision(&tables, "account_revisions", "account_id", id, account.revision).await);
        tables.close().await;
    }

    /// The same of a contact at an account.
    pub(crate) async fn merge_contact(&self, contact: Uuid, at: &TestAccount, number: i64, into: Option<Uuid>) {
        let changed = ContactChanged {
            contact_id: contact.to_string(),
            account_id: at.account_id.to_string(),
            revision: number,
            update_time: Some(to_proto(self.hand.now())),
            merged_into_contact_id: into.map(|into| into.to_string()).unwrap_or_default(),
            ..Default::default()
        };
        self.bus.publish_all([event("leadflow.contact.v1.changed", &changed)]).await.unwrap();
        let tables = self.tables().await;
        eventually!(revision(&tables, "contact_revisions", "contact_id", contact, number).await);
        tables.close().await;
    }

    /// The contact is to be forgotten from now on; whom that is reported to is away.
    pub(crate) async fn erase(&self, contact: Uuid) {
        let contact_ids = vec![contact.to_string()];
        let erased = ContactErased { erasure_id: ids::new().to_string(), contact_ids };
        self.bus.publish_all([event("leadflow.contact.v1.erased", &erased)]).await.unwrap();
    }

    /// The open leads of an account and of all that are one with it.
    pub(crate) async fn open_leads(&mut self, account: &TestAccount) -> Vec<Lead> {
        self.leads(account).await.into_iter().filter(|lead| lead.close_time.is_none()).collect()
    }

    /// The activities behind these leads.
    pub(crate) async fn behind(&mut self, leads: &[Lead]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for lead in leads {
            found.extend(activities(&self.explain(lead).await));
        }
        found
    }
}

fn activities(explanation: &Explanation) -> impl Iterator<Item = String> {
    let of_activities = explanation.lines.iter().filter(|line| !line.activity_id.is_empty());
    of_activities.map(|line| line.activity_id.clone())
}
