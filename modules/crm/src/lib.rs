//! What declarations cannot say about customers: the way of a deal, who is whose contact, what is
//! there twice, what the figures come to.
//!
//! | file | part |
//! | --- | --- |
//! | `stage.rs` | the way of a deal: reasons, reopening, rates, the stage log |
//! | `party.rs` | organisations and people: keys of duplicates, the question before a second one |
//! | `contact.rs` | a person's place in an organisation |
//! | `activity.rs`, `todo.rs` | to whom activities and tasks belong; a task that comes again |
//! | `acts.rs` | what workflows do here |
//! | `duplicates.rs`, `merge.rs` | finding what is there twice, making it one, taking that back |
//! | `board.rs`, `report.rs` | the pipeline in figures, exact and in one currency |
//!
//! Each rule is a [`Rule`]: pure, over the record about to be saved. What must never be here: SQL,
//! and a figure of what the caller may not see.

pub mod acts;

mod activity;
mod board;
mod contact;
mod duplicates;
mod keys;
mod merge;
mod party;
mod report;
mod serve;
mod stage;
mod todo;

use std::sync::Arc;

use opsflux_records::feed::Reactor;
use opsflux_records::rule::{Answer, Known, Rule};
use opsflux_records::{Operation, Records};

/// The rules, in the order in which they run.
#[must_use]
pub fn rules() -> Vec<Arc<dyn Rule>> {
    vec![
        Arc::new(party::Keys("organisation")),
        Arc::new(party::Twice("organisation")),
        Arc::new(party::Keys("person")),
        Arc::new(party::Twice("person")),
        Arc::new(party::Renamed),
        Arc::new(contact::Place),
        Arc::new(stage::Rate),
        Arc::new(stage::Moves),
        Arc::new(activity::Belongs),
        Arc::new(todo::Belongs),
    ]
}

/// What HTTP serves besides the entities.
#[must_use]
pub fn operations(records: &Records) -> Vec<Operation> {
    let mut all = duplicates::operations(records);
    all.extend(merge::operations(records));
    all.extend(board::operations(records));
    all.extend(report::operations(records));
    all
}

/// Makes the next task when one that comes again is done.
#[must_use]
pub fn recurring(records: &Records) -> Arc<dyn Reactor> {
    Arc::new(todo::Recurring(records.clone()))
}

/// Stages in which a deal can still be won, in their order.
const OPEN: [&str; 4] = ["prospect", "qualification", "proposition", "negociation"];
/// The stage of what was won.
const WON: &str = "signe";
/// The stage of what was lost.
const LOST: &str = "perdu";

/// The setting that answers the n-th need, as a whole number.
fn number(known: &Known, need: usize) -> Option<i64> {
    match known.answers.get(need) {
        Some(Answer::Setting(json)) => json.as_i64(),
        _ => None,
    }
}
