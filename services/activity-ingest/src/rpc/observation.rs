//! What colleagues see and hear.

use leadflow_platform::{Error, auth::Principal};
use leadflow_proto::activity::v1::{
    RecordObservationRequest, RecordObservationResponse, observation_service_server::ObservationService,
};
use tonic::{Request, Response, Status};

use super::Service;
use crate::{app::Outcome, domain::door::Door, error, wire};

#[tonic::async_trait]
impl ObservationService for Service {
    async fn record_observation(
        &self,
        request: Request<RecordObservationRequest>,
    ) -> Result<Response<RecordObservationResponse>, Status> {
        let principal = Principal::of(&request)?;
        let activity = wire::observation(request.into_inner())?;
        let outcomes = self.app.record(wire::incoming(vec![activity])?, &principal, Door::Grpc).await?;
        match outcomes.into_iter().next() {
            Some(Outcome::Recorded(recorded)) if recorded.conflicting => {
                let problem = "was used for another observation: make a new one";
                Err(Error::field("REQUEST_ID_REUSED", "request_id", problem).into())
            }
            Some(Outcome::Recorded(recorded)) => {
                Ok(Response::new(RecordObservationResponse { activity_id: recorded.activity_id.to_string() }))
            }
            Some(Outcome::Rejected(error) | Outcome::Quarantined(_, error)) => Err(error.into()),
            None => Err(error::stopping().into()),
        }
    }
}
