//! One error for all services: a closed set of codes, a stable reason, the fields at fault, and a cause that is kept
//! inside and logged once, where the error leaves the process.

use std::{collections::HashMap, fmt, time::Duration};

use sea_orm::DbErr;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::db;

/// What goes wrong in Leadflow is an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of error it is; each maps to one gRPC code and one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The caller has to change the request.
    InvalidArgument,
    /// The thing named does not exist.
    NotFound,
    /// The thing exists already.
    AlreadyExists,
    /// The thing is in no state for this.
    FailedPrecondition,
    /// Somebody else changed the thing meanwhile: read it again.
    Aborted,
    /// No or bad credentials.
    Unauthenticated,
    /// Good credentials without the scope.
    PermissionDenied,
    /// Too much at once: try again later.
    ResourceExhausted,
    /// Something that is needed is down: try again later.
    Unavailable,
    /// Our own fault.
    Internal,
}

impl Code {
    /// The name of the gRPC code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error with all that a caller needs and nothing that it must not see.
#[derive(Debug)]
pub struct Error {
    code: Code,
    reason: &'static str,
    message: String,
    violations: Vec<(String, String)>,
    retry_after: Option<Duration>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error with a stable reason (`UPPER_SNAKE_CASE`) and a message that says what to do.
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), violations: Vec::new(), retry_after: None, cause: None }
    }

    /// A field that is at fault, with the reason `INVALID_FIELD`.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::field("INVALID_FIELD", field, description)
    }

    /// A field that is at fault, with a reason of its own.
    pub fn field(reason: &'static str, field: impl Into<String>, description: impl Into<String>) -> Self {
        let (field, description) = (field.into(), description.into());
        let mut error = Self::new(Code::InvalidArgument, reason, format!("{field} {description}"));
        error.violations.push((field, description));
        error
    }

    /// The thing of this kind and name does not exist.
    pub fn not_found(kind: &str, name: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, "NOT_FOUND", format!("there is no {kind} `{name}`"))
    }

    /// The etag that came is not the present one.
    pub fn stale_etag(kind: &str) -> Self {
        let mut error = Self::new(
            Code::Aborted,
            "STALE_ETAG",
            format!("the {kind} was changed since it was read: read it again and repeat the change"),
        );
        error.violations.push(("etag".into(), "is out of date".into()));
        error
    }

    /// The thing is in no state for this.
    pub fn precondition(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, reason, message)
    }

    /// Something that is needed is down for the moment.
    pub fn unavailable(message: impl Into<String>) -> Self {
        let mut error = Self::new(Code::Unavailable, "UNAVAILABLE", message);
        error.retry_after = Some(Duration::from_secs(1));
        error
    }

    /// Our own fault; `context` goes to the log, never to the caller.
    pub fn internal(context: impl Into<String>) -> Self {
        Self::new(Code::Internal, "INTERNAL", context)
    }

    /// Keeps the cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Names one more field at fault.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (field, description) in other.violations {
            self.message = format!("{}; {field} {description}", self.message);
            self.violations.push((field, description));
        }
        self
    }

    /// Puts a prefix such as `activities[3].` before each field.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        for (field, _) in &mut self.violations {
            field.insert_str(0, prefix);
        }
        self.message.insert_str(0, prefix);
        self
    }

    /// What kind of error it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// The fields at fault, each with what is wrong.
    pub fn violations(&self) -> &[(String, String)] {
        &self.violations
    }

    /// What a caller may read.
    pub fn public_message(&self) -> &str {
        if self.code == Code::Internal { "internal error; the log of the service has the cause" } else { &self.message }
    }

    /// Whether the same call may succeed later without anybody changing it.
    pub fn is_transient(&self) -> bool {
        matches!(self.code, Code::Unavailable | Code::ResourceExhausted | Code::Aborted)
    }

    /// The HTTP status of the error.
    pub fn http_status(&self) -> http::StatusCode {
        match self.code {
            Code::InvalidArgument => http::StatusCode::BAD_REQUEST,
            Code::NotFound => http::StatusCode::NOT_FOUND,
            Code::AlreadyExists | Code::Aborted => http::StatusCode::CONFLICT,
            Code::FailedPrecondition => http::StatusCode::UNPROCESSABLE_ENTITY,
            Code::Unauthenticated => http::StatusCode::UNAUTHORIZED,
            Code::PermissionDenied => http::StatusCode::FORBIDDEN,
            Code::ResourceExhausted => http::StatusCode::TOO_MANY_REQUESTS,
            Code::Unavailable => http::StatusCode::SERVICE_UNAVAILABLE,
            Code::Internal => http::StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn grpc_code(&self) -> tonic::Code {
        match self.code {
            Code::InvalidArgument => tonic::Code::InvalidArgument,
            Code::NotFound => tonic::Code::NotFound,
            Code::AlreadyExists => tonic::Code::AlreadyExists,
            Code::FailedPrecondition => tonic::Code::FailedPrecondition,
            Code::Aborted => tonic::Code::Aborted,
            Code::Unauthenticated => tonic::Code::Unauthenticated,
            Code::PermissionDenied => tonic::Code::PermissionDenied,
            Code::ResourceExhausted => tonic::Code::ResourceExhausted,
            Code::Unavailable => tonic::Code::Unavailable,
            Code::Internal => tonic::Code::Internal,
        }
    }

    fn details(&self) -> ErrorDetails {
        let mut details = ErrorDetails::with_error_info(self.reason, "leadflow", HashMap::new());
        if !self.violations.is_empty() {
            details.set_bad_request(
                self.violations.iter().map(|(field, text)| FieldViolation::new(field, text)).collect::<Vec<_>>(),
            );
        }
        if let Some(delay) = self.retry_after {
            details.set_retry_info(Some(delay));
        }
        details
    }

    /// Writes the error to the log if it is ours; a caller's mistakes are the caller's to log.
    pub fn log(&self) {
        if matches!(self.code, Code::Internal | Code::Unavailable) {
            tracing::error!(reason = self.reason, error = %self, "failed");
        }
    }

    /// The error as the status of one item in an answer.
    pub fn to_item_status(&self) -> tonic_types::Status {
        let status = tonic::Status::from(self);
        prost::Message::decode(status.details()).unwrap_or_else(|_| tonic_types::Status {
            code: status.code() as i32,
            message: status.message().to_owned(),
            details: Vec::new(),
        })
    }
}

/// The message with its causes, for the log.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = self.cause.as_deref().map(|cause| cause as &dyn std::error::Error);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<&Error> for tonic::Status {
    fn from(error: &Error) -> Self {
        Self::with_error_details(error.grpc_code(), error.public_message(), error.details())
    }
}

/// Logs the error and turns it into what the caller may see.
impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        error.log();
        Self::from(&error)
    }
}

/// A database error that no one has handled: our own fault, unless it passes by itself.
impl From<DbErr> for Error {
    fn from(cause: DbErr) -> Self {
        if db::is_transient(&cause) {
            Self::unavailable("the database cannot be used right now").because(cause)
        } else {
            Self::internal("the database refused the work").because(cause)
        }
    }
}

/// An answer of another service, as seen by the service that called it.
impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        let refused = |code| Self::new(code, "UPSTREAM_REFUSED", status.message().to_owned());
        match status.code() {
            // A message that is too long is `OUT_OF_RANGE` to tonic.
            tonic::Code::InvalidArgument | tonic::Code::OutOfRange => refused(Code::InvalidArgument).because(status),
            tonic::Code::NotFound => refused(Code::NotFound).because(status),
            tonic::Code::AlreadyExists => refused(Code::AlreadyExists).because(status),
            tonic::Code::FailedPrecondition => refused(Code::FailedPrecondition).because(status),
            tonic::Code::PermissionDenied | tonic::Code::Unauthenticated | tonic::Code::Unimplemented => {
                Self::internal("another service refused the call").because(status)
            }
            _ => Self::unavailable("another service cannot be reached right now").because(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_never_sees_the_inside() {
        let error = Error::internal("the key of the vault is 42").because(std::io::Error::other("disk"));
        let status = tonic::Status::from(&error);
        assert!(!status.message().contains("42"));
        assert!(!String::from_utf8_lossy(status.details()).contains("42"));
        assert_eq!(error.to_string(), "the key of the vault is 42: disk");
    }

    #[test]
    fn details_carry_the_reason_and_each_field() {
        let error =
            Error::field("MISSING_IDENTITY", "identity", "is empty").and(Error::invalid("notes", "is too long"));
        let details = tonic::Status::from(&error).get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "MISSING_IDENTITY");
        let fields: Vec<_> = details.bad_request().unwrap().field_violations.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["identity", "notes"]);
    }

    #[test]
    fn an_item_carries_the_same_details_as_a_call() {
        let item =
            Error::field("UNKNOWN_SOURCE", "source", "is not registered").within("activities[3].").to_item_status();
        assert_eq!(item.code, tonic::Code::InvalidArgument as i32);
        assert_eq!(item.message, "activities[3].source is not registered");
        assert_eq!(item.details.len(), 2);
    }
}
