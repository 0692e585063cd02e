//! Who may do what: the memberships of a person compiled to one rule per entity and action.
//!
//! The algebra (decisions §1, §2): the tenant wall is in every query by construction; a person's
//! roles each give permissions with a scope; permissions are united, so that taking a role, group
//! or grant away never widens access. The rule that decides in a list is the very tree that
//! decides for one record, a search hit, a link's label and a file.

mod compile;
mod derived;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::condition::Condition;
use crate::predicate::{Predicate, Variables};
use crate::schema::{EntityIx, FieldIx, Schema};
use compile::Compiler;

pub use compile::{Explained, Reason};

/// What can be done with records of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Action {
    View,
    Create,
    Edit,
    Delete,
    Manage,
    Approve,
    Export,
}

impl Action {
    /// Every action with its name.
    pub const NAMES: [(&'static str, Action); 7] = [
        ("view", Action::View),
        ("create", Action::Create),
        ("edit", Action::Edit),
        ("delete", Action::Delete),
        ("manage", Action::Manage),
        ("approve", Action::Approve),
        ("export", Action::Export),
    ];

    /// The action called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Action> {
        Action::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, action)| *action)
    }
}

/// How far a permission reaches, narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Records anchored to the person (`[scope] own`).
    Own,
    /// Records of the person's departments and those below.
    Department,
    /// Records of the companies of the membership that gives the role.
    Company,
    /// The whole tenant.
    All,
}

impl Scope {
    /// The scope called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Scope> {
        match name {
            "own" => Some(Scope::Own),
            "department" => Some(Scope::Department),
            "company" => Some(Scope::Company),
            "all" => Some(Scope::All),
            _ => None,
        }
    }
}

/// What a person may do with a field, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldRight {
    /// As if it did not exist.
    Hidden,
    /// Known to be filled or not; the value is not shown and cannot be referred to.
    Mask,
    /// Shown; may be filtered, sorted, grouped and searched by.
    Read,
    /// Shown and changed, where the action allows it.
    Write,
}

/// One membership: a role held in a company, with the departments it covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Membership {
    /// Code of a declared role; none for what roles made in the tenant give by themselves.
    pub role: Option<String>,
    /// What roles made in the tenant give by themselves.
    pub granted: Vec<Arc<Granted>>,
    /// Where it is held; `None`: in every company of the tenant.
    pub company: Option<Uuid>,
    /// The departments, those below included.
    pub departments: Vec<Uuid>,
    /// The group that hands it down; `None`: it is the person's own.
    pub through: Option<Uuid>,
}

impl Membership {
    /// A membership by which a declared role is held.
    #[must_use]
    pub fn of(role: &str, company: Option<Uuid>, departments: Vec<Uuid>) -> Membership {
        Membership {
            role: Some(role.to_owned()),
            granted: Vec::new(),
            company,
            departments,
            through: None,
        }
    }

    /// The same, handed down by a group.
    #[must_use]
    pub fn through(self, group: Option<Uuid>) -> Membership {
        Membership {
            through: group,
            ..self
        }
    }

    /// What it gives, whoever hands it down.
    fn gives(&self) -> impl Eq + std::hash::Hash + '_ {
        let granted: Vec<*const Granted> = self.granted.iter().map(Arc::as_ptr).collect();
        (&self.role, granted, self.company, &self.departments)
    }
}

/// One record that was shared with a person, or with a group of his.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// What kind of record.
    pub entity: EntityIx,
    /// Which.
    pub record: Uuid,
    /// To be changed too, not only seen.
    pub edit: bool,
    /// The group it was shared with; `None`: the person.
    pub through: Option<Uuid>,
}

/// What a role made in the tenant gives by itself, besides what it inherits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Granted {
    /// Its name, to explain by.
    pub role: String,
    /// What may be done.
    pub permissions: Vec<GrantedPermission>,
    /// Rights on fields of the entities it may do something with; others are written.
    pub fields: Vec<(EntityIx, FieldIx, FieldRight)>,
}

/// One permission of a role made in the tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct GrantedPermission {
    /// With what.
    pub entity: EntityIx,
    /// What.
    pub action: Action,
    /// How far.
    pub scope: Scope,
    /// Of those only which.
    pub condition: Condition,
}

/// A person with what rules are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// The tenant.
    pub tenant: i64,
    /// The user.
    pub user: Uuid,
    /// The company a write belongs to unless it says otherwise.
    pub home_company: Option<Uuid>,
    /// Roles held.
    pub memberships: Vec<Membership>,
    /// Groups, with the groups above them.
    pub groups: Vec<Uuid>,
    /// Single records shared with the person or with one of the groups.
    pub shares: Vec<Share>,
    /// Holds the instance (`OPSFLUX_ADMIN_EMAIL`).
    pub instance_admin: bool,
}

/// What one person may do, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// The person.
    pub principal: Principal,
    /// By [`EntityIx`].
    entities: Vec<EntityAccess>,
    /// Codes of roles held, those inherited included.
    pub roles: BTreeSet<String>,
}

/// What one person may do with one entity.
#[derive(Debug, Clone, PartialEq, Default)]
struct EntityAccess {
    rules: BTreeMap<Action, Rule>,
    fields: Vec<FieldRight>,
}

/// Which records an action is allowed on.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Rule {
    /// None.
    #[default]
    Never,
    /// All of the tenant.
    Always,
    /// Those that satisfy it.
    When(Predicate),
}

/// The role that may do everything in its tenant.
pub const ADMIN: &str = "admin";

impl Access {
    /// Which records of `entity` the person may do `action` on.
    #[must_use]
    pub fn rule(&self, entity: EntityIx, action: Action) -> &Rule {
        static NEVER: Rule = Rule::Never;
        self.entities
            .get(usize::from(entity.0))
            .and_then(|e| e.rules.get(&action))
            .unwrap_or(&NEVER)
    }

    /// Whether there can be any record the action is allowed on.
    #[must_use]
    pub fn may(&self, entity: EntityIx, action: Action) -> bool {
        *self.rule(entity, action) != Rule::Never
    }

    /// The right on a field, before asking whether the record may be edited at all.
    #[must_use]
    pub fn field(&self, entity: EntityIx, field: FieldIx) -> FieldRight {
        self.entities
            .get(usize::from(entity.0))
            .and_then(|e| e.fields.get(usize::from(field.0)).copied())
            .unwrap_or(FieldRight::Hidden)
    }

    /// Whether the person may filter, sort, group and search by a field.
    #[must_use]
    pub fn may_refer(&self, entity: EntityIx, field: FieldIx) -> bool {
        self.field(entity, field) >= FieldRight::Read
    }

    /// Whether the person is an administrator of the tenant.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.roles.contains(ADMIN)
    }

    /// Everything in one tenant: migrations, engines, the first administrator.
    #[must_use]
    pub fn everything(schema: &Schema, principal: Principal) -> Access {
        let entities = schema
            .entities
            .iter()
            .map(|entity| EntityAccess {
                rules: Action::NAMES
                    .iter()
                    .map(|(_, action)| (*action, Rule::Always))
                    .collect(),
                fields: vec![FieldRight::Write; entity.fields.len()],
            })
            .collect();
        Access {
            principal,
            entities,
            roles: BTreeSet::from([ADMIN.to_owned()]),
        }
    }

    /// Compiles the memberships of `principal`.
    ///
    /// A condition of a permission that cannot be bound gives nothing (the checker refuses such
    /// declarations; a narrower rule is the safe reading of one that slipped through).
    #[must_use]
    pub fn compile(schema: &Schema, principal: Principal, variables: &Variables) -> Access {
        let held = held(schema, &principal);
        let roles: BTreeSet<String> = held.iter().flat_map(|(r, _)| r.iter().cloned()).collect();
        if roles.contains(ADMIN) {
            return Access::everything(schema, principal).with_roles(roles);
        }
        // A person in many groups holds the same many times; once makes the same rule.
        let mut seen = HashSet::new();
        let held: Vec<_> = held
            .into_iter()
            .filter(|(_, membership)| seen.insert(membership.gives()))
            .collect();
        let mut compiler = Compiler::new(schema, &principal, &held, variables);
        let mut entities: Vec<EntityAccess> = schema
            .iter()
            .map(|(ix, entity)| compiler.entity(ix, entity))
            .collect();
        derived::restrict(schema, &mut entities);
        Access {
            principal: principal.clone(),
            entities,
            roles,
        }
    }

    /// Why `principal` may do `action` with records of `entity`: the permissions whose union is
    /// the rule, each with the records it reaches, and what the union is bound by. Made by the
    /// compiler that makes [`Access::rule`].
    #[must_use]
    pub fn explain(
        schema: &Schema,
        principal: &Principal,
        variables: &Variables,
        entity: EntityIx,
        action: Action,
    ) -> Explained {
        let held = held(schema, principal);
        let mut compiler = Compiler::new(schema, principal, &held, variables);
        compiler.explained(entity, action)
    }

    /// Every permission of `principal`, by entity and action: what [`Access::explain`] tells, of
    /// everything.
    #[must_use]
    pub fn reasons(
        schema: &Schema,
        principal: &Principal,
        variables: &Variables,
    ) -> Vec<(EntityIx, Action, Reason)> {
        let held = held(schema, principal);
        let mut compiler = Compiler::new(schema, principal, &held, variables);
        let mut all = Vec::new();
        for (entity, _) in schema.iter() {
            for (_, action) in Action::NAMES {
                let explained = compiler.explained(entity, action);
                all.extend(
                    explained
                        .reasons
                        .into_iter()
                        .map(|why| (entity, action, why)),
                );
            }
        }
        all
    }

    fn with_roles(mut self, roles: BTreeSet<String>) -> Self {
        self.roles = roles;
        self
    }
}

/// The memberships, each with the codes of the declared roles it gives.
fn held<'p>(schema: &Schema, principal: &'p Principal) -> Vec<(BTreeSet<String>, &'p Membership)> {
    let codes = |membership: &Membership| match &membership.role {
        Some(role) => inherited(schema, role),
        None => BTreeSet::new(),
    };
    let memberships = principal.memberships.iter();
    memberships.map(|held| (codes(held), held)).collect()
}

/// `role` and every role it inherits.
fn inherited(schema: &Schema, role: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut todo = vec![role.to_owned()];
    while let Some(code) = todo.pop() {
        if let Some(spec) = schema.roles.get(&code) {
            todo.extend(
                spec.inherits
                    .iter()
                    .filter(|code| !all.contains(*code))
                    .cloned(),
            );
        }
        all.insert(code);
    }
    all
}

#[cfg(test)]
mod tests;
