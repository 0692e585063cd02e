//! The automation engine: one for rules, hooks, workflows and approvals.

pub mod course;
pub mod flow;
