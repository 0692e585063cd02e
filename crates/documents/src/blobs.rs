//! Bytes on disk, by content.
//!
//! A blob is written under a temporary name, synced, and given its name at once, so that a name
//! that exists is whole. The name is a keyed hash of tenant and content: equal content is kept
//! once per tenant, and a name tells nobody what is inside or who else has it.
//!
//! With encryption at rest a blob is sealed while it comes in, and opened by the parts that are
//! asked for; its name is bound to it.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hmac;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use opsflux_sealing::{CHUNK, HEADER, Opener, PurposeKey, Sealer};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom};
use uuid::Uuid;

/// The folder of blobs.
pub struct Blobs {
    root: PathBuf,
    key: hmac::Key,
    sealed_with: Option<PurposeKey>,
}

/// A blob that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// The first bytes, by which its type is recognised.
    pub head: Vec<u8>,
}

/// Why a blob was not written.
#[derive(Debug, thiserror::Error)]
pub enum BlobError<E = std::convert::Infallible> {
    /// More bytes than allowed.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// The sender stopped or said nonsense.
    #[error("the upload broke off: {0}")]
    Source(E),
    /// The disk.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// Where files lie while they are written.
const INCOMING: &str = "incoming";

/// Bytes read at once.
const READ: u64 = 64 * 1024;

/// Bytes kept to recognise a type.
const HEAD: usize = 512;

impl Blobs {
    /// The blobs under `root`, named with a key derived from the instance's secret.
    ///
    /// # Errors
    /// When the folders cannot be made.
    pub fn open(root: &Path, secret: &[u8; 32]) -> io::Result<Blobs> {
        Blobs::open_sealed(root, secret, None)
    }

    /// As [`Blobs::open`], for blobs that are sealed with a key.
    ///
    /// # Errors
    /// When the folders cannot be made.
    pub fn open_sealed(
        root: &Path,
        secret: &[u8; 32],
        sealed_with: Option<PurposeKey>,
    ) -> io::Result<Blobs> {
        let derived = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret),
            b"opsflux file names",
        );
        let incoming = root.join(INCOMING);
        // What a crash left; nobody else writes here, the folder is one process's.
        match std::fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => std::fs::create_dir_all(&incoming)?,
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
        Ok(Blobs {
            root: root.to_owned(),
            key,
            sealed_with,
        })
    }

    /// Writes what `source` yields, `limit` bytes at most. Nothing stays behind on failure.
    ///
    /// # Errors
    /// [`BlobError`].
    pub async fn write<S, E>(
        &self,
        tenant: i64,
        source: S,
        limit: u64,
    ) -> Result<Stored, BlobError<E>>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::fmt::Display,
    {
        let incoming = Incoming::new(&self.root);
        let sealer = match &self.sealed_with {
            Some(key) => Some(Sealer::new(key)?),
            None => None,
        };
        let name = |sha256: &str| self.name(tenant, sha256);
        let stored = write_to(&incoming.0, source, limit, sealer, name).await?;
        self.keep(tenant, &incoming.0, &stored).await?;
        Ok(stored)
    }

    async fn keep(&self, tenant: i64, incoming: &Path, stored: &Stored) -> io::Result<()> {
        let path = self.path(tenant, &stored.sha256);
        if fs::try_exists(&path).await? {
            return Ok(());
        }
        let Some(folder) = path.parent() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        fs::create_dir_all(folder).await?;
        fs::rename(incoming, &path).await?;
        // The name must be durable before a record speaks of it.
        File::open(folder).await?.sync_all().await
    }

    /// Opens a blob for reading.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn read(&self, tenant: i64, sha256: &str) -> io::Result<Blob> {
        let mut file = File::open(self.path(tenant, sha256)).await?;
        let length = file.metadata().await?.len();
        let Some(key) = &self.sealed_with else {
            return Ok(Blob::plain(file, length));
        };
        let mut header = [0; HEADER];
        file.read_exact(&mut header).await?;
        let opener = Opener::new(key, &self.name(tenant, sha256), &header, length)?;
        Ok(Blob {
            size: opener.size(),
            opener: Some(opener),
            file,
        })
    }

    fn path(&self, tenant: i64, sha256: &str) -> PathBuf {
        self.root.join(self.name(tenant, sha256))
    }

    /// Folder and name below the root; a sealed blob is bound to it.
    fn name(&self, tenant: i64, sha256: &str) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&tenant.to_be_bytes());
        context.update(sha256.as_bytes());
        let name = hex(context.sign().as_ref());
        let (folder, rest) = name.split_at(2);
        format!("{folder}/{rest}")
    }
}

/// A blob that is read.
pub struct Blob {
    file: File,
    size: u64,
    opener: Option<Opener>,
}

impl Blob {
    fn plain(file: File, size: u64) -> Blob {
        Blob {
            file,
            size,
            opener: None,
        }
    }

    /// Bytes of its content.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Some of the bytes `from..until`, from the first on: at least one, unless there are none.
    ///
    /// # Errors
    /// When the disk refuses, or what lies there is not what was written.
    pub async fn part(&mut self, from: u64, until: u64) -> io::Result<Bytes> {
        let until = until.min(self.size);
        if from >= until {
            return Ok(Bytes::new());
        }
        let short = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let Some(opener) = &self.opener else {
            let want = (until - from).min(READ);
            self.file.seek(SeekFrom::Start(from)).await?;
            let mut bytes = vec![0; usize::try_from(want).map_err(short)?];
            self.file.read_exact(&mut bytes).await?;
            return Ok(bytes.into());
        };
        let chunk = opener.chunk_of(from);
        let place = opener.place(chunk);
        self.file.seek(SeekFrom::Start(place.start)).await?;
        let mut sealed = vec![0; usize::try_from(place.end - place.start).map_err(short)?];
        self.file.read_exact(&mut sealed).await?;
        let content = Bytes::from(opener.open(chunk, sealed)?);
        let begin = u64::from(chunk) * CHUNK as u64;
        let start = usize::try_from(from - begin).map_err(short)?;
        let end = usize::try_from(until - begin).map_err(short)?;
        Ok(content.slice(start..end.min(content.len())))
    }
}

async fn write_to<S, E>(
    path: &Path,
    mut source: S,
    limit: u64,
    mut sealer: Option<Sealer>,
    name: impl Fn(&str) -> String,
) -> Result<Stored, BlobError<E>>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .await?;
    let mut sealed = Vec::new();
    if sealer.is_some() {
        // What a blob is called follows from its content: its header is written last.
        file.write_all(&[0; HEADER]).await?;
    }
    let mut hash = Context::new(&SHA256);
    let mut size = 0_u64;
    let mut head = Vec::with_capacity(HEAD);
    while let Some(chunk) = source.next().await {
        let chunk = chunk.map_err(BlobError::Source)?;
        size += chunk.len() as u64;
        if size > limit {
            return Err(BlobError::TooLarge(limit));
        }
        head.extend(chunk.iter().take(HEAD.saturating_sub(head.len())));
        hash.update(&chunk);
        if let Some(sealer) = &mut sealer {
            sealer.add(&chunk, &mut sealed)?;
            file.write_all(&sealed).await?;
            sealed.clear();
        } else {
            file.write_all(&chunk).await?;
        }
    }
    let sha256 = hex(hash.finish().as_ref());
    if let Some(sealer) = &mut sealer {
        sealer.finish(&mut sealed)?;
        file.write_all(&sealed).await?;
        file.seek(SeekFrom::Start(0)).await?;
        file.write_all(&sealer.header(&name(&sha256))).await?;
    }
    file.flush().await?;
    file.sync_all().await?;
    Ok(Stored { sha256, size, head })
}

/// A file that is being written. It goes with this value, also when its sender goes away in the
/// middle, unless it was moved to its place by then.
struct Incoming(PathBuf);

impl Incoming {
    fn new(root: &Path) -> Incoming {
        Incoming(root.join(INCOMING).join(Uuid::new_v4().to_string()))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // One call that waits for nothing: nobody is left to wait for it.
        if let Err(error) = std::fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "an incomplete upload stays behind");
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;

    fn chunks(parts: &[&'static str]) -> impl Stream<Item = Result<Bytes, String>> + Unpin {
        stream::iter(
            parts
                .iter()
                .map(|part| Ok(Bytes::from_static(part.as_bytes())))
                .collect::<Vec<_>>(),
        )
    }

    fn files(folder: &Path) -> usize {
        let count = |entry: std::fs::DirEntry| {
            let path = entry.path();
            if path.is_dir() { files(&path) } else { 1 }
        };
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| count(entry.unwrap()))
            .sum()
    }

    #[tokio::test]
    async fn what_was_written_is_read_and_kept_once_per_tenant() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path(), &[1; 32]).unwrap();
        let first = blobs
            .write(1, chunks(&["hello ", "world"]), 100)
            .await
            .unwrap();
        let second = blobs.write(1, chunks(&["hello world"]), 100).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(files(folder.path()), 1);
        blobs.write(2, chunks(&["hello world"]), 100).await.unwrap();
        assert_eq!(files(folder.path()), 2, "tenants share nothing");
        let mut blob = blobs.read(1, &first.sha256).await.unwrap();
        assert_eq!(blob.size(), 11);
        assert_eq!(blob.part(0, 99).await.unwrap(), "hello world");
    }

    #[tokio::test]
    async fn a_sealed_blob_is_read_in_parts_and_is_not_another() {
        let folder = tempfile::tempdir().unwrap();
        let key = opsflux_sealing::DataKey::new([3; 32])
            .purpose("files")
            .unwrap();
        let blobs = Blobs::open_sealed(folder.path(), &[1; 32], Some(key)).unwrap();
        let text: &'static str = "the quick brown fox ".repeat(5_000).leak();
        let stored = blobs.write(1, chunks(&[text]), 1 << 20).await.unwrap();
        let size = text.len() as u64;
        assert_eq!(stored.size, size);
        for (from, until) in [(0, size), (4, 9), (32_767, 32_770), (size - 3, size + 9)] {
            let mut blob = blobs.read(1, &stored.sha256).await.unwrap();
            let (mut at, mut read) = (from, Vec::new());
            while at < until.min(size) {
                let part = blob.part(at, until).await.unwrap();
                at += part.len() as u64;
                read.extend_from_slice(&part);
            }
            let end = until.min(size) as usize;
            assert_eq!(read, text.as_bytes()[from as usize..end], "{from}..{until}");
        }
        let other = blobs.write(1, chunks(&["x"]), 9).await.unwrap();
        let (a, b) = (blobs.path(1, &stored.sha256), blobs.path(1, &other.sha256));
        assert!(
            !std::fs::read(&a)
                .unwrap()
                .windows(9)
                .any(|w| w == b"quick bro")
        );
        std::fs::rename(a, b).unwrap();
        assert!(
            blobs.read(1, &other.sha256).await.is_err(),
            "put in its place"
        );
    }

    #[tokio::test]
    async fn what_is_too_large_or_breaks_off_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path(), &[1; 32]).unwrap();
        let error = blobs
            .write(1, chunks(&["12345", "6"]), 5)
            .await
            .unwrap_err();
        assert!(matches!(error, BlobError::TooLarge(5)));
        let broken = stream::iter([Ok(Bytes::from_static(b"half")), Err("gone")]);
        let error = blobs.write(1, broken, 100).await.unwrap_err();
        assert!(matches!(error, BlobError::Source(_)));
        assert_eq!(files(folder.path()), 0);
    }

    #[tokio::test]
    async fn a_sender_who_goes_away_leaves_nothing_and_neither_does_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path(), &[1; 32]).unwrap();
        let half = stream::iter([Ok::<_, String>(Bytes::from_static(b"half"))]);
        let never = Box::pin(half.chain(stream::pending()));
        let begun = async {
            while files(folder.path()) == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = blobs.write(1, never, 100) => panic!("it has no end"),
            () = begun => {}
        }
        assert_eq!(files(folder.path()), 0);
        std::fs::write(folder.path().join(INCOMING).join("left"), "half").unwrap();
        Blobs::open(folder.path(), &[1; 32]).unwrap();
        assert_eq!(files(folder.path()), 0);
    }
}
