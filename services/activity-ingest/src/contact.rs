//! The question to the contact service who did an activity.

use leadflow_platform::{Error, Result, ids, rpc};
use leadflow_proto::contact::v1::{
    GetAccountRequest, GetContactRequest, GetErasedPersonRequest, IdentityClaim, ReportErasureRequest,
    ResolveIdentitiesRequest, ResolvedIdentity, contact_service_client::ContactServiceClient,
    privacy_service_client::PrivacyServiceClient,
};
use tonic::Code;
use tonic_types::RpcStatusExt as _;

use uuid::Uuid;

use crate::{
    ROLE,
    domain::{
        erasure::Person,
        resolution::{Party, Recognised, Refusal, Resolution},
    },
};

/// The contact service.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    who: ContactServiceClient<rpc::Client>,
    privacy: PrivacyServiceClient<rpc::Client>,
}

/// Why a question got no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody would get one now: try again later.
    Down(Error),
    /// It lies in what was asked: ask in smaller parts. This is what it means for a part of one.
    Asked(Resolution),
}

impl Contact {
    /// The service behind this channel.
    pub(crate) fn new(channel: rpc::Client) -> Self {
        Self {
            who: ContactServiceClient::new(channel.clone()).max_decoding_message_size(rpc::MAX_ANSWER),
            privacy: PrivacyServiceClient::new(channel),
        }
    }

    /// Who is behind each claim, in their order.
    pub(crate) async fn resolve(&self, claims: Vec<IdentityClaim>) -> Result<Vec<Resolution>, Failure> {
        Ok(self.ask(claims, false).await?.into_iter().map(resolution).collect())
    }

    /// Who is behind each claim, where it tells contact nothing new. Nothing changes there. A person of whom it is not known
    /// where they are is left to the identifier: what they have done may be moving to an account at this moment, and
    /// what is written beside that would stay behind.
    pub(crate) async fn recognise(&self, claims: Vec<IdentityClaim>) -> Result<Vec<Option<Recognised>>, Failure> {
        let recognised = |result: ResolvedIdentity| match resolution(result) {
            Resolution::Identified(party, visitors) if party.is_settled() => Some(Recognised { party, visitors }),
            _ => None,
        };
        let known = |result: ResolvedIdentity| if result.unknown { None } else { recognised(result) };
        Ok(self.ask(claims, true).await?.into_iter().map(known).collect())
    }

    async fn ask(&self, claims: Vec<IdentityClaim>, known_only: bool) -> Result<Vec<ResolvedIdentity>, Failure> {
        let asked = claims.len();
        let answer = self.who.clone().resolve_identities(ResolveIdentitiesRequest { claims, known_only }).await;
        let results = answer.map_err(failure)?.into_inner().results;
        if results.len() != asked {
            let message = format!("contact answered {} of {asked} claims", results.len());
            return Err(Failure::Down(Error::internal(message)));
        }
        Ok(results)
    }

    /// All ids of an account: with those that are one with it.
    ///
    /// # Errors
    /// `UNAVAILABLE` when contact is.
    pub(crate) async fn ids_of_account(&self, id: Uuid) -> Result<Vec<Uuid>> {
        let answer = self.who.clone().get_account(GetAccountRequest { account_id: id.to_string() }).await;
        let ids = answer.map(|it| it.into_inner().account.map(|it| (it.account_id, it.merged_account_ids)));
        ids_of(id, ids)
    }

    /// The same of a person.
    ///
    /// # Errors
    /// `UNAVAILABLE` when contact is.
    pub(crate) async fn ids_of_contact(&self, id: Uuid) -> Result<Vec<Uuid>> {
        let answer = self.who.clone().get_contact(GetContactRequest { contact_id: id.to_string() }).await;
        let ids = answer.map(|it| it.into_inner().contact.map(|it| (it.contact_id, it.merged_contact_ids)));
        ids_of(id, ids)
    }

    /// What leads to somebody who is to be forgotten, and the accounts that they were at.
    ///
    /// # Errors
    /// `UNAVAILABLE` when contact is.
    pub(crate) async fn erased_person(&self, erasure_id: Uuid) -> Result<(Person, Vec<Uuid>)> {
        let request = GetErasedPersonRequest { erasure_id: erasure_id.to_string() };
        let told = self.privacy.clone().get_erased_person(request).await?.into_inner();
        let account_ids = told.account_ids.iter().map(|id| ids::parse("account_ids", id)).collect::<Result<_>>()?;
        let person = Person {
            emails: told.emails.into_iter().collect(),
            phones: told.phones.into_iter().collect(),
            external_ids: told.external_ids.into_iter().map(|it| (it.source, it.value)).collect(),
            anonymous_ids: told.anonymous_ids.into_iter().collect(),
            names: told.names.into_iter().map(|it| (it.given_name, it.family_name)).collect(),
        };
        Ok((person, account_ids))
    }

    /// Says that nothing of somebody is left here.
    ///
    /// # Errors
    /// `UNAVAILABLE` when contact is.
    pub(crate) async fn report_erasure(&self, erasure_id: Uuid, deleted: u64) -> Result<()> {
        let deleted = i64::try_from(deleted).unwrap_or(i64::MAX);
        let request = ReportErasureRequest { erasure_id: erasure_id.to_string(), service: ROLE.to_owned(), deleted };
        self.privacy.clone().report_erasure(request).await?;
        Ok(())
    }
}

/// The survivor and those that were merged into it. Of one that contact does not know there is only what the ledger knows.
fn ids_of(id: Uuid, told: Result<Option<(String, Vec<String>)>, tonic::Status>) -> Result<Vec<Uuid>> {
    match told {
        Ok(Some((survivor, merged))) => {
            std::iter::once(&survivor).chain(&merged).map(|id| ids::parse("id", id)).collect()
        }
        Ok(None) => Ok(vec![id]),
        Err(status) if status.code() == Code::NotFound => Ok(vec![id]),
        Err(status) => Err(status.into()),
    }
}

fn failure(status: tonic::Status) -> Failure {
    let refusal = || Refusal { reason: "UPSTREAM_REFUSED".to_owned(), message: status.message().to_owned() };
    match status.code() {
        code if is_permanent(code) => Failure::Asked(Resolution::Refused(refusal())),
        // A fault of contact's own. It may be one activity that brings it about.
        Code::Internal | Code::Unknown | Code::DataLoss => Failure::Asked(Resolution::Failed(refusal())),
        _ => Failure::Down(status.into()),
    }
}

/// Whether the same question would get the same answer for ever.
fn is_permanent(code: Code) -> bool {
    use Code::{AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, OutOfRange};
    matches!(code, AlreadyExists | FailedPrecondition | InvalidArgument | NotFound | OutOfRange)
}

fn resolution(result: ResolvedIdentity) -> Resolution {
    if let Some(error) = result.error {
        let reason = error.get_error_details().error_info().map(|info| info.reason.clone());
        let refusal =
            Refusal { reason: reason.unwrap_or_else(|| "UPSTREAM_REFUSED".to_owned()), message: error.message };
        let permanent = is_permanent(Code::from_i32(error.code));
        return if permanent { Resolution::Refused(refusal) } else { Resolution::Failed(refusal) };
    }
    // The ledger keeps the side of a merge that the identity belongs to: where it stays when the merge is undone.
    let origin =
        |field, origin: &str, shown: &str| ids::parse_optional(field, if origin.is_empty() { shown } else { origin });
    if result.suppressed {
        return Resolution::Suppressed;
    }
    let party = || -> Result<Party> {
        Ok(Party {
            contact_id: origin("contact_id", &result.origin_contact_id, &result.contact_id)?,
            account_id: origin("account_id", &result.origin_account_id, &result.account_id)?,
            account_revision: result.account_revision,
            attribution: 0,
        })
    };
    let recognised = || {
        let visitors = result.recognised_contact_ids.iter();
        visitors.map(|id| ids::parse("recognised_contact_ids", id)).collect::<Result<Vec<_>>>()
    };
    let identified = || -> Result<Resolution> { Ok(Resolution::Identified(party()?, recognised()?)) };
    identified().unwrap_or_else(|error: Error| {
        Resolution::Failed(Refusal { reason: "UPSTREAM_ANSWER".to_owned(), message: error.to_string() })
    })
}
