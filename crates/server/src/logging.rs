//! Lines in the log: one JSON object each, or text for people.
//!
//! What happens during a request carries its id, also when it is told by a room below: the id
//! stands in the span and the span's fields in every line.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Map, Value as Json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::config::Log;

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be written.
    #[error("the log file {path} cannot be written: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: InitError,
    },
    /// Somebody else logs already.
    #[error("the log was started twice")]
    Twice,
}

/// Writes waiting lines when dropped.
#[derive(Debug, Default)]
pub struct Flush {
    _file: Option<WorkerGuard>,
}

/// Starts the log.
///
/// # Errors
/// When its file cannot be written.
pub fn start(log: &Log) -> Result<Flush, LogError> {
    let (file, guard) = match file_of(log)? {
        Some((file, guard)) => (Some(file), Some(guard)),
        None => (None, None),
    };
    let level = LevelFilter::from_level(log.level.parse::<Level>().unwrap_or(Level::INFO));
    // What libraries note for their own makers is noise to the people who run this.
    let wanted = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("opsflux", level);
    let lines = Lines {
        text: log.text,
        file,
    };
    let subscriber = tracing_subscriber::registry().with(wanted).with(lines);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)?;
    Ok(Flush { _file: guard })
}

/// The file besides stderr: one a day, the last ones kept.
fn file_of(log: &Log) -> Result<Option<(NonBlocking, WorkerGuard)>, LogError> {
    let Some(path) = &log.file else {
        return Ok(None);
    };
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(name)
        .max_log_files(log.keep)
        .build(folder.unwrap_or(std::path::Path::new(".")))
        .map_err(|source| LogError::File {
            path: path.clone(),
            source,
        })?;
    Ok(Some(tracing_appender::non_blocking(appender)))
}

/// Fields of a span, kept for its lines.
struct SpanFields(Map<String, Json>);

/// Collects fields as JSON.
struct Collect<'a>(&'a mut Map<String, Json>);

impl Collect<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Json>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

/// Writes lines.
struct Lines {
    text: bool,
    file: Option<NonBlocking>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Map::new();
        attributes.record(&mut Collect(&mut fields));
        span.extensions_mut().insert(SpanFields(fields));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Map::new();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(SpanFields(of_span)) = span.extensions().get::<SpanFields>() {
                fields.extend(of_span.clone());
            }
        }
        event.record(&mut Collect(&mut fields));
        let now = jiff::Timestamp::now();
        let line = line(
            self.text,
            now,
            event.metadata().level(),
            event.metadata().target(),
            fields,
        );
        // Where a log cannot be written there is nowhere to say so.
        let _ = io::stderr().lock().write_all(line.as_bytes());
        if let Some(file) = &self.file {
            let _ = file.clone().write_all(line.as_bytes());
        }
    }
}

/// One line with its end.
fn line(
    text: bool,
    at: jiff::Timestamp,
    level: &Level,
    target: &str,
    mut fields: Map<String, Json>,
) -> String {
    let message = fields.remove("message").unwrap_or_default();
    let message = message.as_str().unwrap_or_default();
    if text {
        let mut line = format!("{at:.3} {level:>5} {message}");
        for (name, value) in &fields {
            match value {
                Json::String(value) => line.push_str(&format!(" {name}={}", one_line(value))),
                value => line.push_str(&format!(" {name}={value}")),
            }
        }
        line.push('\n');
        return line;
    }
    let mut object = Map::from_iter([
        ("time".to_owned(), Json::from(format!("{at:.3}"))),
        (
            "level".to_owned(),
            level.as_str().to_ascii_lowercase().into(),
        ),
        ("message".to_owned(), message.into()),
        ("target".to_owned(), target.into()),
    ]);
    object.extend(fields);
    let mut line = Json::Object(object).to_string();
    line.push('\n');
    line
}

/// A value that cannot begin a line of its own.
fn one_line(value: &str) -> String {
    value.replace(['\n', '\r'], "⏎")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Map<String, Json> {
        Map::from_iter([
            ("message".to_owned(), "a request failed".into()),
            ("request_id".to_owned(), "r-1".into()),
            ("status".to_owned(), 500.into()),
            ("cause".to_owned(), "first\nsecond".into()),
        ])
    }

    #[test]
    fn a_line_is_one_json_object() {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let line = line(false, at, &Level::ERROR, "opsflux_server", fields());
        assert_eq!(line.matches('\n').count(), 1);
        let read: Json = serde_json::from_str(&line).expect("JSON");
        assert_eq!(read["time"], "1970-01-01T00:00:00.000Z");
        assert_eq!(read["level"], "error");
        assert_eq!(read["message"], "a request failed");
        assert_eq!(read["request_id"], "r-1");
        assert_eq!(read["status"], 500);
    }

    #[test]
    fn of_the_files_of_past_days_the_last_ones_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        for day in ["2020-01-01", "2020-01-02", "2020-01-03"] {
            let name = format!("opsflux.log.{day}");
            std::fs::write(folder.path().join(name), "old").expect("a file");
        }
        let log = Log {
            file: Some(folder.path().join("opsflux.log")),
            keep: 2,
            ..Log::default()
        };
        let (mut file, flush) = file_of(&log).expect("a log").expect("a file");
        file.write_all(b"today\n").expect("a line");
        drop((file, flush));
        let mut names: Vec<String> = std::fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert_eq!(names.len(), 2, "{names:?}");
        let today = folder.path().join(&names[1]);
        assert_eq!(std::fs::read_to_string(today).expect("today's"), "today\n");
    }

    #[test]
    fn a_text_line_stays_one_line() {
        let line = line(
            true,
            jiff::Timestamp::UNIX_EPOCH,
            &Level::WARN,
            "opsflux",
            fields(),
        );
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.contains(" WARN a request failed"), "{line}");
        assert!(
            line.contains("request_id=r-1") && line.contains("first⏎second"),
            "{line}"
        );
    }

    #[test]
    fn lines_inside_of_a_span_carry_its_fields() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Log {
            file: Some(folder.path().join("o.log")),
            keep: 3,
            ..Log::default()
        };
        let (file, guard) = file_of(&log).expect("a file").expect("asked for");
        let lines = Lines {
            text: false,
            file: Some(file),
        };
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("request", request_id = "r-7");
            let _entered = span.enter();
            tracing::warn!(rows = 3, "told by a room below");
        });
        drop(guard);
        let path = std::fs::read_dir(folder.path())
            .expect("a folder")
            .next()
            .expect("a file");
        let written = std::fs::read_to_string(path.expect("a file").path()).expect("text");
        let read: Json = serde_json::from_str(written.trim()).expect("one JSON line");
        assert_eq!(read["request_id"], "r-7");
        assert_eq!(read["rows"], 3);
    }
}
