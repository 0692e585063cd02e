//! PostgreSQL as an end of a copy, see [`crate::copy`].

use std::pin::{Pin, pin};
use std::time::Duration;

use futures::TryStreamExt;
use opsflux_model::layout::ColumnKind;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{RowStream, SimpleQueryMessage};

use super::pool::{self, Connector, Pooled};
use super::{TableSession, address, fault, settings};
use crate::copy::{CopyError, Kind, Purpose};
use crate::error::StoreError;
use crate::sql::Cell;

/// Names the lock of whoever makes a target, among the advisory locks of the database.
const COPY_LOCK: i64 = 0x6f70_7366_6c78_0003;
/// How long servers that were just stopped may take to leave.
const LEAVING: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// Whatever the server's defaults are: a copy takes as long as it takes.
const PATIENT: &str = "SET statement_timeout TO 0; SET idle_in_transaction_session_timeout TO 0";
/// Everything that is read is of one moment.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Other connections of ours to this database: servers.
const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
     AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()";

/// One connection to the database.
pub(crate) struct PostgresEnd {
    connection: Pooled,
}

impl PostgresEnd {
    /// Opens the database for its purpose.
    pub(crate) async fn open(address: &str, purpose: Purpose) -> Result<PostgresEnd, CopyError> {
        let (config, tls) = address::parse(address)?;
        let pool = pool::pool(Connector::new(config, tls.connector()?), 1)?;
        let end = PostgresEnd {
            connection: pool::take(&pool).await?,
        };
        end.run(PATIENT).await?;
        match purpose {
            Purpose::Source => {
                end.alone().await?;
                end.run(SNAPSHOT).await?;
            }
            Purpose::Target => {
                settings::check(&end.connection.client).await?;
                let lock = format!("SELECT pg_try_advisory_lock({COPY_LOCK})::int");
                if end.number(&lock).await? == 0 {
                    let text = "another copy is being made in the target".to_owned();
                    return Err(CopyError::InUse(text));
                }
            }
            Purpose::Compared => end.run(SNAPSHOT).await?,
        }
        Ok(end)
    }

    pub(crate) fn session(&self) -> TableSession<'_> {
        TableSession {
            connection: &self.connection,
        }
    }

    async fn run(&self, text: &str) -> Result<(), StoreError> {
        let done = self.connection.client.batch_execute(text).await;
        done.map_err(|error| fault::reading(&error))
    }

    async fn number(&self, question: &str) -> Result<i64, StoreError> {
        let answer = self.connection.client.simple_query(question).await;
        let answer = answer.map_err(|error| fault::reading(&error))?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        Ok(row.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// What servers write while they are copied would be left behind.
    async fn alone(&self) -> Result<(), CopyError> {
        let mut others = self.number(OTHERS).await?;
        for _ in 0..LEAVING {
            if others == 0 {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
            others = self.number(OTHERS).await?;
        }
        Err(CopyError::InUse(format!(
            "OpsFlux is at work on the source ({others} connections): stop every server of it first"
        )))
    }

    /// Runs a statement and lets its rows come one by one.
    pub(crate) async fn texts(&self, text: &str) -> Result<Texts, StoreError> {
        let nothing: [Cell; 0] = [];
        let stream = self.connection.client.query_raw(text, nothing).await;
        let stream = stream.map_err(|error| fault::reading(&error))?;
        Ok(Texts {
            stream: Some(Box::pin(stream)),
        })
    }
}

impl TableSession<'_> {
    /// Writes rows, in the transaction that is open.
    pub(crate) async fn copy_in(
        &self,
        text: &str,
        kinds: impl Iterator<Item = Kind>,
        rows: &[Vec<Cell>],
    ) -> Result<(), StoreError> {
        let types: Vec<Type> = kinds.map(wire).collect();
        let write = async {
            let sink = self.connection.client.copy_in(text).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
            for row in rows {
                writer.as_mut().write_raw(row.iter()).await?;
            }
            writer.finish().await
        };
        write
            .await
            .map(|_| ())
            .map_err(|error| fault::reading(&error))
    }
}

/// How the server wants it.
fn wire(kind: Kind) -> Type {
    match kind {
        Kind::Declared(ColumnKind::Bool) => Type::BOOL,
        Kind::Declared(ColumnKind::Int) => Type::INT8,
        Kind::Declared(ColumnKind::Decimal { .. }) => Type::NUMERIC,
        Kind::Declared(ColumnKind::Text) => Type::TEXT,
        Kind::Declared(ColumnKind::Date) => Type::DATE,
        Kind::Declared(ColumnKind::Time) => Type::TIMESTAMPTZ,
        Kind::Declared(ColumnKind::Id) => Type::UUID,
        Kind::Bytes => Type::BYTEA,
    }
}

/// Rows as texts, one after the other.
pub(crate) struct Texts {
    /// Gone after its last row: it must not be asked again.
    stream: Option<Pin<Box<RowStream>>>,
}

impl Texts {
    /// The bytes of the texts of the next row.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Option<Vec<u8>>>>, StoreError> {
        let read = |row: tokio_postgres::Row| {
            let texts = (0..row.len()).map(|at| {
                let text: Option<&str> = row.try_get(at)?;
                Ok(text.map(|text| text.as_bytes().to_vec()))
            });
            texts.collect::<Result<Vec<_>, tokio_postgres::Error>>()
        };
        let Some(stream) = &mut self.stream else {
            return Ok(None);
        };
        let next = stream.try_next().await;
        if !matches!(next, Ok(Some(_))) {
            self.stream = None;
        }
        let read = next.and_then(|row| row.map(read).transpose());
        read.map_err(|error| fault::reading(&error))
    }
}
