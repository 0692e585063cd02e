//! Statements about seals, heads and what waits for a seal, see [`crate::audit`].

use jiff::Timestamp;
use uuid::Uuid;

use super::system::filled;
use super::{Cell, Dialect, Sql, Statement};
use crate::audit::{AuditWrite, Place};

/// The entity whose rows wait for a seal from the commit that writes them.
pub const ENTITY: &str = "audit_entry";

/// What stands before the insert of an entry.
pub(super) fn before_entry(sql: &mut Sql) {
    if sql.dialect == Dialect::Postgres {
        sql.push("WITH made AS (");
    }
}

/// What stands behind it: on PostgreSQL a second statement would be another message of each
/// change.
pub(super) fn after_entry(sql: &mut Sql) {
    if sql.dialect == Dialect::Postgres {
        sql.push(" RETURNING tenant_id, id) INSERT INTO sys_audit_new (tenant_id, entry_id) ");
        sql.push("SELECT tenant_id, id FROM made");
    }
}

/// The statement that lets an entry wait, where it is one of its own.
pub(super) fn wait(dialect: Dialect, tenant: i64, entry: Uuid) -> Option<Statement> {
    (dialect == Dialect::Sqlite).then(|| {
        filled(
            dialect,
            "INSERT INTO sys_audit_new (tenant_id, entry_id) VALUES (@, @)",
            vec![Cell::Int(tenant), Cell::Id(entry)],
        )
    })
}

/// Writes a row of the chain.
pub(super) fn write(dialect: Dialect, tenant: i64, write: &AuditWrite) -> Statement {
    let tenant = Cell::Int(tenant);
    let bytes = |bytes: &[u8]| Cell::Bytes(bytes.to_vec());
    let maybe = |some: &Option<Vec<u8>>| some.clone().map_or(Cell::Null, Cell::Bytes);
    match write {
        AuditWrite::Seal(seal) => filled(
            dialect,
            "INSERT INTO sys_audit_seal (tenant_id, seq, entry_id, format, sealed_at, meta, who, \
             body, chain, mac, who_salt, body_salt) VALUES (@, @, @, @, @, @, @, @, @, @, @, @)",
            vec![
                tenant,
                Cell::Int(seal.seq),
                Cell::Id(seal.entry),
                Cell::Int(seal.format),
                Cell::Time(seal.sealed_at),
                bytes(&seal.meta),
                bytes(&seal.who),
                bytes(&seal.body),
                bytes(&seal.chain),
                bytes(&seal.mac),
                maybe(&seal.who_salt),
                maybe(&seal.body_salt),
            ],
        ),
        AuditWrite::Sealed(entry) => filled(
            dialect,
            "DELETE FROM sys_audit_new WHERE tenant_id = @ AND entry_id = @",
            vec![tenant, Cell::Id(*entry)],
        ),
        AuditWrite::Head(place, head) => filled(
            dialect,
            "INSERT INTO sys_audit_head (tenant_id, place, entries, hash, at, mac) \
             VALUES (@, @, @, @, @, @) ON CONFLICT (tenant_id, place) DO UPDATE SET \
             entries = excluded.entries, hash = excluded.hash, at = excluded.at, \
             mac = excluded.mac",
            vec![
                tenant,
                Cell::Text(place.name().to_owned()),
                Cell::Int(head.entries),
                bytes(&head.hash),
                Cell::Time(head.at),
                bytes(&head.mac),
            ],
        ),
        AuditWrite::Erase {
            entry,
            who,
            body,
            by,
            mac,
        } => {
            let salts = match (who, body) {
                (true, true) => "who_salt = NULL, body_salt = NULL, ",
                (true, false) => "who_salt = NULL, ",
                (false, true) => "body_salt = NULL, ",
                (false, false) => "",
            };
            filled(
                dialect,
                &format!(
                    "UPDATE sys_audit_seal SET {salts}erased_by = @, erased_mac = @ \
                     WHERE tenant_id = @ AND entry_id = @"
                ),
                vec![Cell::Text(by.clone()), bytes(mac), tenant, Cell::Id(*entry)],
            )
        }
        AuditWrite::Purge { up_to } => filled(
            dialect,
            "DELETE FROM sys_audit_seal WHERE tenant_id = @ AND seq <= @",
            vec![tenant, Cell::Int(*up_to)],
        ),
    }
}

/// Takes a lease, or holds on to it; answers something when it is held.
#[must_use]
pub fn hold_lease(
    dialect: Dialect,
    name: &str,
    holder: Uuid,
    now: Timestamp,
    until: Timestamp,
) -> Statement {
    filled(
        dialect,
        "INSERT INTO sys_lease (name, holder, held_until) VALUES (@, @, @) \
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, \
         held_until = excluded.held_until \
         WHERE sys_lease.holder = excluded.holder OR sys_lease.held_until < @ \
         RETURNING CAST(1 AS BIGINT)",
        vec![
            Cell::Text(name.to_owned()),
            Cell::Id(holder),
            Cell::Time(until),
            Cell::Time(now),
        ],
    )
}

/// Lets a lease go.
#[must_use]
pub fn release_lease(dialect: Dialect, name: &str, holder: Uuid) -> Statement {
    filled(
        dialect,
        "DELETE FROM sys_lease WHERE name = @ AND holder = @",
        vec![Cell::Text(name.to_owned()), Cell::Id(holder)],
    )
}

/// Lets every entry wait, in a database that has no chain at all.
#[must_use]
pub fn adopt(dialect: Dialect, table: &str) -> Statement {
    filled(
        dialect,
        &format!(
            "INSERT INTO sys_audit_new (tenant_id, entry_id) SELECT tenant_id, id FROM \"{table}\" \
             WHERE NOT EXISTS (SELECT 1 FROM sys_audit_seal) \
             AND NOT EXISTS (SELECT 1 FROM sys_audit_head) \
             ON CONFLICT (tenant_id, entry_id) DO NOTHING"
        ),
        Vec::new(),
    )
}

/// Answers `tenant, entry` of what waits, in that order.
#[must_use]
pub fn waiting(dialect: Dialect, limit: u32) -> Statement {
    filled(
        dialect,
        "SELECT tenant_id, entry_id FROM sys_audit_new ORDER BY tenant_id, entry_id LIMIT @",
        vec![Cell::Int(i64::from(limit))],
    )
}

/// Answers how many wait.
#[must_use]
pub fn waiting_count(dialect: Dialect, tenant: i64) -> Statement {
    let text = "SELECT count(*) FROM sys_audit_new WHERE tenant_id = @";
    filled(dialect, text, vec![Cell::Int(tenant)])
}

const SEAL: &str = "SELECT seq, entry_id, format, sealed_at, meta, who, body, chain, mac, \
                    who_salt, body_salt, erased_by, erased_mac FROM sys_audit_seal";

/// Answers seals after a place, in order.
#[must_use]
pub fn seals(dialect: Dialect, tenant: i64, after: i64, limit: u32) -> Statement {
    filled(
        dialect,
        &format!("{SEAL} WHERE tenant_id = @ AND seq > @ ORDER BY seq LIMIT @"),
        vec![
            Cell::Int(tenant),
            Cell::Int(after),
            Cell::Int(i64::from(limit)),
        ],
    )
}

/// Answers the seals of some entries.
#[must_use]
pub fn seals_of(dialect: Dialect, tenant: i64, entries: &[Uuid]) -> Statement {
    let ids = entries.iter().copied().map(Cell::Id);
    let mut params = vec![Cell::Int(tenant)];
    let among = match dialect {
        Dialect::Sqlite => {
            params.extend(ids);
            format!("IN ({})", vec!["@"; entries.len()].join(", "))
        }
        Dialect::Postgres => {
            params.push(Cell::Array(ids.collect()));
            "= ANY(@)".to_owned()
        }
    };
    let text = format!("{SEAL} WHERE tenant_id = @ AND entry_id {among}");
    filled(dialect, &text, params)
}

/// Answers the last seal.
#[must_use]
pub fn last_seal(dialect: Dialect, tenant: i64) -> Statement {
    filled(
        dialect,
        &format!("{SEAL} WHERE tenant_id = @ ORDER BY seq DESC LIMIT 1"),
        vec![Cell::Int(tenant)],
    )
}

/// Answers `entries, hash, at, mac` of a head.
#[must_use]
pub fn head(dialect: Dialect, tenant: i64, place: Place) -> Statement {
    filled(
        dialect,
        "SELECT entries, hash, at, mac FROM sys_audit_head WHERE tenant_id = @ AND place = @",
        vec![Cell::Int(tenant), Cell::Text(place.name().to_owned())],
    )
}

/// Answers every tenant that has something to do with a chain. The tenants themselves are among
/// them: of a chain that is gone from the database whole, a head outside may still know.
#[must_use]
pub fn tenants(dialect: Dialect) -> Statement {
    filled(
        dialect,
        "SELECT tenant_id FROM sys_audit_head UNION SELECT tenant_id FROM sys_audit_new \
         UNION SELECT number FROM sys_tenant ORDER BY 1",
        Vec::new(),
    )
}

/// Answers the entry `count` places after another one, in the order of ids.
#[must_use]
pub fn milestone(dialect: Dialect, table: &str, tenant: i64, after: Uuid, count: u32) -> Statement {
    filled(
        dialect,
        &format!(
            "SELECT id FROM \"{table}\" WHERE tenant_id = @ AND id > @ ORDER BY id LIMIT 1 OFFSET @"
        ),
        vec![
            Cell::Int(tenant),
            Cell::Id(after),
            Cell::Int(i64::from(count.saturating_sub(1))),
        ],
    )
}

/// Answers the first entry of a range that has no seal and does not wait for one.
#[must_use]
pub fn stranger(dialect: Dialect, table: &str, tenant: i64, range: (Uuid, Uuid)) -> Statement {
    filled(
        dialect,
        &format!(
            "SELECT e.id FROM \"{table}\" e WHERE e.tenant_id = @ AND e.id >= @ AND e.id <= @ \
             AND NOT EXISTS (SELECT 1 FROM sys_audit_seal s \
             WHERE s.tenant_id = e.tenant_id AND s.entry_id = e.id) \
             AND NOT EXISTS (SELECT 1 FROM sys_audit_new n \
             WHERE n.tenant_id = e.tenant_id AND n.entry_id = e.id) ORDER BY e.id LIMIT 1"
        ),
        vec![Cell::Int(tenant), Cell::Id(range.0), Cell::Id(range.1)],
    )
}
