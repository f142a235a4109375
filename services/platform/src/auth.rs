//! Who may call what. Deny by default: a method without a scope in the contract is refused to everybody.

use std::{net::IpAddr, path::PathBuf, sync::Arc};

use http::HeaderMap;

use crate::{
    config::variable,
    error::{Code, Error, Result},
    vars::{self, Vars},
};

pub use crate::auth::{layer::AuthLayer, methods::Methods, token::Keys};

mod layer;
mod methods;
mod token;

/// The header by which a caller on loopback says who acts, when nobody is asked for a token.
pub const PRINCIPAL_HEADER: &str = "leadflow-principal";
/// The longest name of a principal, in bytes.
const MAX_PRINCIPAL: usize = 200;

/// Who acts: a person (`anna.berg`), or `service:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(String);

impl Principal {
    /// The principal of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Who sent the request, as the layer found out.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when nobody is named.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Self> {
        request.extensions().get::<Self>().cloned().ok_or_else(missing)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn missing() -> Error {
    Error::new(
        Code::Unauthenticated,
        "PRINCIPAL_REQUIRED",
        format!("say who acts: a token, or on loopback the header `{PRINCIPAL_HEADER}` (`--as NAME`)"),
    )
}

/// How callers are told apart.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Only this machine may call, without login; the caller says who it is.
    Loopback,
    /// Every caller shows a token (JWT) that one of the keys has signed.
    Tokens(Arc<Keys>),
}

impl Auth {
    /// Reads `LEADFLOW_AUTH_JWKS_FILE`, `LEADFLOW_AUTH_ISSUER` and `LEADFLOW_AUTH_AUDIENCE` (`leadflow`). Without a key
    /// set only loopback may call.
    ///
    /// # Errors
    /// When the key set cannot be read, or the issuer is missing.
    pub fn from_vars(vars: &Vars) -> Result<Self, vars::Error> {
        let Some(path) = vars.get("LEADFLOW_AUTH_JWKS_FILE") else {
            return Ok(Self::Loopback);
        };
        let issuer = vars.required("LEADFLOW_AUTH_ISSUER")?;
        let audience = vars.get("LEADFLOW_AUTH_AUDIENCE").unwrap_or("leadflow");
        let keys = Keys::load(PathBuf::from(path), issuer, audience)
            .map_err(|problem| vars::Error::new("LEADFLOW_AUTH_JWKS_FILE", problem))?;
        Ok(Self::Tokens(Arc::new(keys)))
    }

    /// Whether callers need a token.
    pub fn asks_for_tokens(&self) -> bool {
        matches!(self, Self::Tokens(_))
    }

    /// Who the caller is, and whether the caller may use a method of `scope`.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` or `PERMISSION_DENIED`.
    fn admit(&self, headers: &HeaderMap, peer: Option<IpAddr>, scope: &str) -> Result<Option<Principal>> {
        match self {
            Self::Loopback => {
                if !peer.is_some_and(|ip| ip.to_canonical().is_loopback()) {
                    return Err(Error::new(
                        Code::Unauthenticated,
                        "LOOPBACK_ONLY",
                        "without LEADFLOW_AUTH_JWKS_FILE only this machine may call",
                    ));
                }
                said_principal(headers)
            }
            Self::Tokens(keys) => keys.admit(headers, scope).map(Some),
        }
    }
}

fn said_principal(headers: &HeaderMap) -> Result<Option<Principal>> {
    let Some(value) = headers.get(PRINCIPAL_HEADER) else {
        return Ok(None);
    };
    let name = value.to_str().unwrap_or_default().trim();
    if name.is_empty() || name.len() > MAX_PRINCIPAL {
        return Err(Error::field("INVALID_PRINCIPAL", PRINCIPAL_HEADER, "must be a name of 1 to 200 plain characters"));
    }
    Ok(Some(Principal::new(name)))
}

/// How a caller shows who it is.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// By name; loopback only.
    Name(String),
    /// By the token in this file, which is read anew for each call, because tokens are renewed in place.
    TokenFile(PathBuf),
}

impl Credentials {
    /// The credentials of a role: `LEADFLOW_<ROLE>_TOKEN_FILE`, or its name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn from_vars(role: &str, vars: &Vars) -> Result<Self, vars::Error> {
        let key = variable(role, "TOKEN_FILE");
        match vars.get(&key) {
            None => Ok(Self::Name(format!("service:{role}"))),
            Some(path) => match std::fs::metadata(path) {
                Ok(_) => Ok(Self::TokenFile(path.into())),
                Err(cause) => Err(vars::Error::new(key, format!("cannot read `{path}`: {cause}"))),
            },
        }
    }
}

impl tonic::service::Interceptor for Credentials {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, tonic::Status> {
        let (header, value) = match self {
            Self::Name(name) => (PRINCIPAL_HEADER, name.clone()),
            Self::TokenFile(path) => {
                let token = std::fs::read_to_string(path)
                    .map_err(|cause| tonic::Status::unauthenticated(format!("cannot read the token file: {cause}")))?;
                ("authorization", format!("Bearer {}", token.trim()))
            }
        };
        let value = value.parse().map_err(|_| tonic::Status::unauthenticated("the credentials are not plain text"))?;
        request.metadata_mut().insert(header, value);
        Ok(request)
    }
}
