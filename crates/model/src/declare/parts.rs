//! What an entity says about its fields: title, uniqueness, indexes, list, form, scope, states.

use super::diagnostic::Place;
use super::resolve::Resolver;
use super::tree::Node;
use crate::lock::Kind;
use crate::schema::{EntityKind, FieldIx, FieldType, FormSpec, SortField, State, system};

impl Resolver<'_, '_> {
    /// Resolves everything but fields, states and permissions.
    pub(crate) fn parts(&mut self, place: usize) {
        let all = self.all;
        let node = &all.entities[place].node;
        self.title(place, node);
        self.log_has_no(place, node);
        let unique = node.get("unique").map_or(&[][..], Node::list);
        for group in unique {
            let fields = self.field_list(place, group);
            for (field, at) in &fields {
                self.require_comparable(place, *field, *at, "unique");
            }
            let fields = fields.into_iter().map(|(field, _)| field).collect();
            self.entities[place].unique.push(fields);
        }
        let indexes = node.get("index").map_or(&[][..], Node::list);
        for declared in indexes {
            let mut fields = Vec::new();
            for (text, at) in declared.text_items() {
                if let Some(sort) = self.sort_field(place, text, at) {
                    self.require_comparable(place, sort.field, at, "index");
                    fields.push(sort);
                }
            }
            self.require(
                !declared.list().is_empty(),
                declared.at,
                "empty_index",
                "an index has fields".into(),
            );
            self.entities[place].indexes.push(fields);
        }
        self.list(place, node.get("list"));
        self.form(place, node.get("form"));
        self.scope(place, node.get("scope"));
    }

    fn title(&mut self, place: usize, node: &Node) {
        let Some((name, at)) = node.get("title").and_then(|n| Some((n.text()?, n.at))) else {
            return;
        };
        let Some(ix) = self.field_ref(place, name, at) else {
            return;
        };
        let kind = &self.entities[place].field(ix).kind;
        let says_nothing = kind.is_write_only()
            || kind.is_set()
            || kind.is_virtual()
            || matches!(
                kind,
                FieldType::Json | FieldType::Geo | FieldType::File { .. } | FieldType::Image { .. }
            );
        if says_nothing && !self.is_broken(place, ix) {
            let message = format!("{name} of type {} does not name a record", kind.name());
            self.mistakes.error(at, "bad_title", message);
        }
        self.entities[place].title = ix;
    }

    /// A log is written by its engine, which has no numbers, conversations or attachments.
    fn log_has_no(&mut self, place: usize, node: &Node) {
        if self.entities[place].kind != EntityKind::Log {
            return;
        }
        for key in ["number", "comments", "files", "sharing"] {
            if let Some(entry) = node.entry(key) {
                self.mistakes
                    .error(entry.at, "log", format!("a log has no {key}"));
            }
        }
    }

    /// The fields a list of names refers to, each once.
    fn field_list(&mut self, place: usize, list: &Node) -> Vec<(FieldIx, Place)> {
        let mut fields: Vec<(FieldIx, Place)> = Vec::new();
        for (name, at) in list.text_items() {
            let Some(ix) = self.field_ref(place, name, at) else {
                continue;
            };
            if fields.iter().any(|(other, _)| *other == ix) {
                self.mistakes
                    .error(at, "duplicate", format!("{name} is there twice"));
            } else {
                fields.push((ix, at));
            }
        }
        fields
    }

    fn plain_list(&mut self, place: usize, list: Option<&Node>) -> Vec<FieldIx> {
        let fields = list.map_or_else(Vec::new, |list| self.field_list(place, list));
        fields.into_iter().map(|(field, _)| field).collect()
    }

    /// A field with an optional `-` before it.
    pub(crate) fn sort_field(&mut self, place: usize, text: &str, at: Place) -> Option<SortField> {
        let name = text.strip_prefix('-');
        let field = self.field_ref(place, name.unwrap_or(text), at)?;
        Some(SortField {
            field,
            descending: name.is_some(),
        })
    }

    /// A list of sort fields, each of a type that has an order.
    pub(crate) fn sort(&mut self, place: usize, list: Option<&Node>) -> Vec<SortField> {
        let mut sorts: Vec<SortField> = Vec::new();
        for (text, at) in list.map_or_else(Vec::new, Node::text_items) {
            let Some(sort) = self.sort_field(place, text, at) else {
                continue;
            };
            let field = self.entities[place].field(sort.field);
            if sorts.iter().any(|other| other.field == sort.field) {
                let message = format!("{} is there twice", field.name);
                self.mistakes.error(at, "duplicate", message);
                continue;
            }
            if !field.kind.is_sortable() && !self.is_broken(place, sort.field) {
                let message = format!(
                    "{} of type {} has no order to sort by",
                    field.name,
                    field.kind.name()
                );
                self.mistakes.error(at, "not_sortable", message);
                continue;
            }
            sorts.push(sort);
        }
        sorts
    }

    /// Columns of a list: anything a cell can show.
    pub(crate) fn columns(&mut self, place: usize, list: Option<&Node>) -> Vec<FieldIx> {
        let fields = list.map_or_else(Vec::new, |list| self.field_list(place, list));
        for (field, at) in &fields {
            let declared = self.entities[place].field(*field);
            if declared.kind.is_write_only() || declared.kind.is_virtual() {
                let message = format!(
                    "{} of type {} cannot be a column",
                    declared.name,
                    declared.kind.name()
                );
                self.mistakes.error(*at, "bad_column", message);
            }
        }
        fields.into_iter().map(|(field, _)| field).collect()
    }

    fn require_comparable(&mut self, place: usize, field: FieldIx, at: Place, what: &str) {
        let declared = self.entities[place].field(field);
        let kind = declared.kind.holds();
        let is_link = matches!(
            kind,
            FieldType::Link(_) | FieldType::AnyLink { .. } | FieldType::Id | FieldType::Color
        );
        let fits = kind.is_sortable() || is_link;
        if !fits && !self.is_broken(place, field) {
            let message = format!(
                "{} of type {} cannot be in {what}",
                declared.name,
                kind.name()
            );
            self.mistakes.error(at, "not_sortable", message);
        }
    }

    fn list(&mut self, place: usize, node: Option<&Node>) {
        let columns = self.columns(place, node.and_then(|node| node.get("columns")));
        let sort = self.sort(place, node.and_then(|node| node.get("sort")));
        let entity = &mut self.entities[place];
        entity.list.columns = if columns.is_empty() {
            vec![entity.title]
        } else {
            columns
        };
        entity.list.sort = sort;
        if entity.list.sort.is_empty()
            && let Some(field) = entity.find(system::CREATED_AT)
        {
            entity.list.sort.push(SortField {
                field,
                descending: true,
            });
        }
    }

    fn form(&mut self, place: usize, node: Option<&Node>) {
        let mut form = FormSpec::default();
        let sections = node.and_then(|node| node.get("sections"));
        let mut seen: Vec<FieldIx> = Vec::new();
        for section in sections.map_or(&[][..], Node::list) {
            let Some(name) = section.text_of("name") else {
                continue;
            };
            if form.sections.iter().any(|(other, _)| other == name) {
                let message = format!("the section “{name}” is there twice");
                self.mistakes
                    .error(section.place_of("name"), "duplicate", message);
            }
            let fields = section
                .get("fields")
                .map_or_else(Vec::new, |list| self.field_list(place, list));
            for (field, at) in &fields {
                if seen.contains(field) {
                    let message = format!(
                        "{} is in two sections",
                        self.entities[place].field(*field).name
                    );
                    self.mistakes.error(*at, "duplicate", message);
                }
                seen.push(*field);
            }
            let fields = fields.into_iter().map(|(field, _)| field).collect();
            form.sections.push((name.to_owned(), fields));
        }
        let declared: Vec<FieldIx> = self.declared_fields(place);
        if form.sections.is_empty() {
            form.sections.push(("main".to_owned(), declared.clone()));
        }
        let quick = node.and_then(|node| node.get("quick"));
        form.quick = self.plain_list(place, quick);
        let needed: Vec<FieldIx> = declared
            .into_iter()
            .filter(|ix| self.must_be_given(place, *ix))
            .collect();
        match quick {
            None => form.quick = needed,
            Some(quick) => self.check_quick(place, quick, &form.quick, &needed),
        }
        self.entities[place].form = form;
    }

    fn declared_fields(&self, place: usize) -> Vec<FieldIx> {
        let fields = self.entities[place].iter();
        fields
            .filter(|(_, field)| !field.system)
            .map(|(ix, _)| ix)
            .collect()
    }

    /// Whether a person who creates a record has to fill it.
    fn must_be_given(&self, place: usize, ix: FieldIx) -> bool {
        let node = self.node(place).get("fields");
        let field = self.entities[place].field(ix);
        let has_default = node
            .and_then(|node| node.get(&field.name))
            .is_some_and(|node| node.get("default").is_some());
        field.required && !field.readonly && !has_default
    }

    fn check_quick(&mut self, place: usize, node: &Node, quick: &[FieldIx], needed: &[FieldIx]) {
        for (name, at) in node.text_items() {
            let entity = &self.entities[place];
            let field = entity.find(name).map(|ix| entity.field(ix));
            if field.is_some_and(|field| field.readonly) {
                let message = format!("{name} is read only, nobody can fill it");
                self.mistakes.error(at, "readonly_in_form", message);
            }
        }
        for ix in needed.iter().filter(|ix| !quick.contains(ix)) {
            let name = &self.entities[place].field(*ix).name;
            let message = format!("{name} is required, so quick needs it");
            self.mistakes.warn(node.at, "quick_incomplete", message);
        }
    }

    /// Resolves `[states]`, which belong to the field of type state.
    pub(crate) fn states(&mut self, place: usize) {
        let all = self.all;
        let node = &all.entities[place].node;
        let fields = node.get("fields").map_or(&[][..], Node::table);
        let mut of_type = fields
            .iter()
            .filter(|e| e.node.text_of("type") == Some("state"));
        let (field, states) = (of_type.next(), node.get("states"));
        for other in of_type {
            self.mistakes.error(
                other.at,
                "second_state",
                "an entity has one field of type state",
            );
        }
        match (field, states) {
            (Some(field), None) => {
                let message = format!("{} has no states: [states] is missing", field.key);
                self.mistakes.error(field.at, "no_states", message);
            }
            (None, Some(_)) => {
                let at = node.entry("states").map_or(node.at, |entry| entry.at);
                self.mistakes
                    .error(at, "no_state_field", "no field is of type state");
            }
            (Some(field), Some(states)) => self.state_machine(place, &field.node, states),
            (None, None) => {}
        }
    }

    fn state_machine(&mut self, place: usize, field: &Node, states: &Node) {
        let name = self.all.entities[place].name.clone();
        let known: Vec<&str> = states
            .table()
            .iter()
            .map(|entry| entry.key.as_str())
            .collect();
        let check = |resolver: &mut Self, state: &str, at| {
            let is_known = known.contains(&state);
            if !is_known {
                let message = format!("there is no state “{state}”");
                let hint = super::diagnostic::did_you_mean(state, known.iter().copied());
                resolver
                    .mistakes
                    .error_hint(at, "unknown_state", message, hint);
            }
            is_known
        };
        let initial = field.text_of("initial").unwrap_or_default();
        let starts = field
            .get("initial")
            .is_some_and(|node| check(self, initial, node.at));
        let mut found = Vec::new();
        for entry in states.table() {
            let mut to = Vec::new();
            for (state, at) in entry.node.texts("to") {
                if check(self, state, at) && state != entry.key {
                    to.push(state.to_owned());
                }
            }
            found.push(State {
                id: self.ids.of(Kind::State, &format!("{name}.{}", entry.key)),
                name: entry.key.clone(),
                category: entry.node.text_of("category").unwrap_or("open").to_owned(),
                color: entry.node.text_of("color").unwrap_or("gray").to_owned(),
                to,
                requires: self.plain_list(place, entry.node.get("requires")),
            });
        }
        if starts {
            let reached = reachable(&found, initial);
            for entry in states.table().iter().filter(|e| !reached.contains(&e.key)) {
                let message = format!("no way leads from {initial} to {}", entry.key);
                self.mistakes.warn(entry.at, "unreachable_state", message);
            }
        }
        self.entities[place].states = found;
    }
}

fn reachable(states: &[State], initial: &str) -> Vec<String> {
    let mut reached = vec![initial.to_owned()];
    let mut next = 0;
    while let Some(name) = reached.get(next).cloned() {
        next += 1;
        let state = states.iter().find(|state| state.name == name);
        for to in state.into_iter().flat_map(|state| &state.to) {
            if !reached.contains(to) {
                reached.push(to.clone());
            }
        }
    }
    reached
}
