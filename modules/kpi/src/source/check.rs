//! What may be written as the source of an indicator.
//!
//! Who sets a calculation is its owner, or an administrator: otherwise somebody could have figures
//! counted with another's rights.

use std::collections::{BTreeSet, HashMap};

use jiff::tz::TimeZone;
use opsflux_model::predicate::{Binder, Variables};
use opsflux_model::schema::{Entity, FieldType};
use opsflux_model::{Access, Action, Op, Value};
use opsflux_records::Uuid;
use opsflux_records::error::FieldError;
use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule, Snapshot};
use serde_json::Map;

use super::{Source, condition, formula, inputs};
use crate::{KPI, VALUE, test};

/// Formulas of a tenant that are looked at for rings.
const MOST_FORMULAS: u32 = 5_000;

/// The fields that make a calculation.
const FIELDS: [&str; 9] = [
    "source",
    "query_of",
    "query_filter",
    "query_measure",
    "query_field",
    "query_date",
    "formula",
    "formula_inputs",
    "owner_id",
];

/// The source can be calculated, in the name of whoever sets it.
pub struct Calculable;

impl Rule for Calculable {
    fn entity(&self) -> &'static str {
        KPI
    }

    fn name(&self) -> &'static str {
        "kpi.source"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        if !is_touched(draft) || source(draft) != Source::Formula {
            return Vec::new();
        }
        let mut needs = vec![Need::Records {
            entity: KPI,
            condition: test("source", Op::Eq, "FORMULA"),
            limit: MOST_FORMULAS,
        }];
        let named = inputs(draft.get("formula_inputs")).unwrap_or_default();
        let ids = named.values().copied().collect::<BTreeSet<_>>();
        needs.extend(ids.into_iter().map(|id| Need::Record { entity: KPI, id }));
        needs
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        if !is_touched(draft) || source(draft) == Source::Manual {
            return Ok(());
        }
        let owner = draft.get("owner_id").as_id();
        if owner.is_none() {
            return Err(wrong("owner_id", "kpi.owner_missing", ""));
        }
        if !known.administrator && owner != known.user {
            return Err(Refusal {
                code: "kpi.not_in_your_name",
                params: Map::new(),
                field: Some("source"),
                confirmable: false,
                errors: Vec::new(),
            });
        }
        let Some(access) = known.access.as_deref() else {
            return Ok(());
        };
        match source(draft) {
            Source::Query => query(draft, known, access),
            _ => combined(draft, known),
        }
    }
}

fn source(draft: &Draft<'_>) -> Source {
    Source::of(draft.get("source").as_text().unwrap_or_default())
}

fn is_touched(draft: &Draft<'_>) -> bool {
    FIELDS.iter().any(|field| draft.changes(field))
}

fn wrong(field: &str, code: &str, expected: impl Into<String>) -> Refusal {
    Refusal::of(vec![FieldError::new(field, code, expected)])
}

fn query(draft: &Draft<'_>, known: &Known, access: &Access) -> Result<(), Refusal> {
    let collection = draft.get("query_of").as_text().unwrap_or_default();
    let of = draft.schema.find_collection(collection);
    let of = of.filter(|of| access.may(*of, Action::View));
    let of = of.ok_or_else(|| wrong("query_of", "kpi.query_of", ""))?;
    let declared = draft.schema.entity(of);
    let mut errors = Vec::new();
    let variables = Variables {
        me: known.user.unwrap_or_default(),
        my_departments: vec![Uuid::nil()],
        my_groups: vec![Uuid::nil()],
        today: known.now.to_zoned(TimeZone::UTC).date(),
        now: known.now,
        zone: TimeZone::UTC,
    };
    let binder = Binder {
        schema: draft.schema,
        access: Some(access),
        variables: &variables,
    };
    let bound = condition(draft.get("query_filter"))
        .is_some_and(|condition| binder.bind(of, &condition).is_ok());
    if !bound {
        errors.push(FieldError::new("query_filter", "kpi.query_filter", ""));
    }
    let readable = |name: &str| {
        let field = declared.find(name)?;
        access
            .may_refer(of, field)
            .then(|| declared.field(field).kind.holds())
    };
    let is_counted = draft.get("query_measure").as_text() == Some("COUNT");
    let measured = draft.get("query_field").as_text();
    let is_number = measured.and_then(readable).is_some_and(is_number);
    if !is_counted && !is_number {
        errors.push(FieldError::new("query_field", "kpi.query_field", ""));
    }
    if let Some(name) = draft.get("query_date").as_text()
        && !readable(name).is_some_and(is_day)
    {
        errors.push(FieldError::new("query_date", "kpi.query_date", ""));
    }
    match errors.is_empty() {
        true => Ok(()),
        false => Err(Refusal::of(errors)),
    }
}

fn is_number(kind: &FieldType) -> bool {
    matches!(
        kind,
        FieldType::Integer { .. } | FieldType::Decimal { .. } | FieldType::Duration { .. }
    )
}

fn is_day(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Date | FieldType::DateTime)
}

fn combined(draft: &Draft<'_>, known: &Known) -> Result<(), Refusal> {
    let unfit = |expected: &str| wrong("formula_inputs", "kpi.formula_inputs", expected);
    let named = inputs(draft.get("formula_inputs")).ok_or_else(|| unfit("id"))?;
    let text = draft.get("formula").as_text().unwrap_or_default();
    formula(text, &named).map_err(|at| wrong("formula", "kpi.formula", at.to_string()))?;
    let found: HashMap<Uuid, &Snapshot> = (1..known.answers.len())
        .filter_map(|need| known.records(need).first())
        .map(|record| (record.id, record))
        .collect();
    for (name, id) in &named {
        let frequency = found
            .get(id)
            .map(|input| input.get(draft.schema, "frequency"));
        if *id != draft.id && frequency != Some(draft.get("frequency")) {
            return Err(unfit(name));
        }
    }
    let mut graph: HashMap<Uuid, Vec<Uuid>> = known
        .records(0)
        .iter()
        .map(|record| {
            let named = inputs(record.get(draft.schema, "formula_inputs"));
            (record.id, named.unwrap_or_default().into_values().collect())
        })
        .collect();
    graph.insert(draft.id, named.into_values().collect());
    match comes_back(&graph, draft.id) {
        true => Err(wrong("formula_inputs", "kpi.formula_ring", "")),
        false => Ok(()),
    }
}

/// Whether following inputs from `start` leads back to it.
fn comes_back(graph: &HashMap<Uuid, Vec<Uuid>>, start: Uuid) -> bool {
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<Uuid> = graph.get(&start).cloned().unwrap_or_default();
    while let Some(next) = waiting.pop() {
        if next == start {
            return true;
        }
        if seen.insert(next) {
            waiting.extend(graph.get(&next).into_iter().flatten().copied());
        }
    }
    false
}

/// Nobody enters what is calculated.
pub struct NotEntered;

impl NotEntered {
    fn judge(draft: &Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let kpi = known.records(0).first();
        let is_manual = kpi.is_none_or(|kpi| {
            let source = kpi.get(draft.schema, "source").as_text();
            Source::of(source.unwrap_or_default()) == Source::Manual
        });
        // A comment on a value is nobody's calculation.
        let is_remark = !draft.is_new()
            && [
                "value",
                "numerator",
                "denominator",
                "period_start",
                "kpi_id",
            ]
            .iter()
            .all(|field| !draft.changes(field));
        if is_manual || is_remark || known.user.is_none() {
            return Ok(());
        }
        NotEntered::refused()
    }

    fn refused() -> Result<(), Refusal> {
        Err(Refusal {
            code: "kpi.is_calculated",
            params: Map::new(),
            field: None,
            confirmable: false,
            errors: Vec::new(),
        })
    }
}

impl Rule for NotEntered {
    fn entity(&self) -> &'static str {
        VALUE
    }

    fn name(&self) -> &'static str {
        "kpi.not_entered"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let kpi = draft.get("kpi_id").as_id();
        kpi.map(|id| Need::Record { entity: KPI, id })
            .into_iter()
            .collect()
    }

    fn needs_to_mark(&self, draft: &Draft<'_>) -> Vec<Need> {
        self.needs(draft)
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        NotEntered::judge(draft, known)
    }

    fn before_delete(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let kpi = known.records(0).first();
        let is_calculated = kpi.is_some_and(|kpi| {
            let source = kpi.get(draft.schema, "source").as_text();
            Source::of(source.unwrap_or_default()) != Source::Manual
        });
        match is_calculated && known.user.is_some() {
            true => NotEntered::refused(),
            false => Ok(()),
        }
    }
}

/// The value of a field of a record, by name.
pub(super) fn word<'a>(entity: &Entity, record: &'a Snapshot, name: &str) -> Option<&'a str> {
    let field = entity.find(name)?;
    match record.value(field) {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_found_however_long_and_two_ways_to_one_are_none() {
        let id = |number: u128| Uuid::from_u128(number);
        let graph = |edges: &[(u128, &[u128])]| -> HashMap<Uuid, Vec<Uuid>> {
            edges
                .iter()
                .map(|(from, to)| (id(*from), to.iter().copied().map(id).collect()))
                .collect()
        };
        assert!(comes_back(&graph(&[(1, &[1])]), id(1)));
        assert!(comes_back(
            &graph(&[(1, &[2]), (2, &[3]), (3, &[1])]),
            id(1)
        ));
        assert!(!comes_back(
            &graph(&[(1, &[2, 3]), (2, &[4]), (3, &[4])]),
            id(1)
        ));
        // Somebody else's ring is not this one's.
        assert!(!comes_back(
            &graph(&[(1, &[2]), (2, &[3]), (3, &[2])]),
            id(1)
        ));
    }
}
