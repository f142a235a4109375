//! Logs and metrics. Each role has its own registry, so that `/metrics` of a role shows that role and nothing else.

use opentelemetry::{
    KeyValue,
    metrics::{Meter, MeterProvider as _},
};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider};
use prometheus::{Registry, TextEncoder};

use crate::error::{Error, Result};

/// The metrics of one role.
#[derive(Clone, Debug)]
pub struct Metrics {
    role: &'static str,
    registry: Registry,
    provider: SdkMeterProvider,
}

impl Metrics {
    /// Empty metrics for `role`.
    ///
    /// # Errors
    /// `INTERNAL` when the exporter cannot be made.
    pub fn new(role: &'static str) -> Result<Self> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .build()
            .map_err(|cause| Error::internal("the metrics cannot be exported").because(cause))?;
        let resource = Resource::builder()
            .with_service_name(format!("leadflow-{role}"))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkMeterProvider::builder().with_resource(resource).with_reader(exporter).build();
        Ok(Self { role, registry, provider })
    }

    /// Makes instruments.
    pub fn meter(&self) -> Meter {
        self.provider.meter(self.role)
    }

    /// What `/metrics` answers, in the text format of Prometheus.
    ///
    /// # Errors
    /// `INTERNAL` when the metrics cannot be written.
    pub fn render(&self) -> Result<String> {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .map_err(|cause| Error::internal("the metrics cannot be written").because(cause))
    }
}

/// Starts the log of the process: `RUST_LOG` chooses what is logged (`info` by default), `LEADFLOW_LOG_FORMAT` how
/// (`json`, or `text` by default). The log goes to standard error.
pub fn init_log(vars: &crate::vars::Vars) {
    use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};
    let filter = EnvFilter::new(vars.get("RUST_LOG").unwrap_or("info,sqlx=warn,async_nats=warn"));
    let registry = tracing_subscriber::registry().with(filter);
    let result = if vars.get("LEADFLOW_LOG_FORMAT") == Some("json") {
        registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()
    } else {
        registry.with(fmt::layer().with_writer(std::io::stderr)).try_init()
    };
    // Several roles in one process share the log; the first one has started it.
    drop(result);
}
