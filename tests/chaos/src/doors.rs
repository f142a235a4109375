//! The client's side of the three doors: sends one copy, and says what came back.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use futures::StreamExt as _;
use leadflow_platform::{
    auth::Credentials,
    rpc::{Client, channel},
};
use leadflow_proto::activity::v1::{
    Activity as Message, RecordActivitiesRequest, activity_service_client::ActivityServiceClient,
    record_result::Outcome,
};
use serde_json::Value as Json;
use tonic::Status;

use crate::{
    activity::Door,
    book::{Answer, Book},
    buyers::{Planned, Poison},
};

/// How long a sender waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections of the gRPC door: each stays with one replica.
const CHANNELS: usize = 4;
/// gRPC codes of a refusal that no repetition changes: `INVALID_ARGUMENT`, `NOT_FOUND`, `FAILED_PRECONDITION`.
const FOR_GOOD: [i32; 3] = [3, 5, 9];

/// Where the load connects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) calls: SocketAddr,
    pub(crate) forms: SocketAddr,
    pub(crate) publishers: SocketAddr,
}

/// Clients of all doors.
#[derive(Debug)]
pub(crate) struct Doors {
    calls: Vec<ActivityServiceClient<Client>>,
    next: AtomicUsize,
    forms: reqwest::Client,
    forms_url: String,
    nats: async_nats::Client,
    receipts: String,
}

impl Doors {
    /// Connects. Receipts from NATS are noted in `book` whenever they come.
    ///
    /// # Errors
    /// When NATS cannot be reached.
    pub(crate) async fn open(at: Addresses, book: Arc<Book>) -> Result<Self> {
        let url = format!("http://{}", at.calls);
        let call = || Ok(ActivityServiceClient::new(channel(&url, Credentials::Name("chaos".into()))?));
        let nats = async_nats::ConnectOptions::new()
            .ping_interval(Duration::from_secs(5))
            .connect(format!("nats://{}", at.publishers))
            .await?;
        let receipts = nats.new_inbox();
        tokio::spawn(read_receipts(nats.subscribe(format!("{receipts}.*")).await?, book));
        Ok(Self {
            calls: (0..CHANNELS).map(|_| call()).collect::<Result<_>>()?,
            next: AtomicUsize::new(0),
            forms: reqwest::Client::builder().timeout(PATIENCE).build()?,
            forms_url: format!("http://{}/v1/forms", at.forms),
            nats,
            receipts,
        })
    }

    /// Sends one copy of the activity that stands at `index` in the book.
    pub(crate) async fn send(&self, index: usize, planned: &Planned) -> Answer {
        match planned.door {
            Door::Grpc => self.call(planned.activity.message(planned.door.source(), &planned.source_event_id)).await,
            Door::Http => self.submit(planned).await.unwrap_or(Answer::Nothing),
            Door::Nats => {
                let _ = tokio::time::timeout(PATIENCE, self.publish(index, planned)).await;
                Answer::Nothing
            }
        }
    }

    /// One activity over gRPC.
    pub(crate) async fn call(&self, activity: Message) -> Answer {
        self.try_call(activity).await.unwrap_or(Answer::Nothing)
    }

    /// The same, with the error of the whole call.
    ///
    /// # Errors
    /// When there is no answer in time, or one that is for no activity by itself.
    pub(crate) async fn try_call(&self, activity: Message) -> Result<Answer, Status> {
        let mut client = self.calls[self.next.fetch_add(1, Ordering::Relaxed) % CHANNELS].clone();
        let request = RecordActivitiesRequest { activities: vec![activity], ..Default::default() };
        let answer = tokio::time::timeout(PATIENCE, client.record_activities(request))
            .await
            .unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time")))?;
        let Some(result) = answer.into_inner().results.pop() else { return Ok(Answer::Nothing) };
        Ok(match result.outcome() {
            Outcome::Accepted | Outcome::Duplicate => Answer::Kept(Some(result.activity_id)),
            Outcome::Quarantined => Answer::Kept(None),
            Outcome::Rejected => match result.error {
                Some(error) if FOR_GOOD.contains(&error.code) => Answer::Refused(error.message),
                _ => Answer::Nothing,
            },
            Outcome::Unspecified => Answer::Nothing,
        })
    }

    async fn submit(&self, planned: &Planned) -> Result<Answer> {
        let url = format!("{}/{}", self.forms_url, planned.door.source());
        let form = planned.activity.form(&planned.source_event_id);
        let answer = self.forms.post(url).header("accept", "application/json").form(&form).send().await?;
        let status = answer.status();
        let body: Json = answer.json().await?;
        Ok(if status.is_success() {
            Answer::Kept(body["activity_id"].as_str().map(str::to_owned))
        } else if status.is_client_error() && status.as_u16() != 429 {
            Answer::Refused(body.to_string())
        } else {
            Answer::Nothing
        })
    }

    async fn publish(&self, index: usize, planned: &Planned) -> Result<()> {
        let body = match planned.poison {
            Some(Poison::Garbage) => format!("no activity: {}", planned.source_event_id),
            _ => planned.activity.json(&planned.source_event_id).to_string(),
        };
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("leadflow-receipt", format!("{}.{index}", self.receipts).as_str());
        let subject = format!("leadflow.intake.v1.{}", planned.door.source());
        self.nats.publish_with_headers(subject, headers, body.into()).await?;
        Ok(self.nats.flush().await?)
    }
}

/// A receipt comes on a subject whose last word is the place in the book.
async fn read_receipts(mut receipts: async_nats::Subscriber, book: Arc<Book>) {
    while let Some(message) = receipts.next().await {
        let index = message.subject.rsplit('.').next().and_then(|word| word.parse().ok());
        let receipt: Option<Json> = serde_json::from_slice(&message.payload).ok();
        let Some((index, receipt)) = index.zip(receipt) else { continue };
        let answer = match receipt["outcome"].as_str() {
            Some("accepted" | "duplicate" | "quarantined") => {
                Answer::Kept(receipt["activity_id"].as_str().map(str::to_owned))
            }
            _ => Answer::Refused(receipt["error"].to_string()),
        };
        book.answered(index, answer);
    }
}
