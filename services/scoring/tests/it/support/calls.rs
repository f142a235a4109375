use jiff::Timestamp;
use leadflow_harness::eventually;
use leadflow_platform::clock::{from_millis, to_proto};
use leadflow_proto::scoring::v1 as pb;
use tonic_types::StatusExt as _;

use super::{
    World,
    activity::{TestAccount, TestActivity},
};

/// What is asked over gRPC.
impl World {
    pub(crate) async fn list(&mut self, request: pb::ListLeadsRequest) -> Vec<pb::Lead> {
        self.scoring.client.list_leads(request).await.unwrap().into_inner().leads
    }

    /// All leads of an account, closed ones too, by score.
    pub(crate) async fn leads(&mut self, account: &TestAccount) -> Vec<pb::Lead> {
        let account_id = account.account_id.to_string();
        self.list(pb::ListLeadsRequest { account_id, show_closed: true, ..Default::default() }).await
    }

    /// The one open lead of an account.
    pub(crate) async fn lead(&mut self, account: &TestAccount) -> pb::Lead {
        let account_id = account.account_id.to_string();
        let mut leads = self.list(pb::ListLeadsRequest { account_id, ..Default::default() }).await;
        assert_eq!(leads.len(), 1, "{leads:?}");
        leads.remove(0)
    }

    /// The open lead of an account as soon as it is in this status.
    pub(crate) async fn lead_in(&mut self, account: &TestAccount, status: pb::LeadStatus) -> pb::Lead {
        eventually!(some: self.leads(account).await.into_iter().find(|lead| lead.status() == status))
    }

    /// A lead that has been handed over.
    pub(crate) async fn hot_lead(&mut self, account: &TestAccount) -> pb::Lead {
        self.announce(account).await;
        self.record(&account.gets_hot(self.now())).await;
        self.lead_in(account, pb::LeadStatus::HandedOver).await
    }

    pub(crate) async fn evidence(&mut self, account: &TestAccount) -> Vec<pb::Evidence> {
        let account_id = account.account_id.to_string();
        let request = pb::ListEvidenceRequest { account_id, page_size: 1000, ..Default::default() };
        self.scoring.client.list_evidence(request).await.unwrap().into_inner().evidence
    }

    /// What became of an activity of this account.
    pub(crate) async fn disposition(&mut self, account: &TestAccount, activity: &TestActivity) -> pb::Disposition {
        let all = self.evidence(account).await;
        all.iter().find(|one| one.activity_id == activity.id()).unwrap().disposition()
    }

    /// The score now, with its lines.
    pub(crate) async fn explain(&mut self, lead: &pb::Lead) -> pb::Explanation {
        self.explain_at(lead, None, None).await.unwrap()
    }

    pub(crate) async fn explain_at(
        &mut self,
        lead: &pb::Lead,
        at: Option<i64>,
        known_at: Option<i64>,
    ) -> Result<pb::Explanation, tonic::Status> {
        let time = |millis: i64| to_proto(from_millis(millis));
        let request =
            pb::ExplainScoreRequest { lead_id: lead.lead_id.clone(), at: at.map(time), known_at: known_at.map(time) };
        Ok(self.scoring.client.explain_score(request).await?.into_inner().explanation.unwrap())
    }

    /// What was frozen at a hand-over; at the latest for 0.
    pub(crate) async fn frozen(&mut self, lead: &pb::Lead, hand_over: i32) -> Result<pb::Explanation, tonic::Status> {
        let request = pb::GetHandOverRequest { lead_id: lead.lead_id.clone(), hand_over };
        Ok(self.scoring.client.get_hand_over(request).await?.into_inner().explanation.unwrap())
    }

    pub(crate) async fn close(&mut self, lead: &pb::Lead, reason: pb::CloseReason) -> Result<pb::Lead, tonic::Status> {
        let request = pb::CloseLeadRequest {
            lead_id: lead.lead_id.clone(),
            reason: reason.into(),
            note: "as the customer said".to_owned(),
            ..Default::default()
        };
        Ok(self.scoring.client.close_lead(request).await?.into_inner().lead.unwrap())
    }

    /// Gives or takes points, until `expire_time` when there is one.
    pub(crate) async fn adjust(&mut self, lead: &pb::Lead, points: i64, expire_time: Option<i64>) -> pb::Lead {
        let request = pb::AdjustScoreRequest {
            lead_id: lead.lead_id.clone(),
            points_milli: points * 1000,
            reason: "met them in person".to_owned(),
            expire_time: expire_time.map(|time| to_proto(from_millis(time))),
            ..Default::default()
        };
        self.scoring.client.adjust_score(request).await.unwrap().into_inner().lead.unwrap()
    }

    /// Applies a configuration and returns name and action of each change.
    pub(crate) async fn apply(&mut self, request: pb::ApplyConfigurationRequest) -> Vec<(String, String)> {
        let response = self.scoring.client.apply_configuration(request).await.unwrap().into_inner();
        response
            .changes
            .into_iter()
            .map(|change| (change.name.clone(), change.action().as_str_name().to_owned()))
            .collect()
    }
}

/// A moment of a message in milliseconds.
pub(crate) fn millis(time: &Option<prost_types::Timestamp>) -> i64 {
    let time = time.as_ref().unwrap();
    Timestamp::new(time.seconds, time.nanos).unwrap().as_millisecond()
}

/// The points of the lines, which add up to the score.
pub(crate) fn sum(explanation: &pb::Explanation) -> i64 {
    explanation.lines.iter().map(|line| line.points_milli).sum()
}

/// Rule and points of each line.
pub(crate) fn points(explanation: &pb::Explanation) -> Vec<(&str, i64)> {
    explanation.lines.iter().map(|line| (line.rule_id.as_str(), line.points_milli)).collect()
}

/// The stable reason of an error.
pub(crate) fn reason(status: &tonic::Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// The fields at fault.
pub(crate) fn fields(status: &tonic::Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|request| request.field_violations.clone()).unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}
