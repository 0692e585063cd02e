//! What a tenant begins with: its first company, the roles of the modules, its administrator.
//!
//! Written through the pipeline like everything else, in the name of the house. Each step looks
//! whether it is done already, so that a start after a crash goes on where it stopped.

use opsflux_model::Value;
use opsflux_model::access::ADMIN;
use opsflux_model::fold::fold;
use opsflux_model::schema::Schema;
use opsflux_records::{Actor, Caller, Error, Language, Origin, Records, WriteOptions};
use opsflux_store::Commit;
use opsflux_store::system::SystemWrite;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::rules::company_name;
use crate::session::failed;
use crate::username::company_part;
use opsflux_records::table::{Query, Table, at, text_at};

/// Who founds a tenant.
#[derive(Clone, Copy)]
pub(crate) struct Founder<'a> {
    /// Name of the tenant and of its first company.
    pub organisation: &'a str,
    /// The administrator's name.
    pub full_name: &'a str,
    pub email: &'a str,
    /// Set by the caller afterwards when absent.
    pub password: Option<&'a str>,
}

/// The house as it appears in the audit of what nobody asked for.
pub(crate) fn house_origin() -> Origin {
    Origin {
        actor: Actor::System,
        source: "system".to_owned(),
        ..Origin::default()
    }
}

/// The house itself.
fn house(records: &Records, tenant: i64, origin: &Origin) -> Caller {
    Caller::house(&records.schema(), tenant, Uuid::nil(), origin.clone())
}

/// Makes a tenant with all it begins with; answers its number and its administrator.
pub(crate) async fn found(
    records: &Records,
    founder: &Founder<'_>,
    origin: &Origin,
) -> Result<(i64, Uuid), Error> {
    let tenant = records.store().next_tenant().await?;
    make_tenant(records, tenant, founder.organisation).await?;
    let user = furnish(records, tenant, founder, origin).await?;
    Ok((tenant, user))
}

/// An empty tenant.
pub(crate) async fn make_tenant(records: &Records, tenant: i64, name: &str) -> Result<(), Error> {
    let made = SystemWrite::Tenant {
        id: records.new_id(),
        name: name.to_owned(),
        at: records.now(),
    };
    let commit = Commit {
        tenant,
        system: vec![made],
        ..Commit::default()
    };
    records
        .store()
        .commit(commit)
        .await
        .map(|_| ())
        .map_err(failed)
}

/// Gives a tenant what it begins with, as far as it is not there; answers its administrator.
pub(crate) async fn furnish(
    records: &Records,
    tenant: i64,
    founder: &Founder<'_>,
    origin: &Origin,
) -> Result<Uuid, Error> {
    let company = first_company(records, tenant, founder.organisation, origin).await?;
    keep_roles(records, tenant).await?;
    let schema = records.schema();
    let roles = Table::of(&schema, "role")?;
    let query = Query {
        fields: &["id"],
        filter: roles.is("name", ADMIN)?,
        sort: &[],
        limit: 1,
    };
    let rows = roles.rows(records.store(), tenant, query).await?;
    let admin = rows.first().and_then(|row| at(row, 0).as_id());
    let admin = admin.ok_or_else(|| Error::Internal("no module declares the role admin".into()))?;
    let mut body = Map::from_iter([
        ("full_name".to_owned(), Json::from(founder.full_name)),
        ("email".to_owned(), Json::from(founder.email)),
        (
            "memberships".to_owned(),
            json!([{"role": admin.to_string()}]),
        ),
    ]);
    if let Some(password) = founder.password {
        body.insert("password".to_owned(), Json::from(password));
    }
    let caller = Caller {
        company: Some(company),
        ..house(records, tenant, origin)
    };
    let users = Table::of(&schema, "user")?.ix;
    let written = records
        .create(&caller, users, body, &WriteOptions::default())
        .await?;
    Ok(written.id)
}

async fn first_company(
    records: &Records,
    tenant: i64,
    name: &str,
    origin: &Origin,
) -> Result<Uuid, Error> {
    let schema = records.schema();
    let companies = Table::of(&schema, "company")?;
    let filter = opsflux_model::Predicate::True;
    let query = Query {
        fields: &["id"],
        filter,
        sort: &[],
        limit: 1,
    };
    let rows = companies.rows(records.store(), tenant, query).await?;
    if let Some(known) = rows.first().and_then(|row| at(row, 0).as_id()) {
        return Ok(known);
    }
    let id = records.new_id();
    let body = Map::from_iter([
        ("id".to_owned(), Json::from(id.to_string())),
        ("name".to_owned(), Json::from(name)),
        (
            "code".to_owned(),
            Json::from(free_code(records, name).await?),
        ),
    ]);
    let caller = house(records, tenant, origin);
    let written = records
        .create(&caller, companies.ix, body, &WriteOptions::default())
        .await?;
    Ok(written.id)
}

/// A code made of the company's name that no company of the instance has.
async fn free_code(records: &Records, name: &str) -> Result<String, Error> {
    let stem = match company_part(name) {
        part if part.is_empty() => "company".to_owned(),
        mut part => {
            // Room for the number.
            part.truncate(24);
            part.trim_end_matches('-').to_owned()
        }
    };
    let mut code = stem.clone();
    let mut number = 2_u32;
    loop {
        let claimed = company_name(&code).unwrap_or_default();
        if records.store().log_name(&claimed).await?.is_none() {
            return Ok(code);
        }
        code = format!("{stem}{number}");
        number += 1;
    }
}

/// Keeps the role records of a tenant in step with the roles the modules declare: missing ones are
/// made, labels and inheritance follow the declarations. A role the tenant made under a name that a
/// module now declares stays the tenant's: giving it permissions would widen what its holders may.
pub(crate) async fn keep_roles(records: &Records, tenant: i64) -> Result<(), Error> {
    let schema = records.schema();
    let table = Table::of(&schema, "role")?;
    let query = Query {
        fields: &["id", "name", "label", "system", "inherits"],
        filter: opsflux_model::Predicate::True,
        sort: &[],
        limit: 10_000,
    };
    let rows = table.rows(records.store(), tenant, query).await?;
    let caller = house(records, tenant, &house_origin());
    let options = WriteOptions::default();
    let mut ids: std::collections::HashMap<String, Uuid> = rows
        .iter()
        .filter_map(|row| Some((text_at(row, 1)?, at(row, 0).as_id()?)))
        .collect();
    for code in parents_first(&schema) {
        let Some(spec) = schema.roles.get(&code) else {
            continue;
        };
        let inherits: Vec<Uuid> = spec
            .inherits
            .iter()
            .filter_map(|name| ids.get(name).copied())
            .collect();
        let inherits: Vec<Json> = inherits
            .iter()
            .map(|id| Json::from(id.to_string()))
            .collect();
        let label = label(&schema, &code);
        let mut body = Map::from_iter([
            ("label".to_owned(), Json::from(label.as_str())),
            ("inherits".to_owned(), Json::from(inherits.clone())),
        ]);
        let known = rows.iter().find(|row| at(row, 1).as_text() == Some(&code));
        let Some(row) = known else {
            body.insert("name".to_owned(), Json::from(code.as_str()));
            let written = records.create(&caller, table.ix, body, &options).await?;
            ids.insert(code, written.id);
            continue;
        };
        if at(row, 3).as_bool() != Some(true) {
            tracing::warn!(
                tenant,
                role = code,
                "a role of the tenant has the name of a module's"
            );
            continue;
        }
        let same = at(row, 2).as_text() == Some(&label) && set_of(at(row, 4)) == inherits;
        if let (false, Some(id)) = (same, at(row, 0).as_id()) {
            records
                .update(&caller, table.ix, &id.to_string(), body, &options)
                .await?;
        }
    }
    Ok(())
}

fn set_of(value: &Value) -> Vec<Json> {
    match value {
        Value::Set(items) => items
            .iter()
            .filter_map(Value::as_id)
            .map(|id| Json::from(id.to_string()))
            .collect(),
        _ => Vec::new(),
    }
}

/// Codes of the declared roles, each after those it inherits.
fn parents_first(schema: &Schema) -> Vec<String> {
    let mut ordered: Vec<String> = Vec::new();
    let mut waiting: Vec<&String> = schema.roles.keys().collect();
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|code| {
            let inherits = schema.roles.get(*code).map(|spec| spec.inherits.as_slice());
            let ready = inherits
                .unwrap_or_default()
                .iter()
                .all(|name| ordered.contains(name) || !schema.roles.contains_key(name));
            if ready {
                ordered.push((*code).clone());
            }
            !ready
        });
        if waiting.len() == before {
            // A ring, which the checker refuses: each as it comes.
            ordered.extend(waiting.drain(..).cloned());
        }
    }
    ordered
}

/// The label of a role in the first language that has one.
pub(crate) fn label(schema: &Schema, code: &str) -> String {
    Language::ALL
        .iter()
        .flat_map(|language| {
            schema
                .modules
                .iter()
                .map(|module| (language.code(), module))
        })
        .find_map(|(language, module)| {
            module
                .words
                .get(language)?
                .get("roles")?
                .get(code)?
                .as_str()
                .map(str::to_owned)
        })
        .unwrap_or_else(|| code.to_owned())
}

/// The administrator of a tenant by this address, when there is one.
pub(crate) async fn account_named(
    records: &Records,
    email: &str,
) -> Result<Option<(i64, Uuid)>, Error> {
    Ok(records.store().log_name(&fold(email)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opsflux_model::schema::{Module, RoleSpec};
    use std::collections::BTreeMap;

    fn schema() -> Schema {
        let spec = |inherits: &[&str]| RoleSpec {
            inherits: inherits.iter().map(|name| (*name).to_owned()).collect(),
            permissions: Vec::new(),
        };
        let roles = BTreeMap::from([
            ("admin".to_owned(), spec(&["manager", "technician"])),
            ("guest".to_owned(), spec(&[])),
            ("manager".to_owned(), spec(&["user"])),
            ("technician".to_owned(), spec(&["guest"])),
            ("user".to_owned(), spec(&["guest"])),
        ]);
        let words = BTreeMap::from([
            (
                "fr".to_owned(),
                json!({"roles": {"admin": "Administrateur"}}),
            ),
            (
                "en".to_owned(),
                json!({"roles": {"admin": "Administrator", "guest": "Guest"}}),
            ),
        ]);
        let module = Module {
            words,
            ..Module::default()
        };
        Schema::new(Vec::new(), vec![module], roles)
    }

    #[test]
    fn roles_are_made_after_those_they_inherit() {
        let ordered = parents_first(&schema());
        assert_eq!(ordered, ["guest", "technician", "user", "manager", "admin"]);
    }

    #[test]
    fn a_label_comes_from_the_first_language_that_has_it() {
        assert_eq!(label(&schema(), "admin"), "Administrateur");
        assert_eq!(label(&schema(), "guest"), "Guest");
        assert_eq!(label(&schema(), "user"), "user");
    }
}
