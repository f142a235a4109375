//! Who may call what: deny by default, by name on loopback, by token everywhere else.

use std::{fs, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use leadflow_harness::eventually;
use leadflow_platform::{
    auth::{Auth, Credentials, PRINCIPAL_HEADER},
    clock::Clock,
    trace::Tracer,
    vars::Vars,
};
use leadflow_proto::contact::v1::{
    GetAccountRequest, GetAccountResponse, contact_service_client::ContactServiceClient,
};
use serde_json::{Value, json};
use tonic::{Request, Status};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::{ServerReflectionRequest, server_reflection_client::ServerReflectionClient};
use tonic_types::StatusExt as _;

use crate::support::{
    role::{Role, get, rename},
    tokens::{KeyFile, Signer, claims, claims_but},
};

/// A role that asks for tokens.
struct Guarded {
    role: Role,
    keys: KeyFile,
}

impl Guarded {
    async fn by(keys: Vec<Jwk>) -> Self {
        let keys = KeyFile::with(keys);
        Self { role: Role::start(keys.auth()).await, keys }
    }

    /// Who the caller with this token is, to a method that reads.
    async fn who(&self, token: &str) -> Result<String, Status> {
        let mut client = ContactServiceClient::new(self.role.nobody().await);
        client.get_account(with_token(get("any"), token)).await.map(|answer| answer.into_inner().account.unwrap().name)
    }

    async fn assert_unauthenticated(&self, what: &str, token: &str) {
        let status = self.who(token).await.expect_err(what);
        assert_eq!(status.code(), tonic::Code::Unauthenticated, "{what}: {status}");
    }
}

fn with_token<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().unwrap().reason.clone()
}

/// A call of a method that the generated client does not have.
async fn call(role: &Role, path: &'static str) -> Status {
    let mut client = tonic::client::Grpc::new(role.nobody().await);
    client.ready().await.unwrap();
    let codec: ProstCodec<GetAccountRequest, GetAccountResponse> = ProstCodec::default();
    client.unary(Request::new(get("any")), http::uri::PathAndQuery::from_static(path), codec).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_loopback_anybody_reads_and_who_changes_something_says_who_it_is() {
    let role = Role::start(Auth::Loopback).await;
    let mut nobody = ContactServiceClient::new(role.nobody().await);
    assert_eq!(nobody.get_account(get("any")).await.unwrap().into_inner().account.unwrap().name, "nobody");
    let status = nobody.update_account(rename("new")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (tonic::Code::Unauthenticated, "PRINCIPAL_REQUIRED"));

    let mut anna = role.client(Credentials::Name("anna".into()));
    assert_eq!(anna.update_account(rename("new")).await.unwrap().into_inner().account.unwrap().name, "anna");
    for bad in [" ", &"x".repeat(201)] {
        let mut request = Request::new(rename("new"));
        request.metadata_mut().insert(PRINCIPAL_HEADER, bad.parse().unwrap());
        let status = nobody.update_account(request).await.unwrap_err();
        assert_eq!(reason(&status), "INVALID_PRINCIPAL");
    }
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_contract_does_not_name_is_denied_to_everybody() {
    let role = Role::start(Auth::Loopback).await;
    for path in ["/leadflow.contact.v1.ContactService/Nothing", "/nothing.v1.NoService/Nothing", "/"] {
        let status = call(&role, path).await;
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (tonic::Code::PermissionDenied, "METHOD_DENIED"),
            "{path}"
        );
    }
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_token_lets_its_subject_in_whatever_else_the_caller_says() {
    let (ec, ed) = (Signer::ec("ec"), Signer::ed("ed"));
    let guarded = Guarded::by(vec![ec.jwk(), ed.jwk()]).await;
    assert_eq!(guarded.who(&ec.sign(&claims())).await.unwrap(), "anna");
    assert_eq!(guarded.who(&ed.sign(&claims_but("sub", json!("bert")))).await.unwrap(), "bert");
    assert_eq!(guarded.who(&ec.sign(&claims_but("aud", json!(["other", "leadflow"])))).await.unwrap(), "anna");

    let mut request = with_token(rename("new"), &ec.sign(&claims()));
    request.metadata_mut().insert(PRINCIPAL_HEADER, "eve".parse().unwrap());
    let mut client = ContactServiceClient::new(guarded.role.nobody().await);
    assert_eq!(client.update_account(request).await.unwrap().into_inner().account.unwrap().name, "anna");
    guarded.role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_without_the_scope_of_the_method_is_denied() {
    let ec = Signer::ec("ec");
    let guarded = Guarded::by(vec![ec.jwk()]).await;
    for scope in [json!("contact.readers contact"), json!(""), Value::Null] {
        let status = guarded.who(&ec.sign(&claims_but("scope", scope))).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (tonic::Code::PermissionDenied, "SCOPE_REQUIRED"));
        assert!(status.message().contains("contact.read"), "{status}");
    }
    let mut client = ContactServiceClient::new(guarded.role.nobody().await);
    let reader = ec.sign(&claims_but("scope", json!("contact.read")));
    let status = client.update_account(with_token(rename("new"), &reader)).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::PermissionDenied);
    guarded.role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_not_good_is_not_let_in() {
    let (ec, now) = (Signer::ec("ec"), Clock::system().now().as_second());
    let guarded = Guarded::by(vec![ec.jwk()]).await;
    for (what, name, value) in [
        ("wrong issuer", "iss", json!("https://evil.example")),
        ("no issuer", "iss", Value::Null),
        ("wrong audience", "aud", json!("other")),
        ("no audience", "aud", Value::Null),
        ("expired", "exp", json!(now - 3_600)),
        ("never expires", "exp", Value::Null),
        ("not valid yet", "nbf", json!(now + 3_600)),
        ("no subject", "sub", Value::Null),
        ("empty subject", "sub", json!("")),
        ("endless subject", "sub", json!("x".repeat(201))),
    ] {
        guarded.assert_unauthenticated(what, &ec.sign(&claims_but(name, value))).await;
    }
    guarded.assert_unauthenticated("unknown key", &Signer::ec("unknown").sign(&claims())).await;
    guarded.assert_unauthenticated("another key of that name", &Signer::other_ec("ec").sign(&claims())).await;
    guarded.assert_unauthenticated("another algorithm", &Signer::ed("ec").sign(&claims())).await;
    let good = ec.sign(&claims());
    guarded.assert_unauthenticated("cut off", &good[..good.len() - 8]).await;
    guarded.assert_unauthenticated("no token", "").await;
    guarded.assert_unauthenticated("garbage", "a.b.c").await;

    let mut nobody = ContactServiceClient::new(guarded.role.nobody().await);
    let status = nobody.get_account(get("any")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (tonic::Code::Unauthenticated, "TOKEN_REQUIRED"));
    guarded.role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_algorithm_is_that_of_our_key_and_never_that_of_the_token() {
    let (ec, ed) = (Signer::ec("ec"), Signer::ed("ed"));
    let shared = Signer::secret("secret", b"a secret does not belong into a file of public keys");
    let guarded = Guarded::by(vec![ec.jwk_without_alg(), ed.jwk_without_alg(), shared.jwk()]).await;
    // What kind of key it is says enough.
    assert_eq!(guarded.who(&ec.sign(&claims())).await.unwrap(), "anna");
    assert_eq!(guarded.who(&ed.sign(&claims())).await.unwrap(), "anna");

    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for alg in ["none", "None", "HS256"] {
        let unsigned = format!("{}.{}.", part(json!({"alg": alg, "typ": "JWT", "kid": "ec"})), part(claims()));
        guarded.assert_unauthenticated(alg, &unsigned).await;
    }
    // The classic: our public key, taken for a secret.
    let public = serde_json::to_value(ec.jwk()).unwrap();
    let point: Vec<u8> = ["x", "y"]
        .into_iter()
        .flat_map(|name| URL_SAFE_NO_PAD.decode(public[name].as_str().unwrap()).unwrap())
        .collect();
    let sec1: Vec<u8> = [4].into_iter().chain(point.iter().copied()).collect();
    for (what, secret) in [("point", point), ("SEC1", sec1), ("JWK", public.to_string().into_bytes())] {
        guarded.assert_unauthenticated(what, &Signer::secret("ec", &secret).sign(&claims())).await;
    }
    guarded.assert_unauthenticated("shared secret", &shared.sign(&claims())).await;
    guarded.role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_of_keys_counts_at_once_for_new_keys_and_for_those_taken_out() {
    let (old, new) = (Signer::ec("old"), Signer::other_ec("new"));
    let guarded = Guarded::by(vec![old.jwk()]).await;
    guarded.assert_unauthenticated("not yet", &new.sign(&claims())).await;
    guarded.keys.replace(vec![old.jwk(), new.jwk()]);
    eventually!(guarded.who(&new.sign(&claims())).await.is_ok());
    guarded.who(&old.sign(&claims())).await.unwrap();

    // Broken in between: the last keys stay.
    fs::write(guarded.keys.path(), "{").unwrap();
    guarded.who(&old.sign(&claims())).await.unwrap();
    fs::remove_file(guarded.keys.path()).unwrap();
    guarded.who(&old.sign(&claims())).await.unwrap();

    guarded.keys.replace(vec![new.jwk()]);
    eventually!(guarded.who(&old.sign(&claims())).await.is_err());
    guarded.who(&new.sign(&claims())).await.unwrap();
    guarded.role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_reads_its_token_anew_for_each_call() {
    let ec = Signer::ec("ec");
    let guarded = Guarded::by(vec![ec.jwk()]).await;
    let path = guarded.keys.folder.path().join("token");
    let vars = Vars::from_iter([("LEADFLOW_SCORING_TOKEN_FILE", path.to_str().unwrap())]);
    assert!(
        Credentials::from_vars("scoring", &vars).unwrap_err().to_string().starts_with("LEADFLOW_SCORING_TOKEN_FILE: ")
    );
    fs::write(&path, "").unwrap();
    let mut client = guarded.role.client(Credentials::from_vars("scoring", &vars).unwrap());
    for name in ["service:scoring", "service:renewed"] {
        fs::write(&path, format!("{}\n", ec.sign(&claims_but("sub", json!(name))))).unwrap();
        assert_eq!(client.get_account(get("any")).await.unwrap().into_inner().account.unwrap().name, name);
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(client.get_account(get("any")).await.unwrap_err().code(), tonic::Code::Unauthenticated);
    guarded.role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_reflection_are_open_and_nothing_beside_them() {
    let guarded = Guarded::by(vec![Signer::ec("ec").jwk()]).await;
    HealthClient::new(guarded.role.nobody().await).check(HealthCheckRequest::default()).await.unwrap();
    let asked = tokio_stream::iter([ServerReflectionRequest::default()]);
    ServerReflectionClient::new(guarded.role.nobody().await).server_reflection_info(asked).await.unwrap();
    for path in
        ["/grpc.health.v1.HealthX/Check", "/grpc.health.v1/Check", "/leadflow.contact.v1.ContactService/Nothing"]
    {
        assert_eq!(call(&guarded.role, path).await.code(), tonic::Code::PermissionDenied, "{path}");
    }
    guarded.role.stop().await.unwrap();
}

#[test]
fn a_login_that_cannot_work_is_refused_by_the_name_of_its_variable() {
    let keys = KeyFile::with(vec![Signer::ec("ec").jwk()]);
    let path = keys.path().to_str().unwrap().to_owned();
    let refused = |pairs: &[(&str, &str)]| Auth::from_vars(&pairs.iter().copied().collect()).unwrap_err().to_string();
    let message = refused(&[("LEADFLOW_AUTH_JWKS_FILE", &path)]);
    assert_eq!(message, "LEADFLOW_AUTH_ISSUER: is not set");
    let issuer = ("LEADFLOW_AUTH_ISSUER", "https://login.example");
    let message = refused(&[("LEADFLOW_AUTH_JWKS_FILE", "/nowhere"), issuer]);
    assert!(message.starts_with("LEADFLOW_AUTH_JWKS_FILE: cannot read `/nowhere`"), "{message}");
    fs::write(keys.path(), "{").unwrap();
    let message = refused(&[("LEADFLOW_AUTH_JWKS_FILE", &path), issuer]);
    assert!(message.starts_with("LEADFLOW_AUTH_JWKS_FILE: ") && message.contains("is no JWK set"), "{message}");
}

#[tokio::test]
async fn a_role_that_nobody_asked_for_tokens_is_deaf_to_the_rest_of_the_world() {
    // The machine's own address is not loopback, and as good as a stranger's.
    let Ok(socket) = tokio::net::UdpSocket::bind("0.0.0.0:0").await else {
        return;
    };
    if socket.connect("192.0.2.1:9").await.is_err() {
        return;
    }
    let own = socket.local_addr().unwrap().ip();
    if own.is_loopback() {
        return;
    }
    let listener = leadflow_platform::service::listen("0.0.0.0:0".parse().unwrap()).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stop = tokio_util::sync::CancellationToken::new();
    let (_, health) = leadflow_platform::rpc::health();
    let metrics = leadflow_platform::metrics::Metrics::new("test").unwrap();
    let routes = tonic::service::Routes::default();
    let served = tokio::spawn(leadflow_platform::rpc::serve(
        listener,
        routes,
        health,
        Auth::Loopback,
        metrics,
        Tracer::default(),
        stop.clone(),
    ));
    let channel =
        tonic::transport::Endpoint::from_shared(format!("http://{own}:{port}")).unwrap().connect().await.unwrap();
    let status = ContactServiceClient::new(channel).get_account(get("any")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (tonic::Code::Unauthenticated, "LOOPBACK_ONLY"));
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), served).await.unwrap().unwrap();
}
