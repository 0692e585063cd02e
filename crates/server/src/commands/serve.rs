//! `opsflux serve`

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::{Done, first_start, say};
use crate::config::Config;
use crate::run;

pub async fn run(config: Config) -> Done {
    // Asked for before anything starts, so that no signal is missed.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = run::start(config).await?;
    say(&format!("OpsFlux listens on http://{}\n", running.address))?;
    say(&first_start(
        &running.app.config,
        &running.bootstrapped,
        running.recovery.as_ref(),
    ))?;
    tracing::info!(address = %running.address, version = env!("CARGO_PKG_VERSION"), "listening");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    if !running.stop().await {
        tracing::warn!("requests were cut off: they took longer than the grace period");
    }
    Ok(ExitCode::SUCCESS)
}
