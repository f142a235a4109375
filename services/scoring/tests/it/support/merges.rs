use std::collections::BTreeSet;

use leadflow_harness::eventually;
use leadflow_platform::{clock::to_proto, ids};
use leadflow_proto::{
    contact::v1::{Account, ContactChanged, ContactErased},
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
        self.has_come_in(account).await;
    }

    /// Announces an account that was merged into another.
    pub(crate) async fn publish_merged(&self, account: &TestAccount, into: Option<&TestAccount>) {
        let into = into.map(|into| into.account_id.to_string()).unwrap_or_default();
        self.publish_changed(account, |announced| announced.merged_into_account_id = into).await;
    }

    /// The account's leads go up to a parent from now on, or are its own again; waits until that has come in.
    pub(crate) async fn roll_up(&self, account: &mut TestAccount, to: Option<&TestAccount>) {
        account.revision += 1;
        self.publish_rolled_up(account, to).await;
        self.has_come_in(account).await;
    }

    /// Announces an account whose leads go up to a parent.
    pub(crate) async fn publish_rolled_up(&self, account: &TestAccount, to: Option<&TestAccount>) {
        let parent = to.map(|parent| parent.account_id.to_string()).unwrap_or_default();
        let place = |announced: &mut Account| {
            (announced.parent_account_id, announced.roll_up) = (parent, Some(to.is_some()));
        };
        self.publish_changed(account, place).await;
    }

    async fn has_come_in(&self, account: &TestAccount) {
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
        self.publish_contact(&changed).await;
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
