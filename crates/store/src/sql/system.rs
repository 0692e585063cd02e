//! Reads and writes of the engine's own tables and of the feed, see `system_tables`.

use uuid::Uuid;

use super::{Cell, Dialect, Sql, Statement};
use crate::feed::NewEntry;
use crate::system::SystemWrite;

/// Writes a row of the engine.
#[must_use]
pub fn write(dialect: Dialect, tenant: i64, write: &SystemWrite) -> Statement {
    let text = |text: &str| Cell::Text(text.to_owned());
    let number = tenant;
    let tenant = Cell::Int(number);
    match write {
        SystemWrite::Tenant { id, name, at } => filled(
            dialect,
            "INSERT INTO sys_tenant (number, id, name, created_at) VALUES (@, @, @, @)",
            vec![tenant, Cell::Id(*id), text(name), Cell::Time(*at)],
        ),
        SystemWrite::ClaimName { name, user } => filled(
            dialect,
            "INSERT INTO sys_name (name, tenant_id, user_id) VALUES (@, @, @)",
            vec![text(name), tenant, Cell::Id(*user)],
        ),
        SystemWrite::ReleaseName { name } => filled(
            dialect,
            "DELETE FROM sys_name WHERE name = @ AND tenant_id = @",
            vec![text(name), tenant],
        ),
        SystemWrite::Setting { key, value } if value.is_null() => filled(
            dialect,
            "DELETE FROM sys_setting WHERE tenant_id = @ AND key = @",
            vec![tenant, text(key)],
        ),
        SystemWrite::Setting { key, value } => filled(
            dialect,
            "INSERT INTO sys_setting (tenant_id, key, value) VALUES (@, @, @) \
             ON CONFLICT (tenant_id, key) DO UPDATE SET value = excluded.value",
            vec![tenant, text(key), Cell::Text(value.to_string())],
        ),
        SystemWrite::Series {
            entity,
            period,
            from,
            next,
        } => filled(
            dialect,
            "INSERT INTO sys_series (tenant_id, entity, period, next) VALUES (@, @, @, @) \
             ON CONFLICT (tenant_id, entity, period) \
             DO UPDATE SET next = excluded.next WHERE sys_series.next = @",
            vec![
                tenant,
                text(entity),
                text(period),
                Cell::Int(*next),
                Cell::Int(*from),
            ],
        ),
        SystemWrite::Answer(answer) => filled(
            dialect,
            "INSERT INTO sys_answer (tenant_id, principal, operation, key, body_hash, status, \
             recipe, expires_at) VALUES (@, @, @, @, @, @, @, @)",
            vec![
                tenant,
                Cell::Id(answer.principal),
                text(&answer.operation),
                text(&answer.key),
                Cell::Bytes(answer.body_hash.clone()),
                Cell::Int(i64::from(answer.status)),
                text(&answer.recipe),
                Cell::Time(answer.expires_at),
            ],
        ),
        SystemWrite::Audit(write) => super::audit::write(dialect, number, write),
    }
}

/// Adds an entry to the feed. On PostgreSQL it waits for the sequencer.
#[must_use]
pub fn feed_insert(dialect: Dialect, tenant: i64, entry: &NewEntry) -> Statement {
    let insert = "INSERT INTO sys_feed (tenant_id, change_id, at, entity, record_id, version, op, \
                  body) VALUES (@, @, @, @, @, @, @, @)";
    let text = match dialect {
        Dialect::Sqlite => insert.to_owned(),
        Dialect::Postgres => format!(
            "WITH made AS ({insert} RETURNING seq) \
             INSERT INTO sys_feed_new (seq) SELECT seq FROM made"
        ),
    };
    filled(
        dialect,
        &text,
        vec![
            Cell::Int(tenant),
            Cell::Id(entry.change),
            Cell::Time(entry.at),
            Cell::Text(entry.entity.clone()),
            Cell::Id(entry.record),
            Cell::Int(entry.version),
            Cell::Text(entry.op.name().to_owned()),
            Cell::Text(entry.body.to_json()),
        ],
    )
}

/// Answers `pos, tenant, change, at, entity, record, version, op, body` in order of `pos`.
#[must_use]
pub fn feed_after(dialect: Dialect, pos: i64, limit: u32) -> Statement {
    let text = match dialect {
        Dialect::Sqlite => {
            "SELECT pos, tenant_id, change_id, at, entity, record_id, version, op, body \
             FROM sys_feed WHERE pos > @ ORDER BY pos LIMIT @"
        }
        Dialect::Postgres => {
            "SELECT p.pos, f.tenant_id, f.change_id, f.at, f.entity, f.record_id, f.version, \
             f.op, f.body FROM sys_feed_pos p JOIN sys_feed f ON f.seq = p.seq \
             WHERE p.pos > @ ORDER BY p.pos LIMIT @"
        }
    };
    let limit = Cell::Int(i64::from(limit));
    filled(dialect, text, vec![Cell::Int(pos), limit])
}

/// Answers the last place that was handed out, null when there is none. Entries past their time
/// are removed, their places are never given again.
#[must_use]
pub fn feed_end(dialect: Dialect) -> Statement {
    let text = match dialect {
        Dialect::Sqlite => "SELECT max(seq) FROM sqlite_sequence WHERE name = 'sys_feed'",
        Dialect::Postgres => "SELECT max(value::bigint) FROM sys_meta WHERE key = 'feed_pos'",
    };
    filled(dialect, text, Vec::new())
}

/// Answers `pos` of a cursor.
#[must_use]
pub fn cursor(dialect: Dialect, name: &str) -> Statement {
    let name = Cell::Text(name.to_owned());
    filled(
        dialect,
        "SELECT pos FROM sys_cursor WHERE name = @",
        vec![name],
    )
}

/// Moves a cursor.
#[must_use]
pub fn set_cursor(dialect: Dialect, name: &str, pos: i64) -> Statement {
    filled(
        dialect,
        "INSERT INTO sys_cursor (name, pos) VALUES (@, @) \
         ON CONFLICT (name) DO UPDATE SET pos = excluded.pos",
        vec![Cell::Text(name.to_owned()), Cell::Int(pos)],
    )
}

/// Takes `count` numbers of a series; answers the first one after them.
#[must_use]
pub fn lease(dialect: Dialect, tenant: i64, entity: &str, period: &str, count: u32) -> Statement {
    filled(
        dialect,
        "INSERT INTO sys_series (tenant_id, entity, period, next) VALUES (@, @, @, 1 + @) \
         ON CONFLICT (tenant_id, entity, period) \
         DO UPDATE SET next = sys_series.next + excluded.next - 1 RETURNING next",
        vec![
            Cell::Int(tenant),
            Cell::Text(entity.to_owned()),
            Cell::Text(period.to_owned()),
            Cell::Int(i64::from(count)),
        ],
    )
}

/// Answers the next number of a series, nothing before its first.
#[must_use]
pub fn next_number(dialect: Dialect, tenant: i64, entity: &str, period: &str) -> Statement {
    filled(
        dialect,
        "SELECT next FROM sys_series WHERE tenant_id = @ AND entity = @ AND period = @",
        vec![
            Cell::Int(tenant),
            Cell::Text(entity.to_owned()),
            Cell::Text(period.to_owned()),
        ],
    )
}

/// Answers `tenant, user` of a folded name.
#[must_use]
pub fn log_name(dialect: Dialect, name: &str) -> Statement {
    let name = Cell::Text(name.to_owned());
    let text = "SELECT tenant_id, user_id FROM sys_name WHERE name = @";
    filled(dialect, text, vec![name])
}

/// Answers `number, id, name` of every tenant.
#[must_use]
pub fn tenants(dialect: Dialect) -> Statement {
    let text = "SELECT number, id, name FROM sys_tenant ORDER BY number";
    filled(dialect, text, Vec::new())
}

/// Answers `key, value` of every setting of a tenant.
#[must_use]
pub fn settings(dialect: Dialect, tenant: i64) -> Statement {
    let text = "SELECT key, value FROM sys_setting WHERE tenant_id = @ ORDER BY key";
    filled(dialect, text, vec![Cell::Int(tenant)])
}

/// Answers `body_hash, status, recipe, expires_at` kept for an idempotency key.
#[must_use]
pub fn answer(
    dialect: Dialect,
    tenant: i64,
    principal: Uuid,
    operation: &str,
    key: &str,
) -> Statement {
    filled(
        dialect,
        "SELECT body_hash, status, recipe, expires_at FROM sys_answer \
         WHERE tenant_id = @ AND principal = @ AND operation = @ AND key = @",
        vec![
            Cell::Int(tenant),
            Cell::Id(principal),
            Cell::Text(operation.to_owned()),
            Cell::Text(key.to_owned()),
        ],
    )
}

/// Forgets the oldest of the answers that may be forgotten at `now`; answers something when there
/// was one.
#[must_use]
pub fn forget_answers(dialect: Dialect, now: jiff::Timestamp, limit: u32) -> Statement {
    filled(
        dialect,
        "DELETE FROM sys_answer WHERE (tenant_id, principal, operation, key) IN \
         (SELECT tenant_id, principal, operation, key FROM sys_answer WHERE expires_at <= @ \
         ORDER BY expires_at LIMIT @) RETURNING 1",
        vec![Cell::Time(now), Cell::Int(i64::from(limit))],
    )
}

/// Answers the first place that is kept, null when there is none.
#[must_use]
pub fn feed_start(dialect: Dialect) -> Statement {
    let text = match dialect {
        Dialect::Sqlite => "SELECT min(pos) FROM sys_feed",
        Dialect::Postgres => "SELECT min(pos) FROM sys_feed_pos",
    };
    filled(dialect, text, Vec::new())
}

/// Answers the place of the reader that is furthest behind, null without readers.
#[must_use]
pub fn lowest_cursor(dialect: Dialect) -> Statement {
    filled(dialect, "SELECT min(pos) FROM sys_cursor", Vec::new())
}

/// Answers `pos, at` of the first entries up to place `up_to`.
#[must_use]
pub fn feed_ages(dialect: Dialect, up_to: i64, limit: u32) -> Statement {
    let text = match dialect {
        Dialect::Sqlite => "SELECT pos, at FROM sys_feed WHERE pos <= @ ORDER BY pos LIMIT @",
        Dialect::Postgres => {
            "SELECT p.pos, f.at FROM sys_feed_pos p JOIN sys_feed f ON f.seq = p.seq \
             WHERE p.pos <= @ ORDER BY p.pos LIMIT @"
        }
    };
    let limit = Cell::Int(i64::from(limit));
    filled(dialect, text, vec![Cell::Int(up_to), limit])
}

/// Forgets the entries up to place `up_to`. Places are never given again.
#[must_use]
pub fn forget_feed(dialect: Dialect, up_to: i64) -> Statement {
    let text = match dialect {
        Dialect::Sqlite => "DELETE FROM sys_feed WHERE pos <= @",
        Dialect::Postgres => {
            "WITH gone AS (DELETE FROM sys_feed_pos WHERE pos <= @ RETURNING seq) \
             DELETE FROM sys_feed WHERE seq IN (SELECT seq FROM gone)"
        }
    };
    filled(dialect, text, vec![Cell::Int(up_to)])
}

/// Writes a small row that says nothing, to see whether it is kept.
#[must_use]
pub fn sign(dialect: Dialect) -> Statement {
    filled(
        dialect,
        "INSERT INTO sys_meta (key, value) VALUES ('sign', @) \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        vec![Cell::Text(jiff::Timestamp::now().to_string())],
    )
}

/// Answers what the database says of itself under `key`.
#[must_use]
pub fn meta(dialect: Dialect, key: &str) -> Statement {
    let key = Cell::Text(key.to_owned());
    filled(
        dialect,
        "SELECT value FROM sys_meta WHERE key = @",
        vec![key],
    )
}

/// Makes the database say `value` of itself under `key`.
#[must_use]
pub fn set_meta(dialect: Dialect, key: &str, value: &str) -> Statement {
    filled(
        dialect,
        "INSERT INTO sys_meta (key, value) VALUES (@, @) \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        vec![Cell::Text(key.to_owned()), Cell::Text(value.to_owned())],
    )
}

/// A statement in which every `@` is the next parameter.
pub(super) fn filled(dialect: Dialect, text: &str, params: Vec<Cell>) -> Statement {
    let mut sql = Sql::new(dialect);
    let mut pieces = text.split('@');
    sql.push(pieces.next().unwrap_or_default());
    for (piece, cell) in pieces.zip(params) {
        sql.param(cell).push(piece);
    }
    sql.finish()
}
