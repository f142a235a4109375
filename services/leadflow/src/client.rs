//! The ways to the services.

use anyhow::{Context as _, Result};
use leadflow::suite::ROLES;
use leadflow_platform::{
    auth::Credentials,
    config::variable,
    rpc::{self, Client, MAX_ANSWER},
    vars::Vars,
};
use leadflow_proto::{
    activity::v1::{
        activity_service_client::ActivityServiceClient, consent_link_service_client::ConsentLinkServiceClient,
        observation_service_client::ObservationServiceClient,
    },
    common::v1::quarantine_service_client::QuarantineServiceClient,
    contact::v1::{
        consent_service_client::ConsentServiceClient, contact_service_client::ContactServiceClient,
        import_service_client::ImportServiceClient, merge_service_client::MergeServiceClient,
        privacy_service_client::PrivacyServiceClient, site_map_service_client::SiteMapServiceClient,
    },
    routing::v1::routing_service_client::RoutingServiceClient,
    scoring::v1::scoring_service_client::ScoringServiceClient,
};

use crate::cli::Global;

/// A client for each service.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub(crate) contact: ContactServiceClient<Client>,
    pub(crate) merges: MergeServiceClient<Client>,
    pub(crate) consent: ConsentServiceClient<Client>,
    pub(crate) privacy: PrivacyServiceClient<Client>,
    pub(crate) imports: ImportServiceClient<Client>,
    pub(crate) site_maps: SiteMapServiceClient<Client>,
    pub(crate) activity: ActivityServiceClient<Client>,
    pub(crate) observations: ObservationServiceClient<Client>,
    pub(crate) consent_links: ConsentLinkServiceClient<Client>,
    pub(crate) scoring: ScoringServiceClient<Client>,
    pub(crate) routing: RoutingServiceClient<Client>,
    /// What each role has set aside, by the role's name.
    pub(crate) quarantines: Vec<(&'static str, QuarantineServiceClient<Client>)>,
    /// The base address of the HTTP edge.
    pub(crate) http: String,
    /// Where those of contact call.
    pub(crate) contact_url: String,
    /// Where `activity` calls.
    pub(crate) activity_url: String,
}

impl Clients {
    /// Clients for the addresses in `LEADFLOW_<ROLE>_URL`, by default on this machine.
    pub(crate) fn new(global: &Global, vars: &Vars) -> Result<Self> {
        let credentials = match &global.token_file {
            Some(path) => Credentials::TokenFile(path.clone()),
            None => Credentials::Name(principal(global, vars)),
        };
        let url =
            |key: &str, port: u16| vars.get(key).map_or_else(|| format!("http://127.0.0.1:{port}"), str::to_owned);
        let channel =
            |key: &str, port: u16| rpc::channel(&url(key, port), credentials.clone()).with_context(|| key.to_owned());
        let quarantine = |(role, port): (&'static str, u16)| {
            let client = QuarantineServiceClient::new(channel(&variable(role, "URL"), port)?);
            Ok((role, client.max_decoding_message_size(MAX_ANSWER)))
        };
        let http = vars.get("LEADFLOW_ACTIVITY_INGEST_HTTP_URL").unwrap_or("http://127.0.0.1:7180");
        Ok(Self {
            merges: MergeServiceClient::new(channel("LEADFLOW_CONTACT_URL", leadflow_contact::PORT)?)
                .max_decoding_message_size(MAX_ANSWER),
            contact: ContactServiceClient::new(channel("LEADFLOW_CONTACT_URL", leadflow_contact::PORT)?)
                .max_decoding_message_size(MAX_ANSWER),
            privacy: PrivacyServiceClient::new(channel("LEADFLOW_CONTACT_URL", leadflow_contact::PORT)?)
                .max_decoding_message_size(MAX_ANSWER),
            consent: ConsentServiceClient::new(channel("LEADFLOW_CONTACT_URL", leadflow_contact::PORT)?)
                .max_decoding_message_size(MAX_ANSWER),
            site_maps: SiteMapServiceClient::new(channel("LEADFLOW_CONTACT_URL", leadflow_contact::PORT)?)
                .max_decoding_message_size(MAX_ANSWER),
            imports: ImportServiceClient::new(channel("LEADFLOW_CONTACT_URL", leadflow_contact::PORT)?)
                .max_decoding_message_size(MAX_ANSWER),
            activity: ActivityServiceClient::new(channel(
                "LEADFLOW_ACTIVITY_INGEST_URL",
                leadflow_activity_ingest::PORT,
            )?)
            .max_decoding_message_size(MAX_ANSWER),
            observations: ObservationServiceClient::new(channel(
                "LEADFLOW_ACTIVITY_INGEST_URL",
                leadflow_activity_ingest::PORT,
            )?),
            consent_links: ConsentLinkServiceClient::new(channel(
                "LEADFLOW_ACTIVITY_INGEST_URL",
                leadflow_activity_ingest::PORT,
            )?)
            .max_decoding_message_size(MAX_ANSWER),
            scoring: ScoringServiceClient::new(channel("LEADFLOW_SCORING_URL", leadflow_scoring::PORT)?)
                .max_decoding_message_size(MAX_ANSWER),
            routing: RoutingServiceClient::new(channel("LEADFLOW_ROUTING_URL", leadflow_routing::PORT)?)
                .max_decoding_message_size(MAX_ANSWER),
            quarantines: ROLES.into_iter().map(quarantine).collect::<Result<_>>()?,
            http: http.trim_end_matches('/').to_owned(),
            contact_url: url("LEADFLOW_CONTACT_URL", leadflow_contact::PORT),
            activity_url: url("LEADFLOW_ACTIVITY_INGEST_URL", leadflow_activity_ingest::PORT),
        })
    }
}

fn principal(global: &Global, vars: &Vars) -> String {
    let user = vars.get("USER").or(vars.get("LOGNAME")).unwrap_or("operator");
    global.principal.clone().unwrap_or_else(|| user.to_owned())
}

/// Follows pages until `limit` entries are there (0: all). True when there are more.
///
/// `next` asks for a page of this size with this token and returns its entries and the next token.
pub(crate) async fn all<T>(
    limit: usize,
    mut next: impl AsyncFnMut(i32, String) -> Result<(Vec<T>, String), tonic::Status>,
) -> Result<(Vec<T>, bool)> {
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let wanted = if limit == 0 { 1000 } else { (limit - found.len()).min(1000) };
        let (page, after) = next(i32::try_from(wanted).unwrap_or(1000), token).await?;
        found.extend(page);
        if after.is_empty() || (limit != 0 && found.len() >= limit) {
            return Ok((found, !after.is_empty()));
        }
        token = after;
    }
}
