//! What is looked for, within what the caller may see.
//!
//! The caller's rule becomes a mandatory part of the query as far as indexed anchors can say it;
//! what they cannot say lets through, never keeps out, and is judged in SQL afterwards.

use opsflux_model::schema::{EntityIx, Schema, SearchWeight, system};
use opsflux_model::{Access, Action, Operand, Predicate, Value};
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, EmptyQuery,
    FuzzyTermQuery, Occur, Query, TermQuery, TermSetQuery,
};
use tantivy::schema::IndexRecordOption;

use crate::document::{anchor_term, anchors, key, path, searched};
use crate::index::Fields;
use crate::words::{tolerance, words};

/// Words of one search that count; the rest narrows nothing any more.
const MOST_WORDS: usize = 10;
/// What a whole word is worth against its beginning or a likeness.
const EXACT: f32 = 3.0;
/// What lifts a record with the words as typed above every likeness.
const TYPED: f32 = 1_000.0;

/// How far from the words as typed a record may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It has each of the words, or a word that begins so.
    Typed,
    /// Those first, in the same order; then words a few letters off.
    Alike,
}

/// The query for `text` over `entities`.
#[must_use]
pub fn query(
    fields: &Fields,
    schema: &Schema,
    access: &Access,
    entities: &[EntityIx],
    text: &str,
    reach: Reach,
) -> Box<dyn Query> {
    let wanted: Vec<String> = words(text)
        .into_iter()
        .map(|w| w.text)
        .take(MOST_WORDS)
        .collect();
    if wanted.is_empty() {
        return Box::new(EmptyQuery);
    }
    let tenant = access.principal.tenant;
    let mut each: Vec<(Occur, Box<dyn Query>)> = Vec::new();
    for entity in entities {
        let narrowed = match narrow(fields, schema, tenant, *entity, &seen(access, *entity)) {
            Narrowed::Nothing => continue,
            Narrowed::All => None,
            Narrowed::To(query) => Some(query),
        };
        let name = Term::from_field_text(fields.entity, &schema.entity(*entity).name);
        let mut parts: Vec<(Occur, Box<dyn Query>)> = vec![filter(term(name))];
        parts.extend(narrowed.map(filter));
        let all = |reach| all_words(fields, schema, access, *entity, &wanted, reach);
        let typed = Box::new(BooleanQuery::new(vec![
            (Occur::Must, all(Reach::Typed)),
            (
                Occur::Must,
                Box::new(ConstScoreQuery::new(Box::new(AllQuery), TYPED)),
            ),
        ]));
        parts.push((
            Occur::Must,
            match reach {
                Reach::Typed => typed,
                Reach::Alike => Box::new(DisjunctionMaxQuery::new(vec![typed, all(reach)])),
            },
        ));
        each.push((Occur::Should, Box::new(BooleanQuery::new(parts))));
    }
    let tenant = Term::from_field_i64(fields.tenant, tenant);
    Box::new(BooleanQuery::new(vec![
        filter(term(tenant)),
        (Occur::Must, Box::new(BooleanQuery::new(each))),
    ]))
}

fn seen(access: &Access, entity: EntityIx) -> Predicate {
    access.rule(entity, Action::View).to_predicate()
}

/// Every word, each in any of the fields the caller may read.
fn all_words(
    fields: &Fields,
    schema: &Schema,
    access: &Access,
    entity: EntityIx,
    wanted: &[String],
    reach: Reach,
) -> Box<dyn Query> {
    let each = wanted.iter().map(|word| {
        let query = word_query(fields, schema, access, entity, word, reach);
        (Occur::Must, query.unwrap_or_else(|| Box::new(EmptyQuery)))
    });
    Box::new(BooleanQuery::new(each.collect()))
}

fn word_query(
    fields: &Fields,
    schema: &Schema,
    access: &Access,
    entity: EntityIx,
    word: &str,
    reach: Reach,
) -> Option<Box<dyn Query>> {
    let tolerated = match reach {
        Reach::Typed => 0,
        Reach::Alike => tolerance(word),
    };
    let mut any: Vec<(Occur, Box<dyn Query>)> = Vec::new();
    for (ix, weight) in searched(schema.entity(entity)) {
        if !access.may_refer(entity, ix) {
            continue;
        }
        let mut wanted = Term::from_field_json_path(fields.text, &path(entity, schema, ix), false);
        wanted.append_type_and_str(word);
        let weight = weight_of(weight);
        let exact = TermQuery::new(wanted.clone(), IndexRecordOption::WithFreqs);
        any.push((
            Occur::Should,
            Box::new(BoostQuery::new(Box::new(exact), EXACT * weight)),
        ));
        let alike = FuzzyTermQuery::new_prefix(wanted, tolerated, true);
        any.push((
            Occur::Should,
            Box::new(ConstScoreQuery::new(Box::new(alike), weight)),
        ));
    }
    if any.is_empty() {
        None
    } else {
        Some(Box::new(BooleanQuery::new(any)))
    }
}

fn weight_of(weight: SearchWeight) -> f32 {
    match weight {
        SearchWeight::High => 3.0,
        SearchWeight::Normal => 1.0,
        SearchWeight::Low => 0.4,
    }
}

/// What a rule says in terms of anchors.
enum Narrowed {
    All,
    Nothing,
    To(Box<dyn Query>),
}

fn narrow(
    fields: &Fields,
    schema: &Schema,
    tenant: i64,
    entity: EntityIx,
    rule: &Predicate,
) -> Narrowed {
    match rule {
        Predicate::True | Predicate::Not(_) => Narrowed::All,
        Predicate::False => Narrowed::Nothing,
        Predicate::All(parts) => {
            let mut must = Vec::new();
            for part in parts {
                match narrow(fields, schema, tenant, entity, part) {
                    Narrowed::All => {}
                    Narrowed::Nothing => return Narrowed::Nothing,
                    Narrowed::To(query) => must.push((Occur::Must, query)),
                }
            }
            if must.is_empty() {
                Narrowed::All
            } else {
                Narrowed::To(Box::new(BooleanQuery::new(must)))
            }
        }
        Predicate::Any(parts) => {
            let mut should = Vec::new();
            for part in parts {
                match narrow(fields, schema, tenant, entity, part) {
                    Narrowed::All => return Narrowed::All,
                    Narrowed::Nothing => {}
                    Narrowed::To(query) => should.push((Occur::Should, query)),
                }
            }
            if should.is_empty() {
                Narrowed::Nothing
            } else {
                Narrowed::To(Box::new(BooleanQuery::new(should)))
            }
        }
        Predicate::Test(test) => {
            let declared = schema.entity(entity);
            let anchored =
                test.path.steps.is_empty() && anchors(declared).contains(&test.path.field);
            let is_itself =
                test.path.steps.is_empty() && declared.find(system::ID) == Some(test.path.field);
            match &test.operand {
                // Single records, shared with the caller: the term that names each.
                Operand::OneOf(values) if is_itself => {
                    let ids = values.iter().filter_map(Value::as_id);
                    let named = ids.map(|id| key(tenant, &declared.name, id));
                    let terms = named.map(|key| Term::from_field_text(fields.key, &key));
                    Narrowed::To(Box::new(TermSetQuery::new(terms)))
                }
                Operand::OneOf(values) if anchored => {
                    let ids = values.iter().filter_map(Value::as_id);
                    let terms = ids.map(|id| {
                        let text = anchor_term(declared, test.path.field, id);
                        (
                            Occur::Should,
                            term(Term::from_field_text(fields.anchor, &text)),
                        )
                    });
                    Narrowed::To(Box::new(BooleanQuery::new(terms.collect())))
                }
                _ => Narrowed::All,
            }
        }
    }
}

fn term(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

/// A part that must hold but says nothing about rank.
fn filter(query: Box<dyn Query>) -> (Occur, Box<dyn Query>) {
    (Occur::Must, Box::new(ConstScoreQuery::new(query, 0.0)))
}
