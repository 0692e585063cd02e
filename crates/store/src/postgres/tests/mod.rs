//! The back end against a real server: what cannot be seen through the store's own interface.

mod cells;
mod connection;
mod feed;
mod tls;
mod write;

use opsflux_testkit::postgres::{Cluster, Database};

use super::Postgres;
use crate::sql::{Cell, Statement};

/// A database of one's own, and the back end on it.
pub(super) async fn opened() -> (Database, Postgres) {
    let database = Cluster::shared().unwrap().database().unwrap();
    let postgres = Postgres::open(&database.url(), 8).await.unwrap();
    (database, postgres)
}

pub(super) fn statement(text: &str, params: Vec<Cell>) -> Statement {
    Statement {
        text: text.to_owned(),
        params,
    }
}
