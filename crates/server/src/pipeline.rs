//! The pipeline over an open database: for the server, and for commands that read beside it.

use std::sync::Arc;
use std::time::Duration;

use opsflux_identity::{CryptoFailed, Keys};
use opsflux_records::{Records, RecordsOptions, SystemClock};
use opsflux_store::Store;

use crate::modules;
use crate::secret::Key;

/// What a read may take.
const BUDGET: Duration = Duration::from_secs(10);

/// The pipeline over a store that has its schema, with the keys of the instance.
///
/// # Errors
/// When the keys cannot be derived.
pub fn over(store: Store, secret: Key) -> Result<(Records, Arc<Keys>), CryptoFailed> {
    let keys = Arc::new(Keys::derive(&secret)?);
    let records = Records::new(RecordsOptions {
        store,
        clock: Arc::new(SystemClock),
        sealer: keys.clone(),
        secret,
        rules: modules::rules(),
        budget: BUDGET,
    });
    Ok((records, keys))
}
