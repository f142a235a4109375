use leadflow_proto::activity::v1::{
    Activity, CorrectQuarantinedActivityRequest, DiscardQuarantinedActivitiesRequest, Door,
    GetQuarantinedActivityRequest, ListQuarantinedActivitiesRequest, QuarantineDecision, QuarantineFilter,
    QuarantineSelection, QuarantinedActivity, RecordActivitiesRequest, RecordResult,
    ReplayQuarantinedActivitiesRequest, quarantine_decision::Outcome,
};
use tonic::Status;

use super::{Client, activity};

/// Sends activities as an import does.
pub(crate) async fn import(client: &Client, activities: Vec<Activity>) -> Vec<RecordResult> {
    let request = RecordActivitiesRequest { activities, door: Door::Csv.into() };
    client.clone().record_activities(request).await.unwrap().into_inner().results
}

/// Imports one activity that is refused, and returns where it is kept.
pub(crate) async fn import_one(client: &Client, activity: Activity) -> String {
    import(client, vec![activity]).await.remove(0).quarantine_id
}

pub(crate) fn unknown_source(source_event_id: &str) -> Activity {
    Activity { source: "nowhere".into(), ..activity(source_event_id, "anna@example.com") }
}

pub(crate) async fn list(client: &Client, filter: QuarantineFilter) -> Vec<QuarantinedActivity> {
    let request = ListQuarantinedActivitiesRequest { filter: Some(filter), ..Default::default() };
    client.clone().list_quarantined_activities(request).await.unwrap().into_inner().quarantined_activities
}

pub(crate) async fn kept(client: &Client, quarantine_id: &str) -> QuarantinedActivity {
    let request = GetQuarantinedActivityRequest { quarantine_id: quarantine_id.into() };
    client.clone().get_quarantined_activity(request).await.unwrap().into_inner().quarantined_activity.unwrap()
}

pub(crate) async fn correct(client: &Client, quarantine_id: &str, activity: Activity) -> Result<(), Status> {
    correct_as_read(client, quarantine_id, activity, "").await
}

pub(crate) async fn correct_as_read(
    client: &Client,
    quarantine_id: &str,
    activity: Activity,
    etag: &str,
) -> Result<(), Status> {
    let request = CorrectQuarantinedActivityRequest {
        quarantine_id: quarantine_id.into(),
        activity: Some(activity),
        etag: etag.into(),
        ..Default::default()
    };
    client.clone().correct_quarantined_activity(request).await.map(|_| ())
}

/// These ids.
pub(crate) fn these(ids: &[&str]) -> Option<QuarantineSelection> {
    let quarantine_ids = ids.iter().map(|id| (*id).to_owned()).collect();
    Some(QuarantineSelection { quarantine_ids, ..Default::default() })
}

/// Everything that is open, on one page.
pub(crate) fn everything() -> Option<QuarantineSelection> {
    Some(QuarantineSelection { filter: Some(QuarantineFilter::default()), ..Default::default() })
}

pub(crate) async fn replay(client: &Client, selection: Option<QuarantineSelection>) -> Vec<QuarantineDecision> {
    let request = ReplayQuarantinedActivitiesRequest { selection, note: "mended".into(), ..Default::default() };
    client.clone().replay_quarantined_activities(request).await.unwrap().into_inner().decisions
}

pub(crate) async fn discard(
    client: &Client,
    selection: Option<QuarantineSelection>,
    note: &str,
) -> Result<Vec<QuarantineDecision>, Status> {
    let request = DiscardQuarantinedActivitiesRequest { selection, note: note.into(), ..Default::default() };
    Ok(client.clone().discard_quarantined_activities(request).await?.into_inner().decisions)
}

pub(crate) fn outcomes(decisions: &[QuarantineDecision]) -> Vec<Outcome> {
    decisions.iter().map(QuarantineDecision::outcome).collect()
}
