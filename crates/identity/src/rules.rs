//! What must hold of accounts, memberships, roles and companies whoever writes them.
//!
//! Pure, like every rule: usernames and full names are made, names for signing in are claimed and
//! given back with the very change that makes them, nobody locks himself or everybody out.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;
use opsflux_model::access::ADMIN;
use opsflux_model::fold::fold;
use opsflux_model::predicate::negate;
use opsflux_model::{Condition, Op, Schema, Value};
use opsflux_records::Error;
use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule, Snapshot};
use opsflux_store::Guard;
use opsflux_store::system::SystemWrite;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::ACTIVE;
use crate::username::{self, Named};
use crate::{granting, handing, sharing};
use opsflux_records::table::Table;

/// The rules of identity, in order.
#[must_use]
pub fn rules() -> Vec<Arc<dyn Rule>> {
    vec![
        Arc::new(UserRule),
        Arc::new(MembershipRule),
        Arc::new(RoleRule),
        Arc::new(granting::PermissionRule),
        Arc::new(granting::FieldRule),
        Arc::new(handing::GroupRoleRule),
        Arc::new(handing::GroupRule),
        Arc::new(sharing::ShareRule),
        Arc::new(CompanyRule),
    ]
}

/// Name of the guard that keeps an administrator in every tenant; also its words.
pub const LAST_ADMINISTRATOR: &str = "base.last_administrator";

/// More roles than any tenant has.
const ROLES: u32 = 10_000;

/// How many homonyms are looked at.
const HOMONYMS: u32 = 1_000;

fn refusal(code: &'static str, field: Option<&'static str>) -> Refusal {
    Refusal {
        code,
        params: Map::new(),
        field,
        confirmable: false,
        errors: Vec::new(),
    }
}

fn text<'d>(draft: &'d Draft<'_>, name: &str) -> &'d str {
    draft.get(name).as_text().unwrap_or_default()
}

fn equals(field: &str, value: Json) -> Condition {
    Condition::Test {
        field: field.to_owned(),
        op: Op::Eq,
        value,
    }
}

/// Gives back the name that was claimed and claims the one that will be.
fn exchange(draft: &mut Draft<'_>, was: Option<String>, is: Option<String>, user: Uuid) {
    if was == is {
        return;
    }
    draft
        .system
        .extend(was.map(|name| SystemWrite::ReleaseName { name }));
    draft
        .system
        .extend(is.map(|name| SystemWrite::ClaimName { name, user }));
}

/// Another active administrator than `user` must stay.
fn another_administrator(schema: &Schema, user: Uuid) -> Result<Guard, Error> {
    let table = Table::of(schema, "membership")?;
    let filter = table
        .linked("role", "name", ADMIN)?
        .and(table.linked("user", "status", ACTIVE)?)
        .and(negate(table.is("user", user)?));
    Ok(Guard::Count {
        name: LAST_ADMINISTRATOR.to_owned(),
        entity: table.ix,
        filter,
        min: Some(1),
        max: None,
    })
}

/// Adds the guard. Without the declarations it speaks of nobody can be an administrator.
fn keep_an_administrator(draft: &mut Draft<'_>, leaving: Uuid) {
    if let Ok(guard) = another_administrator(draft.schema, leaving) {
        draft.guards.push(guard);
    }
}

/// Accounts.
struct UserRule;

impl UserRule {
    fn complete_names(draft: &mut Draft<'_>) {
        if text(draft, "full_name").trim().is_empty() {
            let (first, last) = (text(draft, "first_name"), text(draft, "last_name"));
            let full = format!("{} {}", first.trim(), last.trim());
            draft.set("full_name", full.trim());
        }
    }

    /// Made once, when the account is.
    fn name(draft: &mut Draft<'_>, known: &Known) {
        if !draft.is_new() || !text(draft, "username").is_empty() {
            return;
        }
        let company = known.records(0).first();
        let company = company
            .and_then(|c| c.get(draft.schema, "code").as_text())
            .unwrap_or("");
        let homonyms: Vec<String> = known
            .records(1)
            .iter()
            .filter_map(|user| user.get(draft.schema, "username").as_text().map(fold))
            .collect();
        let username = username::make(&named(draft, company), |name| {
            homonyms.iter().any(|known| known == name)
        });
        draft.set("username", username);
    }

    /// E-mail and username, folded: names for signing in are unique over all tenants.
    fn claim(draft: &mut Draft<'_>) {
        for field in ["email", "username"] {
            let claimed = |value: &Value| value.as_text().map(fold).filter(|name| !name.is_empty());
            let (was, is) = (claimed(draft.was(field)), claimed(draft.get(field)));
            exchange(draft, was, is, draft.id);
        }
    }

    fn is_administrator(draft: &Draft<'_>, known: &Known) -> bool {
        !draft.is_new() && !known.records(0).is_empty()
    }
}

fn named<'d>(draft: &'d Draft<'_>, company: &'d str) -> Named<'d> {
    Named {
        first: text(draft, "first_name"),
        last: text(draft, "last_name"),
        full: text(draft, "full_name"),
        email: text(draft, "email"),
        company,
    }
}

impl Rule for UserRule {
    fn entity(&self) -> &'static str {
        "user"
    }

    fn name(&self) -> &'static str {
        "account"
    }

    /// For a new account its company and its homonyms, else whether it is an administrator's.
    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        if !draft.is_new() {
            let condition = Condition::All(vec![
                equals("user", Json::from(draft.id.to_string())),
                equals("role.name", Json::from(ADMIN)),
            ]);
            return vec![Need::Records {
                entity: "membership",
                condition,
                limit: 1,
            }];
        }
        let company = draft.get("company").as_id().unwrap_or_default();
        let full = match text(draft, "full_name").trim() {
            "" => format!("{} {}", text(draft, "first_name"), text(draft, "last_name")),
            full => full.to_owned(),
        };
        let prefix = username::prefix(&Named {
            full: &full,
            ..named(draft, "")
        });
        let condition = Condition::Test {
            field: "username".to_owned(),
            op: Op::StartsWith,
            value: Json::from(prefix),
        };
        vec![
            Need::Record {
                entity: "company",
                id: company,
            },
            Need::Records {
                entity: "user",
                condition,
                limit: HOMONYMS,
            },
        ]
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        Self::complete_names(draft);
        Self::name(draft, known);
        Self::claim(draft);
        let zone = text(draft, "time_zone");
        if draft.changes("time_zone") && !zone.is_empty() && TimeZone::get(zone).is_err() {
            let params = Map::from_iter([("value".to_owned(), Json::from(zone))]);
            let refusal = refusal("base.unknown_time_zone", Some("time_zone"));
            return Err(Refusal { params, ..refusal });
        }
        let leaves = draft.was("status").as_text() == Some(ACTIVE)
            && draft.get("status").as_text() != Some(ACTIVE);
        if leaves && known.user == Some(draft.id) {
            return Err(refusal("base.own_account", Some("status")));
        }
        if leaves && Self::is_administrator(draft, known) {
            keep_an_administrator(draft, draft.id);
        }
        // Who changes his own password ends his other sessions himself and stays in this one.
        let replaced = draft.changes("password") && known.user != Some(draft.id);
        if !draft.is_new() && (leaves || replaced) {
            draft.set("sessions_from", known.now);
        }
        Ok(())
    }

    fn before_delete(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        if known.user == Some(draft.id) {
            return Err(refusal("base.own_account", None));
        }
        if Self::is_administrator(draft, known) {
            keep_an_administrator(draft, draft.id);
        }
        for field in ["email", "username"] {
            let was = draft.was(field).as_text().map(fold);
            exchange(draft, was, None, draft.id);
        }
        Ok(())
    }

    fn before_restore(&self, draft: &mut Draft<'_>, _known: &Known) -> Result<(), Refusal> {
        for field in ["email", "username"] {
            let is = draft.was(field).as_text().map(fold);
            exchange(draft, None, is, draft.id);
        }
        Ok(())
    }
}

/// Memberships: where rights come from.
struct MembershipRule;

impl MembershipRule {
    fn was_administrator(draft: &Draft<'_>, known: &Known) -> Option<Uuid> {
        let role = known.records(0).first()?;
        let is_admin = role.get(draft.schema, "name").as_text() == Some(ADMIN);
        is_admin.then(|| draft.was("user").as_id()).flatten()
    }
}

impl Rule for MembershipRule {
    fn entity(&self) -> &'static str {
        "membership"
    }

    fn name(&self) -> &'static str {
        "membership"
    }

    /// The role it was.
    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let role = draft.was("role").as_id();
        role.map(|id| Need::Record { entity: "role", id })
            .into_iter()
            .collect()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let moves = draft.changes("role") || draft.changes("user");
        match Self::was_administrator(draft, known) {
            Some(user) if moves => keep_an_administrator(draft, user),
            _ => {}
        }
        Ok(())
    }

    fn before_delete(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        if let Some(user) = Self::was_administrator(draft, known) {
            keep_an_administrator(draft, user);
        }
        Ok(())
    }
}

/// Whether a role would be among those it builds on.
fn builds_on_itself(draft: &Draft<'_>, roles: &[Snapshot]) -> bool {
    let ids = |value: &Value| match value {
        Value::Set(items) => items.iter().filter_map(Value::as_id).collect(),
        _ => Vec::new(),
    };
    let mut todo = ids(draft.get("inherits"));
    let mut seen = BTreeSet::new();
    while let Some(id) = todo.pop() {
        if id == draft.id {
            return true;
        }
        if seen.insert(id)
            && let Some(role) = roles.iter().find(|role| role.id == id)
        {
            todo.extend(ids(role.get(draft.schema, "inherits")));
        }
    }
    false
}

/// Roles: those the modules declare keep their names, because permissions hang on them.
struct RoleRule;

impl Rule for RoleRule {
    fn entity(&self) -> &'static str {
        "role"
    }

    fn name(&self) -> &'static str {
        "role"
    }

    /// All roles, when one begins to build on others.
    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let builds = draft.changes("inherits") && !draft.get("inherits").is_empty();
        let all = builds.then(|| Need::Records {
            entity: "role",
            condition: Condition::default(),
            limit: ROLES,
        });
        all.into_iter().collect()
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let by_the_house = known.user.is_none();
        if builds_on_itself(draft, known.records(0)) {
            return Err(refusal("base.role_ring", Some("inherits")));
        }
        if draft.is_new() {
            let declared = draft.schema.roles.contains_key(text(draft, "name"));
            draft.set("system", by_the_house && declared);
            return Ok(());
        }
        let system = draft.was("system").as_bool().unwrap_or_default();
        if system && !by_the_house && (draft.changes("name") || draft.changes("inherits")) {
            return Err(refusal("base.system_role", Some("name")));
        }
        Ok(())
    }

    fn before_delete(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        if known.user.is_some() && draft.was("system").as_bool() == Some(true) {
            return Err(refusal("base.system_role", None));
        }
        Ok(())
    }
}

/// Companies: the last part of usernames, so no two of the instance share one.
struct CompanyRule;

/// The claimed name of a company code. It signs nobody in: it belongs to no user.
pub(crate) fn company_name(code: &str) -> Option<String> {
    let part = username::company_part(code);
    (!part.is_empty()).then(|| format!("company:{part}"))
}

impl Rule for CompanyRule {
    fn entity(&self) -> &'static str {
        "company"
    }

    fn name(&self) -> &'static str {
        "company"
    }

    fn apply(&self, draft: &mut Draft<'_>, _known: &Known) -> Result<(), Refusal> {
        let claimed = |value: &Value| value.as_text().and_then(company_name);
        let (was, is) = (claimed(draft.was("code")), claimed(draft.get("code")));
        exchange(draft, was, is, Uuid::nil());
        Ok(())
    }

    fn before_delete(&self, draft: &mut Draft<'_>, _known: &Known) -> Result<(), Refusal> {
        let was = draft.was("code").as_text().and_then(company_name);
        exchange(draft, was, None, Uuid::nil());
        Ok(())
    }

    fn before_restore(&self, draft: &mut Draft<'_>, _known: &Known) -> Result<(), Refusal> {
        let is = draft.was("code").as_text().and_then(company_name);
        exchange(draft, None, is, Uuid::nil());
        Ok(())
    }
}
