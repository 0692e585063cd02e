//! Full text, as the reads see it: something that ranks records a caller may see.

use std::collections::HashMap;

use opsflux_model::schema::{EntityIx, FieldIx, Schema};
use uuid::Uuid;

use crate::caller::Caller;
use crate::error::Error;

/// Ranks records by text. Implemented by the search room, which follows the feed.
pub trait Searcher: Send + Sync {
    /// Hits best first, from the `skip`-th, already narrowed to what `caller` may see as far as
    /// the index knows. The caller of this checks every hit again in SQL.
    ///
    /// # Errors
    /// When the index cannot be read.
    fn search(&self, query: &SearchQuery<'_>) -> Result<Vec<Hit>, Error>;

    /// Where the words of the query stand in `hits`: for the few that are shown, because it
    /// reads their texts.
    ///
    /// # Errors
    /// When the index cannot be read.
    fn mark(
        &self,
        query: &SearchQuery<'_>,
        hits: &[Hit],
    ) -> Result<HashMap<Hit, Vec<Marked>>, Error>;
}

/// What is searched.
pub struct SearchQuery<'a> {
    /// Where names are found.
    pub schema: &'a Schema,
    /// Who asks.
    pub caller: &'a Caller,
    /// One entity, or all that are searched.
    pub entity: Option<EntityIx>,
    /// As typed.
    pub text: &'a str,
    /// Hits passed over.
    pub skip: usize,
    /// At most so many hits.
    pub limit: usize,
}

/// One hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hit {
    /// What kind.
    pub entity: EntityIx,
    /// Which.
    pub id: Uuid,
}

/// A field of a hit in which words stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Which field.
    pub field: FieldIx,
    /// Its text around the words: HTML, escaped but for `<mark>`.
    pub html: String,
}
