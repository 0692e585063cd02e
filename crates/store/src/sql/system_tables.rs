//! The engine's own tables, for both databases.
//!
//! They are no records: no module declares them, no reader lists them. Made when a database is
//! opened for the first time and raised by numbered steps after that; see [`STEPS`].

use super::Dialect;

/// What raises the tables from each version to the next: the step at place `n` leads to version
/// `n + 1`. A step that has been released never changes; a new one is added instead.
const STEPS: [fn(Dialect) -> Vec<String>; 2] = [first, audit];

/// The version this program works with.
#[must_use]
pub fn version() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Statements that make a database without engine tables ready to be asked for its version.
#[must_use]
pub fn bootstrap(dialect: Dialect) -> Vec<String> {
    render(
        dialect,
        &[
            "CREATE TABLE IF NOT EXISTS sys_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL){strict}",
        ],
    )
}

/// Statements that make the tables of version `version` in an empty database.
#[must_use]
pub fn create(dialect: Dialect, version: i64) -> Vec<String> {
    let upto = usize::try_from(version).unwrap_or(0).min(STEPS.len());
    let mut statements = bootstrap(dialect);
    statements.extend(STEPS[..upto].iter().flat_map(|step| step(dialect)));
    statements
}

/// Answers the version as text, or nothing in a new database.
pub const READ_VERSION: &str = "SELECT value FROM sys_meta WHERE key = 'system_version'";

/// Answers something while the database is a copy that is not whole yet.
pub const READ_COPY: &str = "SELECT value FROM sys_meta WHERE key = 'copy'";

/// What is said of such a database.
pub const UNFINISHED_COPY: &str = "the database is a copy that was broken off: run `opsflux db copy` \
     again, it goes on where it was";

/// Statements that raise the tables from version `from`, the last of which records the new one.
/// Empty when there is nothing to do.
#[must_use]
pub fn raise(dialect: Dialect, from: i64) -> Vec<String> {
    let done = usize::try_from(from).unwrap_or(0).min(STEPS.len());
    let mut statements: Vec<String> = STEPS[done..]
        .iter()
        .flat_map(|step| step(dialect))
        .collect();
    if !statements.is_empty() {
        statements.push(format!(
            "INSERT INTO sys_meta (key, value) VALUES ('system_version', '{}') \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            version()
        ));
    }
    statements
}

/// Fills in what the two databases call differently.
fn render(dialect: Dialect, statements: &[&str]) -> Vec<String> {
    let words: [(&str, &str); 7] = match dialect {
        Dialect::Sqlite => [
            ("{keyed}", " STRICT, WITHOUT ROWID"),
            ("{strict}", " STRICT"),
            ("{int}", "INTEGER"),
            ("{time}", "INTEGER"),
            ("{id}", "BLOB"),
            ("{bytes}", "BLOB"),
            ("{text}", "TEXT"),
        ],
        Dialect::Postgres => [
            ("{keyed}", ""),
            ("{strict}", ""),
            ("{int}", "BIGINT"),
            ("{time}", "TIMESTAMPTZ"),
            ("{id}", "UUID"),
            ("{bytes}", "BYTEA"),
            ("{text}", "TEXT COLLATE \"C\""),
        ],
    };
    let fill = |statement: &&str| {
        words
            .iter()
            .fold((*statement).to_owned(), |text, (word, meaning)| {
                text.replace(word, meaning)
            })
    };
    statements.iter().map(fill).collect()
}

fn first(dialect: Dialect) -> Vec<String> {
    let mut statements = render(
        dialect,
        &[
            // The layout of the declared tables as the last migration left it.
            "CREATE TABLE sys_layout (one {int} PRIMARY KEY CHECK (one = 1), \
             layout {text} NOT NULL){strict}",
            "CREATE TABLE sys_tenant (number {int} PRIMARY KEY, id {id} NOT NULL UNIQUE, \
             name {text} NOT NULL, created_at {time} NOT NULL){strict}",
            // The only names that all tenants share.
            "CREATE TABLE sys_name (name {text} PRIMARY KEY, tenant_id {int} NOT NULL, \
             user_id {id} NOT NULL){strict}",
            "CREATE TABLE sys_setting (tenant_id {int} NOT NULL, key {text} NOT NULL, \
             value {text} NOT NULL, PRIMARY KEY (tenant_id, key)){strict}",
            "CREATE TABLE sys_answer (tenant_id {int} NOT NULL, principal {id} NOT NULL, \
             operation {text} NOT NULL, key {text} NOT NULL, body_hash {bytes} NOT NULL, \
             status {int} NOT NULL, recipe {text} NOT NULL, expires_at {time} NOT NULL, \
             PRIMARY KEY (tenant_id, principal, operation, key)){strict}",
            "CREATE INDEX sys_answer__expires_at ON sys_answer (expires_at)",
            "CREATE TABLE sys_series (tenant_id {int} NOT NULL, entity {text} NOT NULL, \
             period {text} NOT NULL, next {int} NOT NULL, \
             PRIMARY KEY (tenant_id, entity, period)){strict}",
            // How far each reader of the feed has come.
            "CREATE TABLE sys_cursor (name {text} PRIMARY KEY, pos {int} NOT NULL){strict}",
        ],
    );
    statements.extend(feed(dialect));
    statements
}

const FEED_COLUMNS: &str = "tenant_id {int} NOT NULL, change_id {id} NOT NULL, at {time} NOT NULL, \
     entity {text} NOT NULL, record_id {id} NOT NULL, version {int} NOT NULL, \
     op {text} NOT NULL, body {text} NOT NULL";

/// On SQLite one writer commits, so the row's own number is the order of visibility. On
/// PostgreSQL a transaction that began earlier may commit later: rows wait in `sys_feed_new` until
/// the sequencer, which sees only what is committed, gives them their place in `sys_feed_pos`.
fn feed(dialect: Dialect) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => {
            let table = format!(
                "CREATE TABLE sys_feed (pos INTEGER PRIMARY KEY AUTOINCREMENT, {FEED_COLUMNS}){{strict}}"
            );
            render(dialect, &[&table])
        }
        Dialect::Postgres => {
            let table = format!(
                "CREATE TABLE sys_feed (seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {FEED_COLUMNS})"
            );
            render(
                dialect,
                &[
                    &table,
                    "CREATE TABLE sys_feed_new (seq BIGINT PRIMARY KEY)",
                    "CREATE TABLE sys_feed_pos (pos BIGINT PRIMARY KEY, seq BIGINT NOT NULL UNIQUE)",
                ],
            )
        }
    }
}

/// What makes tampering with the audit evident, see `docs/decisions/0007-the-audit-chain.md`.
fn audit(dialect: Dialect) -> Vec<String> {
    render(
        dialect,
        &[
            // Entries without a seal, written with them in one commit: what commits late waits
            // here late, so none is ever passed over.
            "CREATE TABLE sys_audit_new (tenant_id {int} NOT NULL, entry_id {id} NOT NULL, \
             PRIMARY KEY (tenant_id, entry_id)){keyed}",
            "CREATE TABLE sys_audit_seal (tenant_id {int} NOT NULL, seq {int} NOT NULL, \
             entry_id {id} NOT NULL, format {int} NOT NULL, sealed_at {time} NOT NULL, \
             meta {bytes} NOT NULL, who {bytes} NOT NULL, body {bytes} NOT NULL, \
             chain {bytes} NOT NULL, mac {bytes} NOT NULL, who_salt {bytes}, body_salt {bytes}, \
             erased_by {text}, erased_mac {bytes}, PRIMARY KEY (tenant_id, seq)){strict}",
            "CREATE UNIQUE INDEX sys_audit_seal__entry ON sys_audit_seal (tenant_id, entry_id)",
            // Where each chain ends, and where it was cut.
            "CREATE TABLE sys_audit_head (tenant_id {int} NOT NULL, place {text} NOT NULL, \
             entries {int} NOT NULL, hash {bytes} NOT NULL, at {time} NOT NULL, \
             mac {bytes} NOT NULL, PRIMARY KEY (tenant_id, place)){strict}",
            // Work that one process does at a time.
            "CREATE TABLE sys_lease (name {text} PRIMARY KEY, holder {id} NOT NULL, \
             held_until {time} NOT NULL){strict}",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_database_has_nothing_left_to_do() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            assert!(!raise(dialect, 0).is_empty());
            assert!(raise(dialect, version()).is_empty());
            assert!(
                raise(dialect, 0).iter().all(|text| !text.contains('{')),
                "every word is filled in"
            );
        }
    }
}
