//! Rows of the engine's log entities.

pub(crate) use opsflux_records::table::{Table as Log, refused};

/// A text cut to a length.
pub(crate) fn cut(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}
