//! The automation engine: one for rules, hooks, workflows and approvals.
//!
//! A workflow is data ([`flow`]): what sets it off, what must hold, its steps. Where an execution
//! of it stands is a tree of the same shape ([`course`]), moved on by a pure function and stored in
//! the commit that does what it says is done. So nothing is lost and nothing done twice, and a wait
//! may take a year and three releases.
//!
//! | file | part |
//! | --- | --- |
//! | `matching.rs` | from a change in the feed to the executions it sets off |
//! | `clock.rs` | what time sets off |
//! | `work.rs`, `lease.rs` | taking what is due, by a lease that every commit checks |
//! | `turn.rs`, `step.rs` | moving one execution on, step by step |
//! | `execution.rs`, `told.rs` | the rows that say where it stands and what was done |
//! | `action/` | what a step can do; other rooms bring more |
//! | `approval/` | asking people |
//! | `ready/` | workflows that modules bring |
//! | `retry.rs` | a failed step, again or left out because a person says so |
//! | `vault.rs` | secrets that rules name and nobody reads |
//! | `delivered.rs`, `listening.rs`, `overhear.rs` | waiting for what was sent outside, for what happens to records |
//! | `calling.rs`, `ending.rs` | one workflow that runs another; what follows when one has ended |
//! | `gate.rs`, `batch.rs`, `pause.rs` | how much of what happens begins executions; stopping what does harm |
//! | `hook.rs`, `account.rs` | set off by other systems; by people who sign in and out |
//! | `before.rs` | changing a record before it is saved |
//! | `why.rs` | why a workflow did not start |
//! | `rule.rs`, `check.rs` | what is refused when a workflow is saved |
//! | `operations.rs` | what HTTP serves besides the entities |
//!
//! A workflow acts in the name of whoever said last what it does, with his rights: see
//! [`Asking`]. What must never be here: SQL, mail, HTTP framing.

mod account;
pub mod action;
mod approval;
mod batch;
mod before;
mod calling;
mod cancel;
mod check;
mod clock;
pub mod course;
mod delivered;
mod ending;
mod engine;
mod execution;
mod facts;
pub mod flow;
mod gate;
mod hook;
mod lease;
mod listening;
mod log;
mod matching;
mod offered;
mod operations;
mod overhear;
mod past;
mod pause;
mod people;
mod progress;
mod published;
pub mod ready;
mod retry;
mod rhythm;
mod rule;
mod scope;
mod stats;
mod step;
pub mod template;
mod told;
mod turn;
pub mod vault;
mod why;
mod words;
mod work;

pub use approval::Deputing;
pub use engine::{Asking, Engine, Question};
pub use hook::Hooks;
pub use rule::Publishing;
