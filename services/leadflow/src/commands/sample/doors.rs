//! The doors that the sample month comes in through.

use anyhow::{Context as _, Result, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use leadflow_platform::clock::Clock;
use leadflow_proto::activity::v1::{RecordActivitiesRequest, record_result::Outcome};

use super::{
    Sample, intake,
    line::{ActivityLine, FormLine, Line, ago},
    provider::Provider,
    scans,
};
use crate::{cli::Format, client::Clients, commands::import};

/// Form posts at the same time.
const FORMS_AT_ONCE: usize = 8;

/// All doors, open.
pub(super) struct Doors<'a> {
    clients: &'a Clients,
    sample: Sample<'a>,
    /// The moment that the sample month ends at.
    anchor: Timestamp,
    http: reqwest::Client,
}

impl<'a> Doors<'a> {
    pub(super) fn open(clients: &'a Clients, sample: Sample<'a>, anchor: Timestamp) -> Result<Self> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { clients, sample, anchor, http })
    }

    /// Sends these lines, each through its door, and returns when all are in the ledger.
    pub(super) async fn send(&self, lines: &[Line]) -> Result<()> {
        let (mut grpc, mut csv, mut webhook, mut nats, mut forms) = (vec![], vec![], vec![], vec![], vec![]);
        for line in lines {
            match line {
                Line::Grpc(line) => grpc.push(&**line),
                Line::Csv(line) => csv.push(&**line),
                Line::Webhook(line) => webhook.push(&**line),
                Line::Nats(line) => nats.push(&**line),
                Line::Form(line) => forms.push(line),
            }
        }
        self.record(&grpc).await?;
        let base = &self.clients.http;
        if !webhook.is_empty() {
            let provider = Provider::open(self.sample.folder)?;
            // The sample may be told to end in the future; a signature is of the present.
            let now = Clock::system().now().max(self.anchor);
            provider.post(&self.http, base, &webhook, self.anchor, now).await?;
        }
        let url = self.sample.vars.get("LEADFLOW_NATS_URL").unwrap_or("nats://127.0.0.1:4222");
        intake::publish(url, &nats, self.anchor).await?;
        futures::stream::iter(forms)
            .map(|form| self.post(form))
            .buffer_unordered(FORMS_AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        self.import(&csv).await
    }

    async fn record(&self, lines: &[&ActivityLine]) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let activities = lines.iter().map(|line| line.to_activity(self.anchor)).collect::<Result<Vec<_>>>()?;
        let request = RecordActivitiesRequest { activities, ..Default::default() };
        let results = self.clients.activity.clone().record_activities(request).await?.into_inner().results;
        for (result, line) in results.iter().zip(lines) {
            if result.outcome() == Outcome::Rejected {
                let message = result.error.as_ref().map(|error| error.message.clone()).unwrap_or_default();
                bail!("the activity {}/{} was rejected: {message}", line.source, line.source_event_id);
            }
        }
        Ok(())
    }

    async fn post(&self, form: &FormLine) -> Result<()> {
        let mut fields = form.fields.clone();
        fields.insert("event_id".to_owned(), form.source_event_id.clone());
        fields.insert("occur_time".to_owned(), ago(self.anchor, form.minutes_ago)?.to_string());
        let base = &self.clients.http;
        let answer = self
            .http
            .post(format!("{base}/v1/forms/{}", form.source))
            .header("accept", "application/json")
            .form(&fields)
            .send()
            .await
            .with_context(|| format!("the form door at {base} does not answer"))?;
        if !answer.status().is_success() {
            bail!("the form {}/{} was refused: {}", form.source, form.source_event_id, answer.text().await?);
        }
        Ok(())
    }

    async fn import(&self, lines: &[&ActivityLine]) -> Result<()> {
        let Some(words) = scans::export(self.sample.data_dir, lines, self.anchor)? else { return Ok(()) };
        let file = words.csv.file.clone();
        let code = import::run(self.clients, Format::Table, words, self.sample.vars).await?;
        ensure!(code == std::process::ExitCode::SUCCESS, "some scans of {} were refused", file.display());
        Ok(())
    }
}
