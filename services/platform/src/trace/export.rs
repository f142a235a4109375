//! Where spans go: to a collector, by OTLP over gRPC, as the variables of OpenTelemetry say.

use opentelemetry::KeyValue;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};

use crate::{
    error::{Error, Result},
    vars::{self, Vars},
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

/// Where spans go, and which.
#[derive(Clone, Debug)]
pub struct Config {
    /// The collector; none: spans are not made.
    endpoint: Option<String>,
    sampler: Sampler,
    /// Instead of `leadflow-ROLE`.
    service_name: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { endpoint: None, sampler: Sampler::ParentBased(Box::new(Sampler::AlwaysOn)), service_name: None }
    }
}

impl Config {
    /// Reads `OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`), without which spans are not made,
    /// `OTEL_TRACES_SAMPLER` (`parentbased_always_on`) with `OTEL_TRACES_SAMPLER_ARG`, `OTEL_SERVICE_NAME`, and the two
    /// that switch it off: `OTEL_SDK_DISABLED=true`, `OTEL_TRACES_EXPORTER=none`. What else there is
    /// (`OTEL_RESOURCE_ATTRIBUTES`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_BSP_*` …) the library reads from the environment.
    ///
    /// # Errors
    /// When one of them asks for what there is not.
    pub fn from_vars(vars: &Vars) -> Result<Self, vars::Error> {
        only(vars, "OTEL_TRACES_EXPORTER", &["otlp", "none"])?;
        for key in ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] {
            only(vars, key, &["grpc"])?;
        }
        let is_off = vars.parsed("OTEL_SDK_DISABLED", false)? || vars.get("OTEL_TRACES_EXPORTER") == Some("none");
        let endpoint = if is_off { None } else { endpoint(vars)? };
        let service_name = vars.get("OTEL_SERVICE_NAME").map(str::to_owned);
        Ok(Self { endpoint, sampler: sampler(vars)?, service_name })
    }
}

fn only(vars: &Vars, key: &str, known: &[&str]) -> Result<(), vars::Error> {
    match vars.get(key) {
        Some(other) if !known.contains(&other) => {
            Err(vars::Error::new(key, format!("`{other}` is not offered: use {}", known.join(" or "))))
        }
        _ => Ok(()),
    }
}

fn endpoint(vars: &Vars) -> Result<Option<String>, vars::Error> {
    let Some((key, url)) = [TRACES_ENDPOINT, ENDPOINT].into_iter().find_map(|key| Some((key, vars.get(key)?))) else {
        return Ok(None);
    };
    let is_plain = url.parse::<http::Uri>().is_ok_and(|url| url.scheme_str() == Some("http") && url.host().is_some());
    if !is_plain {
        let problem = format!("`{url}` is no address of a collector nearby, such as `http://127.0.0.1:4317`");
        return Err(vars::Error::new(key, problem));
    }
    Ok(Some(url.to_owned()))
}

fn sampler(vars: &Vars) -> Result<Sampler, vars::Error> {
    let name = vars.get(SAMPLER).unwrap_or("parentbased_always_on");
    let root = match name.strip_prefix("parentbased_").unwrap_or(name) {
        "always_on" => Sampler::AlwaysOn,
        "always_off" => Sampler::AlwaysOff,
        "traceidratio" => Sampler::TraceIdRatioBased(ratio(vars)?),
        _ => {
            let problem = format!("`{name}` is none: use [parentbased_]always_on, …always_off or …traceidratio");
            return Err(vars::Error::new(SAMPLER, problem));
        }
    };
    Ok(if name.starts_with("parentbased_") { Sampler::ParentBased(Box::new(root)) } else { root })
}

fn ratio(vars: &Vars) -> Result<f64, vars::Error> {
    let ratio = vars.parsed(SAMPLER_ARG, 1.0)?;
    if (0.0..=1.0).contains(&ratio) {
        return Ok(ratio);
    }
    Err(vars::Error::new(SAMPLER_ARG, format!("`{ratio}` is no share of the traces between 0 and 1")))
}

/// Makes spans of `role` go where `config` says, if it says so.
pub(super) fn provider(role: &str, config: &Config) -> Result<Option<SdkTracerProvider>> {
    let Some(endpoint) = &config.endpoint else { return Ok(None) };
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .map_err(|cause| Error::internal("spans cannot be exported").because(cause))?;
    let service_name = config.service_name.clone().unwrap_or_else(|| format!("leadflow-{role}"));
    let resource = Resource::builder()
        .with_service_name(service_name)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(config.sampler.clone())
        .with_batch_exporter(exporter)
        .build();
    Ok(Some(provider))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
        Config::from_vars(&pairs.iter().copied().collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn with_nothing_set_no_spans_are_made() {
        assert_eq!(read(&[]).unwrap().endpoint, None);
        assert!(provider("contact", &Config::default()).unwrap().is_none());
    }

    #[test]
    fn the_own_endpoint_of_traces_comes_first_and_both_can_be_switched_off() {
        let both = [(ENDPOINT, "http://all:4317"), (TRACES_ENDPOINT, "http://traces:4317")];
        assert_eq!(read(&both[..1]).unwrap().endpoint.as_deref(), Some("http://all:4317"));
        assert_eq!(read(&both).unwrap().endpoint.as_deref(), Some("http://traces:4317"));
        for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert_eq!(read(&[both[0], off]).unwrap().endpoint, None);
        }
    }

    #[test]
    fn the_share_of_traces_is_that_of_the_standard_variables() {
        let sampler = |name, arg| {
            let config = read(&[(SAMPLER, name), (SAMPLER_ARG, arg)]).unwrap();
            format!("{:?}", config.sampler)
        };
        assert_eq!(format!("{:?}", Config::default().sampler), "ParentBased(AlwaysOn)");
        assert_eq!(sampler("parentbased_traceidratio", "0.25"), "ParentBased(TraceIdRatioBased(0.25))");
        assert_eq!(sampler("traceidratio", "0.5"), "TraceIdRatioBased(0.5)");
        assert_eq!(sampler("parentbased_always_off", ""), "ParentBased(AlwaysOff)");
        assert_eq!(sampler("always_on", ""), "AlwaysOn");
    }

    #[test]
    fn what_there_is_not_is_refused_and_the_error_names_the_variable() {
        let refused = [
            (SAMPLER, "jaeger_remote"),
            (ENDPOINT, "https://collector.example:4317"),
            (TRACES_ENDPOINT, "collector:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_SDK_DISABLED", "maybe"),
        ];
        for (key, value) in refused {
            let error = read(&[(key, value)]).unwrap_err();
            assert!(error.starts_with(&format!("{key}: `{value}`")), "{error}");
        }
        let error = read(&[(SAMPLER, "traceidratio"), (SAMPLER_ARG, "1.5")]).unwrap_err();
        assert!(error.starts_with("OTEL_TRACES_SAMPLER_ARG: "), "{error}");
    }
}
