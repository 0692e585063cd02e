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
//! | `work.rs`, `execution.rs` | taking what is due, by a lease that every commit checks |
//! | `turn.rs` | moving one execution on, step by step |
//! | `action/` | what a step can do; other rooms bring more |
//! | `approval/` | asking people |
//! | `ready/` | workflows that modules bring |
//! | `retry.rs` | a failed step, again or left out because a person says so |
//! | `vault.rs` | secrets that rules name and nobody reads |
//! | `delivered.rs` | waiting for what was sent outside |
//! | `rule.rs`, `check.rs` | what is refused when a workflow is saved |
//! | `operations.rs` | what HTTP serves besides the entities |
//!
//! A workflow acts in the name of whoever said last what it does, with his rights: see
//! [`Acting`]. What must never be here: SQL, mail, HTTP framing.

pub mod action;
mod approval;
mod check;
mod clock;
pub mod course;
mod delivered;
mod engine;
mod execution;
pub mod flow;
mod log;
mod matching;
mod operations;
mod past;
mod people;
mod progress;
mod published;
pub mod ready;
mod retry;
mod rule;
mod scope;
mod stats;
pub mod template;
mod turn;
pub mod vault;
mod work;

pub use approval::Deputing;
pub use engine::{Acting, Engine, Question};
pub use rule::Publishing;
