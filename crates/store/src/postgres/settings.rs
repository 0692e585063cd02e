//! What must hold of a PostgreSQL server before anything is entrusted to it.
//!
//! An answer is given after a change is durable; a server that says so too early would make that
//! a lie, so the start fails and names the setting. Nothing here is changed by the program: these
//! are decisions of whoever runs the server.

use crate::error::StoreError;

/// The oldest release the program is tested with.
const OLDEST: i64 = 15;

/// The question, answered by one row.
const QUESTION: &str = "SELECT current_setting('server_version_num')::bigint, \
     current_setting('fsync'), current_setting('full_page_writes'), \
     current_setting('synchronous_commit'), current_setting('server_encoding'), \
     current_setting('transaction_read_only'), pg_is_in_recovery(), \
     coalesce(has_schema_privilege(to_regnamespace('public')::oid, 'CREATE'), false)";

/// Checks the server behind `client`.
///
/// # Errors
/// [`StoreError::Setup`] that names every setting that is not as documented.
pub(crate) async fn check(client: &tokio_postgres::Client) -> Result<(), StoreError> {
    let failed = |error| super::fault::reading(&error);
    let row = client.query_one(QUESTION, &[]).await.map_err(failed)?;
    let text = |column: usize| row.try_get::<_, String>(column).map_err(failed);
    let mut wrong = Vec::new();
    let version = row.try_get::<_, i64>(0).map_err(failed)? / 10_000;
    if version < OLDEST {
        wrong.push(format!(
            "it is PostgreSQL {version}; {OLDEST} or newer is needed"
        ));
    }
    for (column, name) in [(1, "fsync"), (2, "full_page_writes")] {
        if text(column)? != "on" {
            wrong.push(format!(
                "{name} must be on: a power cut would damage the data"
            ));
        }
    }
    if text(3)? == "off" {
        wrong.push(
            "synchronous_commit must not be off: changes would be confirmed before they are kept"
                .to_owned(),
        );
    }
    if text(4)? != "UTF8" {
        wrong.push(format!(
            "the database is encoded in {}, UTF8 is needed",
            text(4)?
        ));
    }
    let standby = row.try_get::<_, bool>(6).map_err(failed)?;
    if standby || text(5)? == "on" {
        wrong.push("it accepts no writes: a standby, or default_transaction_read_only".to_owned());
    }
    if !row.try_get::<_, bool>(7).map_err(failed)? {
        wrong.push(
            "the schema public is missing or may not be written to: GRANT CREATE ON SCHEMA public"
                .to_owned(),
        );
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(StoreError::Setup(format!(
            "PostgreSQL is not set up as documented: {}",
            wrong.join("; ")
        )))
    }
}
