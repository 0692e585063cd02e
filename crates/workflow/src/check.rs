//! What a workflow asks of the schema: entities, fields, states, actions and names that exist, as
//! far as the one who writes it may know them.

use std::collections::BTreeSet;

use opsflux_model::predicate::{Binder, Variables};
use opsflux_model::schema::{EntityIx, FieldType, Schema};
use opsflux_model::{Access, Condition, Op};
use serde_json::{Map, Value as Json};

use crate::action::{Input, Signature};
use crate::facts;
use crate::flow::{
    ActionStep, Flow, ListenStep, Mistake, OnRecord, Step, StepKind, Trigger, WaitStep,
};
use crate::scope::RECORD;
use crate::template;

/// Names every template knows.
const KNOWN: [&str; 6] = ["now", "today", "trigger", "steps", "workflow", "execution"];

/// Checks workflows for one writer.
pub(crate) struct Check<'a> {
    pub schema: &'a Schema,
    /// What the writer may do; the house sees all.
    pub access: Option<&'a Access>,
    pub variables: &'a Variables,
    pub actions: &'a [Signature],
    /// Whether it is done before a record is saved.
    before: bool,
    /// Whether what is looked at may name secrets.
    hands_on: bool,
    mistakes: Vec<Mistake>,
}

impl<'a> Check<'a> {
    pub fn new(
        schema: &'a Schema,
        access: Option<&'a Access>,
        variables: &'a Variables,
        actions: &'a [Signature],
    ) -> Check<'a> {
        Check {
            schema,
            access,
            variables,
            actions,
            before: false,
            hands_on: false,
            mistakes: Vec::new(),
        }
    }

    /// Every mistake of a workflow.
    pub fn all(mut self, flow: &Flow) -> Vec<Mistake> {
        let mut entities = BTreeSet::new();
        self.before = flow.triggers.iter().any(Trigger::is_before);
        for trigger in &flow.triggers {
            match trigger {
                Trigger::Record(on) => entities.extend(self.trigger(on)),
                Trigger::Before { entity, changed } => {
                    let found = self.named(entity);
                    for name in changed {
                        if found.is_some_and(|ix| !self.knows(ix, name)) {
                            self.wrong("trigger.changed", "unknown_field", name);
                        }
                    }
                    entities.extend(found);
                }
                Trigger::Moment(on) => {
                    let found = self.named(&on.entity);
                    let moment = found.is_some_and(|ix| self.is_moment(ix, &on.field));
                    if found.is_some() && !moment {
                        self.wrong("trigger.field", "unknown_field", &on.field);
                    }
                    entities.extend(found);
                }
                _ => {
                    entities.extend(trigger.entity().and_then(|name| self.named(name)));
                }
            }
        }
        for (trigger, limits) in flow.triggers.iter().zip(&flow.limits) {
            if let Trigger::Hook(on) = trigger
                && let Some(record) = &on.record
            {
                self.names(
                    &Json::from(record.as_str()),
                    "trigger.record",
                    &BTreeSet::new(),
                    &[],
                );
            }
            for (at, text) in limits.texts() {
                let at = format!("trigger.{at}");
                self.names(&Json::from(text), &at, &entities, &[]);
            }
        }
        self.conditions(&entities, &flow.when, "conditions");
        let mut items = Vec::new();
        self.steps(&flow.steps, &entities, &mut items);
        self.mistakes
    }

    fn wrong(&mut self, at: &str, code: &'static str, detail: &str) {
        self.mistakes.push(Mistake::new(at, code, detail));
    }

    /// An entity the writer may know of.
    fn entity(&self, name: &str) -> Option<EntityIx> {
        let ix = self.schema.find(name)?;
        let known = self
            .access
            .is_none_or(|access| access.may(ix, opsflux_model::Action::View));
        known.then_some(ix)
    }

    fn named(&mut self, name: &str) -> Option<EntityIx> {
        let found = self.entity(name);
        if found.is_none() {
            self.wrong("trigger.entity", "unknown_entity", name);
        }
        found
    }

    fn is_moment(&self, entity: EntityIx, field: &str) -> bool {
        let declared = self.schema.entity(entity);
        let kind = declared.find(field).map(|ix| &declared.field(ix).kind);
        self.knows(entity, field) && matches!(kind, Some(FieldType::DateTime | FieldType::Date))
    }

    fn trigger(&mut self, on: &OnRecord) -> Option<EntityIx> {
        let ix = self.named(&on.entity)?;
        let entity = self.schema.entity(ix);
        for name in &on.changed {
            if !self.knows(ix, name) {
                self.wrong("trigger.changed", "unknown_field", name);
            }
        }
        let states: Vec<&str> = entity
            .states
            .iter()
            .map(|state| state.name.as_str())
            .collect();
        if on.event == crate::flow::Event::StateChanged && states.is_empty() {
            self.wrong("trigger.type", "no_states", &on.entity);
        }
        for (key, names) in [("trigger.from", &on.from), ("trigger.to", &on.to)] {
            for name in names {
                if !states.contains(&name.as_str()) {
                    self.wrong(key, "not_an_option", &states.join(", "));
                }
            }
        }
        Some(ix)
    }

    fn knows(&self, entity: EntityIx, field: &str) -> bool {
        let Some(ix) = self.schema.entity(entity).find(field) else {
            return false;
        };
        self.access
            .is_none_or(|access| access.may_refer(entity, ix))
    }

    /// A condition on records of these entities, of which there may be none.
    fn conditions(&mut self, entities: &BTreeSet<EntityIx>, condition: &Condition, at: &str) {
        for entity in entities {
            self.condition(*entity, condition, at);
        }
        if entities.is_empty() {
            self.of_nothing(condition, at);
        }
    }

    /// A condition where there is no record: only facts can be asked.
    fn of_nothing(&mut self, condition: &Condition, at: &str) {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                for part in parts {
                    self.of_nothing(part, at);
                }
            }
            Condition::Not(part) => self.of_nothing(part, at),
            Condition::Test { field, op, .. } if facts::is_fact(field) => self.fact(field, *op, at),
            Condition::Test { field, .. } => self.wrong(at, "unknown_field", field),
        }
    }

    fn fact(&mut self, field: &str, op: Op, at: &str) {
        if !facts::fits(op) {
            let why = format!("{field}: “{}” cannot be asked of it", op.name());
            self.wrong(at, "invalid_condition", &why);
        }
    }

    fn condition(&mut self, entity: EntityIx, condition: &Condition, at: &str) {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                for part in parts {
                    self.condition(entity, part, at);
                }
            }
            Condition::Not(part) => self.condition(entity, part, at),
            Condition::Test { field, op, .. } if facts::is_fact(field) => self.fact(field, *op, at),
            Condition::Test { field, op, value } => {
                // What changed is asked of the change; the value as if it were compared.
                let (op, value) = match op {
                    Op::Changed => (Op::IsEmpty, &Json::Bool(true)),
                    Op::ChangedFrom | Op::ChangedTo => (Op::Eq, value),
                    other => (*other, value),
                };
                let test = Condition::Test {
                    field: field.clone(),
                    op,
                    value: value.clone(),
                };
                let binder = Binder {
                    schema: self.schema,
                    access: self.access,
                    variables: self.variables,
                };
                if let Err(error) = binder.bind(entity, &test) {
                    self.wrong(at, "invalid_condition", &error.to_string());
                }
            }
        }
    }

    fn steps<'f>(
        &mut self,
        steps: &'f [Step],
        entities: &BTreeSet<EntityIx>,
        items: &mut Vec<&'f str>,
    ) {
        for step in steps {
            let at = format!("steps.{}", step.id);
            match &step.kind {
                StepKind::Action(action) => self.action(action, &at, entities, items),
                StepKind::Branch { cases, .. } => {
                    for case in cases {
                        self.conditions(entities, &case.when, &at);
                    }
                }
                StepKind::ForEach { list, .. } => self.names(list, &at, entities, items),
                StepKind::Wait(WaitStep::Until(text)) => {
                    self.names(&Json::from(text.as_str()), &at, entities, items);
                }
                StepKind::Wait(WaitStep::For(_)) | StepKind::Parallel { .. } => {}
                StepKind::Listen(listen) => self.listen(listen, &at, entities),
                StepKind::Repeat(repeat) => self.conditions(entities, &repeat.holds, &at),
                StepKind::Call(call) => {
                    let inputs = Json::Object(call.inputs.clone());
                    self.names(&inputs, &at, entities, items);
                    if let Some(record) = &call.record {
                        self.names(record, &at, entities, items);
                    }
                }
                StepKind::Approval(approval) => {
                    self.names(&approval.approvers, &at, entities, items);
                    if let Some(above) = &approval.escalate_to {
                        self.names(above, &at, entities, items);
                    }
                    for text in [&approval.title, &approval.message].into_iter().flatten() {
                        self.names(&Json::from(text.as_str()), &at, entities, items);
                    }
                }
                StepKind::Stop { message, .. } => {
                    let text = message.as_deref().unwrap_or_default();
                    self.names(&Json::from(text), &at, entities, items);
                }
            }
            let named = match &step.kind {
                StepKind::ForEach { name, .. } => Some(name.as_str()),
                _ => None,
            };
            items.extend(named);
            for block in step.blocks() {
                self.steps(block, entities, items);
            }
            if named.is_some() {
                items.pop();
            }
        }
    }

    /// What is listened for must be there, and lead to the record.
    fn listen(&mut self, step: &ListenStep, at: &str, entities: &BTreeSet<EntityIx>) {
        let Some(on) = &step.event else {
            if entities.is_empty() {
                self.wrong(at, "no_record", "");
            }
            return self.conditions(entities, &step.when, at);
        };
        let Some(ix) = self.entity(&on.entity) else {
            return self.wrong(at, "unknown_entity", &on.entity);
        };
        for name in &on.changed {
            if !self.knows(ix, name) {
                self.wrong(at, "unknown_field", name);
            }
        }
        self.condition(ix, &step.when, at);
        match &step.link {
            Some(link) => {
                let entity = self.schema.entity(ix);
                let kind = entity.find(link).map(|field| &entity.field(field).kind);
                let leads =
                    matches!(kind, Some(FieldType::Link(link)) if entities.contains(&link.to));
                if !self.knows(ix, link) || !leads {
                    self.wrong(&format!("{at}.link"), "unknown_field", link);
                }
            }
            None if entities.contains(&ix) => {}
            None => self.wrong(&format!("{at}.link"), "required", ""),
        }
    }

    fn action(
        &mut self,
        step: &ActionStep,
        at: &str,
        entities: &BTreeSet<EntityIx>,
        items: &[&str],
    ) {
        let Some(action) = self.actions.iter().find(|known| known.name == step.action) else {
            let known: Vec<&str> = self.actions.iter().map(|known| known.name).collect();
            self.wrong(at, "unknown_action", &known.join(", "));
            return;
        };
        let inputs: &[Input] = action.inputs;
        for input in inputs.iter().filter(|input| input.required) {
            if step.params.get(input.name).is_none_or(Json::is_null) {
                self.wrong(&format!("{at}.{}", input.name), "required", "");
            }
        }
        for name in step.params.keys() {
            if !inputs.iter().any(|input| input.name == name) {
                self.wrong(&format!("{at}.{name}"), "unknown_field", "");
            }
        }
        self.hands_on = crate::vault::HAND_ON.contains(&step.action.as_str());
        self.names(&Json::Object(step.params.clone()), at, entities, items);
        self.hands_on = false;
        if matches!(step.action.as_str(), "update_field") {
            self.fields(&step.params, at, entities);
        }
    }

    /// Fields that are set must be there.
    fn fields(&mut self, params: &Map<String, Json>, at: &str, entities: &BTreeSet<EntityIx>) {
        let set = params.get("set").and_then(Json::as_object);
        let named = set
            .into_iter()
            .flat_map(|set| set.keys().map(String::as_str));
        let one = params.get("field").and_then(Json::as_str);
        let names: Vec<String> = named.chain(one).map(str::to_owned).collect();
        for name in names {
            for entity in entities {
                if !name.contains("{{") && !self.knows(*entity, &name) {
                    self.wrong(&format!("{at}.{name}"), "unknown_field", "");
                }
            }
        }
    }

    /// The names that stand for the record.
    fn own(&self, entities: &BTreeSet<EntityIx>) -> Vec<&'a str> {
        let names = entities
            .iter()
            .map(|ix| self.schema.entity(*ix).name.as_str());
        names.chain(RECORD).collect()
    }

    /// The names in texts must be there.
    fn names(&mut self, json: &Json, at: &str, entities: &BTreeSet<EntityIx>, items: &[&str]) {
        let mut names = BTreeSet::new();
        if let Err((at, why)) = template::names(json, at, &mut names) {
            self.wrong(&at, "invalid_template", &why);
            return;
        }
        if self.before
            && let Some(away) = crate::before::leads_away(&names, &self.own(entities))
        {
            self.wrong(at, "not_before_saving", &away);
        }
        for name in names {
            let (root, rest) = name.split_once('.').unwrap_or((&name, ""));
            if KNOWN.contains(&root) || items.contains(&root) {
                continue;
            }
            if root == crate::vault::ROOT && self.hands_on && !rest.is_empty() {
                continue;
            }
            for entity in entities {
                let own = self.schema.entity(*entity).name == root || RECORD.contains(&root);
                let path = if own { rest } else { name.as_str() };
                if !path.is_empty() && !self.leads(*entity, path) {
                    self.wrong(at, "unknown_variable", &name);
                    break;
                }
            }
            if entities.is_empty() {
                self.wrong(at, "unknown_variable", &name);
            }
        }
    }

    /// Whether a dotted name leads to a field, through links.
    fn leads(&self, entity: EntityIx, path: &str) -> bool {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        if !self.knows(entity, name) {
            return false;
        }
        let declared = self.schema.entity(entity);
        let Some(ix) = declared.find(name) else {
            return false;
        };
        match (&declared.field(ix).kind, rest) {
            (_, "") => true,
            (FieldType::Link(link), rest) => self.leads(link.to, rest),
            // What is inside a value is known when it is there.
            (
                FieldType::Json
                | FieldType::Money { .. }
                | FieldType::Links(_)
                | FieldType::AnyLink { .. }
                | FieldType::Geo,
                _,
            ) => true,
            _ => false,
        }
    }
}
