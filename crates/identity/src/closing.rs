//! Sessions that end because of a change of their person: a password set by somebody else, an
//! account that may not be used any more or is gone.
//!
//! Follows the feed with a durable place, so that none is forgotten over a crash. Access itself
//! does not wait for this: an account that is not active is refused at its next request.

use std::sync::Arc;

use futures::future::BoxFuture;
use opsflux_records::Error;
use opsflux_records::feed::Reactor;
use opsflux_store::feed::{Entry, FeedOp};

use crate::Inner;

/// Ends sessions.
pub(crate) struct Closing(pub Arc<Inner>);

impl Reactor for Closing {
    fn name(&self) -> &'static str {
        "identity.closing"
    }

    /// A second time ends nothing more: only sessions that live are ended, and those begun since
    /// with the new password are spared by not asking twice about entries done.
    fn handle<'a>(&'a self, entries: &'a [Entry]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            for entry in entries {
                if entry.entry.entity == "user" && self.ends(entry).await? {
                    let (tenant, user) = (entry.tenant, entry.entry.record);
                    self.0
                        .sessions
                        .end_all(tenant, user, None, entry.entry.body.by)
                        .await?;
                }
            }
            Ok(())
        })
    }
}

impl Closing {
    async fn ends(&self, entry: &Entry) -> Result<bool, Error> {
        let (user, body) = (entry.entry.record, &entry.entry.body);
        let touches = |name: &str| body.fields.iter().any(|field| field == name);
        match entry.entry.op {
            FeedOp::Deleted | FeedOp::Purged => Ok(true),
            FeedOp::Created | FeedOp::Restored => Ok(false),
            // Who changes his own has ended the others himself and stays signed in here.
            FeedOp::Updated if touches("password") && body.by != Some(user) => Ok(true),
            FeedOp::Updated if touches("status") => {
                let account = self.0.accounts.of(entry.tenant, user).await?;
                Ok(!account.is_some_and(|account| account.active))
            }
            FeedOp::Updated => Ok(false),
        }
    }
}
