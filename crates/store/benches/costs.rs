//! What the store itself costs on SQLite: `cargo bench -p opsflux-store`.
//!
//! Prints CPU time per operation, which the machine's other work disturbs less than time on the
//! clock. The goals stand beside the figures.

use std::collections::BTreeSet;
use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use opsflux_model::{EntityIx, FieldIx, Operand, Predicate, Schema, Value};
use opsflux_store::feed::Body;
use opsflux_store::{
    Commit, DatabaseUrl, FeedOp, Living, NewEntry, Output, Select, Sort, Store, StoreError,
    StoreOptions, Write,
};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROWS: u128 = 100_000;
const BUDGET: Duration = Duration::from_secs(10);

const DEPARTMENT: &str = r#"
name = "department"
collection = "departments"
title = "name"
icon = "building"
[fields]
name = { type = "text" }
"#;

const TICKET: &str = r#"
name = "ticket"
collection = "tickets"
title = "title"
icon = "ticket"
number = "TIC-{seq:06}"
index = [["status", "priority", "-created_at"]]
[fields]
title = { type = "text" }
description = { type = "rich_text" }
kind = { type = "choice", options = ["incident", "request"] }
priority = { type = "choice", options = ["low", "medium", "high", "critical"] }
status = { type = "state", initial = "new" }
department = { type = "link", to = "department", inverse = "tickets" }
cost = { type = "decimal", precision = 12, scale = 2 }
due_at = { type = "datetime" }
[scope]
department = "department"
[states]
new = { to = ["done"], category = "open", color = "blue" }
done = { to = ["new"], category = "done", color = "green" }
"#;

const AUDIT: &str = r#"
name = "audit"
collection = "audits"
kind = "log"
title = "action"
icon = "history"
[fields]
action = { type = "text" }
record = { type = "any_link", to = "*" }
changes = { type = "json" }
"#;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    runtime.block_on(run())
}

async fn run() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(StoreOptions {
        url: DatabaseUrl::Sqlite(folder.path().join("bench.db")),
        connections: NonZeroUsize::new(4).ok_or("four")?,
    })
    .await?;
    let declared = [DEPARTMENT, TICKET, AUDIT];
    let schema = Schema::from_declarations(&declared, "").map_err(|all| format!("{all:?}"))?;
    let schema = Arc::new(schema);
    store.migrate(Arc::clone(&schema), &BTreeSet::new()).await?;
    let desk = Desk {
        store: Arc::new(store),
        schema,
    };
    desk.fill().await?;
    desk.point_read().await?;
    desk.list("list of 50, 11 columns", "90 µs", Predicate::True)
        .await?;
    for departments in [1, 4] {
        let name = format!("the same, {departments} of 20 departments");
        let rule = (0..departments).map(|n| Value::Id(id(n))).collect();
        let rule = desk.is("department", rule)?;
        desk.list(&name, "135 µs", rule).await?;
    }
    desk.commits().await
}

/// In the order of making, as UUIDs of version 7 are.
fn id(number: u128) -> Uuid {
    let noise = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) & u128::from(u64::MAX);
    Uuid::from_u128(number << 64 | noise)
}

fn at(second: u128) -> Outcome<Timestamp> {
    Ok(Timestamp::from_second(
        1_700_000_000 + i64::try_from(second)?,
    )?)
}

struct Desk {
    store: Arc<Store>,
    schema: Arc<Schema>,
}

impl Desk {
    fn entity(&self, name: &str) -> Outcome<EntityIx> {
        Ok(self.schema.find(name).ok_or("an entity")?)
    }

    fn field(&self, entity: &str, name: &str) -> Outcome<FieldIx> {
        let declared = self.schema.entity(self.entity(entity)?);
        Ok(declared
            .find(name)
            .ok_or_else(|| format!("{entity}.{name}"))?)
    }

    fn is(&self, field: &str, values: Vec<Value>) -> Outcome<Predicate> {
        let field = self.field("ticket", field)?;
        let operand = Operand::OneOf(values);
        Ok(Predicate::test(self.entity("ticket")?, field, operand))
    }

    fn insert(&self, entity: &str, values: Vec<(&str, Value)>) -> Outcome<Write> {
        let values = values
            .into_iter()
            .map(|(name, value)| Ok((self.field(entity, name)?, value)))
            .collect::<Outcome<_>>()?;
        let entity = self.entity(entity)?;
        Ok(Write::Insert { entity, values })
    }

    fn ticket(&self, number: u128) -> Outcome<Write> {
        let made = Value::Time(at(number)?);
        let one = |of: &[&str]| Value::from(of[number as usize % of.len()]);
        self.insert(
            "ticket",
            vec![
                ("id", Value::Id(id(number))),
                ("version", Value::Int(1)),
                ("number", Value::from(format!("TIC-{number:06}"))),
                ("created_at", made.clone()),
                ("updated_at", made.clone()),
                (
                    "title",
                    Value::from(format!("The printer of room {number} is out of paper")),
                ),
                (
                    "description",
                    Value::from("It blinks and says nothing. ".repeat(8)),
                ),
                ("kind", one(&["incident", "request"])),
                ("priority", one(&["low", "medium", "high", "critical"])),
                ("status", one(&["new", "done", "new"])),
                ("department", Value::Id(id(number % 20))),
                ("cost", Value::Decimal(i64::try_from(number)?.into())),
                ("due_at", made),
            ],
        )
    }

    async fn fill(&self) -> Outcome<()> {
        let mut writes = Vec::new();
        for number in 0..20 {
            let made = Value::Time(at(number)?);
            writes.push(self.insert(
                "department",
                vec![
                    ("id", Value::Id(id(number))),
                    ("version", Value::Int(1)),
                    ("created_at", made.clone()),
                    ("updated_at", made),
                ],
            )?);
        }
        for number in 0..ROWS {
            writes.push(self.ticket(number)?);
        }
        let commit = Commit {
            tenant: 1,
            writes,
            ..Commit::default()
        };
        self.store.commit(commit).await?;
        Ok(())
    }

    fn select(&self, fields: &[&str], filter: Predicate, limit: u32) -> Outcome<Select> {
        let outputs = fields
            .iter()
            .map(|name| Ok(Output::Field(self.field("ticket", name)?)));
        Ok(Select {
            tenant: 1,
            entity: self.entity("ticket")?,
            filter,
            outputs: outputs.collect::<Outcome<_>>()?,
            sort: Vec::new(),
            after: None,
            limit,
            living: Living::Only,
        })
    }

    async fn read(&self, select: &Select, json: &mut Vec<u8>) -> Outcome<usize> {
        json.clear();
        let count = self.store.select(select, BUDGET, |row| {
            for place in 0..select.outputs.len() {
                row.write_json(place, json)?;
            }
            Ok::<_, StoreError>(())
        });
        Ok(count.await?)
    }

    async fn point_read(&self) -> Outcome<()> {
        let fields = [
            "id", "version", "number", "title", "kind", "priority", "status",
        ];
        let mut json = Vec::new();
        let meter = Meter::start("point read, 7 columns", "10 µs");
        for number in 0..50_000 {
            let filter = self.is("id", vec![Value::Id(id(number))])?;
            let select = self.select(&fields, filter, 1)?;
            assert_eq!(self.read(&select, &mut json).await?, 1);
        }
        meter.stop(50_000)
    }

    async fn list(&self, name: &str, goal: &str, filter: Predicate) -> Outcome<()> {
        let fields = [
            "id",
            "version",
            "number",
            "title",
            "status",
            "priority",
            "kind",
            "department",
            "cost",
            "due_at",
            "created_at",
        ];
        let entity = self.entity("ticket")?;
        let mut json = Vec::new();
        let meter = Meter::start(name, goal);
        for _ in 0..5_000 {
            let mut select = self.select(&fields, filter.clone(), 50)?;
            let newest = |name| self.field("ticket", name);
            select.sort = vec![
                Sort::by(entity, newest("created_at")?, true),
                Sort::by(entity, newest("id")?, true),
            ];
            assert_eq!(self.read(&select, &mut json).await?, 50);
        }
        meter.stop(5_000)
    }

    async fn commits(&self) -> Outcome<()> {
        const TASKS: u128 = 64;
        const EACH: u128 = 300;
        let mut prepared = Vec::new();
        for task in 0..TASKS {
            let numbers = (0..EACH).map(|n| ROWS + task * EACH + n);
            prepared.push(
                numbers
                    .map(|n| self.change(n))
                    .collect::<Outcome<Vec<_>>>()?,
            );
        }
        let meter = Meter::start("commit of ticket, audit and feed, 64 at once", "60 µs");
        let mut tasks = tokio::task::JoinSet::new();
        for commits in prepared {
            let store = Arc::clone(&self.store);
            tasks.spawn(async move {
                for commit in commits {
                    store.commit(commit).await?;
                }
                Ok::<_, opsflux_store::CommitError>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        meter.stop(u32::try_from(TASKS * EACH)?)
    }

    fn change(&self, number: u128) -> Outcome<Commit> {
        let audit = self.insert(
            "audit",
            vec![
                ("id", Value::Id(id(number + 10_000_000))),
                ("created_at", Value::Time(at(number)?)),
                ("action", Value::from("create")),
                (
                    "record",
                    Value::Ref {
                        entity: "ticket".to_owned(),
                        id: id(number),
                    },
                ),
                (
                    "changes",
                    Value::Json(serde_json::json!({"title": [null, "The printer"]})),
                ),
            ],
        )?;
        Ok(Commit {
            tenant: 1,
            writes: vec![self.ticket(number)?, audit],
            feed: vec![NewEntry {
                change: id(number),
                at: at(number)?,
                entity: "ticket".to_owned(),
                record: id(number),
                version: 1,
                op: FeedOp::Created,
                body: Body {
                    source: "api".to_owned(),
                    ..Body::default()
                },
            }],
            ..Commit::default()
        })
    }
}

/// Measures the CPU time of the whole process.
struct Meter {
    name: String,
    goal: String,
    cpu: Duration,
    clock: Instant,
}

impl Meter {
    fn start(name: &str, goal: &str) -> Meter {
        Meter {
            name: name.to_owned(),
            goal: goal.to_owned(),
            cpu: cpu_time(),
            clock: Instant::now(),
        }
    }

    fn stop(self, count: u32) -> Outcome<()> {
        let cpu = (cpu_time() - self.cpu) / count;
        let clock = self.clock.elapsed() / count;
        println!(
            "{:48} {cpu:>10.1?} CPU {clock:>10.1?} clock (goal {} CPU)",
            self.name, self.goal
        );
        Ok(())
    }
}

/// What the kernel has counted for this process, in hundredths of a second.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may hold spaces.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<u64> = after_name
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    let ticks = fields
        .get(11)
        .zip(fields.get(12))
        .map_or(0, |(user, system)| user + system);
    Duration::from_millis(ticks * 10)
}
