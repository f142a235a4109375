//! What the users of NATS may do, tried on servers with the configuration of the production overlay.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use async_nats::{Client, ConnectOptions, Event};
use leadflow_harness::eventually;

use crate::cluster::Cluster;

/// A user of NATS.
pub(crate) struct User {
    name: String,
    password: Option<String>,
    inbox: String,
}

/// A user's connection, and what the server has refused.
pub(crate) struct Connected {
    pub(crate) client: Client,
    refused: Arc<Mutex<Vec<String>>>,
}

impl User {
    /// The user of a role.
    pub(crate) fn of_role(role: &str) -> Self {
        Self { name: role.into(), password: None, inbox: format!("_INBOX.leadflow-{role}") }
    }

    /// The user of an outside publisher.
    pub(crate) fn publisher(source: &str) -> Self {
        let (name, inbox) = (format!("publisher-{source}"), format!("_INBOX.publisher.{source}"));
        Self { name, password: None, inbox }
    }

    /// Its password, from the file that the servers read.
    pub(crate) fn password(&self, cluster: &Cluster) -> String {
        let key = format!("{}_PASSWORD: \"", self.name.to_uppercase().replace('-', "_"));
        let line = cluster.secret("leadflow-nats", "passwords.conf").lines().find(|line| line.starts_with(&key));
        line.unwrap()[key.len()..].trim_end_matches('"').to_owned()
    }

    pub(crate) async fn connect(&self, cluster: &Cluster) -> Connected {
        self.try_connect(cluster).await.unwrap()
    }

    /// The authority of the servers' certificates.
    pub(crate) fn ca_file(&self, cluster: &Cluster) -> PathBuf {
        let path = cluster.folder.path().join(format!("{}.ca.crt", self.name));
        std::fs::write(&path, cluster.secret("leadflow-nats-tls", "ca.crt")).unwrap();
        path
    }

    async fn try_connect(&self, cluster: &Cluster) -> Result<Connected, async_nats::ConnectError> {
        let refused = Arc::new(Mutex::new(Vec::new()));
        let heard = refused.clone();
        let password = self.password.clone().unwrap_or_else(|| self.password(cluster));
        let mut options = ConnectOptions::with_user_and_password(self.name.clone(), password)
            .custom_inbox_prefix(&self.inbox)
            .event_callback(move |event| {
                if let Event::ServerError(error) = event {
                    heard.lock().unwrap().push(error.to_string());
                }
                std::future::ready(())
            });
        let scheme = if cluster.file("leadflow-nats-0", "/etc/nats-tls").exists() {
            options = options.require_tls(true).add_root_certificates(self.ca_file(cluster));
            "tls"
        } else {
            "nats"
        };
        let client = options.connect(format!("{scheme}://{}", cluster.address("leadflow-nats", 4222))).await?;
        Ok(Connected { client, refused })
    }
}

impl Connected {
    /// Whether the server refuses it; `act` is `Publish` or `Subscription`.
    async fn is_refused(&self, act: &str, subject: &str) -> bool {
        if act == "Publish" {
            self.client.publish(subject.to_owned(), "".into()).await.unwrap();
        } else {
            drop(self.client.subscribe(subject.to_owned()).await.unwrap());
        }
        // The server answers in order: when it has refused what comes after, it has said what it says of this.
        self.client.publish(AFTERWARDS, "".into()).await.unwrap();
        let heard = eventually!(some: self.heard_until_afterwards());
        heard.iter().any(|error| is_of(error, act, subject))
    }

    fn heard_until_afterwards(&self) -> Option<Vec<String>> {
        let mut refused = self.refused.lock().unwrap();
        refused.iter().any(|error| is_of(error, "Publish", AFTERWARDS)).then(|| std::mem::take(&mut *refused))
    }
}

fn is_of(error: &str, act: &str, subject: &str) -> bool {
    let said = format!("permissions violation for {act} to \"{subject}\"");
    error.to_lowercase().contains(&said.to_lowercase())
}

/// A subject that is nobody's.
const AFTERWARDS: &str = "afterwards";

/// What is nobody's but the named user's: `(who may, subject)`.
const FACTS: [(&str, &str); 9] = [
    ("contact", "leadflow.account.v1.changed"),
    ("contact", "leadflow.contact.v1.changed"),
    ("activity-ingest", "leadflow.activity.v1.recorded"),
    // It deletes the events of whom it forgets.
    ("activity-ingest", "$JS.API.STREAM.MSG.DELETE.LEADFLOW_ACTIVITY"),
    ("scoring", "leadflow.lead.v1.sales_ready"),
    ("routing", "leadflow.assignment.v1.offered"),
    ("publisher-newsletter", "leadflow.intake.v1.newsletter"),
    ("activity-ingest", "_INBOX.publisher.newsletter.x"),
    ("nobody", "leadflow.intake.v1.website-form"),
];

/// What nobody may do at all.
const NEVER: [&str; 10] = [
    "$JS.API.STREAM.DELETE.LEADFLOW_LEAD",
    "$JS.API.STREAM.PURGE.LEADFLOW_LEAD",
    "$JS.API.STREAM.MSG.DELETE.LEADFLOW_LEAD",
    "$JS.API.CONSUMER.DELETE.LEADFLOW_ACTIVITY.scoring-activities",
    "$JS.API.CONSUMER.CREATE.LEADFLOW_CONTACT.spy.leadflow.contact.v1.changed",
    "$JS.API.CONSUMER.CREATE.LEADFLOW_ACTIVITY.scoring-activities.leadflow.activity.v1.>",
    "$JS.API.STREAM.CREATE.OTHER",
    "$JS.API.INFO",
    "$SYS.REQ.SERVER.PING",
    "anything",
];

/// What a reader of everything would ask for.
const SPYING: [&str; 6] = [">", "leadflow.>", "_INBOX.>", "_INBOX.leadflow-contact.>", "$JS.API.>", "$JS.ACK.>"];

fn users() -> [User; 5] {
    let [contact, ingest, scoring, routing] = ["contact", "activity-ingest", "scoring", "routing"].map(User::of_role);
    [contact, ingest, scoring, routing, User::publisher("newsletter")]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_user_of_nats_may_do_its_own_and_no_more() {
    let mut cluster = Cluster::prepare("production", "nowhere");
    cluster.start_nats().await;
    let mut wrong = Vec::new();
    for user in users() {
        let connected = user.connect(&cluster).await;
        for (owner, subject) in FACTS {
            if connected.is_refused("Publish", subject).await == (owner == user.name) {
                wrong.push(format!("{} publishes {subject}", user.name));
            }
        }
        for subject in NEVER {
            if !connected.is_refused("Publish", subject).await {
                wrong.push(format!("{} publishes {subject}", user.name));
            }
        }
        for subject in SPYING.into_iter().filter(|subject| *subject != format!("{}.>", user.inbox)) {
            if !connected.is_refused("Subscription", subject).await {
                wrong.push(format!("{} reads {subject}", user.name));
            }
        }
        if connected.is_refused("Subscription", &format!("{}.x", user.inbox)).await {
            wrong.push(format!("{} cannot read its own inbox", user.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_password_or_no_certificate_does_not_get_in() {
    let mut cluster = Cluster::prepare("production", "nowhere");
    cluster.start_nats().await;
    let guess = User { password: Some("guess".into()), ..User::of_role("scoring") };
    assert!(guess.try_connect(&cluster).await.is_err(), "with a guess");
    let nobody = User { name: String::new(), password: Some(String::new()), inbox: "_INBOX".into() };
    assert!(nobody.try_connect(&cluster).await.is_err(), "without a name");
    let scoring = User::of_role("scoring");
    let login = ConnectOptions::with_user_and_password(scoring.name.clone(), scoring.password(&cluster));
    let address = cluster.address("leadflow-nats", 4222);
    assert!(login.connect(format!("tls://{address}")).await.is_err(), "a server of another authority is trusted");
    assert!(scoring.try_connect(&cluster).await.is_ok(), "and with both it does");
}

/// No server has refused anything to a role.
pub(crate) fn nobody_was_refused(cluster: &Cluster) {
    let mut refusals = Vec::new();
    for pod in cluster.pods("StatefulSet").iter().filter(|pod| pod.name.starts_with("leadflow-nats")) {
        let log = std::fs::read_to_string(cluster.folder.path().join(format!("{}.log", pod.name))).unwrap();
        refusals.extend(log.lines().filter(|line| line.contains("iolation")).map(str::to_owned));
    }
    assert!(refusals.is_empty(), "{refusals:#?}");
}
