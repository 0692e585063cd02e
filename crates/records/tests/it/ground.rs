//! The database under a world, and the way to it behind everybody's back.

use std::time::Duration;

use opsflux_testkit::postgres::{Cluster, Database};

use crate::world::World;

/// The database a world stands on, kept as long as the world.
pub enum Ground {
    Sqlite {
        _folder: tempfile::TempDir,
    },
    Postgres {
        database: Database,
        _cluster: Cluster,
    },
}

impl World {
    /// Does something in the database behind everybody's back; several statements with `;`.
    pub fn sql(&self, text: &str) -> String {
        match &self.ground {
            Ground::Postgres { database, .. } => database.sql(text).unwrap(),
            Ground::Sqlite { .. } => {
                let path = self.url.strip_prefix("sqlite:").unwrap();
                let connection = rusqlite::Connection::open(path).unwrap();
                connection.busy_timeout(Duration::from_secs(10)).unwrap();
                if !text.starts_with("SELECT") {
                    connection.execute_batch(text).unwrap();
                    return String::new();
                }
                let read = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
                match connection.query_row(text, [], read).unwrap() {
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    rusqlite::types::Value::Null => String::new(),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    pub fn on_postgres(&self) -> bool {
        matches!(self.ground, Ground::Postgres { .. })
    }
}
