//! Who may do what: the memberships of a person compiled to one rule per entity and action.
//!
//! The algebra (decisions §1, §2): the tenant wall is in every query by construction; a person's
//! roles each give permissions with a scope; permissions are united, so that taking a role, group
//! or grant away never widens access. The rule that decides in a list is the very tree that
//! decides for one record, a search hit, a link's label and a file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::predicate::{Binder, Hop, Operand, Path, Predicate, Step, Test, Variables};
use crate::schema::{Entity, EntityIx, FieldIx, FieldType, Permission, Schema, system};
use crate::value::Value;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Code of the role.
    pub role: String,
    /// Where it is held; `None`: in every company of the tenant.
    pub company: Option<Uuid>,
    /// The departments, those below included.
    pub departments: Vec<Uuid>,
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
pub struct EntityAccess {
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
        let held: Vec<(BTreeSet<String>, &Membership)> = principal
            .memberships
            .iter()
            .map(|m| (inherited(schema, &m.role), m))
            .collect();
        let roles: BTreeSet<String> = held.iter().flat_map(|(r, _)| r.iter().cloned()).collect();
        if roles.contains(ADMIN) {
            return Access::everything(schema, principal).with_roles(roles);
        }
        let mut compiler = Compiler {
            schema,
            principal: &principal,
            held: &held,
            binder: Binder {
                schema,
                access: None,
                variables,
            },
            done: BTreeMap::new(),
            open: Vec::new(),
            met: usize::MAX,
        };
        let entities = schema
            .iter()
            .map(|(ix, entity)| compiler.entity(ix, entity))
            .collect();
        Access {
            principal: principal.clone(),
            entities,
            roles,
        }
    }

    fn with_roles(mut self, roles: BTreeSet<String>) -> Self {
        self.roles = roles;
        self
    }
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

struct Compiler<'a> {
    schema: &'a Schema,
    principal: &'a Principal,
    held: &'a [(BTreeSet<String>, &'a Membership)],
    binder: Binder<'a>,
    done: BTreeMap<(EntityIx, Action), Rule>,
    /// Rules being made, outermost first, so that entities that follow each other end.
    open: Vec<(EntityIx, Action)>,
    /// The outermost of them that was met again while making the innermost.
    met: usize,
}

impl Compiler<'_> {
    fn entity(&mut self, ix: EntityIx, entity: &Entity) -> EntityAccess {
        let rules = Action::NAMES
            .iter()
            .map(|(_, action)| (*action, self.rule(ix, *action)))
            .filter(|(_, rule)| *rule != Rule::Never)
            .collect();
        EntityAccess {
            rules,
            fields: self.fields(entity),
        }
    }

    fn rule(&mut self, ix: EntityIx, action: Action) -> Rule {
        let key = (ix, action);
        if let Some(rule) = self.done.get(&key) {
            return rule.clone();
        }
        if let Some(place) = self.open.iter().position(|open| *open == key) {
            self.met = self.met.min(place);
            return Rule::Never;
        }
        let place = self.open.len();
        self.open.push(key);
        let outer = std::mem::replace(&mut self.met, usize::MAX);
        let rule = self.make_rule(ix, action);
        self.open.pop();
        // A rule that met one still being made took it for empty: right inside that one, too
        // narrow anywhere else, so it is made anew when asked for again.
        if self.met >= place {
            self.done.insert(key, rule.clone());
            self.met = outer;
        } else {
            self.met = self.met.min(outer);
        }
        rule
    }

    fn make_rule(&mut self, ix: EntityIx, action: Action) -> Rule {
        let schema = self.schema;
        let entity = schema.entity(ix);
        let mut union = Predicate::False;
        for (roles, membership) in self.held {
            for role in roles {
                let declared = entity
                    .permissions
                    .get(role)
                    .and_then(|p| p.actions.get(&action));
                if let Some(permission) = declared {
                    union = union.or(self.permission(ix, entity, permission, membership));
                }
                let named = schema
                    .roles
                    .get(role)
                    .map(|spec| spec.permissions.as_slice());
                for (collection, named_action, scope) in named.unwrap_or_default() {
                    if *collection == entity.collection && *named_action == action {
                        union = union.or(self.scope(ix, entity, *scope, membership));
                    }
                }
            }
        }
        if let Some(owner) = entity.scope.owner {
            union = union.and(self.seen_owner(ix, entity, owner));
        }
        match union {
            Predicate::False => Rule::Never,
            Predicate::True => Rule::Always,
            predicate => Rule::When(predicate),
        }
    }

    fn permission(
        &self,
        ix: EntityIx,
        entity: &Entity,
        permission: &Permission,
        membership: &Membership,
    ) -> Predicate {
        let reach = self.scope(ix, entity, permission.scope, membership);
        match self.binder.bind(ix, &permission.condition) {
            Ok(condition) => reach.and(condition),
            Err(_) => Predicate::False,
        }
    }

    fn scope(
        &self,
        ix: EntityIx,
        entity: &Entity,
        scope: Scope,
        membership: &Membership,
    ) -> Predicate {
        let anchored = |field: FieldIx, ids: Vec<Value>| {
            if ids.is_empty() {
                Predicate::False
            } else {
                Predicate::test(ix, field, Operand::OneOf(ids))
            }
        };
        match scope {
            Scope::All => Predicate::True,
            Scope::Company => match (membership.company, entity.scope.company) {
                (None, _) => Predicate::True,
                (Some(company), Some(field)) => anchored(field, vec![Value::Id(company)]),
                (Some(_), None) => Predicate::False,
            },
            Scope::Department => entity.scope.department.map_or(Predicate::False, |field| {
                anchored(
                    field,
                    membership
                        .departments
                        .iter()
                        .copied()
                        .map(Value::Id)
                        .collect(),
                )
            }),
            Scope::Own => {
                let me = vec![Value::Id(self.principal.user)];
                let anchors = entity
                    .scope
                    .own
                    .iter()
                    .map(|field| anchored(*field, me.clone()));
                anchors.fold(Predicate::False, Predicate::or)
            }
        }
    }

    /// True for records whose owner the person may view.
    fn seen_owner(&mut self, ix: EntityIx, entity: &Entity, owner: FieldIx) -> Predicate {
        let schema = self.schema;
        let targets: Vec<EntityIx> = match &entity.field(owner).kind {
            FieldType::Link(link) => vec![link.to],
            FieldType::AnyLink { to } if to.is_empty() => schema
                .iter()
                .filter(|(other, entity)| *other != ix && may_own(entity))
                .map(|(other, _)| other)
                .collect(),
            FieldType::AnyLink { to } => to.clone(),
            _ => Vec::new(),
        };
        let mut union = Predicate::False;
        for to in targets {
            let rule = match self.rule(to, Action::View) {
                Rule::Never => continue,
                rule => rule.to_predicate(),
            };
            let Some(id) = schema.entity(to).find(system::ID) else {
                continue;
            };
            let step = Step {
                hop: Hop::Link(owner),
                to,
                rule: Box::new(rule),
            };
            let path = Path {
                steps: vec![step],
                entity: to,
                field: id,
            };
            union = union.or(Predicate::Test(Test {
                path,
                operand: Operand::Present,
            }));
        }
        union
    }

    /// The strongest right any held role gives; a role that declares no rights for fields but has
    /// an action on the entity gives `Write`.
    fn fields(&self, entity: &Entity) -> Vec<FieldRight> {
        let mut rights = vec![FieldRight::Hidden; entity.fields.len()];
        let mut raise = |ix: FieldIx, right: FieldRight| {
            if let Some(held) = rights.get_mut(usize::from(ix.0)) {
                *held = (*held).max(right);
            }
        };
        for role in self.held.iter().flat_map(|(roles, _)| roles) {
            let declared = entity.permissions.get(role);
            let named = self.schema.roles.get(role).is_some_and(|spec| {
                spec.permissions
                    .iter()
                    .any(|(collection, ..)| *collection == entity.collection)
            });
            if declared.is_none() && !named {
                continue;
            }
            for (ix, _) in entity.iter() {
                let right = declared.and_then(|p| p.fields.get(&ix).copied());
                raise(ix, right.unwrap_or(FieldRight::Write));
            }
        }
        rights
    }
}

/// Whether records of other entities may belong to those of `entity`: what is owned itself (a
/// file, a membership) owns only what it declares to carry.
fn may_own(entity: &Entity) -> bool {
    entity.scope.owner.is_none() || entity.comments || entity.files
}

#[cfg(test)]
mod tests;
