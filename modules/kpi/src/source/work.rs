//! Calculating, behind the feed and with the clock.
//!
//! A change of records a query measures has it counted again; a value that a formula is made of
//! has the formula made again for its period. With each quarter of an hour every query is counted
//! again, for periods begin, and what a condition reaches through links changes without its own
//! records. Calculating twice writes nothing: a value that is there stays.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use opsflux_model::schema::Schema;
use opsflux_model::{Condition, Op, Value};
use opsflux_records::feed::Reactor;
use opsflux_records::rule::Snapshot;
use opsflux_records::{Acting, Actor, Caller, Error, Origin, Records, Uuid, WriteOptions};
use opsflux_store::feed::Entry;
use rust_decimal::Decimal;
use serde_json::{Map, json};
use tokio::sync::watch;

use super::check::word;
use super::query::{self, Missing};
use super::{MEASURE, Source, formula, inputs};
use crate::period::Frequency;
use crate::value::{date, decimal};
use crate::{KPI, VALUE, test};

/// Calculated indicators of a tenant.
const MOST: u32 = 5_000;
/// Periods of a formula that are made when it is written.
const PAST: i64 = 24;
/// Between two turns behind the feed.
const REST: Duration = Duration::from_secs(1);
/// Between two looks at the clock.
const LOOK: Duration = Duration::from_secs(30);
/// Counts are made again with each quarter of an hour, in seconds.
const QUARTER: i64 = 900;

/// What calculates. One of these in every process; two of them write the same.
pub struct Sources {
    records: Records,
    owners: Arc<dyn Acting>,
}

/// An indicator with what a calculation asks of it.
struct Calculated<'a> {
    tenant: i64,
    record: &'a Snapshot,
    frequency: Frequency,
    owner: Caller,
}

impl Sources {
    /// Calculates for the indicators of `records`.
    #[must_use]
    pub fn new(records: Records, owners: Arc<dyn Acting>) -> Sources {
        Sources { records, owners }
    }

    /// Looks at the clock until `stop` turns true.
    pub async fn work(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.look_at_the_clock().await {
                tracing::warn!(%error, "indicators could not be calculated");
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn look_at_the_clock(&self) -> Result<(), Error> {
        for tenant in self.records.store().tenants().await? {
            let all = self.calculated(tenant.number, Source::Query).await?;
            for record in &all {
                if self.is_due(record) {
                    self.count(tenant.number, record).await?;
                }
            }
        }
        Ok(())
    }

    /// Whether it was not calculated in this quarter of an hour, by whatever process.
    fn is_due(&self, kpi: &Snapshot) -> bool {
        // Days of every zone begin at some full quarter of an hour.
        let quarter = |at: Timestamp| at.as_second().div_euclid(QUARTER);
        match kpi.get(&self.records.schema(), "calculated_at") {
            Value::Time(last) => quarter(*last) != quarter(self.records.now()),
            _ => true,
        }
    }

    /// The active indicators of a tenant with this source.
    async fn calculated(&self, tenant: i64, source: Source) -> Result<Vec<Snapshot>, Error> {
        let schema = self.records.schema();
        let Some(kpi) = schema.find(KPI) else {
            return Ok(Vec::new());
        };
        let code = match source {
            Source::Query => "QUERY",
            _ => "FORMULA",
        };
        let condition = Condition::All(vec![
            test("source", Op::Eq, code),
            test("is_active", Op::Eq, true),
        ]);
        let house = self.house(tenant, None);
        let bound = self
            .records
            .bind(&house, |binder| binder.bind(kpi, &condition));
        let bound = bound.map_err(|error| Error::Internal(error.to_string()))?;
        self.records.find(tenant, kpi, bound, MOST).await
    }

    fn house(&self, tenant: i64, company: Option<Uuid>) -> Caller {
        let origin = Origin {
            actor: Actor::System,
            source: "kpi".to_owned(),
            ..Origin::default()
        };
        Caller {
            company,
            ..Caller::house(&self.records.schema(), tenant, Uuid::nil(), origin)
        }
    }

    /// What is needed to calculate; nothing, with the reason noted, when its owner is gone.
    async fn ready<'a>(
        &self,
        tenant: i64,
        record: &'a Snapshot,
    ) -> Result<Option<Calculated<'a>>, Error> {
        let schema = self.records.schema();
        let declared = schema.entity(record.entity);
        let frequency = word(declared, record, "frequency").and_then(Frequency::of);
        let owner = match record.get(&schema, "owner_id").as_id() {
            Some(owner) => {
                let origin = Origin {
                    actor: Actor::System,
                    source: "kpi".to_owned(),
                    ..Origin::default()
                };
                self.owners.caller(tenant, owner, origin).await?
            }
            None => None,
        };
        match (frequency, owner) {
            (Some(frequency), Some(owner)) => Ok(Some(Calculated {
                tenant,
                record,
                frequency,
                owner,
            })),
            _ => {
                self.note(tenant, record, Some("kpi.owner_missing")).await?;
                Ok(None)
            }
        }
    }

    /// Counts a query for the periods that may still change: that of today, and those whose days
    /// for entering are not over.
    async fn count(&self, tenant: i64, record: &Snapshot) -> Result<(), Error> {
        let now = self.records.now();
        let Some(ready) = self.ready(tenant, record).await? else {
            return Ok(());
        };
        let schema = self.records.schema();
        let zone = ready.owner.time_zone.clone();
        let today = now.to_zoned(zone.clone()).date();
        let grace = match record.get(&schema, "grace_days") {
            Value::Int(days) => *days,
            _ => 0,
        };
        let mut starts = Vec::new();
        if let Some(begins) = ready.frequency.start(today) {
            starts.push(begins);
            if query::is_dated(&self.records, record) {
                starts.extend(past(ready.frequency, begins, today, grace));
            }
        }
        let mut trouble = None;
        for start in starts {
            let Some(end) = ready.frequency.end(start) else {
                continue;
            };
            let period = (start, end);
            let measured = query::measure(&self.records, &ready.owner, record, period, &zone).await;
            let value = match measured {
                Ok(value) => Some(value),
                Err(Missing::Nothing) => None,
                Err(Missing::Unfit(code)) => {
                    trouble = Some(code);
                    break;
                }
                Err(Missing::Error(error)) => return Err(error),
            };
            self.put(&ready, start, value).await?;
        }
        self.note(tenant, record, trouble).await
    }

    /// Makes a formula for some periods.
    async fn combine(
        &self,
        tenant: i64,
        record: &Snapshot,
        starts: &BTreeSet<Date>,
    ) -> Result<(), Error> {
        let Some(ready) = self.ready(tenant, record).await? else {
            return Ok(());
        };
        let schema = self.records.schema();
        let text = word(schema.entity(record.entity), record, "formula").unwrap_or_default();
        let named = inputs(record.get(&schema, "formula_inputs")).unwrap_or_default();
        let Ok(made) = formula(text, &named) else {
            return self.note(tenant, record, Some("kpi.formula")).await;
        };
        let ids: Vec<Uuid> = named.values().copied().collect();
        let mut trouble = None;
        for start in starts {
            let known = self.values_of(&ready.owner, &ids, *start).await?;
            let values: Vec<Value> = ids
                .iter()
                .map(|id| {
                    known
                        .get(id)
                        .map_or(Value::Null, |value| Value::Decimal(*value))
                })
                .collect();
            let value = match made.value(&values, &MEASURE) {
                Ok(Value::Decimal(value)) => Some(value),
                Ok(_) => None,
                Err(_) => {
                    trouble = Some("kpi.ratio_too_large");
                    None
                }
            };
            self.put(&ready, *start, value).await?;
        }
        self.note(tenant, record, trouble).await
    }

    /// The values of some indicators in a period, as the owner may see them.
    async fn values_of(
        &self,
        owner: &Caller,
        ids: &[Uuid],
        start: Date,
    ) -> Result<HashMap<Uuid, Decimal>, Error> {
        let texts: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        let request = opsflux_records::read::RowsRequest {
            entity: VALUE,
            condition: Condition::All(vec![
                test("kpi_id", Op::In, json!(texts)),
                test("period_start", Op::Eq, start.to_string()),
            ]),
            fields: &["kpi_id", "value"],
            sort: &[],
            limit: MOST,
        };
        let rows = match self.records.read_rows(owner, &request).await {
            Err(Error::NotFound) => Vec::new(),
            rows => rows?,
        };
        let value = |row: &Vec<Value>| Some((row.first()?.as_id()?, decimal(row.get(1)?)?));
        Ok(rows.iter().filter_map(value).collect())
    }

    /// Writes a value where it is another than there is, or takes away what is no more.
    async fn put(
        &self,
        ready: &Calculated<'_>,
        start: Date,
        value: Option<Decimal>,
    ) -> Result<(), Error> {
        let schema = self.records.schema();
        let Some(entity) = schema.find(VALUE) else {
            return Ok(());
        };
        let company = ready.record.get(&schema, "company").as_id();
        let house = self.house(ready.tenant, company);
        let condition = Condition::All(vec![
            test("kpi_id", Op::Eq, ready.record.id.to_string()),
            test("period_start", Op::Eq, start.to_string()),
        ]);
        let bound = self
            .records
            .bind(&house, |binder| binder.bind(entity, &condition));
        let bound = bound.map_err(|error| Error::Internal(error.to_string()))?;
        let found = self.records.find(ready.tenant, entity, bound, 1).await?;
        let options = WriteOptions::default();
        let done = match (found.first(), value) {
            (Some(known), Some(value)) => {
                if decimal(known.get(&schema, "value")) == Some(value) {
                    return Ok(());
                }
                let patch = Map::from_iter([("value".to_owned(), json!(value.to_string()))]);
                let id = known.id.to_string();
                let changed = self.records.update(&house, entity, &id, patch, &options);
                changed.await.map(|_| ())
            }
            (Some(known), None) => {
                let id = known.id.to_string();
                let deleted = self.records.delete(&house, entity, &id, &options);
                deleted.await.map(|_| ())
            }
            (None, Some(value)) => {
                let body = Map::from_iter([
                    ("kpi_id".to_owned(), json!(ready.record.id.to_string())),
                    ("period_start".to_owned(), json!(start.to_string())),
                    ("value".to_owned(), json!(value.to_string())),
                ]);
                let made = self.records.create(&house, entity, body, &options);
                made.await.map(|_| ())
            }
            (None, None) => Ok(()),
        };
        match done {
            // Another process was quicker, or the period is closed.
            Err(Error::Conflict(_) | Error::Refused { .. } | Error::NotFound) => Ok(()),
            done => done,
        }
    }

    /// Keeps that it was calculated in this quarter of an hour, and why it could not be; what is
    /// kept already is not written again with every change it is calculated for.
    async fn note(
        &self,
        tenant: i64,
        record: &Snapshot,
        trouble: Option<&'static str>,
    ) -> Result<(), Error> {
        let error = trouble.map_or(Value::Null, Value::from);
        let known = record.get(&self.records.schema(), "calculation_error") == &error;
        if known && !self.is_due(record) {
            return Ok(());
        }
        let values = [
            ("calculated_at", Value::Time(self.records.now())),
            ("calculation_error", error),
        ];
        self.records
            .update_log(tenant, KPI, record.id, &values)
            .await
    }

    async fn follow_up(&self, tenant: i64, changed: &Changed) -> Result<(), Error> {
        let schema = self.records.schema();
        for record in self.calculated(tenant, Source::Query).await? {
            let declared = schema.entity(record.entity);
            let of = word(declared, &record, "query_of").unwrap_or_default();
            let of = schema.find_collection(of);
            let name = of.map(|of| schema.entity(of).name.as_str());
            let is_met = name.is_some_and(|name| changed.entities.contains(name));
            if is_met || changed.kpis.contains(&record.id) {
                self.count(tenant, &record).await?;
            }
        }
        if changed.kpis.is_empty() && changed.values.is_empty() {
            return Ok(());
        }
        let periods = self.periods(tenant, &schema, &changed.values).await?;
        let today = self.records.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        for record in self.calculated(tenant, Source::Formula).await? {
            let named = inputs(record.get(&schema, "formula_inputs")).unwrap_or_default();
            let mut starts: BTreeSet<Date> = named
                .values()
                .filter_map(|id| periods.get(id))
                .flatten()
                .copied()
                .collect();
            let declared = schema.entity(record.entity);
            let frequency = word(declared, &record, "frequency").and_then(Frequency::of);
            if let (true, Some(frequency)) = (changed.kpis.contains(&record.id), frequency)
                && let Some(begins) = frequency.start(today)
            {
                starts.extend((0..PAST).filter_map(|back| frequency.shift(begins, -back)));
            }
            if !starts.is_empty() {
                self.combine(tenant, &record, &starts).await?;
            }
        }
        Ok(())
    }

    /// The periods of values that changed, by indicator: where they stand and where they stood.
    async fn periods(
        &self,
        tenant: i64,
        schema: &Schema,
        values: &BTreeSet<(Uuid, i64)>,
    ) -> Result<BTreeMap<Uuid, BTreeSet<Date>>, Error> {
        let mut periods: BTreeMap<Uuid, BTreeSet<Date>> = BTreeMap::new();
        let Some(entity) = schema.find(VALUE) else {
            return Ok(periods);
        };
        for (id, version) in values {
            let image = self.records.image(tenant, entity, *id, *version).await?;
            let Some(image) = image else { continue };
            for value in image.before.iter().chain([&image.after]) {
                let kpi = value.get(schema, "kpi_id").as_id();
                let start = date(value.get(schema, "period_start"));
                if let (Some(kpi), Some(start)) = (kpi, start) {
                    periods.entry(kpi).or_default().insert(start);
                }
            }
        }
        Ok(periods)
    }
}

/// The periods before one whose days for entering are not over.
fn past(frequency: Frequency, begins: Date, today: Date, grace: i64) -> Vec<Date> {
    (1..)
        .map_while(|back| {
            let start = frequency.shift(begins, -back)?;
            let until = frequency.end(start)?.checked_add(grace.days()).ok()?;
            (until >= today).then_some(start)
        })
        .collect()
}

/// What of a tenant changed.
#[derive(Debug, Default)]
struct Changed {
    entities: BTreeSet<String>,
    kpis: BTreeSet<Uuid>,
    values: BTreeSet<(Uuid, i64)>,
}

impl Reactor for Sources {
    fn name(&self) -> &'static str {
        "kpi.sources"
    }

    fn handle<'a>(&'a self, entries: &'a [Entry]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let mut tenants: BTreeMap<i64, Changed> = BTreeMap::new();
            for Entry { tenant, entry, .. } in entries {
                let changed = tenants.entry(*tenant).or_default();
                match entry.entity.as_str() {
                    KPI => changed.kpis.insert(entry.record),
                    VALUE => changed.values.insert((entry.record, entry.version)),
                    _ => false,
                };
                changed.entities.insert(entry.entity.clone());
            }
            for (tenant, changed) in tenants {
                self.follow_up(tenant, &changed).await?;
            }
            Ok(())
        })
    }

    fn rest(&self) -> Duration {
        REST
    }
}
