//! When somebody of the desk first answered the person who asked.

use opsflux_model::Value;
use opsflux_records::Uuid;
use opsflux_records::rule::{Companion, Draft, Known, Need, Refusal, Rule};

use crate::TICKET;

/// The first public comment by anyone but the requester sets `first_response_at`. Internal
/// comments answer nobody.
pub struct FirstResponse;

impl FirstResponse {
    fn ticket(draft: &Draft<'_>) -> Option<Uuid> {
        match draft.get("target") {
            Value::Ref { entity, id } if entity == TICKET => Some(*id),
            _ => None,
        }
    }
}

impl Rule for FirstResponse {
    fn entity(&self) -> &'static str {
        "comment"
    }

    fn name(&self) -> &'static str {
        "desk.first_response"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let public = draft.get("internal").as_bool() != Some(true);
        match FirstResponse::ticket(draft) {
            Some(id) if draft.is_new() && public => vec![Need::Record { entity: TICKET, id }],
            _ => Vec::new(),
        }
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let Some(ticket) = known.records(0).first() else {
            return Ok(());
        };
        let answered = !ticket.get(draft.schema, "first_response_at").is_empty();
        let requester = ticket.get(draft.schema, "requester").as_id();
        if answered || known.user.is_none() || known.user == requester {
            return Ok(());
        }
        draft.companions.push(Companion {
            entity: TICKET.to_owned(),
            id: ticket.id,
            set: vec![("first_response_at".to_owned(), Value::Time(known.now))],
            rule: "desk.first_response",
        });
        Ok(())
    }
}
