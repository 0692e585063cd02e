//! What people attach: a few small files, kept once however many tickets hold them.

use bytes::Bytes;
use futures::stream;
use opsflux_documents::Blobs;
use opsflux_records::Language;
use rust_embed::RustEmbed;
use serde::Deserialize;

use crate::Error;

const FILE: &str = "files.toml";
/// More than any of them has.
const LARGEST: u64 = 1_000_000;

#[derive(RustEmbed)]
#[folder = "data/files/"]
struct Contents;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Files {
    files: Vec<FileDecl>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileDecl {
    path: String,
    name: String,
    language: Language,
    media_type: String,
    categories: Vec<String>,
}

/// A file that is on disk and can be held by records.
pub struct Attachment {
    pub name: String,
    pub language: Language,
    pub media_type: String,
    /// Keys of the categories somebody would attach it for.
    pub categories: Vec<String>,
    pub size: i64,
    pub sha256: String,
}

/// Puts the bytes of every file where the tenant's are.
///
/// # Errors
/// When the disk does not take them.
pub async fn store(blobs: &Blobs, tenant: i64) -> Result<Vec<Attachment>, Error> {
    let read: Result<Files, _> = toml::from_str(include_str!("../data/files.toml"));
    let files = read.map_err(|error| Error::data(FILE, error.to_string()))?;
    let mut attachments = Vec::with_capacity(files.files.len());
    for file in files.files {
        let content = Contents::get(&file.path)
            .ok_or_else(|| Error::data(FILE, format!("there is no {}", file.path)))?;
        let bytes = Bytes::from(content.data.into_owned());
        let whole = stream::iter([Ok::<_, std::convert::Infallible>(bytes)]);
        let stored = blobs.write(tenant, whole, LARGEST).await?;
        attachments.push(Attachment {
            name: file.name,
            language: file.language,
            media_type: file.media_type,
            categories: file.categories,
            size: i64::try_from(stored.size).unwrap_or(i64::MAX),
            sha256: stored.sha256,
        });
    }
    Ok(attachments)
}
