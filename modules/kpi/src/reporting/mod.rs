//! Figures of steering: the synthesis by dashboard and process, the worst indicators, the
//! management view, the tiles of a dashboard, the chart of an indicator.
//!
//! Each adds up what its reader may see, read through [`opsflux_records::Records::rows`]. Inactive
//! indicators are left out of all of them but their own chart.

mod chart;
mod overview;
mod reader;
mod risks;
mod schemas;
mod statistics;
mod tiles;

use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Method, StatusCode};
use jiff::civil::Date;
use opsflux_model::Action;
use opsflux_records::operation::{Call, Needs, Operation, Reply};
use opsflux_records::{Caller, Error, Records};
use serde_json::{Value as Json, json};

pub use schemas::kpix as schemas;

use crate::{DASHBOARD, KPI};

/// Risks that are told unless more or fewer are asked for.
const RISKS: usize = 10;
/// At most.
const MOST_RISKS: usize = 100;

/// The operations under `/reporting`, and the figures of one dashboard and one indicator.
#[must_use]
pub fn operations(records: &Records) -> Vec<Operation> {
    let schema = records.schema();
    let view = |name: &str| match schema.find(name) {
        Some(ix) => Needs::Permission(ix, Action::View),
        None => Needs::Admin,
    };
    let limit = || {
        vec![(
            "limit".to_owned(),
            json!({"type": "integer", "minimum": 1, "maximum": MOST_RISKS}),
            "How many, worst first".to_owned(),
        )]
    };
    let mut all = vec![
        Operation {
            output: answers(schemas::overview()),
            ..of(
                "reporting_overview",
                "/reporting/overview",
                "Where every dashboard and process stands",
                view(DASHBOARD),
            )
        }
        .by(records, |records, call| async move {
            let caller = call.caller()?;
            overview::overview(&records, caller, today(&records, caller)).await
        }),
        Operation {
            query: limit(),
            output: answers(schemas::risks()),
            ..of(
                "reporting_top_risks",
                "/reporting/top-risks",
                "The indicators that are red or orange, worst first",
                view(KPI),
            )
        }
        .by(records, |records, call| async move {
            let caller = call.caller()?;
            let limit = wanted(&call)?;
            risks::answer(&records, caller, limit).await
        }),
        Operation {
            query: limit(),
            output: answers(schemas::direction()),
            ..of(
                "reporting_direction",
                "/reporting/direction",
                "The management view: standing, risks, trends, key actions",
                view(KPI),
            )
        }
        .by(records, |records, call| async move {
            let caller = call.caller()?;
            let limit = wanted(&call)?;
            overview::direction(&records, caller, today(&records, caller), limit).await
        }),
        Operation {
            output: answers(schemas::tiles()),
            problems: vec![StatusCode::NOT_FOUND],
            ..of(
                "dashboard_tiles",
                "/dashboards/{id}/tiles",
                "The indicators of a dashboard with their latest values",
                view(DASHBOARD),
            )
        }
        .by(records, |records, call| async move {
            let caller = call.caller()?;
            let today = today(&records, caller);
            tiles::tiles(&records, caller, call.path(0), today).await
        }),
    ];
    all.push(
        Operation {
            query: chart::parameters(),
            output: answers(schemas::chart()),
            problems: vec![StatusCode::NOT_FOUND],
            ..of(
                "kpi_chart",
                "/kpis/{id}/chart",
                "The values of an indicator with limits, signals and forecast",
                view(KPI),
            )
        }
        .by(records, |records, call| async move {
            let caller = call.caller()?;
            let request = chart::Request::read(&call.query)?;
            let today = today(&records, caller);
            chart::chart(&records, caller, call.path(0), &request, today).await
        }),
    );
    all
}

/// The day in the reader's zone.
fn today(records: &Records, caller: &Caller) -> Date {
    records.now().to_zoned(caller.time_zone.clone()).date()
}

fn wanted(call: &Call) -> Result<usize, Error> {
    let said = call.query.iter().find(|(name, _)| name == "limit");
    let Some((_, text)) = said else {
        return Ok(RISKS);
    };
    let limit = text.parse::<usize>().ok();
    let limit = limit.filter(|limit| (1..=MOST_RISKS).contains(limit));
    limit.ok_or_else(|| Error::query("limit", "invalid_value", format!("1 to {MOST_RISKS}")))
}

fn answers(schema: Json) -> (StatusCode, Option<(String, Json)>) {
    (
        StatusCode::OK,
        Some(("application/json".to_owned(), schema)),
    )
}

fn of(name: &str, path: &str, summary: &str, needs: Needs) -> Operation {
    Operation {
        name: name.to_owned(),
        method: Method::GET,
        path: path.to_owned(),
        summary: summary.to_owned(),
        tag: "reporting".to_owned(),
        needs,
        query: Vec::new(),
        input: None,
        output: answers(json!({})),
        problems: Vec::new(),
        handler: Arc::new(|_| Box::pin(async { Err(Error::NotFound) })),
    }
}

trait By {
    /// The operation done by `work`, whose answer is JSON.
    fn by<F, W>(self, records: &Records, work: F) -> Operation
    where
        F: Fn(Records, Call) -> W + Send + Sync + Clone + 'static,
        W: Future<Output = Result<Json, Error>> + Send + 'static;
}

impl By for Operation {
    fn by<F, W>(self, records: &Records, work: F) -> Operation
    where
        F: Fn(Records, Call) -> W + Send + Sync + Clone + 'static,
        W: Future<Output = Result<Json, Error>> + Send + 'static,
    {
        let records = records.clone();
        Operation {
            handler: Arc::new(move |call| -> BoxFuture<'static, Result<Reply, Error>> {
                let done = work(records.clone(), call);
                Box::pin(async move { Ok(Reply::json(done.await?.to_string().into_bytes())) })
            }),
            ..self
        }
    }
}
