//! Logs and metrics. Each role has its own registry, so that `/metrics` of a role shows that role and nothing else.

use opentelemetry::{
    KeyValue,
    metrics::{Meter, MeterProvider as _},
};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider};
use prometheus::{Registry, TextEncoder};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
    util::SubscriberInitExt,
};

use crate::{
    error::{Error, Result},
    vars::Vars,
};

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
/// (`json`, or `text` by default). The log goes to standard error. What is done in a trace says so by `trace_id`.
pub fn init_log(vars: &Vars) {
    // Several roles in one process share the log; the first one has started it.
    drop(log(vars, std::io::stderr).try_init());
}

fn log<W>(vars: &Vars, writer: W) -> impl SubscriberInitExt + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::new(vars.get("RUST_LOG").unwrap_or("info,sqlx=warn,async_nats=warn,opentelemetry=warn"));
    let lines = fmt::layer().with_writer(writer);
    let lines = match vars.get("LEADFLOW_LOG_FORMAT") {
        Some("json") => lines.json().flatten_event(true).boxed(),
        _ => lines.boxed(),
    };
    tracing_subscriber::registry().with(filter).with(lines)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::trace::{Origin, SpanKind, Tracer};

    #[tokio::test]
    async fn a_line_of_the_log_says_in_which_trace_it_was_written_whatever_is_filtered() {
        let vars = Vars::from_iter([("RUST_LOG", "error"), ("LEADFLOW_LOG_FORMAT", "json")]);
        let file = tempfile::NamedTempFile::new().unwrap();
        let _log = log(&vars, Arc::new(file.reopen().unwrap())).set_default();
        let door = Origin::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
        let span = Tracer::default().start(SpanKind::Server, "door", door);
        span.run(async { tracing::error!(reason = "INTERNAL", "inside") }).await;
        tracing::error!("outside");
        let written = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<serde_json::Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["message"], &lines[0]["reason"]), (&"inside".into(), &"INTERNAL".into()));
        assert_eq!(lines[0]["span"]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((&lines[1]["message"], lines[1].get("span")), (&"outside".into(), None));
    }
}
