//! The shape of a tenant that everybody's rights hang on: roles, groups, departments, companies.
//!
//! Read whole and kept: it is small, and every person's rights are made of it. Pure but for
//! [`Structure::read`].

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use opsflux_model::access::{Granted, Membership};
use opsflux_model::{Predicate, Schema};
use opsflux_records::Error;
use opsflux_store::Store;
use uuid::Uuid;

use crate::granting;
use opsflux_records::table::{Query, Table, at, text_at};

/// More rows than any tenant has; beyond them is a defect, not a structure.
const MOST: u32 = 100_000;

/// A role as a record of the tenant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Role {
    pub name: String,
    /// Declared by a module; its permissions are the declared ones.
    pub system: bool,
    pub inherits: Vec<Uuid>,
    /// What it gives by itself, when the tenant made it.
    pub granted: Option<Arc<Granted>>,
}

/// A company of the tenant.
#[derive(Debug, Clone)]
pub(crate) struct Company {
    pub id: Uuid,
    pub name: String,
    pub time_zone: Option<String>,
}

/// A role with where it is held, by a membership or by being in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub role: Uuid,
    pub company: Option<Uuid>,
    pub department: Option<Uuid>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Structure {
    pub roles: HashMap<Uuid, Role>,
    /// What each group hands down.
    pub handed_down: HashMap<Uuid, Vec<Held>>,
    /// By name.
    pub companies: Vec<Company>,
    departments_below: HashMap<Uuid, Vec<Uuid>>,
    groups_above: HashMap<Uuid, Uuid>,
}

impl Structure {
    /// Reads the structure of a tenant.
    pub async fn read(store: &Store, schema: &Schema, tenant: i64) -> Result<Structure, Error> {
        let mut structure = Structure::default();
        let read = async |entity: &str, fields: &[&str]| {
            let query = Query {
                fields,
                filter: Predicate::True,
                sort: &[],
                limit: MOST,
            };
            Table::of(schema, entity)?.rows(store, tenant, query).await
        };
        for row in read("role", &["id", "name", "system", "inherits"]).await? {
            let Some(id) = at(&row, 0).as_id() else {
                continue;
            };
            let inherits = match at(&row, 3) {
                opsflux_model::Value::Set(roles) => {
                    roles.iter().filter_map(|r| r.as_id()).collect()
                }
                _ => Vec::new(),
            };
            let system = at(&row, 2).as_bool().unwrap_or_default();
            let name = text_at(&row, 1).unwrap_or_default();
            structure.roles.insert(
                id,
                Role {
                    name,
                    system,
                    inherits,
                    granted: None,
                },
            );
        }
        let permissions = read("role_permission", &granting::PERMISSION).await?;
        let fields = read("role_field", &granting::FIELD).await?;
        for (id, mut granted) in granting::granted(schema, &permissions, &fields) {
            if let Some(role) = structure.roles.get_mut(&id).filter(|role| !role.system) {
                granted.role.clone_from(&role.name);
                role.granted = Some(Arc::new(granted));
            }
        }
        for row in read("department", &["id", "parent"]).await? {
            if let (Some(id), Some(parent)) = (at(&row, 0).as_id(), at(&row, 1).as_id()) {
                structure
                    .departments_below
                    .entry(parent)
                    .or_default()
                    .push(id);
            }
        }
        for row in read("group", &["id", "parent"]).await? {
            if let (Some(id), Some(parent)) = (at(&row, 0).as_id(), at(&row, 1).as_id()) {
                structure.groups_above.insert(id, parent);
            }
        }
        for row in read("group_role", &["group", "role", "only_in", "department"]).await? {
            if let (Some(group), Some(role)) = (at(&row, 0).as_id(), at(&row, 1).as_id()) {
                let held = Held {
                    role,
                    company: at(&row, 2).as_id(),
                    department: at(&row, 3).as_id(),
                };
                structure.handed_down.entry(group).or_default().push(held);
            }
        }
        for row in read("company", &["id", "name", "time_zone"]).await? {
            let Some(id) = at(&row, 0).as_id() else {
                continue;
            };
            let (name, time_zone) = (text_at(&row, 1).unwrap_or_default(), text_at(&row, 2));
            structure.companies.push(Company {
                id,
                name,
                time_zone,
            });
        }
        structure.companies.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(structure)
    }

    /// What holding a role there makes: memberships, each of one declared role, and one of what the
    /// roles made in the tenant give. `through` is the group that hands it down.
    pub fn memberships(&self, held: Held, through: Option<Uuid>) -> Vec<Membership> {
        let departments = held.department.map(|id| self.department_with_below(id));
        let departments = departments.unwrap_or_default();
        let codes = self.codes_of(held.role);
        let of_code = |code: &String| Membership::of(code, held.company, departments.clone());
        let mut all: Vec<Membership> = codes.iter().map(of_code).collect();
        let granted = self.granted_by(held.role);
        if !granted.is_empty() {
            all.push(Membership {
                role: None,
                granted,
                company: held.company,
                departments: departments.clone(),
                through: None,
            });
        }
        all.into_iter().map(|one| one.through(through)).collect()
    }

    /// Codes of the declared roles that holding `role` gives. A role the tenant made itself gives
    /// what it inherits and nothing by its own name, also when a module later declares that name.
    pub fn codes_of(&self, role: Uuid) -> BTreeSet<String> {
        let held = self.held_with(role).into_iter();
        // What a declared one inherits stands in its declaration.
        let declared = held.filter(|role| role.system);
        declared.map(|role| role.name.clone()).collect()
    }

    /// What the roles made in the tenant give by themselves that holding `role` gives.
    pub fn granted_by(&self, role: Uuid) -> Vec<Arc<Granted>> {
        let held = self.held_with(role).into_iter();
        held.filter_map(|role| role.granted.clone()).collect()
    }

    /// Whether holding `role` gives what `other` gives.
    pub fn builds_on(&self, role: Uuid, other: Uuid) -> bool {
        let held = self.held_with(role);
        let other = self.roles.get(&other);
        other.is_some_and(|other| held.iter().any(|held| std::ptr::eq(*held, other)))
    }

    /// A role with those it inherits in the tenant.
    fn held_with(&self, role: Uuid) -> Vec<&Role> {
        let mut held = Vec::new();
        let mut seen = BTreeSet::from([role]);
        let mut todo = vec![role];
        while let Some(id) = todo.pop() {
            let Some(role) = self.roles.get(&id) else {
                continue;
            };
            held.push(role);
            if !role.system {
                todo.extend(role.inherits.iter().copied().filter(|id| seen.insert(*id)));
            }
        }
        held
    }

    /// A department with all below it.
    pub fn department_with_below(&self, department: Uuid) -> Vec<Uuid> {
        let mut found = vec![department];
        let mut next = 0;
        while let Some(id) = found.get(next).copied() {
            next += 1;
            for below in self.departments_below.get(&id).into_iter().flatten() {
                if !found.contains(below) {
                    found.push(*below);
                }
            }
        }
        found
    }

    /// Groups with all above them.
    pub fn groups_with_above(&self, groups: &[Uuid]) -> Vec<Uuid> {
        let mut found: Vec<Uuid> = Vec::new();
        for group in groups {
            let mut at = Some(*group);
            while let Some(id) = at.filter(|id| !found.contains(id)) {
                found.push(id);
                at = self.groups_above.get(&id).copied();
            }
        }
        found
    }

    /// The company with this id, while it lives.
    pub fn company(&self, id: Uuid) -> Option<&Company> {
        self.companies.iter().find(|company| company.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn role(name: &str, system: bool, inherits: &[u128]) -> Role {
        let inherits = inherits.iter().copied().map(id).collect();
        Role {
            name: name.into(),
            system,
            inherits,
            granted: None,
        }
    }

    fn codes(structure: &Structure, of: u128) -> Vec<String> {
        structure.codes_of(id(of)).into_iter().collect()
    }

    #[test]
    fn a_role_of_the_tenant_gives_what_it_inherits() {
        let roles = HashMap::from([
            (id(1), role("technician", true, &[])),
            (id(2), role("manager", true, &[])),
            (id(3), role("chief", false, &[1, 4])),
            (id(4), role("deputy", false, &[2, 3])),
        ]);
        let structure = Structure {
            roles,
            ..Structure::default()
        };
        assert_eq!(codes(&structure, 1), ["technician"]);
        assert_eq!(codes(&structure, 3), ["manager", "technician"], "rings end");
        assert!(
            codes(&structure, 9).is_empty(),
            "a deleted role gives nothing"
        );
    }

    #[test]
    fn a_role_of_the_tenant_gives_nothing_by_its_name() {
        let roles = HashMap::from([(id(1), role("admin", false, &[]))]);
        let structure = Structure {
            roles,
            ..Structure::default()
        };
        assert!(codes(&structure, 1).is_empty());
    }

    #[test]
    fn what_a_role_of_the_house_inherits_in_the_tenant_does_not_count() {
        let roles = HashMap::from([
            (id(1), role("user", true, &[2])),
            (id(2), role("admin", true, &[])),
        ]);
        let structure = Structure {
            roles,
            ..Structure::default()
        };
        assert_eq!(codes(&structure, 1), ["user"]);
    }

    #[test]
    fn a_department_reaches_all_below_it_and_a_group_all_above() {
        let structure = Structure {
            departments_below: HashMap::from([
                (id(1), vec![id(2), id(3)]),
                (id(3), vec![id(4)]),
                (id(4), vec![id(1)]),
            ]),
            groups_above: HashMap::from([(id(1), id(2)), (id(2), id(3)), (id(3), id(1))]),
            ..Structure::default()
        };
        assert_eq!(
            structure.department_with_below(id(3)),
            [id(3), id(4), id(1), id(2)]
        );
        assert_eq!(structure.department_with_below(id(2)), [id(2)]);
        assert_eq!(
            structure.groups_with_above(&[id(2), id(1)]),
            [id(2), id(3), id(1)]
        );
        assert_eq!(structure.groups_with_above(&[id(7)]), [id(7)]);
    }
}
