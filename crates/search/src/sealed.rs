//! The folder of an index whose files are sealed.
//!
//! What is read is opened by the chunks it lies in, each time: a chunk takes some microseconds, an
//! index in memory would take gigabytes and minutes at each start.

use std::fmt;
use std::io::{self, BufWriter, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use opsflux_sealing::{CHUNK, HEADER, Opener, PurposeKey, Sealing, Unsealing};
use tantivy::HasLen;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, OwnedBytes,
    TerminatingWrite, WatchCallback, WatchHandle, WritePtr,
};

/// A folder of sealed files.
#[derive(Clone)]
pub struct SealedDirectory {
    inner: MmapDirectory,
    key: PurposeKey,
}

impl SealedDirectory {
    /// Over the folder as it lies.
    pub fn new(inner: MmapDirectory, key: PurposeKey) -> SealedDirectory {
        SealedDirectory { inner, key }
    }
}

impl fmt::Debug for SealedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedDirectory({:?})", self.inner)
    }
}

/// A file by its name below the folder.
fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl Directory for SealedDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let inner = self.inner.get_file_handle(path)?;
        let open = || {
            let header = inner.read_bytes(0..HEADER.min(inner.len()))?;
            Opener::new(&self.key, &name(path), &header, inner.len() as u64)
        };
        let opener = open().map_err(|error| unread(path, error))?;
        Ok(Arc::new(SealedFile { inner, opener }))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.inner.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.inner.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let file = self.inner.open_write(path)?;
        let sealing = Sealing::new(&self.key, &name(path), file);
        let sealing = sealing.map_err(|error| OpenWriteError::IoError {
            io_error: Arc::new(error),
            filepath: path.to_owned(),
        })?;
        Ok(BufWriter::with_capacity(
            CHUNK,
            Box::new(SealedWrite(sealing)),
        ))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let sealed = self.inner.atomic_read(path)?;
        let read = || {
            let length = sealed.len() as u64;
            let mut content = Vec::new();
            Unsealing::new(&self.key, &name(path), length, sealed.as_slice())?
                .read_to_end(&mut content)?;
            Ok(content)
        };
        read().map_err(|error| unread(path, error))
    }

    fn atomic_write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut sealing = Sealing::new(&self.key, &name(path), Vec::new())?;
        sealing.write_all(content)?;
        sealing.end()?;
        self.inner.atomic_write(path, sealing.inner())
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.inner.sync_directory()
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.inner.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.inner.watch(callback)
    }
}

fn unread(path: &Path, error: io::Error) -> OpenReadError {
    OpenReadError::IoError {
        io_error: Arc::new(error),
        filepath: path.to_owned(),
    }
}

struct SealedFile {
    inner: Arc<dyn FileHandle>,
    opener: Opener,
}

impl fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedFile({} bytes)", self.opener.size())
    }
}

impl HasLen for SealedFile {
    fn len(&self) -> usize {
        usize::try_from(self.opener.size()).unwrap_or(usize::MAX)
    }
}

impl FileHandle for SealedFile {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if range.is_empty() {
            return Ok(OwnedBytes::empty());
        }
        let outside = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let last = u64::try_from(range.end - 1).map_err(|_| outside())?;
        let first = self.opener.chunk_of(range.start as u64);
        let mut content = Vec::with_capacity(range.len() + 2 * CHUNK);
        for chunk in first..=self.opener.chunk_of(last) {
            let place = self.opener.place(chunk);
            let start = usize::try_from(place.start).map_err(|_| outside())?;
            let end = usize::try_from(place.end).map_err(|_| outside())?;
            let sealed = self.inner.read_bytes(start..end)?;
            content.extend(self.opener.open(chunk, sealed.to_vec())?);
        }
        let from = range.start - first as usize * CHUNK;
        let until = from + range.len();
        if until > content.len() {
            return Err(outside());
        }
        Ok(OwnedBytes::new(content).slice(from..until))
    }
}

struct SealedWrite<W: Write>(Sealing<W>);

impl<W: Write> Write for SealedWrite<W> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.0.write(content)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: TerminatingWrite> TerminatingWrite for SealedWrite<W> {
    fn terminate_ref(&mut self, token: AntiCallToken) -> io::Result<()> {
        self.0.end()?;
        self.0.inner().terminate_ref(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opsflux_sealing::DataKey;
    use tantivy::schema::{STORED, Schema, TEXT};
    use tantivy::{Index, IndexWriter, TantivyDocument};

    fn key(byte: u8) -> PurposeKey {
        DataKey::new([byte; 32]).purpose("index").unwrap()
    }

    fn open(folder: &Path, byte: u8) -> tantivy::Result<Index> {
        let mut layout = Schema::builder();
        layout.add_text_field("text", TEXT | STORED);
        let inner = MmapDirectory::open(folder).unwrap();
        Index::open_or_create(SealedDirectory::new(inner, key(byte)), layout.build())
    }

    #[test]
    fn an_index_is_found_in_again_and_tells_nothing_to_who_has_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let index = open(folder.path(), 1).unwrap();
        let text = index.schema().get_field("text").unwrap();
        let mut writer: IndexWriter = index.writer_with_num_threads(1, 20_000_000).unwrap();
        for number in 0..5_000 {
            let mut document = TantivyDocument::new();
            document.add_text(text, format!("elderberry number{number}"));
            writer.add_document(document).unwrap();
            if number % 1_000 == 0 {
                writer.commit().unwrap();
            }
        }
        writer.commit().unwrap();
        writer.wait_merging_threads().unwrap();
        drop(index);
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            for word in [b"elderberry".as_slice(), b"number42", b"segments"] {
                assert!(!bytes.windows(word.len()).any(|part| part == word));
            }
        }
        let index = open(folder.path(), 1).unwrap();
        let searcher = index.reader().unwrap().searcher();
        let found = tantivy::query::QueryParser::for_index(&index, vec![text])
            .parse_query("number4321")
            .unwrap();
        let count = searcher.search(&found, &tantivy::collector::Count).unwrap();
        assert_eq!((count, searcher.num_docs()), (1, 5_000));
        assert!(open(folder.path(), 2).is_err(), "another key");
    }
}
