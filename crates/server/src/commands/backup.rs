//! `opsflux backup FILE`: reads beside a running server.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::{Done, say};
use crate::backup::{Progress, make};
use crate::config::Config;

pub async fn run(config: Config, file: PathBuf) -> Done {
    let made = make::make(&config, &file, show("backed up")).await?;
    say(&format!(
        "{} is made: {} in {} parts. It opens with {}.\n",
        file.display(),
        size(made.bytes),
        made.manifest.parts.len(),
        made.opens_with.name()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// A line that counts, rewritten in place on a terminal; nothing where nobody watches.
pub(super) fn show(verb: &'static str) -> impl FnMut(Progress<'_>) -> bool + Send + 'static {
    const PACE: Duration = Duration::from_millis(100);
    let is_watched = io::stderr().is_terminal();
    let mut last = Instant::now();
    move |progress| {
        if is_watched && last.elapsed() >= PACE {
            last = Instant::now();
            let of = progress.of.map(|of| format!(" of {}", size(of)));
            let line = format!(
                "\r\x1b[K{}{} {verb}  {}",
                size(progress.bytes),
                of.unwrap_or_default(),
                progress.what
            );
            // Progress that cannot be shown is no reason to stop.
            let _ = io::stderr().lock().write_all(line.as_bytes());
        }
        true
    }
}

/// As a person reads it.
pub(super) fn size(bytes: u64) -> String {
    let mut unit = "bytes";
    let mut tenths = u128::from(bytes) * 10;
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1024;
        unit = larger;
    }
    if unit == "bytes" {
        format!("{bytes} bytes")
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_read_at_a_glance() {
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1024), "1.0 KiB");
        assert_eq!(size(5 * 1024 * 1024 + 512 * 1024), "5.5 MiB");
    }
}
