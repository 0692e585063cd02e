//! The SQLite back end: one file, one process.
//!
//! What lives here: connections and their settings ([`connection`]), cells ([`codec`]), reading
//! ([`read`]) and the one thread that writes ([`writer`], [`group`]).
//!
//! What must never be here: SQL of records; it comes rendered from [`crate::sql`].
//!
//! Start reading at [`Sqlite`].

pub(crate) mod cipher;
mod codec;
mod combine;
mod connection;
pub(crate) mod copy;
mod fault;
mod group;
mod read;
pub(crate) mod tables;
mod writer;

pub use cipher::FileKey;
pub(crate) use cipher::SqliteFile;
pub(crate) use codec::SqliteRow;
pub(crate) use connection::reading;
pub(crate) use fault::told;
pub(crate) use tables::dedicated;

use std::path::PathBuf;

use tokio::sync::watch;

use crate::error::StoreError;

/// A database in a file that this process alone writes.
pub(crate) struct Sqlite {
    path: PathBuf,
    key: Option<FileKey>,
    readers: read::Readers,
    writer: writer::Writer,
    feed: watch::Receiver<i64>,
}

impl Sqlite {
    /// Opens or makes the file, with the engine's tables, and starts the writer.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when the file is no database of ours or cannot be used as one.
    pub(crate) fn open(file: SqliteFile<'_>, readers: usize) -> Result<Sqlite, StoreError> {
        let mut connection = connection::writing(file)?;
        connection::prepare(&mut connection)?;
        let (told, feed) = watch::channel(group::feed_end(&connection)?);
        Ok(Sqlite {
            path: file.path.to_owned(),
            key: file.key.cloned(),
            readers: read::Readers::open(file, readers)?,
            writer: writer::Writer::start(connection, told)?,
            feed,
        })
    }

    /// How far the feed goes; changes when it grows.
    pub(crate) fn subscribe(&self) -> watch::Receiver<i64> {
        self.feed.clone()
    }

    /// Finishes what waits and lets go of the file.
    pub(crate) async fn close(&self) {
        self.readers.close();
        self.writer.stop().await;
    }
}
