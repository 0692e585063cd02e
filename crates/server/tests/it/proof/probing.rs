//! What is asked of the operations that every entity has.

use std::collections::BTreeSet;

use http::Method;
use opsflux_model::predicate::operators;
use opsflux_model::schema::{Entity, EntityIx, FieldIx, FieldType};
use opsflux_records::Operation;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value as Json, json};

use super::probes::Turn;
use super::readers::{both, is_kept};
use super::sample;
use super::wire::Asked;
use super::world::{Differs, HIDDEN, MORE, SHOWN, World};

/// The probes of one entity.
pub struct Probe<'w> {
    pub world: &'w World,
    pub ix: EntityIx,
}

/// A record that nobody has.
const NOBODYS: u32 = 77;

impl Probe<'_> {
    /// What is asked of one operation; nothing when there is no probe of it.
    pub fn of(&self, operation: &Operation) -> Option<(Turn, Vec<Asked>)> {
        let entity = self.entity();
        let verb = operation.name.strip_prefix(&format!("{}_", entity.name))?;
        let ids = self.ids();
        let each = |suffix: &str| -> Vec<Asked> {
            let paths = ids.iter().map(|id| Asked::get(format!("{id}{suffix}")));
            paths.collect()
        };
        let posts = |suffix: &str, body: &Json| -> Vec<Asked> {
            let paths = ids
                .iter()
                .map(|id| Asked::post(format!("{id}/{suffix}"), body));
            paths.collect()
        };
        Some(match (operation.method.as_str(), verb) {
            ("GET", "list") => (
                Turn::Reading,
                self.lists(&format!("/{}", entity.collection)),
            ),
            ("GET", "get") => (Turn::Reading, self.gets()),
            ("GET", "history") => {
                let mut asked = each("/history");
                asked.push(Asked::get(format!("{}/history?limit=1", ids[0])));
                (Turn::Reading, asked)
            }
            ("GET", "comments" | "files") => (Turn::Reading, each(&format!("/{verb}?total=true"))),
            ("GET", _) if verb.ends_with("_list") => (Turn::Reading, self.nested(operation)?),
            ("POST", "create") => (Turn::Writing, self.creates()),
            ("PATCH", "update") => (Turn::Writing, self.updates()),
            ("POST", "bulk") => (Turn::Writing, self.bulks()),
            ("POST", "comment") => (Turn::Writing, posts("comments", &json!({"body": "Seen"}))),
            ("POST", "attach") => {
                let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; \
                            filename=\"n.txt\"\r\n\r\nn\r\n--b--\r\n";
                let attach = |id: &String| Asked {
                    method: Method::POST,
                    body: form.to_owned(),
                    ..Asked::get(format!("{id}/files"))
                        .header("content-type", "multipart/form-data; boundary=b")
                };
                (Turn::Writing, ids.iter().map(attach).collect())
            }
            ("DELETE", "delete") => {
                let records = [HIDDEN, MORE, NOBODYS, self.victim()];
                let mut asked: Vec<Asked> = records
                    .map(|record| Asked::delete(self.path(record)))
                    .into();
                asked.push(Asked::delete(self.path(1)).header("if-match", "\"0\""));
                (Turn::Deleting, asked)
            }
            ("POST", "restore") => {
                let records = [HIDDEN, MORE, NOBODYS, self.victim()];
                let restore =
                    |record| Asked::post(format!("{}/restore", self.path(record)), &json!({}));
                (Turn::Leaving, records.map(restore).into())
            }
            _ => return None,
        })
    }

    fn entity(&self) -> &Entity {
        self.world.schema.entity(self.ix)
    }

    fn path(&self, record: u32) -> String {
        self.world.path(self.ix, record)
    }

    /// A record that only what is hidden may hold on to: whether it can go is the same in both.
    fn victim(&self) -> u32 {
        match self.world.differs {
            Differs::Fields(_) => 2,
            Differs::Company => 1,
        }
    }

    /// Records one may know of, that one may not, and that nobody knows of.
    fn ids(&self) -> Vec<String> {
        [1, 2, HIDDEN, MORE, NOBODYS]
            .map(|record| self.path(record))
            .into()
    }

    fn fields(&self) -> Vec<FieldIx> {
        let entity = self.entity();
        let kept = entity.iter().filter(|(field, _)| is_kept(entity, *field));
        kept.map(|(field, _)| field).collect()
    }

    /// The fields whose values the readers of this world may not read.
    fn hidden(&self) -> Vec<FieldIx> {
        let all = self.fields().into_iter();
        all.filter(|field| self.world.keeps(self.ix, *field))
            .collect()
    }

    /// Whether it is known which fields the readers read: what one may not read is refused, with
    /// whatever it is asked together.
    fn knows_fields(&self) -> bool {
        matches!(self.world.differs, Differs::Fields(_))
    }

    fn open(&self) -> Vec<FieldIx> {
        let all = self.fields().into_iter();
        all.filter(|field| !self.world.keeps(self.ix, *field))
            .collect()
    }

    /// A value of the first world as a parameter has it: of a record whose field is hidden, or of
    /// a hidden record.
    fn asked_for(&self, ix: EntityIx, field: FieldIx) -> Option<Json> {
        let record = if self.world.keeps(ix, field) {
            1
        } else {
            HIDDEN
        };
        match &self.world.schema.entity(ix).field(field).kind {
            FieldType::Link(link) | FieldType::Links(link) => {
                Some(json!(sample::id(link.to, record)))
            }
            _ => both(self.world, ix, field, record)[0].clone(),
        }
    }

    pub fn lists(&self, path: &str) -> Vec<Asked> {
        let entity = self.entity();
        let mut queries: Vec<String> = [
            "",
            "limit=1&total=true",
            "limit=500&sort=-id&total=true",
            "deleted=true&total=true",
            "cursor=nonsense",
        ]
        .map(str::to_owned)
        .into();
        for field in self.hidden() {
            let declared = entity.field(field);
            let name = &declared.name;
            queries.push(format!("sort={name}&fields=id"));
            let Some(value) = self.asked_for(self.ix, field).as_ref().and_then(plain) else {
                continue;
            };
            let value = encoded(&value);
            let op = operators(&declared.kind)
                .first()
                .map_or("eq", |op| op.name());
            queries.push(format!("{name}[{op}]={value}&total=true&fields=id"));
            if declared.search.is_some() {
                queries.push(format!("q={value}&total=true&fields=id"));
            }
            if is_linking(&declared.kind) {
                queries.push(format!("expand={name}&limit=3"));
            }
        }
        let open = self.open();
        // Values that only hidden records have are asked for together: none is there. Few values
        // that others have too are asked for one by one.
        let (mut rare, mut tests) = (Vec::new(), Vec::new());
        for field in &open {
            let declared = entity.field(*field);
            let Some(value) = self.asked_for(self.ix, *field) else {
                continue;
            };
            let canary = sample::canary(self.world.spot(self.ix, *field, HIDDEN));
            for (place, op) in operators(&declared.kind).iter().enumerate() {
                let op = op.name();
                let value = value_of(op, &value);
                let test = json!({"field": declared.name, "op": op, "value": value});
                let finds = ["eq", "in", "contains", "starts_with", "ends_with"].contains(&op);
                if !self.knows_fields() || is_linking(&declared.kind) {
                    if place == 0 {
                        queries.push(filter(&test));
                    }
                } else if finds && canary.is_some() {
                    rare.push(test);
                } else {
                    tests.push(test);
                }
            }
            if let (Some(_), Some(text)) = (&declared.search, plain(&value)) {
                queries.push(format!("q={}&total=true&fields=id", encoded(&text)));
            }
        }
        let beyond = self.beyond();
        if self.knows_fields() {
            rare.extend(beyond);
        } else {
            queries.extend(beyond.iter().map(filter));
        }
        for parts in rare.chunks(40) {
            queries.push(filter(&json!({"any": parts})));
            queries.push(filter(&json!({"not": {"any": parts}})));
        }
        for parts in tests.chunks(60) {
            queries.push(filter(&json!({"any": parts})));
        }
        let sorts: Vec<&String> = open
            .iter()
            .map(|field| &entity.field(*field).name)
            .collect();
        queries.extend(sorts.iter().map(|name| format!("sort={name}&fields=id")));
        let linking = open
            .iter()
            .filter(|field| is_linking(&entity.field(**field).kind));
        let linking: Vec<&str> = linking
            .map(|field| entity.field(*field).name.as_str())
            .collect();
        if !linking.is_empty() {
            queries.push(format!("expand={}", linking.join(",")));
        }
        queries.extend(self.closed());
        let asked = queries
            .iter()
            .map(|query| Asked::get(format!("{path}?{query}")));
        asked.collect()
    }

    /// Tests of fields beyond links, of values that only hidden records have.
    fn beyond(&self) -> Vec<Json> {
        let mut seen = BTreeSet::new();
        let mut tests = Vec::new();
        for (name, to) in self.ways() {
            let target = self.world.schema.entity(to);
            let is_new = seen.insert(to);
            for (field, declared) in target.iter().filter(|(field, _)| is_kept(target, *field)) {
                if self.world.keeps(to, field) || (!is_new && field != target.title) {
                    continue;
                }
                let ops = operators(&declared.kind);
                let value = both(self.world, to, field, HIDDEN)[0].clone();
                if let (Some(op), Some(value), Some(_)) = (
                    ops.first(),
                    value,
                    sample::canary(self.world.spot(to, field, HIDDEN)),
                ) {
                    let path = format!("{name}.{}", declared.name);
                    tests.push(json!({"field": path, "op": op.name(), "value": value}));
                }
            }
        }
        tests
    }

    /// Hidden fields beyond links, one by one.
    fn closed(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut queries = Vec::new();
        for (name, to) in self.ways() {
            let target = self.world.schema.entity(to);
            let is_new = seen.insert(to);
            for (field, declared) in target.iter().filter(|(field, _)| is_kept(target, *field)) {
                let of_title = field == target.title;
                if !self.world.keeps(to, field) || !(is_new || of_title) {
                    continue;
                }
                let path = format!("{name}.{}", declared.name);
                let value = self.asked_for(to, field).as_ref().and_then(plain);
                let op = operators(&declared.kind)
                    .first()
                    .map_or("eq", |op| op.name());
                let value = encoded(&value.unwrap_or_default());
                queries.push(format!("{path}[{op}]={value}&total=true&fields=id"));
                if of_title {
                    queries.push(format!("sort={path}&fields=id"));
                }
            }
        }
        queries
    }

    /// Links one may follow, with where they lead.
    fn ways(&self) -> Vec<(String, EntityIx)> {
        let entity = self.entity();
        let mut ways = Vec::new();
        for field in self.open() {
            let declared = entity.field(field);
            if let FieldType::Link(link) | FieldType::Links(link) = &declared.kind {
                ways.push((declared.name.clone(), link.to));
            }
        }
        let related = entity.related.iter();
        let followed = related.filter(|r| !self.world.keeps(r.entity, r.via));
        ways.extend(followed.map(|r| (r.name.clone(), r.entity)));
        ways
    }

    fn gets(&self) -> Vec<Asked> {
        let entity = self.entity();
        let mut asked: Vec<Asked> = self.ids().into_iter().map(Asked::get).collect();
        for record in [1, HIDDEN, NOBODYS] {
            let id = self.path(record);
            asked.push(Asked::get(&id).header("if-none-match", "\"1\""));
            asked.push(Asked::get(format!("{id}?deleted=true")));
        }
        let id = self.path(2);
        for field in self.hidden() {
            let declared = entity.field(field);
            asked.push(Asked::get(format!("{id}?fields={}", declared.name)));
        }
        for field in self.fields() {
            let declared = entity.field(field);
            if is_linking(&declared.kind) {
                asked.push(Asked::get(format!("{id}?expand={}", declared.name)));
            }
        }
        asked
    }

    /// A list below a record.
    fn nested(&self, operation: &Operation) -> Option<Vec<Asked>> {
        let rest = operation.path.rsplit('/').next()?;
        self.entity().find_related(&rest.replace('-', "_"))?;
        let asked = [1, HIDDEN, NOBODYS].map(|record| {
            let id = self.path(record);
            Asked::get(format!("{id}/{rest}?total=true"))
        });
        Some(asked.into())
    }

    fn creates(&self) -> Vec<Asked> {
        let entity = self.entity();
        let path = format!("/{}", entity.collection);
        let mut asked = vec![Asked::post(&path, &json!({}))];
        let mut all = self.together(&self.body(80));
        for (place, body) in all.iter_mut().enumerate() {
            body["id"] = json!(sample::id(self.ix, 100 + u32::try_from(place).unwrap_or(0)));
            asked.push(Asked::post(&path, body));
        }
        // The same id again, of what is hidden; and the same twice by its key.
        let mut body = self.body(81);
        body["id"] = json!(sample::id(self.ix, HIDDEN));
        asked.push(Asked::post(&path, &body));
        for _ in 0..2 {
            let key = format!("key-{}", entity.name);
            asked.push(Asked::post(&path, &self.body(82)).header("idempotency-key", key));
        }
        asked
    }

    /// Bodies with hidden values and links to hidden records: all wrong fields are told at once.
    fn together(&self, base: &Json) -> Vec<Json> {
        let entity = self.entity();
        let mut bodies = Vec::new();
        for side in [0, 1] {
            let mut body = base.clone();
            for field in self.hidden() {
                if let Some(value) = both(self.world, self.ix, field, 1)[side].clone() {
                    body[&entity.field(field).name] = value;
                }
            }
            bodies.push(body);
        }
        for record in [HIDDEN, MORE, NOBODYS] {
            let mut body = base.clone();
            for field in self.open() {
                let declared = entity.field(field);
                match &declared.kind {
                    FieldType::Link(link) => {
                        body[&declared.name] = json!(sample::id(link.to, record))
                    }
                    FieldType::Links(link) => {
                        body[&declared.name] = json!([sample::id(link.to, record)])
                    }
                    FieldType::AnyLink { .. } => {
                        let (to, _) = self
                            .world
                            .schema
                            .iter()
                            .find(|(_, e)| e.comments)
                            .expect("one");
                        let name = &self.world.schema.entity(to).name;
                        body[&declared.name] =
                            json!({"entity": name, "id": sample::id(to, record)});
                    }
                    _ => {}
                }
            }
            bodies.push(body);
        }
        // What is unique may be taken by what one may not see.
        for field in self.open() {
            let declared = entity.field(field);
            let unique = declared.unique || entity.unique.iter().any(|key| key.contains(&field));
            // Each world is asked for its own: that a value is taken may be said, but not by what.
            let spot = self.world.spot(self.ix, field, HIDDEN);
            if unique
                && sample::canary(spot).is_some()
                && let Some(value) = sample::value(spot)
            {
                let mut body = base.clone();
                body[&declared.name] = value;
                bodies.push(body);
            }
        }
        bodies
    }

    /// What is needed of a new record and no more.
    fn body(&self, record: u32) -> Json {
        let entity = self.entity();
        let mut body = json!({"id": sample::id(self.ix, record)});
        for (field, declared) in entity.iter() {
            if !declared.required || declared.readonly || declared.system {
                continue;
            }
            let value = match &declared.kind {
                FieldType::Link(link) => Some(json!(sample::id(link.to, 1))),
                FieldType::AnyLink { to } => {
                    let to = to.first().copied().or_else(|| self.world.holder(self.ix));
                    let to = to.expect("a target");
                    let name = &self.world.schema.entity(to).name;
                    Some(json!({"entity": name, "id": sample::id(to, 1)}))
                }
                _ => sample::value(self.world.spot(self.ix, field, record)),
            };
            if let Some(value) = value {
                body[&declared.name] = value;
            }
        }
        body
    }

    fn updates(&self) -> Vec<Asked> {
        let mut asked = Vec::new();
        let path = self.path(1);
        for (place, mut body) in self.together(&json!({})).into_iter().enumerate() {
            asked.push(Asked::patch(&path, &body));
            if place < 3 {
                body["base_version"] = json!(1);
                asked.push(Asked::patch(&path, &body));
            }
        }
        for id in self.ids() {
            asked.push(Asked::patch(&id, &json!({"odd": 1})).header("if-match", "\"0\""));
        }
        asked.push(Asked::patch(&path, &json!({})).header("if-match", "\"0\""));
        asked
    }

    fn bulks(&self) -> Vec<Asked> {
        let path = format!("/{}/bulk", self.entity().collection);
        let one = |record| {
            let id = self.world.made.get(&(self.ix, record)).cloned();
            let id = id.unwrap_or_else(|| sample::id(self.ix, record).to_string());
            json!({"op": "update", "id": id, "version": 1, "data": {}})
        };
        let gone = |record| json!({"op": "delete", "id": sample::id(self.ix, record)});
        let some = SHOWN.into_iter().chain([HIDDEN, MORE, NOBODYS]);
        let all: Vec<Json> = some.map(one).collect();
        let each = json!({"atomic": false, "operations": all});
        let deletes =
            json!({"atomic": false, "operations": [gone(HIDDEN), gone(MORE), gone(NOBODYS)]});
        let whole = json!({"operations": all});
        let shown = json!({"operations": SHOWN.map(one)});
        let key = format!("bulk-{}", self.entity().name);
        vec![
            Asked::post(&path, &each),
            Asked::post(&path, &deletes),
            Asked::post(&path, &whole),
            Asked::post(&path, &shown).header("idempotency-key", &key),
            Asked::post(&path, &shown).header("idempotency-key", &key),
        ]
    }
}

fn is_linking(kind: &FieldType) -> bool {
    matches!(
        kind,
        FieldType::Link(_) | FieldType::Links(_) | FieldType::AnyLink { .. }
    )
}

fn filter(condition: &Json) -> String {
    format!(
        "filter={}&total=true&fields=id",
        encoded(&condition.to_string())
    )
}

/// The value that goes with an operator.
fn value_of(op: &str, value: &Json) -> Json {
    let one = match value {
        Json::Array(items) => items.first().cloned().unwrap_or_default(),
        Json::Object(object) => object
            .get("amount")
            .cloned()
            .unwrap_or_else(|| value.clone()),
        other => other.clone(),
    };
    match op {
        "is_empty" => json!(false),
        "in" | "not_in" => json!([one]),
        _ => one,
    }
}

pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A value as a parameter has it.
fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        Json::Array(items) => items.first().and_then(plain),
        Json::Object(object) => object.get("amount").and_then(plain),
        Json::Null => None,
    }
}
