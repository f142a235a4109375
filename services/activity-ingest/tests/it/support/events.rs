use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use leadflow_proto::activity::v1::{ActivityReattributed, ActivityRecorded, ConsentRecorded};
use prost::Message as _;

/// Everything that is published about activities, as it comes.
#[derive(Clone)]
pub(crate) struct Events(Arc<Mutex<Vec<async_nats::Message>>>);

impl Events {
    pub(crate) async fn watch(nats_url: &str) -> Self {
        let client = async_nats::connect(nats_url).await.unwrap();
        let mut messages = client.subscribe("leadflow.activity.v1.>").await.unwrap();
        client.flush().await.unwrap();
        let events = Self(Arc::default());
        let seen = events.0.clone();
        tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                seen.lock().unwrap().push(message);
            }
        });
        events
    }

    /// What was published, as it went over the bus.
    pub(crate) fn messages(&self) -> Vec<async_nats::Message> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn recorded(&self) -> Vec<ActivityRecorded> {
        let messages = self.messages();
        let recorded = messages.iter().filter(|message| message.subject.as_str() == "leadflow.activity.v1.recorded");
        recorded.map(|message| ActivityRecorded::decode(message.payload.clone()).unwrap()).collect()
    }

    /// What belongs to another account than before.
    pub(crate) fn reattributed(&self) -> Vec<ActivityRecorded> {
        let messages = self.messages();
        let moved = messages.iter().filter(|message| message.subject.as_str() == "leadflow.activity.v1.reattributed");
        moved.map(|one| ActivityReattributed::decode(one.payload.clone()).unwrap().activity.unwrap()).collect()
    }

    /// What was said about contacting people.
    pub(crate) fn consents(&self) -> Vec<ConsentRecorded> {
        let messages = self.messages();
        let said =
            messages.iter().filter(|message| message.subject.as_str() == "leadflow.activity.v1.consent_recorded");
        said.map(|message| ConsentRecorded::decode(message.payload.clone()).unwrap()).collect()
    }

    /// The event of this activity, once it is there.
    pub(crate) fn of(&self, activity_id: &str) -> Option<ActivityRecorded> {
        self.recorded().into_iter().find(|event| event.activity_id == activity_id)
    }
}
