//! Steering by indicators: periods, thresholds, colours, plans of action.
//!
//! [`rules`] say what declarations cannot: in which period a value stands, which colour it has,
//! when a plan counts as done. Everything is exact decimals and calendar days; nothing here knows
//! the hour or a zone, for a period is made of days.

mod action;
mod anew;
mod dashboard;
mod facade;
mod indicator;
pub mod period;
mod reporting;
mod source;
pub mod threshold;
mod value;

use std::sync::Arc;

pub use facade::around;
pub use reporting::{operations, schemas};
pub use source::Sources;

use opsflux_model::{Condition, Op};
use opsflux_records::rule::Rule;
use serde_json::Value as Json;

/// The rules, in the order in which they run.
#[must_use]
pub fn rules() -> Vec<Arc<dyn Rule>> {
    vec![
        Arc::new(dashboard::Organization),
        Arc::new(indicator::Thresholds),
        Arc::new(indicator::Frequency),
        Arc::new(indicator::DatedThresholds),
        Arc::new(source::check::Calculable),
        Arc::new(anew::Anew),
        Arc::new(source::check::NotEntered),
        Arc::new(value::Period),
        Arc::new(value::Ratio),
        Arc::new(value::Colour),
        Arc::new(action::Progress),
        Arc::new(action::Reopening),
    ]
}

/// Name of the entity of dashboards.
const DASHBOARD: &str = "dashboard";
/// Of indicators.
const KPI: &str = "kpi";
/// Of thresholds with a first day.
const TARGET: &str = "kpi_target";
/// Of what was measured.
const VALUE: &str = "kpi_value";
/// Of plans of action.
const ACTION: &str = "action_plan";

fn test(field: &str, op: Op, value: impl Into<Json>) -> Condition {
    Condition::Test {
        field: field.to_owned(),
        op,
        value: value.into(),
    }
}
