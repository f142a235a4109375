use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use leadflow_harness::eventually;
use leadflow_proto::contact::v1::{Account, AccountChanged, ContactChanged, Merge, MergeEvent};
use prost::Message as _;

const MARK: &str = "leadflow.contact.v1.mark";

/// Everything that contact has published, as it came.
pub(crate) struct Heard {
    all: Arc<Mutex<Vec<async_nats::Message>>>,
    client: async_nats::Client,
}

impl Heard {
    pub(crate) async fn listen(nats_url: &str) -> Self {
        let client = async_nats::connect(nats_url).await.unwrap();
        let heard = Self { all: Arc::default(), client };
        let mut subscription = heard.client.subscribe("leadflow.>").await.unwrap();
        let all = heard.all.clone();
        tokio::spawn(async move {
            while let Some(message) = subscription.next().await {
                all.lock().unwrap().push(message);
            }
        });
        heard.client.flush().await.unwrap();
        heard
    }

    /// Waits until all that the server has taken by now is here.
    pub(crate) async fn catch_up(&self) {
        let marks = || self.on(MARK).len();
        let before = marks();
        self.client.publish(MARK, "".into()).await.unwrap();
        self.client.flush().await.unwrap();
        eventually!(marks() > before);
    }

    /// What was published on a subject.
    pub(crate) fn on(&self, subject: &str) -> Vec<async_nats::Message> {
        let all = self.all.lock().unwrap();
        all.iter().filter(|message| message.subject.as_str() == subject).cloned().collect()
    }

    /// The accounts as they were announced.
    pub(crate) fn accounts(&self) -> Vec<Account> {
        let messages = self.on("leadflow.account.v1.changed");
        messages.into_iter().map(|one| AccountChanged::decode(one.payload).unwrap().account.unwrap()).collect()
    }

    /// The contacts as they were announced.
    pub(crate) fn contacts(&self) -> Vec<ContactChanged> {
        let messages = self.on("leadflow.contact.v1.changed");
        messages.into_iter().map(|one| ContactChanged::decode(one.payload).unwrap()).collect()
    }

    /// The merges that were announced, and those that were undone, each with its subject.
    pub(crate) fn merges(&self) -> Vec<(String, Merge)> {
        let all = self.all.lock().unwrap();
        let merges = all.iter().filter(|one| one.subject.ends_with("merged"));
        merges
            .map(|one| (one.subject.to_string(), MergeEvent::decode(one.payload.clone()).unwrap().merge.unwrap()))
            .collect()
    }

    /// The revisions of an account that were announced, in the order of their coming.
    pub(crate) fn revisions(&self, account_id: &str) -> Vec<i64> {
        self.accounts().iter().filter(|one| one.account_id == account_id).map(|one| one.revision).collect()
    }
}
