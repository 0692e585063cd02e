//! The index on disk: its fields, its writer, its place in the feed.

use std::path::Path;

use opsflux_model::Schema;
use opsflux_sealing::PurposeKey;
use parking_lot::Mutex;
use tantivy::directory::Directory;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, JsonObjectOptions, STORED, STRING, Schema as Layout,
    TextFieldIndexing,
};
use tantivy::tokenizer::{TextAnalyzer, WhitespaceTokenizer};
use tantivy::{
    Index as Tantivy, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError, Term,
};

use crate::SearchError;
use crate::document::searched;
use crate::sealed::SealedDirectory;

/// Raised when documents are made otherwise: an index of another number is made again.
const FORMAT: u32 = 2;
/// The place of an index that is being filled: one that stops there counts as empty.
pub const UNFINISHED: i64 = i64::MIN;
/// Memory of the writer; tantivy wants 15 MB at least.
const WRITER_BYTES: usize = 20_000_000;
const WORDS: &str = "words";
/// Column of the kind.
pub const ENTITY: &str = "entity";
/// Columns of the id: its upper and its lower half.
pub const ID: [&str; 2] = ["id_upper", "id_lower"];

/// Handles of the fields.
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    /// Which record, for replacing it.
    pub key: Field,
    /// Whose.
    pub tenant: Field,
    /// What kind; in a column.
    pub entity: Field,
    /// Which, in two columns: a hit is named without reading its document.
    pub id: [Field; 2],
    /// Words by path.
    pub text: Field,
    /// The texts as they are, for marking; stored only.
    pub source: Field,
    /// Scope anchors.
    pub anchor: Field,
}

/// The index.
pub struct Index {
    pub fields: Fields,
    pub reader: IndexReader,
    writer: Mutex<Writer>,
    index: Tantivy,
    fingerprint: String,
}

/// Who writes.
enum Writer {
    Open(Box<IndexWriter>),
    /// It failed, and a writer that has failed once takes nothing more: the next one is another.
    Failed,
    Closed,
}

impl Writer {
    fn open(index: &Tantivy) -> Result<Writer, SearchError> {
        let writer = index.writer_with_num_threads(1, WRITER_BYTES)?;
        Ok(Writer::Open(Box::new(writer)))
    }

    fn get(&mut self, index: &Tantivy) -> Result<&mut IndexWriter, SearchError> {
        if let Writer::Failed = self {
            *self = Writer::open(index)?;
        }
        match self {
            Writer::Open(writer) => Ok(writer),
            Writer::Failed | Writer::Closed => Err(SearchError::Closed),
        }
    }

    /// Lets go of a writer that has failed, with what it had not committed.
    fn seen<T, E>(&mut self, done: Result<T, E>) -> Result<T, E> {
        if done.is_err() && matches!(self, Writer::Open(_)) {
            *self = Writer::Failed;
        }
        done
    }
}

impl Index {
    /// Opens the index in `folder`, or an empty one when there is none, the searched fields have
    /// changed since it was made, or it follows the feed of another epoch: of before a restore.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(
        folder: &Path,
        schema: &Schema,
        epoch: &str,
        key: Option<PurposeKey>,
    ) -> Result<Index, SearchError> {
        std::fs::create_dir_all(folder)?;
        let fingerprint = fingerprint(schema, epoch);
        match Index::open_as_it_is(folder, &fingerprint, key.clone()) {
            Ok(index) if index.position().is_some() => Ok(index),
            _ => {
                std::fs::remove_dir_all(folder)?;
                std::fs::create_dir_all(folder)?;
                Index::open_as_it_is(folder, &fingerprint, key)
            }
        }
    }

    fn open_as_it_is(
        folder: &Path,
        fingerprint: &str,
        key: Option<PurposeKey>,
    ) -> Result<Index, SearchError> {
        let (layout, fields) = layout();
        let directory =
            tantivy::directory::MmapDirectory::open(folder).map_err(TantivyError::from)?;
        let directory: Box<dyn Directory> = match key {
            Some(key) => SealedDirectory::new(directory, key).into(),
            None => directory.into(),
        };
        let index = Tantivy::open_or_create(directory, layout)?;
        let words = TextAnalyzer::builder(WhitespaceTokenizer::default()).build();
        index.tokenizers().register(WORDS, words);
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        let writer = Mutex::new(Writer::open(&index)?);
        Ok(Index {
            fields,
            reader,
            writer,
            index,
            fingerprint: fingerprint.to_owned(),
        })
    }

    /// The place in the feed up to which the index stands; `None` for an index never filled to its
    /// end, or of another format.
    pub fn position(&self) -> Option<i64> {
        let payload = self.index.load_metas().ok()?.payload?;
        let (pos, fingerprint) = payload.split_once(' ')?;
        (fingerprint == self.fingerprint)
            .then(|| pos.parse().ok())
            .flatten()
            .filter(|pos| *pos != UNFINISHED)
    }

    /// Removes the records of `keys`, adds `documents` and moves to `position`, all or nothing.
    ///
    /// # Errors
    /// When the index cannot be written; it then stands where it stood.
    pub fn apply(
        &self,
        keys: impl Iterator<Item = String>,
        documents: Vec<TantivyDocument>,
        position: i64,
    ) -> Result<(), SearchError> {
        let mut open = self.writer.lock();
        let writer = open.get(&self.index)?;
        let written = (|| {
            for key in keys {
                writer.delete_term(Term::from_field_text(self.fields.key, &key));
            }
            for document in documents {
                writer.add_document(document)?;
            }
            let mut commit = writer.prepare_commit()?;
            commit.set_payload(&format!("{position} {}", self.fingerprint));
            commit.commit()
        })();
        open.seen(written)?;
        self.reader.reload()?;
        Ok(())
    }

    /// Lets go of the folder: what runs in the background ends, nothing is written any more.
    ///
    /// # Errors
    /// When what ran had failed.
    pub fn close(&self) -> Result<(), SearchError> {
        match std::mem::replace(&mut *self.writer.lock(), Writer::Closed) {
            Writer::Open(writer) => Ok(writer.wait_merging_threads()?),
            Writer::Failed | Writer::Closed => Ok(()),
        }
    }

    /// Adds `documents` to be committed with the next [`Index::apply`].
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn add(&self, documents: Vec<TantivyDocument>) -> Result<(), SearchError> {
        let mut open = self.writer.lock();
        let writer = open.get(&self.index)?;
        let added = documents
            .into_iter()
            .try_for_each(|document| writer.add_document(document).map(|_| ()));
        Ok(open.seen(added)?)
    }

    /// Empties the index; it has no place until the next [`Index::apply`].
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn clear(&self) -> Result<(), SearchError> {
        let mut open = self.writer.lock();
        let writer = open.get(&self.index)?;
        let emptied = (|| {
            writer.delete_all_documents()?;
            writer.commit()
        })();
        open.seen(emptied)?;
        self.reader.reload()?;
        Ok(())
    }
}

fn layout() -> (Layout, Fields) {
    let mut builder = Layout::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(WORDS)
        .set_index_option(IndexRecordOption::WithFreqs);
    let fields = Fields {
        key: builder.add_text_field("key", STRING),
        tenant: builder.add_i64_field("tenant", INDEXED),
        entity: builder.add_text_field(ENTITY, STRING | FAST),
        id: ID.map(|half| builder.add_u64_field(half, FAST)),
        text: builder.add_json_field(
            "text",
            JsonObjectOptions::default().set_indexing_options(indexing),
        ),
        source: builder.add_text_field("source", STORED),
        anchor: builder.add_text_field("anchor", STRING),
    };
    (builder.build(), fields)
}

/// What the index holds: another answer means that it must be made again.
fn fingerprint(schema: &Schema, epoch: &str) -> String {
    let mut parts = vec![FORMAT.to_string()];
    if !epoch.is_empty() {
        parts.push(epoch.to_owned());
    }
    for (_, entity) in schema.iter() {
        for (ix, _) in searched(entity) {
            parts.push(format!("{}.{}", entity.name, entity.field(ix).name));
        }
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_whose_filling_broke_off_is_filled_again() {
        let folder = tempfile::tempdir().unwrap();
        let schema = Schema::default();
        let open = || Index::open(folder.path(), &schema, "", None).unwrap();
        assert_eq!(open().position(), None, "never filled");
        let index = open();
        index
            .apply(std::iter::empty(), Vec::new(), UNFINISHED)
            .unwrap();
        assert_eq!(index.position(), None, "in the middle");
        // Closed, not dropped: the folder is free while somebody still holds the index.
        index.close().unwrap();
        let index = open();
        assert_eq!(index.position(), None, "broken off");
        index.apply(std::iter::empty(), Vec::new(), 7).unwrap();
        index.close().unwrap();
        assert!(index.apply(std::iter::empty(), Vec::new(), 8).is_err());
        assert_eq!(open().position(), Some(7));
    }

    #[test]
    fn a_disk_that_was_gone_is_written_to_again() {
        let outside = tempfile::tempdir().unwrap();
        let (folder, away) = (outside.path().join("index"), outside.path().join("away"));
        let index = Index::open(&folder, &Schema::default(), "", None).unwrap();
        let apply = |position| index.apply(std::iter::empty(), Vec::new(), position);
        apply(7).unwrap();
        std::fs::rename(&folder, &away).unwrap();
        for _ in 0..2 {
            let error = opsflux_records::Error::from(apply(8).unwrap_err());
            assert!(error.passes(), "{error}");
        }
        std::fs::rename(&away, &folder).unwrap();
        assert_eq!(index.position(), Some(7));
        apply(9).unwrap();
        assert_eq!(index.position(), Some(9));
    }

    #[test]
    fn an_index_of_before_a_restore_is_filled_again() {
        let folder = tempfile::tempdir().unwrap();
        let schema = Schema::default();
        let index = Index::open(folder.path(), &schema, "one", None).unwrap();
        index.apply(std::iter::empty(), Vec::new(), 7).unwrap();
        index.close().unwrap();
        let index = Index::open(folder.path(), &schema, "one", None).unwrap();
        assert_eq!(index.position(), Some(7));
        index.close().unwrap();
        let index = Index::open(folder.path(), &schema, "another", None).unwrap();
        assert_eq!(index.position(), None);
    }
}
