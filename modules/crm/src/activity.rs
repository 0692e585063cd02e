//! To whom an activity belongs.

use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule};

/// What is about a deal is about its organisation.
pub struct Belongs;

impl Rule for Belongs {
    fn entity(&self) -> &'static str {
        "activity"
    }

    fn name(&self) -> &'static str {
        "crm.activity"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        match draft.get("deal").as_id() {
            Some(id) if draft.get("organisation").is_empty() => {
                vec![Need::Record { entity: "deal", id }]
            }
            _ => Vec::new(),
        }
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        if let Some(deal) = known.records(0).first() {
            let organisation = deal.get(draft.schema, "organisation").clone();
            draft.set("organisation", organisation);
        }
        Ok(())
    }
}
