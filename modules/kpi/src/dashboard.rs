//! kpix's name of the tenant, on each of its dashboards.

use opsflux_model::Value;
use opsflux_records::rule::{Answer, Draft, Known, Need, Refusal, Rule};

use crate::DASHBOARD;

/// Sets `organization_id` of a new dashboard.
pub struct Organization;

impl Rule for Organization {
    fn entity(&self) -> &'static str {
        DASHBOARD
    }

    fn name(&self) -> &'static str {
        "kpi.organization"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        match draft.get("organization_id").is_empty() {
            true => vec![Need::Tenant],
            false => Vec::new(),
        }
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        if let Some(Answer::Setting(id)) = known.answers.first()
            && let Some(id) = id.as_str()
        {
            draft.set("organization_id", Value::from(id));
        }
        Ok(())
    }
}
