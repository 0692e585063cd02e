//! Who is meant: ids, addresses, usernames, `{"role": …}`, `{"group": …}`, lists of these. Each
//! person once, in the order named; who is not active is left out.

use std::collections::BTreeSet;

use opsflux_model::{Operand, Predicate, Value};
use opsflux_records::Records;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::action::Failure;
use crate::log::Log;

/// People of one step at most.
const MAX: u32 = 1_000;
/// Deepest tree of groups.
const MAX_GROUPS: usize = 500;

/// The people meant, of one tenant.
///
/// # Errors
/// [`Failure::Wrong`] naming who is unknown.
pub(crate) async fn find(
    records: &Records,
    tenant: i64,
    wanted: &Json,
) -> Result<Vec<Uuid>, Failure> {
    let one;
    let list = match wanted {
        Json::Array(list) => list.as_slice(),
        other => {
            one = [other.clone()];
            &one
        }
    };
    let asked = Asked { records, tenant };
    let mut found = Vec::new();
    for who in list {
        let people = match who {
            Json::Null => continue,
            Json::String(text) if text.trim().is_empty() => continue,
            Json::String(text) => asked.named(text.trim()).await?,
            Json::Object(map) => {
                let word = |key: &str| map.get(key).and_then(Json::as_str);
                match (word("role"), word("group")) {
                    (Some(role), None) => asked.of_role(role).await?,
                    (None, Some(group)) => asked.of_group(group).await?,
                    _ => return Err(unknown(&who.to_string())),
                }
            }
            other => return Err(unknown(&other.to_string())),
        };
        found.extend(people);
    }
    let mut seen = BTreeSet::new();
    found.retain(|id| seen.insert(*id));
    asked.active(found).await
}

struct Asked<'a> {
    records: &'a Records,
    tenant: i64,
}

impl Asked<'_> {
    async fn named(&self, text: &str) -> Result<Vec<Uuid>, Failure> {
        let schema = self.records.schema();
        let user = Log::of(&schema, "user")?;
        let wanted = match Uuid::try_parse(text) {
            Ok(id) => user.is("id", id)?,
            Err(_) if text.starts_with('@') => user.is("username", text)?,
            Err(_) => user
                .is("email", text.to_lowercase())?
                .or(user.is("email", text)?),
        };
        let found = self.records.find(self.tenant, user.ix, wanted, 1).await?;
        match found.first() {
            Some(person) => Ok(vec![person.id]),
            None => Err(unknown(text)),
        }
    }

    async fn of_role(&self, name: &str) -> Result<Vec<Uuid>, Failure> {
        let schema = self.records.schema();
        let (role, membership) = (Log::of(&schema, "role")?, Log::of(&schema, "membership")?);
        let is = role.is("name", name)?;
        let Some(found) = self.records.find(self.tenant, role.ix, is, 1).await?.pop() else {
            return Err(unknown(name));
        };
        let holders = membership.is("role", found.id)?;
        let holders = self
            .records
            .find(self.tenant, membership.ix, holders, MAX)
            .await?;
        Ok(holders
            .iter()
            .filter_map(|row| row.get(&schema, "user").as_id())
            .collect())
    }

    /// Members of a group, by id or name, and of those below it.
    async fn of_group(&self, name: &str) -> Result<Vec<Uuid>, Failure> {
        let schema = self.records.schema();
        let group = Log::of(&schema, "group")?;
        let is = match Uuid::try_parse(name) {
            Ok(id) => group.is("id", id)?,
            Err(_) => group.is("name", name)?,
        };
        let mut level = self.records.find(self.tenant, group.ix, is, 1).await?;
        if level.is_empty() {
            return Err(unknown(name));
        }
        let mut people = Vec::new();
        let mut seen = BTreeSet::new();
        while !level.is_empty() && seen.len() < MAX_GROUPS {
            level.retain(|row| seen.insert(row.id));
            for row in &level {
                if let Value::Set(members) = row.get(&schema, "members") {
                    people.extend(members.iter().filter_map(Value::as_id));
                }
            }
            let parents = level.iter().map(|row| Value::Id(row.id)).collect();
            let below = Predicate::test(group.ix, group.field("parent")?, Operand::OneOf(parents));
            level = self.records.find(self.tenant, group.ix, below, MAX).await?;
        }
        Ok(people)
    }

    async fn active(&self, people: Vec<Uuid>) -> Result<Vec<Uuid>, Failure> {
        if people.is_empty() {
            return Ok(people);
        }
        let schema = self.records.schema();
        let user = Log::of(&schema, "user")?;
        let ids = people.iter().copied().map(Value::Id).collect();
        let wanted = Predicate::test(user.ix, user.field("id")?, Operand::OneOf(ids))
            .and(user.is("status", "active")?);
        let found = self.records.find(self.tenant, user.ix, wanted, MAX).await?;
        let active: BTreeSet<Uuid> = found.iter().map(|row| row.id).collect();
        Ok(people
            .into_iter()
            .filter(|id| active.contains(id))
            .collect())
    }
}

fn unknown(who: &str) -> Failure {
    Failure::Wrong(format!("“{who}” is nobody here"))
}
