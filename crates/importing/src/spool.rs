//! Files while they are imported: in a folder of their own, sealed when the instance encrypts, gone
//! when their job has ended.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use opsflux_sealing::{HEADER, Opener, PurposeKey, Sealer};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

/// The folder of files that wait for their import.
pub struct Spool {
    root: PathBuf,
    sealed_with: Option<PurposeKey>,
}

/// Why a file was not kept.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError<E> {
    /// More bytes than allowed.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// The sender stopped or said nonsense.
    #[error("the upload broke off")]
    Source(E),
    /// The disk.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

impl Spool {
    /// The folder `root`, which is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(root: &Path, sealed_with: Option<PurposeKey>) -> io::Result<Spool> {
        std::fs::create_dir_all(root)?;
        Ok(Spool {
            root: root.to_owned(),
            sealed_with,
        })
    }

    /// Writes what `source` yields, `limit` bytes at most; nothing stays behind on failure.
    pub(crate) async fn keep<S, E>(
        &self,
        id: Uuid,
        mut source: S,
        limit: u64,
    ) -> Result<u64, SpoolError<E>>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let mut unfinished = Unfinished(Some(self.path(id)));
        let mut file = tokio::fs::File::create(self.path(id)).await?;
        let mut sealer = self.sealed_with.as_ref().map(Sealer::new).transpose()?;
        let mut sealed = Vec::new();
        if let Some(sealer) = &sealer {
            file.write_all(&sealer.header(&id.to_string())).await?;
        }
        let mut size = 0_u64;
        while let Some(chunk) = source.next().await {
            let chunk = chunk.map_err(SpoolError::Source)?;
            size += chunk.len() as u64;
            if size > limit {
                return Err(SpoolError::TooLarge(limit));
            }
            match &mut sealer {
                Some(sealer) => {
                    sealer.add(&chunk, &mut sealed)?;
                    file.write_all(&sealed).await?;
                    sealed.clear();
                }
                None => file.write_all(&chunk).await?,
            }
        }
        if let Some(sealer) = &mut sealer {
            sealer.finish(&mut sealed)?;
            file.write_all(&sealed).await?;
        }
        file.flush().await?;
        file.sync_all().await?;
        tokio::fs::File::open(&self.root).await?.sync_all().await?;
        unfinished.0 = None;
        Ok(size)
    }

    /// Opens a file for reading.
    pub(crate) fn read(&self, id: Uuid) -> io::Result<Spooled> {
        let mut file = File::open(self.path(id))?;
        let length = file.metadata()?.len();
        let opener = match &self.sealed_with {
            None => None,
            Some(key) => {
                let mut header = [0; HEADER];
                file.read_exact(&mut header)?;
                Some(Opener::new(key, &id.to_string(), &header, length)?)
            }
        };
        Ok(Spooled {
            size: opener.as_ref().map_or(length, Opener::size),
            file,
            opener,
            at: 0,
            chunk: (u32::MAX, Vec::new()),
        })
    }

    /// Whether the file is here.
    pub(crate) fn has(&self, id: Uuid) -> bool {
        self.path(id).exists()
    }

    /// The file goes.
    pub(crate) fn forget(&self, id: Uuid) {
        if let Err(error) = std::fs::remove_file(self.path(id))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "an imported file stays behind");
        }
    }

    /// Every file here, for those that a crash left.
    pub(crate) fn all(&self) -> io::Result<Vec<Uuid>> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir(&self.root)? {
            let name = entry?.file_name();
            all.extend(name.to_str().and_then(|name| Uuid::try_parse(name).ok()));
        }
        Ok(all)
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.root.join(id.to_string())
    }
}

/// A file that is being written; it goes with this value unless it is whole.
struct Unfinished(Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Nobody is left to be told; the next start clears what stays.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A file that is read, from any place.
pub struct Spooled {
    file: File,
    size: u64,
    opener: Option<Opener>,
    at: u64,
    /// The chunk opened last.
    chunk: (u32, Vec<u8>),
}

impl Spooled {
    fn read_sealed(&mut self, opener: &Opener, into: &mut [u8]) -> io::Result<usize> {
        let wanted = opener.chunk_of(self.at);
        if self.chunk.0 != wanted {
            let place = opener.place(wanted);
            self.file.seek(SeekFrom::Start(place.start))?;
            let length = usize::try_from(place.end - place.start)
                .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
            let mut sealed = vec![0; length];
            self.file.read_exact(&mut sealed)?;
            self.chunk = (wanted, opener.open(wanted, sealed)?);
        }
        let begin = u64::from(wanted) * opsflux_sealing::CHUNK as u64;
        let from = usize::try_from(self.at - begin).unwrap_or(usize::MAX);
        let mut left = self.chunk.1.get(from..).unwrap_or_default();
        left.read(into)
    }
}

impl Read for Spooled {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size || into.is_empty() {
            return Ok(0);
        }
        let read = match self.opener.take() {
            None => self.file.read(into)?,
            Some(opener) => {
                let read = self.read_sealed(&opener, into);
                self.opener = Some(opener);
                read?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Spooled {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let target = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        if self.opener.is_none() {
            self.file.seek(SeekFrom::Start(target))?;
        }
        self.at = target;
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use opsflux_sealing::DataKey;

    use super::*;

    fn chunks(content: &[u8]) -> impl Stream<Item = Result<Bytes, String>> + Unpin {
        let parts: Vec<_> = content
            .chunks(10_000)
            .map(|part| Ok(Bytes::copy_from_slice(part)))
            .collect();
        stream::iter(parts)
    }

    #[tokio::test]
    async fn a_sealed_file_is_read_from_any_place_and_not_readable_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let key = DataKey::new([3; 32]).purpose("imports").unwrap();
        let content: Vec<u8> = (0..100_000_u32).flat_map(|n| n.to_be_bytes()).collect();
        for sealed_with in [None, Some(key)] {
            let is_sealed = sealed_with.is_some();
            let spool = Spool::open(folder.path(), sealed_with).unwrap();
            let id = Uuid::new_v4();
            let kept = spool.keep(id, chunks(&content), 1 << 20).await.unwrap();
            assert_eq!(kept, content.len() as u64);
            let on_disk = std::fs::read(folder.path().join(id.to_string())).unwrap();
            assert_eq!(on_disk == content, !is_sealed);
            let mut file = spool.read(id).unwrap();
            let mut all = Vec::new();
            file.read_to_end(&mut all).unwrap();
            assert!(all == content);
            file.seek(SeekFrom::End(-8)).unwrap();
            let mut tail = [0; 4];
            file.read_exact(&mut tail).unwrap();
            assert_eq!(u32::from_be_bytes(tail), 99_998);
            spool.forget(id);
            assert!(!spool.has(id));
        }
    }

    #[tokio::test]
    async fn nothing_stays_of_an_upload_that_is_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), None).unwrap();
        let refused = spool
            .keep(Uuid::new_v4(), chunks(&[1; 50_000]), 20_000)
            .await;
        assert!(matches!(refused, Err(SpoolError::TooLarge(20_000))));
        assert!(spool.all().unwrap().is_empty());
    }
}
