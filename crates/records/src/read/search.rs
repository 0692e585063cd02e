//! Full text, as the reads see it: something that ranks records a caller may see.

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
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// What kind.
    pub entity: EntityIx,
    /// Which.
    pub id: Uuid,
    /// Where the words stand: HTML, escaped but for `<mark>`.
    pub highlights: Vec<(FieldIx, String)>,
}
