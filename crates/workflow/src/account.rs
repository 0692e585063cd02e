//! What people's signing in and out sets off: about the person's account.

use opsflux_records::Error;
use opsflux_store::FeedOp;
use opsflux_store::feed::Entry;
use serde_json::json;

use crate::engine::{Cause, Engine};
use crate::flow::{ACCOUNT, Trigger};
use crate::log::Log;
use crate::matching::Start;
use crate::published::derived;

/// Name of the entity of sessions.
pub(crate) const SESSION: &str = "session";

impl Engine {
    /// A session was begun or has ended.
    pub(crate) async fn session_moved(&self, entry: &Entry) -> Result<(), Error> {
        let inner = &self.inner;
        let leaves = match entry.entry.op {
            FeedOp::Created => false,
            FeedOp::Updated
                if entry
                    .entry
                    .body
                    .fields
                    .iter()
                    .any(|name| name == "ended_at") =>
            {
                true
            }
            _ => return Ok(()),
        };
        let of_tenant = inner.published.of(&inner.records, entry.tenant).await?;
        if of_tenant.account().is_empty() {
            return Ok(());
        }
        let records = &inner.records;
        let schema = records.schema();
        let (sessions, users) = (Log::of(&schema, SESSION)?, Log::of(&schema, ACCOUNT)?);
        let (tenant, id) = (entry.tenant, entry.entry.record);
        let session = records.snapshot(tenant, sessions.ix, id).await?;
        let user = session.and_then(|session| session.get(&schema, "user").as_id());
        let Some(user) = user else { return Ok(()) };
        let Some(person) = records.snapshot(tenant, users.ix, user).await? else {
            return Ok(());
        };
        for active in of_tenant.account() {
            let mut triggers = active.flow.triggers.iter();
            let is_meant = |trigger: &Trigger| matches!(trigger, Trigger::Account { leaves: out } if *out == leaves);
            let Some(place) = triggers.position(is_meant) else {
                continue;
            };
            let cause = Cause {
                workflow: &active.name,
                chain: entry.entry.change,
                depth: 0,
            };
            let Some(caller) = self.act_as(tenant, active.owner, &cause).await? else {
                continue;
            };
            if !records.sees(&caller, users.ix, user).await? {
                continue;
            }
            let with = [active.id.as_bytes().as_slice(), &[u8::from(leaves)]].concat();
            let start = Start {
                active,
                id: derived(id, &with),
                place,
                record: Some(&person),
                before: None,
                trigger: json!({
                    "type": if leaves { "logout" } else { "login" }, "by": user,
                    "entity": ACCOUNT, "record": user, "at": entry.entry.at,
                }),
                chain: entry.entry.change,
                depth: 0,
                again: false,
                keeps_skipped: false,
            };
            self.start(&caller, start).await?;
        }
        Ok(())
    }
}
