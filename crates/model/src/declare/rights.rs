//! Whose records are, and what roles may do with them.

use std::collections::BTreeMap;

use super::diagnostic::{Place, did_you_mean};
use super::resolve::{Resolver, index};
use super::tree::Node;
use crate::access::{Action, FieldRight, Scope};
use crate::schema::{
    EntityKind, FieldIx, FieldType, Permission, RolePermissions, RoleSpec, ScopeSpec, system,
};

/// Roles every installation has, whoever declares them.
const SEEDED: [&str; 4] = ["admin", "manager", "user", "guest"];

/// What engines of logs leave to people.
const LOG_ACTIONS: [Action; 3] = [Action::View, Action::Manage, Action::Export];

/// The roles of all modules.
pub(crate) fn roles(resolver: &mut Resolver<'_, '_>) -> BTreeMap<String, RoleSpec> {
    let all = resolver.all;
    let mut roles: BTreeMap<String, RoleSpec> = SEEDED
        .iter()
        .map(|code| ((*code).to_owned(), RoleSpec::default()))
        .collect();
    roles.extend(
        all.roles
            .keys()
            .map(|code| (code.clone(), RoleSpec::default())),
    );
    for (code, declared) in &all.roles {
        let mut spec = RoleSpec::default();
        for (name, at) in declared.node.texts("inherits") {
            if known_role(resolver, &roles, name, at) {
                spec.inherits.push(name.to_owned());
            }
        }
        for (text, at) in declared.node.texts("permissions") {
            spec.permissions.extend(resolver.named_permission(text, at));
        }
        roles.insert(code.clone(), spec);
    }
    for (code, declared) in &all.roles {
        if inherits_itself(&roles, code) {
            let message = format!("{code} inherits itself");
            let at = declared.node.place_of("inherits");
            resolver.mistakes.error(at, "circular_roles", message);
        }
    }
    roles
}

fn known_role(
    resolver: &mut Resolver<'_, '_>,
    roles: &BTreeMap<String, RoleSpec>,
    code: &str,
    at: Place,
) -> bool {
    let is_known = roles.contains_key(code);
    if !is_known {
        let message = format!("there is no role “{code}”");
        let hint = did_you_mean(code, roles.keys().map(String::as_str));
        resolver
            .mistakes
            .error_hint(at, "unknown_role", message, hint);
    }
    is_known
}

fn inherits_itself(roles: &BTreeMap<String, RoleSpec>, code: &str) -> bool {
    let mut seen: Vec<&str> = Vec::new();
    let mut todo = vec![code];
    while let Some(next) = todo.pop() {
        for above in roles.get(next).map_or(&[][..], |spec| &spec.inherits) {
            if above == code {
                return true;
            }
            if !seen.contains(&above.as_str()) {
                seen.push(above);
                todo.push(above);
            }
        }
    }
    false
}

/// Entities that own each other would be seen by nobody.
pub(crate) fn owner_rings(resolver: &mut Resolver<'_, '_>) {
    let owners = |place: usize| -> Vec<usize> {
        let entity = &resolver.entities[place];
        let owner = entity.scope.owner.map(|ix| &entity.field(ix).kind);
        match owner {
            Some(FieldType::Link(link)) => vec![usize::from(link.to.0)],
            Some(FieldType::AnyLink { to }) => to.iter().map(|ix| usize::from(ix.0)).collect(),
            _ => Vec::new(),
        }
    };
    let mut rings = Vec::new();
    for place in 0..resolver.entities.len() {
        let mut above = owners(place);
        let mut next = 0;
        while let Some(owner) = above.get(next).copied() {
            next += 1;
            let more = owners(owner);
            above.extend(
                more.into_iter()
                    .filter(|place| !above.contains(place))
                    .collect::<Vec<_>>(),
            );
        }
        if above.contains(&place) {
            rings.push(place);
        }
    }
    for place in rings {
        let node = resolver.node(place);
        let at = node
            .get("scope")
            .map_or(node.at, |scope| scope.place_of("owner"));
        let message = format!(
            "{} would own itself, so nobody would see it",
            resolver.entities[place].name
        );
        resolver.mistakes.error(at, "circular_owners", message);
    }
}

/// Resolves `[permissions.ROLE]` of every entity.
pub(crate) fn permissions(resolver: &mut Resolver<'_, '_>, roles: &BTreeMap<String, RoleSpec>) {
    let all = resolver.all;
    for (place, declared) in all.entities.iter().enumerate() {
        let by_role = declared.node.get("permissions");
        for entry in by_role.map_or(&[][..], Node::table) {
            if known_role(resolver, roles, &entry.key, entry.at) {
                let rights = resolver.role_permissions(place, &entry.node);
                resolver.entities[place]
                    .permissions
                    .insert(entry.key.clone(), rights);
            }
        }
    }
}

impl Resolver<'_, '_> {
    /// Resolves `[scope]`, with what holds where nothing is said.
    pub(crate) fn scope(&mut self, place: usize, node: Option<&Node>) {
        let mut scope = ScopeSpec::default();
        let owner = node.and_then(|node| node.get("owner"));
        if let Some(node) = node {
            scope.own = self.anchors(place, node.get("own"), "user");
            scope.department = self.anchor(place, node.get("department"), "department");
            scope.company = self.anchor(place, node.get("company"), "company");
            scope.owner = owner.and_then(|node| self.owner(place, node));
            scope.write_needs = node.text_of("write_needs").and_then(Action::parse);
            for key in ["own", "department"].iter().filter(|_| owner.is_some()) {
                if let Some(entry) = node.entry(key) {
                    let message =
                        format!("whoever sees the owner sees the record: {key} adds nothing");
                    self.mistakes.error(entry.at, "scope_with_owner", message);
                }
            }
        }
        let entity = &self.entities[place];
        if scope.own.is_empty() && owner.is_none() {
            scope.own.extend(entity.find(system::CREATED_BY));
        }
        scope.company = scope.company.or_else(|| entity.find(system::COMPANY));
        self.entities[place].scope = scope;
    }

    fn anchors(&mut self, place: usize, list: Option<&Node>, to: &str) -> Vec<FieldIx> {
        let items = list.map_or(&[][..], Node::list);
        let anchors = items
            .iter()
            .filter_map(|item| self.anchor(place, Some(item), to));
        anchors.collect()
    }

    fn anchor(&mut self, place: usize, node: Option<&Node>, to: &str) -> Option<FieldIx> {
        let (name, at) = node.and_then(|node| Some((node.text()?, node.at)))?;
        let ix = self.field_ref(place, name, at)?;
        let target = self.all.by_name.get(to).copied().map(index);
        let leads_there = match &self.entities[place].field(ix).kind {
            FieldType::Link(link) => Some(link.to) == target,
            // Several departments or companies of one record are not planned for.
            FieldType::Links(link) => to == "user" && Some(link.to) == target,
            _ => false,
        };
        if leads_there {
            return Some(ix);
        }
        if !self.is_broken(place, ix) {
            self.mistakes
                .error(at, "bad_anchor", format!("{name} is not a link to {to}"));
        }
        None
    }

    fn owner(&mut self, place: usize, node: &Node) -> Option<FieldIx> {
        let name = node.text()?;
        let ix = self.field_ref(place, name, node.at)?;
        match &self.entities[place].field(ix).kind {
            FieldType::Link(link) if link.to != index(place) => Some(ix),
            FieldType::AnyLink { .. } => Some(ix),
            _ => {
                if !self.is_broken(place, ix) {
                    let message =
                        format!("{name} is not a link to a record that could own this one");
                    self.mistakes.error(node.at, "bad_anchor", message);
                }
                None
            }
        }
    }

    fn role_permissions(&mut self, place: usize, node: &Node) -> RolePermissions {
        let mut rights = RolePermissions::default();
        for entry in node.table() {
            let Some(action) = Action::parse(&entry.key) else {
                continue;
            };
            self.check_log_action(place, action, entry.at);
            let reach = entry.node.get("scope").unwrap_or(&entry.node);
            let Some(scope) = reach.text().and_then(Scope::parse) else {
                continue;
            };
            self.require_anchor(place, scope, reach.at);
            let condition = self.condition(entry.node.get("where"));
            rights
                .actions
                .insert(action, Permission { scope, condition });
        }
        let fields = node.get("fields");
        for entry in fields.map_or(&[][..], Node::table) {
            let Some(ix) = self.field_ref(place, &entry.key, entry.at) else {
                continue;
            };
            let right = match entry.node.text() {
                Some("read") => FieldRight::Read,
                Some("mask") => FieldRight::Mask,
                Some("hidden") => FieldRight::Hidden,
                _ => continue,
            };
            rights.fields.insert(ix, right);
        }
        if let Some(entry) = node.entry("fields").filter(|_| rights.actions.is_empty()) {
            let message = "rights on fields give nothing to a role without any action here";
            self.mistakes.warn(entry.at, "idle_rights", message);
        }
        rights
    }

    fn check_log_action(&mut self, place: usize, action: Action, at: Place) {
        if self.entities[place].kind == EntityKind::Log && !LOG_ACTIONS.contains(&action) {
            let message = "a log is written by its engine only";
            self.mistakes.error(at, "log", message);
        }
    }

    /// A scope without the field it reads would give nothing, silently.
    fn require_anchor(&mut self, place: usize, scope: Scope, at: Place) {
        let entity = &self.entities[place];
        let (is_there, key) = match scope {
            Scope::All => return,
            Scope::Own => (!entity.scope.own.is_empty(), "own"),
            Scope::Department => (entity.scope.department.is_some(), "department"),
            // Without companies (as in a small test) there is one, and it is everything.
            Scope::Company => (
                entity.scope.company.is_some() || !self.all.by_name.contains_key("company"),
                "company",
            ),
        };
        if is_there {
            return;
        }
        let name = &entity.name;
        let hint = if entity.scope.owner.is_some() {
            "its owner bounds it: say \"all\" or \"company\"".to_owned()
        } else {
            format!("say {key} in [scope]")
        };
        let message = format!("{name} has nothing that makes a record belong to the scope {key}");
        self.mistakes
            .error_hint(at, "no_anchor", message, Some(hint));
    }

    /// `COLLECTION.ACTION.SCOPE` of a role.
    fn named_permission(&mut self, text: &str, at: Place) -> Option<(String, Action, Scope)> {
        let parts: Vec<&str> = text.split('.').collect();
        let [collection, action, scope] = parts[..] else {
            let message =
                format!("“{text}” is not COLLECTION.ACTION.SCOPE, such as sites.view.company");
            self.mistakes.error(at, "bad_permission", message);
            return None;
        };
        let entity = self
            .entities
            .iter()
            .position(|entity| entity.collection == collection);
        if entity.is_none() {
            let message = format!("there is no collection “{collection}”");
            let hint = did_you_mean(
                collection,
                self.entities.iter().map(|e| e.collection.as_str()),
            );
            self.mistakes
                .error_hint(at, "unknown_collection", message, hint);
        }
        let known_action = Action::parse(action);
        if known_action.is_none() {
            let message = format!("there is no action “{action}”");
            let hint = did_you_mean(action, Action::NAMES.map(|(name, _)| name));
            self.mistakes.error_hint(at, "unknown_word", message, hint);
        }
        let known_scope = Scope::parse(scope);
        if known_scope.is_none() {
            let message = format!("there is no scope “{scope}”");
            let hint = did_you_mean(scope, super::keys::SCOPES.iter().copied());
            self.mistakes.error_hint(at, "unknown_word", message, hint);
        }
        let (entity, action, scope) = (entity?, known_action?, known_scope?);
        self.check_log_action(entity, action, at);
        self.require_anchor(entity, scope, at);
        Some((collection.to_owned(), action, scope))
    }
}
