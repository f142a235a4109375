//! What colleagues see and hear, as an activity.

use leadflow_platform::{Error, Result, ids};
use leadflow_proto::activity::v1::{Activity, RecordObservationRequest};

/// The source of observations whose caller names none.
const SOURCE: &str = "colleagues";
/// The type of all observations; the model says what it is worth.
const TYPE: &str = "observation";

/// The activity that an observation is. A repeated request is the same event of its source.
///
/// # Errors
/// `INVALID_FIELD` when nothing was observed, or the id of the request is none.
pub(crate) fn observation(request: RecordObservationRequest) -> Result<Activity> {
    if request.notes.trim().is_empty() {
        return Err(Error::invalid("notes", "is required: say what was seen or heard"));
    }
    let request_id = ids::parse_optional("request_id", &request.request_id)?.unwrap_or_else(ids::new);
    let source = if request.source.is_empty() { SOURCE.to_owned() } else { request.source };
    Ok(Activity {
        source,
        source_event_id: request_id.to_string(),
        activity_type: TYPE.to_owned(),
        product_category: request.product_category,
        occur_time: request.occur_time,
        identity: request.identity,
        notes: request.notes,
        ..Activity::default()
    })
}
