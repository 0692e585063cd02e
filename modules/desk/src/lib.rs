//! Rules of the service desk that declarations cannot say.
//!
//! Each is a [`Rule`]: pure, over the ticket or comment about to be saved. What must never be
//! here: reading or writing by any other way than what a rule is handed.

mod closing;
mod family;
mod response;
mod routing;
mod stamps;

use std::sync::Arc;

use opsflux_records::rule::Rule;

/// The rules, in the order in which they run.
#[must_use]
pub fn rules() -> Vec<Arc<dyn Rule>> {
    vec![
        Arc::new(routing::Place),
        Arc::new(routing::Group),
        Arc::new(family::OpenParent),
        Arc::new(closing::OpenChildren),
        Arc::new(stamps::Stamps),
        Arc::new(response::FirstResponse),
    ]
}

/// Name of the entity of tickets.
const TICKET: &str = "ticket";

/// States in which nothing is left to do.
const FINISHED: [&str; 2] = ["done", "closed"];

/// Whether a state is one of them.
fn is_finished(status: &opsflux_model::Value) -> bool {
    status
        .as_text()
        .is_some_and(|code| FINISHED.contains(&code))
}
