//! What a database says of itself: its layout, and what is still to be done of the last plan.

use opsflux_model::Schema;
use opsflux_model::layout::Layout;
use opsflux_model::migrate::{self, Fill, Plan, Step, Wishes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

use super::MigrationError;
use crate::error::StoreError;
use crate::feed::{Body, FeedOp, NewEntry};
use crate::sql::{Cell, Dialect, Statement};

/// One row of `sys_layout`, as JSON.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Recorded {
    /// How often tables have changed.
    pub version: i64,
    /// What is there.
    pub layout: Layout,
    /// Columns still to be filled, the first of them perhaps in part.
    pub fill: Vec<Fill>,
    /// What is done when all are.
    pub contract: Vec<Step>,
}

impl Recorded {
    /// Answers one text, or no row in a new database.
    pub(crate) const READ: &'static str = "SELECT layout FROM sys_layout WHERE one = 1";

    /// # Errors
    /// [`StoreError::Setup`] for what another release wrote and this one does not understand.
    pub(crate) fn parse(text: &str) -> Result<Recorded, StoreError> {
        serde_json::from_str(text).map_err(|error| {
            StoreError::Setup(format!(
                "the recorded tables were written by another release: {error}"
            ))
        })
    }

    /// # Errors
    /// [`StoreError::Internal`].
    pub(crate) fn write(&self, dialect: Dialect) -> Result<Statement, StoreError> {
        let text = serde_json::to_string(self)
            .map_err(|error| StoreError::Internal(format!("the layout: {error}")))?;
        let parameter = match dialect {
            Dialect::Sqlite => "?1",
            Dialect::Postgres => "$1",
        };
        Ok(Statement {
            text: format!(
                "INSERT INTO sys_layout (one, layout) VALUES (1, {parameter}) \
                 ON CONFLICT (one) DO UPDATE SET layout = excluded.layout"
            ),
            params: vec![Cell::Text(text)],
        })
    }

    /// The way from here to `schema`.
    ///
    /// # Errors
    /// [`MigrationError::Refused`] for what would lose values.
    pub(crate) fn plan(
        &self,
        schema: &Schema,
        allow: &BTreeSet<String>,
    ) -> Result<Plan, MigrationError> {
        let wishes = Wishes {
            drop: allow.clone(),
            ..Wishes::of(schema)
        };
        migrate::plan(&self.layout, &Layout::of(schema), &wishes).map_err(MigrationError::Refused)
    }

    /// The entry that tells every process to load its schema anew.
    pub(crate) fn entry(&self) -> NewEntry {
        NewEntry {
            change: Uuid::now_v7(),
            at: jiff::Timestamp::now(),
            entity: "schema".to_owned(),
            record: Uuid::nil(),
            version: self.version,
            op: FeedOp::Updated,
            body: Body {
                source: "migration".to_owned(),
                ..Body::default()
            },
        }
    }
}
