//! The pipeline as it stands: for each stage how many deals, what they are worth in each currency,
//! what together, what to be expected, how many rot. Over the deals the caller sees.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use jiff::Timestamp;
use opsflux_model::schema::Schema;
use opsflux_model::{Action, Condition, Op, Value};
use opsflux_records::rule::Snapshot;
use opsflux_records::{Call, Caller, Error, Operation, Records};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::OPEN;
use crate::serve::{figure, handler, object, operation, parameter, seen, test};

/// Deals that are added up in one answer.
pub const MOST: u32 = 100_000;
/// Fields the figures are made of.
pub const FIGURES: [&str; 6] = ["stage", "montant", "currency", "rate", "chance", "weighted"];

/// What some deals come to.
#[derive(Debug, Default)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// In each currency.
    pub amounts: BTreeMap<String, Decimal>,
    /// In the currency of reference.
    pub amount: Decimal,
    /// That times the probabilities.
    pub weighted: Decimal,
}

impl Sum {
    /// One deal more. A sum that no longer fits stays at the largest there is.
    pub fn add(&mut self, schema: &Schema, deal: &Snapshot) {
        let decimal = |name: &str| match deal.get(schema, name) {
            Value::Decimal(value) => *value,
            _ => Decimal::ZERO,
        };
        self.count += 1;
        if let Some(currency) = deal.get(schema, "currency").as_text() {
            let own = self.amounts.entry(currency.to_owned()).or_default();
            *own = own.saturating_add(decimal("montant"));
        }
        self.amount = self.amount.saturating_add(decimal("montant_ref"));
        self.weighted = self.weighted.saturating_add(decimal("weighted"));
    }

    /// As it goes out, with more.
    pub fn told(&self, more: Json) -> Json {
        let amounts: Vec<Json> = self
            .amounts
            .iter()
            .map(|(currency, amount)| json!({"currency": currency, "amount": figure(*amount)}))
            .collect();
        let mut told = json!({
            "count": self.count, "amounts": amounts,
            "amount": figure(self.amount), "weighted": figure(self.weighted),
        });
        if let (Some(told), Json::Object(more)) = (told.as_object_mut(), more) {
            told.extend(more);
        }
        told
    }
}

/// The shape of [`Sum::told`] with more.
pub fn sum_schema(more: Json) -> Json {
    let mut parts = json!({
        "count": {"type": "integer"},
        "amounts": {"type": "array", "items": object(json!({
            "currency": {"type": "string"}, "amount": {"type": "number"},
        }))},
        "amount": {"type": "number"}, "weighted": {"type": "number"},
    });
    if let (Some(parts), Json::Object(more)) = (parts.as_object_mut(), more) {
        parts.extend(more);
    }
    object(parts)
}

pub fn operations(records: &Records) -> Vec<Operation> {
    let Some(ix) = records.schema().find("deal") else {
        return Vec::new();
    };
    let column = sum_schema(json!({
        "stage": {"type": "string"}, "rotting": {"type": "integer"},
        "rotting_days": {"type": ["integer", "null"]},
    }));
    let output = object(json!({
        "currency": {"type": "string"}, "pause_if_next_activity": {"type": "boolean"},
        "columns": {"type": "array", "items": column},
    }));
    vec![Operation {
        query: vec![owner_parameter()],
        problems: vec![StatusCode::PAYLOAD_TOO_LARGE],
        ..operation(
            "crm_board".to_owned(),
            (Method::GET, "/crm/board".to_owned()),
            "Each stage of the pipeline in figures, of the deals the caller sees",
            (ix, Action::View),
            output,
            handler(records, board),
        )
    }]
}

/// The documentation of `owner`.
pub fn owner_parameter() -> (String, Json, String) {
    let says = "Only the deals of this person; `me` for one's own".to_owned();
    ("owner".to_owned(), json!({"type": "string"}), says)
}

/// The condition of `owner`.
pub fn of_owner(call: &Call) -> Option<Condition> {
    let owner = parameter(call, "owner")?;
    let owner = if owner == "me" { "@me" } else { owner };
    Some(test("owner", Op::Eq, json!(owner)))
}

/// The currency of reference.
pub async fn currency(records: &Records, caller: &Caller) -> Result<String, Error> {
    let setting = records.setting(caller.tenant(), "crm.currency").await?;
    Ok(setting.as_str().unwrap_or("EUR").to_owned())
}

async fn board(records: Records, call: Call) -> Result<Json, Error> {
    let caller = call.caller()?;
    let schema = records.schema();
    let condition = of_owner(&call);
    let deals = seen(&records, caller, "deal", condition.as_ref(), &FIGURES, MOST).await?;
    let tenant = caller.tenant();
    let pause = records
        .setting(tenant, "crm.pause_if_next_activity")
        .await?;
    let pause = pause.as_bool().unwrap_or(true);
    let mut columns = Vec::new();
    let stages = schema.find("deal").map(|ix| &schema.entity(ix).states);
    for stage in stages.into_iter().flatten() {
        let days = match OPEN.contains(&stage.name.as_str()) {
            true => {
                let key = format!("crm.rotting_{}", stage.name);
                records.setting(tenant, &key).await?.as_i64()
            }
            false => None,
        };
        let mut sum = Sum::default();
        let mut rotting = 0_u64;
        let here = deals
            .iter()
            .filter(|deal| deal.get(&schema, "stage").as_text() == Some(&stage.name));
        for deal in here {
            sum.add(&schema, deal);
            let rots = days.is_some_and(|days| rots(&schema, deal, days, pause, records.now()));
            rotting += u64::from(rots);
        }
        columns.push(sum.told(json!({
            "stage": stage.name, "rotting": rotting, "rotting_days": days,
        })));
    }
    Ok(json!({
        "currency": currency(&records, caller).await?,
        "pause_if_next_activity": pause, "columns": columns,
    }))
}

/// Whether nothing happened for longer than `days`: no activity, and no move to where it stands.
/// Something planned for later stops it, when the setting says so, however far away it is.
fn rots(schema: &Schema, deal: &Snapshot, days: i64, pause: bool, now: Timestamp) -> bool {
    let time = |name: &str| match deal.get(schema, name) {
        Value::Time(at) => Some(*at),
        _ => None,
    };
    if pause && time("next_activity_at").is_some_and(|next| next >= now) {
        return false;
    }
    let last = time("last_activity_at")
        .max(time("stage_since"))
        .or(time("created_at"));
    last.is_some_and(|last| now.duration_since(last).as_secs() > days.saturating_mul(86_400))
}
