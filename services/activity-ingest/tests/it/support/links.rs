use leadflow_platform::{auth::Credentials, rpc};
use leadflow_proto::{
    activity::v1::{
        Activity, ApplyConfigurationRequest, ListActivitiesRequest, Source,
        consent_link_service_client::ConsentLinkServiceClient,
    },
    contact::v1::ConsentChannel,
};
use reqwest::{Response, StatusCode, header::ACCEPT, redirect::Policy};
use serde_json::Value as Json;

use super::World;

/// Links in messages, and those who follow them.
impl World {
    pub(crate) fn links(&self) -> ConsentLinkServiceClient<rpc::Client> {
        let channel = rpc::channel(&self.service.rpc, Credentials::Name("mailer".into())).unwrap();
        ConsentLinkServiceClient::new(channel)
    }

    pub(crate) async fn register(&self, source: Source) {
        let request = ApplyConfigurationRequest { sources: vec![source], ..ApplyConfigurationRequest::default() };
        self.client().apply_configuration(request).await.unwrap();
    }

    /// All activities of a type.
    pub(crate) async fn of_type(&self, activity_type: &str) -> Vec<Activity> {
        let all = self.client().list_activities(ListActivitiesRequest::default()).await.unwrap().into_inner();
        all.activities.into_iter().filter(|one| one.activity_type == activity_type).collect()
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).build().unwrap()
}

/// Looks at a page, as a browser does, and those who look after mail.
pub(crate) async fn look(url: &str) -> Response {
    client().get(url).header(ACCEPT, "text/html,*/*;q=0.8").send().await.unwrap()
}

/// Presses the button of a page, and reads the next one.
pub(crate) async fn press(url: &str) -> (StatusCode, String) {
    let form = [("List-Unsubscribe", "One-Click")];
    let answer = client().post(url).header(ACCEPT, "text/html,*/*;q=0.8").form(&form).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// What a post with this body is told in JSON.
pub(crate) async fn told(url: &str, form: &[(&str, &str)]) -> (StatusCode, Json) {
    let answer = client().post(url).header(ACCEPT, "application/json").form(form).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

/// The way to reach a person that a question is about.
pub(crate) const EMAIL: i32 = ConsentChannel::Email as i32;
