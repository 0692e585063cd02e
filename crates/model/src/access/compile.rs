//! From the memberships of a person to rules: each permission reaches some records, their union is
//! the rule, and it is bound by who sees the owner.
//!
//! What decides and what explains is made here, by the same steps.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, EntityAccess, FieldRight, Membership, Principal, Rule, Scope};
use crate::condition::Condition;
use crate::predicate::{Binder, Hop, Operand, Path, Predicate, Step, Test, Variables};
use crate::schema::{Entity, EntityIx, FieldIx, FieldType, Schema, system};
use crate::value::Value;

/// Why somebody may do something with records of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The permissions whose union is the rule; none: nothing is allowed.
    pub reasons: Vec<Reason>,
    /// What must hold besides, of the record's owner.
    pub bound: Predicate,
}

/// One permission that somebody has.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// Place of the membership that gives it among those of the person; none: records were shared
    /// with him.
    pub membership: Option<usize>,
    /// The role it comes from, inherited ones by their own name; empty for what was shared.
    pub role: String,
    /// A module declares it; else the tenant made it.
    pub declared: bool,
    /// How far it reaches.
    pub scope: Scope,
    /// Of those only which.
    pub condition: Condition,
    /// The records it reaches.
    pub reaches: Predicate,
}

/// Makes the rules of one person.
pub(super) struct Compiler<'a> {
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

impl<'a> Compiler<'a> {
    pub fn new(
        schema: &'a Schema,
        principal: &'a Principal,
        held: &'a [(BTreeSet<String>, &'a Membership)],
        variables: &'a Variables,
    ) -> Compiler<'a> {
        Compiler {
            schema,
            principal,
            held,
            binder: Binder {
                schema,
                access: None,
                variables,
            },
            done: BTreeMap::new(),
            open: Vec::new(),
            met: usize::MAX,
        }
    }

    pub fn entity(&mut self, ix: EntityIx, entity: &Entity) -> EntityAccess {
        let rules = Action::NAMES
            .iter()
            .map(|(_, action)| (*action, self.rule(ix, *action)))
            .filter(|(_, rule)| *rule != Rule::Never)
            .collect();
        EntityAccess {
            rules,
            fields: self.fields(ix, entity),
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
        let explained = self.explained(ix, action);
        let reached = explained.reasons.into_iter().map(|reason| reason.reaches);
        let union = reached.fold(Predicate::False, Predicate::or);
        match union.and(explained.bound) {
            Predicate::False => Rule::Never,
            Predicate::True => Rule::Always,
            predicate => Rule::When(predicate),
        }
    }

    /// The permissions whose union is the rule, and what it is bound by.
    pub fn explained(&mut self, ix: EntityIx, action: Action) -> Explained {
        let entity = self.schema.entity(ix);
        let mut reasons = Vec::new();
        for (place, (roles, membership)) in self.held.iter().enumerate() {
            let mut reason = |role: &str, declared, scope, condition: &Condition| {
                let reaches = self.permission(ix, entity, scope, condition, membership);
                reasons.push(Reason {
                    membership: Some(place),
                    role: role.to_owned(),
                    declared,
                    scope,
                    condition: condition.clone(),
                    reaches,
                });
            };
            for role in roles {
                let declared = entity.permissions.get(role);
                if let Some(permission) = declared.and_then(|p| p.actions.get(&action)) {
                    reason(role, true, permission.scope, &permission.condition);
                }
                let spec = self.schema.roles.get(role);
                let named = spec.map(|spec| spec.permissions.as_slice());
                for (collection, named_action, scope) in named.unwrap_or_default() {
                    if *collection == entity.collection && *named_action == action {
                        reason(role, true, *scope, &Condition::default());
                    }
                }
            }
            for granted in &membership.granted {
                let permissions = granted.permissions.iter();
                for permission in permissions.filter(|p| p.entity == ix && p.action == action) {
                    let (scope, condition) = (permission.scope, &permission.condition);
                    reason(&granted.role, false, scope, condition);
                }
            }
        }
        reasons.extend(self.shared(ix, entity, action));
        let bound = match entity.scope.owner {
            Some(owner) if !reasons.is_empty() => {
                let needed = match action {
                    Action::View => Action::View,
                    _ => entity.scope.write_needs.unwrap_or(Action::View),
                };
                self.owned(ix, entity, owner, needed)
            }
            _ => Predicate::True,
        };
        Explained { reasons, bound }
    }

    fn permission(
        &self,
        ix: EntityIx,
        entity: &Entity,
        scope: Scope,
        condition: &Condition,
        membership: &Membership,
    ) -> Predicate {
        let reach = self.scope(ix, entity, scope, membership);
        match self.binder.bind(ix, condition) {
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

    /// The single records that were shared with the person, as one more branch of the rule. They
    /// are named by their ids, so that whatever judges a rule judges them too.
    fn shared(&self, ix: EntityIx, entity: &Entity, action: Action) -> Option<Reason> {
        if !entity.sharing || !matches!(action, Action::View | Action::Edit) {
            return None;
        }
        let shares = self.principal.shares.iter();
        let of_these = shares.filter(|share| share.entity == ix);
        let mut ids: Vec<Value> = of_these
            .filter(|share| share.edit || action == Action::View)
            .map(|share| Value::Id(share.record))
            .collect();
        ids.dedup();
        let id = entity.find(system::ID).filter(|_| !ids.is_empty())?;
        Some(Reason {
            membership: None,
            role: String::new(),
            declared: false,
            scope: Scope::Own,
            condition: Condition::default(),
            reaches: Predicate::test(ix, id, Operand::OneOf(ids)),
        })
    }

    /// True for records with whose owner the person may do `needed`.
    fn owned(
        &mut self,
        ix: EntityIx,
        entity: &Entity,
        owner: FieldIx,
        needed: Action,
    ) -> Predicate {
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
            let rule = match self.rule(to, needed) {
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
    fn fields(&self, ix: EntityIx, entity: &Entity) -> Vec<FieldRight> {
        let mut rights = vec![FieldRight::Hidden; entity.fields.len()];
        let mut raise = |ix: FieldIx, right: FieldRight| {
            if let Some(held) = rights.get_mut(usize::from(ix.0)) {
                *held = (*held).max(right);
            }
        };
        for granted in self.held.iter().flat_map(|(_, held)| &held.granted) {
            if !granted.permissions.iter().any(|p| p.entity == ix) {
                continue;
            }
            for (field, _) in entity.iter() {
                let mut named = granted.fields.iter();
                let right = named.find(|(of, named, _)| *of == ix && *named == field);
                raise(field, right.map_or(FieldRight::Write, |(.., right)| *right));
            }
        }
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
        self.shared_fields(ix, entity, &mut rights);
        rights
    }

    /// What a share shows of a record: what every role sees that is declared to work with such
    /// records. It adds to what roles give, like one more role, the weakest: if it stood in only
    /// where no role gives anything, losing a role could show more.
    fn shared_fields(&self, ix: EntityIx, entity: &Entity, rights: &mut [FieldRight]) {
        let mut shares = self.principal.shares.iter();
        if !entity.sharing || !shares.any(|share| share.entity == ix) {
            return;
        }
        for (held, (field, _)) in rights.iter_mut().zip(entity.iter()) {
            let roles = entity.permissions.values();
            let of_role = roles.map(|role| role.fields.get(&field).copied());
            let weakest = of_role
                .map(|right| right.unwrap_or(FieldRight::Write))
                .min();
            *held = (*held).max(weakest.unwrap_or(FieldRight::Hidden));
        }
    }
}

/// Whether records of other entities may belong to those of `entity`: what is owned itself (a
/// file, a membership) owns only what it declares to carry.
fn may_own(entity: &Entity) -> bool {
    entity.scope.owner.is_none() || entity.comments || entity.files
}
