//! What is counted, for Prometheus.
//!
//! Each server has its own recorder and hands out handles, so that counting a request is a few
//! atomic additions and no lookup.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use parking_lot::RwLock;

use crate::app::App;

static METADATA: Metadata<'static> = Metadata::new("opsflux", Level::INFO, Some("opsflux_server"));

const REQUESTS: &str = "opsflux_http_requests_total";
const SECONDS: &str = "opsflux_http_request_seconds";
const LAG: &str = "opsflux_feed_lag";

/// Buckets of latencies, in seconds: from a cached point read to the end of patience.
const BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0,
];

/// The counters of one server.
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
}

/// The counters of one operation.
pub struct Meter {
    recorder: Arc<PrometheusRecorder>,
    operation: String,
    by_status: RwLock<Vec<(StatusCode, Counter, Histogram)>>,
}

/// What is measured at the moment somebody scrapes.
pub struct Gauges {
    recorder: Arc<PrometheusRecorder>,
    feed_end: Gauge,
    listeners: Gauge,
    database_up: Gauge,
    changes_kept: Gauge,
}

impl Gauges {
    /// Nothing measured yet.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Gauges {
        metrics.recorder.describe_gauge(
            LAG.into(),
            None,
            "Entries of the change feed a reactor has not handled.".into(),
        );
        Gauges {
            recorder: metrics.recorder.clone(),
            feed_end: metrics.gauge(
                "opsflux_feed_end",
                "Place of the last entry of the change feed.",
            ),
            listeners: metrics.gauge("opsflux_live_listeners", "Open streams of live changes."),
            database_up: metrics.gauge("opsflux_database_up", "Whether the database answers."),
            changes_kept: metrics.gauge(
                "opsflux_changes_kept",
                "Whether changes are kept: not when the database is away, full or read-only.",
            ),
        }
    }

    /// Measures.
    pub async fn measure(&self, app: &App) {
        self.listeners.set(f64::from(
            u32::try_from(app.live.listeners()).unwrap_or(u32::MAX),
        ));
        let end = app.records.store().feed_end().await;
        self.database_up.set(if end.is_ok() { 1.0 } else { 0.0 });
        let kept = end.is_ok() && app.records.store().takes_changes().await.is_ok();
        self.changes_kept.set(if kept { 1.0 } else { 0.0 });
        let Ok(end) = end else { return };
        self.feed_end.set(figure(end));
        for reactor in &app.reactors {
            if let Ok(at) = reactor.position(&app.records).await {
                let labels = vec![Label::new("reactor", reactor.name())];
                let gauge = self
                    .recorder
                    .register_gauge(&Key::from_parts(LAG, labels), &METADATA);
                // An index that is being filled stands before the first entry there can be.
                gauge.set(figure(end.saturating_sub(at.max(0)).max(0)));
            }
        }
    }
}

/// Prometheus counts in floating point; places of the feed are exact in it up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn figure(number: i64) -> f64 {
    number as f64
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

impl Metrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Metrics {
        let builder = PrometheusBuilder::new();
        // Buckets are a constant that is not empty, which is all this can refuse.
        let recorder = match builder.set_buckets(&BUCKETS) {
            Ok(builder) => builder.build_recorder(),
            Err(_) => PrometheusBuilder::new().build_recorder(),
        };
        recorder.describe_counter(
            REQUESTS.into(),
            Some(Unit::Count),
            "Requests answered.".into(),
        );
        recorder.describe_histogram(
            SECONDS.into(),
            Some(Unit::Seconds),
            "Time from the first byte of the request to the answer.".into(),
        );
        let handle = recorder.handle();
        Metrics {
            recorder: Arc::new(recorder),
            handle,
        }
    }

    /// Counts calls of one operation.
    #[must_use]
    pub fn meter(&self, operation: &str) -> Meter {
        Meter {
            recorder: self.recorder.clone(),
            operation: operation.to_owned(),
            by_status: RwLock::default(),
        }
    }

    /// A value that goes up and down.
    pub fn gauge(&self, name: &'static str, about: &'static str) -> Gauge {
        self.recorder
            .describe_gauge(name.into(), None, about.into());
        self.recorder
            .register_gauge(&Key::from_static_name(name), &METADATA)
    }

    /// Everything counted, as Prometheus reads it.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Moves samples into their buckets; called now and then, so that they do not pile up when
    /// nobody scrapes.
    pub fn settle(&self) {
        self.handle.run_upkeep();
    }
}

impl Meter {
    /// One request answered with `status` after `took`.
    pub fn count(&self, status: StatusCode, took: Duration) {
        if let Some((_, counter, histogram)) = self
            .by_status
            .read()
            .iter()
            .find(|(known, ..)| *known == status)
        {
            counter.increment(1);
            histogram.record(took.as_secs_f64());
            return;
        }
        let labels = vec![
            Label::new("operation", self.operation.clone()),
            Label::new("status", status.as_str().to_owned()),
        ];
        let counter = self
            .recorder
            .register_counter(&Key::from_parts(REQUESTS, labels.clone()), &METADATA);
        let histogram = self
            .recorder
            .register_histogram(&Key::from_parts(SECONDS, labels), &METADATA);
        counter.increment(1);
        histogram.record(took.as_secs_f64());
        self.by_status.write().push((status, counter, histogram));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_operation_and_status_with_their_time() {
        let metrics = Metrics::new();
        let meter = metrics.meter("ticket_get");
        meter.count(StatusCode::OK, Duration::from_millis(2));
        meter.count(StatusCode::OK, Duration::from_millis(2));
        meter.count(StatusCode::NOT_FOUND, Duration::from_millis(2));
        metrics.gauge("opsflux_feed_end", "Last entry.").set(7.0);
        let text = metrics.render();
        for line in [
            r#"opsflux_http_requests_total{operation="ticket_get",status="200"} 2"#,
            r#"opsflux_http_requests_total{operation="ticket_get",status="404"} 1"#,
            r#"opsflux_http_request_seconds_bucket{operation="ticket_get",status="200",le="0.0025"} 2"#,
            r#"opsflux_http_request_seconds_bucket{operation="ticket_get",status="200",le="0.001"} 0"#,
            "opsflux_feed_end 7",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
