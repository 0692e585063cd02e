//! What the index answers: hits in order of rank, and the words marked in those that are shown.

use std::collections::HashMap;

use opsflux_model::schema::{EntityIx, FieldIx, Schema};
use opsflux_records::Error;
use opsflux_records::read::search::{Hit, Marked, SearchQuery, Searcher};
use serde_json::{Map, Value as Json};
use tantivy::collector::TopDocs;
use tantivy::columnar::{Column, StrColumn};
use tantivy::query::TermQuery;
use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{DocAddress, SegmentReader, TantivyDocument, Term};
use uuid::Uuid;

use crate::SearchError;
use crate::document::{key, searched};
use crate::follow::Search;
use crate::highlight::highlight;
use crate::index::{ENTITY, ID};
use crate::query::{Reach, query};
use crate::words::words;

impl Searcher for Search {
    fn search(&self, asked: &SearchQuery<'_>) -> Result<Vec<Hit>, Error> {
        // Likenesses cost a walk through every word there is and come last anyway: they are
        // looked for when the words as typed do not fill the page.
        let hits = self.ranked(asked, Reach::Typed)?;
        if hits.len() >= asked.limit {
            return Ok(hits);
        }
        Ok(self.ranked(asked, Reach::Alike)?)
    }

    fn mark(
        &self,
        asked: &SearchQuery<'_>,
        hits: &[Hit],
    ) -> Result<HashMap<Hit, Vec<Marked>>, Error> {
        let wanted: Vec<String> = words(asked.text).into_iter().map(|w| w.text).collect();
        let mut marks = HashMap::with_capacity(hits.len());
        for hit in hits {
            if let Some(source) = self.source(asked, *hit)? {
                marks.insert(*hit, marked(asked, hit.entity, &source, &wanted));
            }
        }
        Ok(marks)
    }
}

impl Search {
    fn ranked(&self, asked: &SearchQuery<'_>, reach: Reach) -> Result<Vec<Hit>, SearchError> {
        let entities: Vec<EntityIx> = match asked.entity {
            Some(entity) => vec![entity],
            None => asked.schema.iter().map(|(ix, _)| ix).collect(),
        };
        let access = &asked.caller.access;
        let fields = &self.index.fields;
        let query = query(fields, asked.schema, access, &entities, asked.text, reach);
        let searcher = self.index.reader.searcher();
        let collector = TopDocs::with_limit(asked.limit.max(1))
            .and_offset(asked.skip)
            .order_by_score();
        let top = searcher.search(&*query, &collector)?;
        let mut names: HashMap<u32, Names> = HashMap::new();
        let mut hits = Vec::with_capacity(top.len());
        for (
            _,
            DocAddress {
                segment_ord,
                doc_id,
            },
        ) in top
        {
            let names = match names.entry(segment_ord) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(new) => new.insert(Names::open(
                    searcher.segment_reader(segment_ord),
                    asked.schema,
                )?),
            };
            hits.extend(names.of(doc_id));
        }
        Ok(hits)
    }

    /// The texts of a hit as they were indexed.
    fn source(
        &self,
        asked: &SearchQuery<'_>,
        hit: Hit,
    ) -> Result<Option<Map<String, Json>>, SearchError> {
        let fields = &self.index.fields;
        let tenant = asked.caller.access.principal.tenant;
        let name = &asked.schema.entity(hit.entity).name;
        let term = Term::from_field_text(fields.key, &key(tenant, name, hit.id));
        let only = TermQuery::new(term, IndexRecordOption::Basic);
        let searcher = self.index.reader.searcher();
        let found = searcher.search(&only, &TopDocs::with_limit(1).order_by_score())?;
        let Some((_, address)) = found.first() else {
            return Ok(None);
        };
        let document: TantivyDocument = searcher.doc(*address)?;
        let source = document.get_first(fields.source).and_then(|v| v.as_str());
        Ok(source.and_then(|json| serde_json::from_str(json).ok()))
    }
}

/// The columns of a segment that say which records its documents are.
struct Names {
    entities: Vec<Option<EntityIx>>,
    entity: Column<u64>,
    id: [Column<u64>; 2],
}

impl Names {
    fn open(segment: &SegmentReader, schema: &Schema) -> Result<Names, SearchError> {
        let columns = segment.fast_fields();
        let missing = || tantivy::TantivyError::FieldNotFound(ENTITY.to_owned());
        let names: StrColumn = columns.str(ENTITY)?.ok_or_else(missing)?;
        let mut entities = Vec::with_capacity(names.num_terms());
        let mut name = String::new();
        for ordinal in 0..names.num_terms() as u64 {
            let known = names.ord_to_str(ordinal, &mut name)?;
            entities.push(known.then(|| schema.find(&name)).flatten());
        }
        Ok(Names {
            entities,
            entity: names.ords().clone(),
            id: [columns.u64(ID[0])?, columns.u64(ID[1])?],
        })
    }

    /// Which record a document is; `None` for one of an entity that is gone.
    fn of(&self, document: u32) -> Option<Hit> {
        let ordinal = usize::try_from(self.entity.first(document)?).ok()?;
        let [upper, lower] = &self.id;
        Some(Hit {
            entity: (*self.entities.get(ordinal)?)?,
            id: Uuid::from_u64_pair(upper.first(document)?, lower.first(document)?),
        })
    }
}

/// The texts of a hit with the words marked, of the fields the caller may read.
fn marked(
    asked: &SearchQuery<'_>,
    entity: EntityIx,
    source: &Map<String, Json>,
    wanted: &[String],
) -> Vec<Marked> {
    let declared = asked.schema.entity(entity);
    let readable = |field: &FieldIx| asked.caller.access.may_refer(entity, *field);
    searched(declared)
        .into_iter()
        .map(|(field, _)| field)
        .filter(readable)
        .filter_map(|field| {
            let text = source.get(&declared.field(field).name)?.as_str()?;
            let html = highlight(text, wanted)?;
            Some(Marked { field, html })
        })
        .collect()
}
