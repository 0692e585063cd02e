//! How a world gets its records: over the API as people do, and those that only engines write, as
//! engines do.

use http::{Method, StatusCode};
use opsflux_model::schema::{Entity, EntityIx, EntityKind, FieldType, Rollup, system};
use opsflux_model::{Value, wire};
use opsflux_store::{Commit, Write};
use serde_json::{Map, Value as Json, json};

use super::sample::{self, Spot, Variant};
use super::wire::Asked;
use super::world::{Differs, HIDDEN, MORE, PASSING, SHOWN, World};
use crate::support::Server;

impl World {
    pub(super) async fn fill(&mut self, server: &Server) {
        let entities = self.entities();
        for ix in &entities {
            self.create(*ix).await;
        }
        for ix in &entities {
            for record in SHOWN.into_iter().chain([HIDDEN, MORE]) {
                if self.schema.entity(*ix).files && self.has(*ix, record) {
                    self.attach(*ix, record).await;
                }
            }
        }
        for ix in &entities {
            self.link(*ix).await;
        }
        for ix in &entities {
            self.move_on(*ix).await;
            self.quarrel(*ix, 1).await;
            self.quarrel(*ix, HIDDEN).await;
        }
        self.log(server).await;
    }

    /// The records of one entity, by one request; what a rule does not accept is left out.
    async fn create(&mut self, ix: EntityIx) {
        let entity = self.schema.clone();
        let entity = entity.entity(ix);
        let mut bodies = Vec::new();
        for record in SHOWN.into_iter().chain([HIDDEN, MORE]) {
            if self.has(ix, record) {
                bodies.push(self.body(ix, record));
                let id = sample::id(ix, record).to_string();
                self.made.insert((ix, record), id);
            }
        }
        let path = format!("/{}", entity.collection);
        self.persist(ix, "create", &path, bodies).await;
    }

    fn body(&self, ix: EntityIx, record: u32) -> Map<String, Json> {
        let entity = self.schema.entity(ix);
        let id = sample::id(ix, record).to_string();
        let mut body = Map::from_iter([("id".to_owned(), json!(id))]);
        for (field, declared) in entity.iter() {
            if declared.readonly || declared.system {
                continue;
            }
            let needed = declared.required || sample::is_needed(entity, &declared.name);
            let value = match &declared.kind {
                FieldType::Link(link) if needed => {
                    let record = sample::beside(entity, &declared.name, record);
                    Some(self.its_like(link.to, record))
                }
                FieldType::AnyLink { to } if needed => self.any(ix, to, record),
                _ => sample::value(self.spot(ix, field, record)),
            };
            body.extend(value.map(|value| (declared.name.clone(), value)));
        }
        let elsewhere = matches!(self.differs, Differs::Company) && !SHOWN.contains(&record);
        if elsewhere && entity.name != "company" && entity.scope.company.is_some() {
            let company = self.schema.find("company").expect("companies");
            body.insert("company".to_owned(), json!(sample::id(company, HIDDEN)));
        }
        body
    }

    /// The record of `to` with the same number; where there is none, one that all may know of.
    fn its_like(&self, to: EntityIx, record: u32) -> Json {
        let record = if self.has(to, record) { record } else { 1 };
        json!(sample::id(to, record))
    }

    /// The value of an open link.
    fn any(&self, ix: EntityIx, to: &[EntityIx], record: u32) -> Option<Json> {
        let to = to.first().copied().or_else(|| self.holder(ix))?;
        let entity = &self.schema.entity(to).name;
        Some(json!({"entity": entity, "id": sample::id(to, record)}))
    }

    /// Sends `bodies` in one request, and those that are refused by themselves until nothing in
    /// them is.
    async fn persist(
        &mut self,
        ix: EntityIx,
        op: &str,
        path: &str,
        bodies: Vec<Map<String, Json>>,
    ) {
        let schema = self.schema.clone();
        let entity = schema.entity(ix);
        let known = self.unset.get(&ix).cloned().unwrap_or_default();
        let mut bodies = bodies;
        for body in &mut bodies {
            body.retain(|name, _| !known.contains(name));
        }
        let operations = bodies.iter().map(|body| {
            let mut one = json!({"op": op, "data": body});
            if op == "update" {
                one["id"] = body["id"].clone();
                one["data"].as_object_mut().expect("data").remove("id");
            }
            one
        });
        let operations: Vec<Json> = operations.collect();
        let asked = Asked::post(
            format!("/{}/bulk", entity.collection),
            &json!({"atomic": false, "operations": operations}),
        );
        let said = self.admin.ask(&asked).await;
        let results = said.json()["results"].clone();
        for (place, body) in bodies.into_iter().enumerate() {
            let status = results[place]["status"].as_u64().unwrap_or(0);
            if !(200..300).contains(&status) {
                let (method, path) = match op {
                    "update" => (Method::PATCH, format!("{path}/{}", text(&body["id"]))),
                    _ => (Method::POST, path.to_owned()),
                };
                self.insist(ix, method, &path, body).await;
            }
        }
    }

    /// Sends `body` until nothing in it is refused, leaving out what a rule does not accept.
    async fn insist(&mut self, ix: EntityIx, method: Method, path: &str, body: Map<String, Json>) {
        let schema = self.schema.clone();
        let entity = schema.entity(ix);
        let mut body = body;
        if method == Method::PATCH {
            body.remove("id");
        }
        loop {
            let asked = Asked::with(method.clone(), path, &Json::Object(body.clone()));
            let said = self.admin.ask(&asked).await;
            if said.status.is_success() {
                return;
            }
            let named = said.json()["errors"].as_array().cloned();
            let before = body.len();
            for error in &named.unwrap_or_default() {
                let field = text(&error["field"]);
                let field = field.split('.').next().unwrap_or_default();
                if body.remove(field).is_some() && !is_link(entity, field) {
                    self.unset.entry(ix).or_default().push(field.to_owned());
                }
            }
            assert!(
                body.len() < before,
                "no sample of “{}” that its rules accept: give it one in proof/sample.rs\n{}\n{}",
                entity.name,
                Json::Object(body),
                said.raw
            );
        }
    }

    async fn attach(&mut self, ix: EntityIx, record: u32) {
        let file = self.schema.find("file").expect("files");
        let schema = self.schema.clone();
        let name = schema.entity(file).find("name").expect("a name");
        let digest = schema.entity(file).find("sha256").expect("a digest");
        let record_of_file = u32::from(ix.0) * 16 + record;
        let word = |spot, add| {
            sample::word(Spot {
                record: record_of_file + add,
                ..spot
            })
        };
        let mut bytes = self.spot(file, digest, record);
        // Whoever sees a file reads it, whatever he is told about it.
        if SHOWN.contains(&record) {
            bytes.variant = Variant::Shared;
        }
        let (name, content) = (word(self.spot(file, name, record), 0), word(bytes, 1));
        let form = format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n\
             {content}\r\n--b--\r\n"
        );
        let asked = Asked {
            method: Method::POST,
            body: form,
            ..Asked::get(format!("{}/files", self.path(ix, record)))
                .header("content-type", "multipart/form-data; boundary=b")
        };
        let said = self.admin.ask(&asked).await;
        assert_eq!(said.status, StatusCode::CREATED, "{}", said.raw);
        let id = text(&said.json()["items"][0]["id"]);
        self.made.entry((file, record)).or_insert(id);
    }

    /// Where a link of a record leads that need not be there: to what all may know of, and from
    /// there to what is hidden. It is filled in both worlds alike, which one may know.
    fn target(&self, ix: EntityIx, to: EntityIx, variant: Variant, record: u32) -> Option<u32> {
        let target = match (variant, record) {
            (Variant::Other, 1 | 2) => 0,
            (Variant::Shared, 2) if self.made.contains_key(&(to, HIDDEN)) => HIDDEN,
            _ => 1,
        };
        // A roll-up counts, whoever may see: it is a fact of the record it stands on.
        let counts = |rollup: &Rollup| rollup.rows == ix && rollup.entity == to;
        let counted = record >= HIDDEN && self.schema.rollups.iter().any(counts);
        // Without rings: the second of a kind leads nowhere.
        ((to != ix || record > 1) && !counted).then_some(target)
    }

    async fn link(&mut self, ix: EntityIx) {
        let schema = self.schema.clone();
        let entity = schema.entity(ix);
        if sample::one_of_several(entity) {
            return;
        }
        let mut bodies = Vec::new();
        for record in [1, 2, HIDDEN, MORE] {
            let Some(id) = self.made.get(&(ix, record)) else {
                continue;
            };
            let mut body = Map::from_iter([("id".to_owned(), json!(id))]);
            for (field, declared) in entity.iter() {
                if declared.required || declared.readonly || declared.system {
                    continue;
                }
                let to = match &declared.kind {
                    FieldType::Link(link) | FieldType::Links(link) => link.to,
                    _ => continue,
                };
                let variant = self.variant(ix, field, record);
                let Some(target) = self.target(ix, to, variant, record) else {
                    continue;
                };
                let id = json!(sample::id(to, target));
                let is_set = declared.kind.is_set();
                let value = if is_set { json!([id]) } else { id };
                body.insert(declared.name.clone(), value);
            }
            if body.len() > 1 {
                bodies.push(body);
            }
        }
        if !bodies.is_empty() {
            let path = format!("/{}", entity.collection);
            self.persist(ix, "update", &path, bodies).await;
        }
    }

    /// States, which nobody chooses at the beginning.
    async fn move_on(&mut self, ix: EntityIx) {
        let entity = self.schema.entity(ix);
        let Some(field) = entity.state_field() else {
            return;
        };
        let FieldType::State { initial } = &entity.field(field).kind else {
            return;
        };
        let from = entity.states.iter().find(|state| state.name == *initial);
        let targets = from.map(|state| state.to.clone()).unwrap_or_default();
        let to = match self.variant(ix, field, 2) {
            // Where nothing else is filled that would not be otherwise.
            Variant::Other => targets.get(2).or(targets.last()),
            _ => targets.first(),
        };
        if let Some(to) = to {
            // A rule may want more than the state: then it stays as it is.
            let body = json!({entity.field(field).name.clone(): to});
            self.admin.ask(&Asked::patch(self.path(ix, 2), &body)).await;
        }
    }

    /// A field that had another value, and somebody who did not know: what history and the audit
    /// keep of both.
    async fn quarrel(&mut self, ix: EntityIx, record: u32) {
        let entity = self.schema.entity(ix);
        let mut fields = entity.iter().filter(|(field, declared)| {
            let picked = record == HIDDEN || self.keeps(ix, *field);
            let text = matches!(
                declared.kind,
                FieldType::LongText { .. } | FieldType::RichText { .. }
            ) || matches!(&declared.kind, FieldType::Text { max, pattern, .. }
                    if *max > 20 && pattern.is_none());
            picked && text && !declared.readonly && !declared.system
        });
        let Some((field, declared)) = fields.next() else {
            return;
        };
        let refused = self
            .unset
            .get(&ix)
            .is_some_and(|u| u.contains(&declared.name));
        if !self.made.contains_key(&(ix, record)) || sample::is_made_of_rules(entity) || refused {
            return;
        }
        let spot = self.spot(ix, field, record);
        let word = |record| sample::word(Spot { record, ..spot });
        let own = sample::value(spot);
        let path = self.path(ix, record);
        let body = json!({declared.name.clone(): word(PASSING)});
        self.done(&Asked::patch(&path, &body)).await;
        let body = json!({declared.name.clone(): word(PASSING + 1), "base_version": 1});
        let refused = Asked::patch(&path, &body).from(ix, record);
        let said = self.admin.ask(&refused).await;
        assert_eq!(said.status, StatusCode::CONFLICT, "{}", said.raw);
        let body = json!({declared.name.clone(): own});
        self.done(&Asked::patch(&path, &body)).await;
    }

    /// Rows of logs, written as their engines write them: over by now, so that no engine goes on.
    async fn log(&mut self, server: &Server) {
        let mut commit = Commit {
            tenant: self.tenant,
            ..Commit::default()
        };
        let known = self.entities();
        for ix in self.ordered(EntityKind::Log, known.clone()) {
            if known.contains(&ix) {
                continue;
            }
            for record in SHOWN.into_iter().chain([HIDDEN, MORE]) {
                if self.has(ix, record) {
                    let values = self.row(ix, record);
                    commit.writes.push(Write::Insert { entity: ix, values });
                    let id = sample::id(ix, record).to_string();
                    self.made.insert((ix, record), id);
                }
            }
        }
        let store = server.running.app.records.store();
        let done = store.commit(commit).await;
        done.unwrap_or_else(|error| panic!("no sample of a log: {error:?}"));
    }

    fn row(&self, ix: EntityIx, record: u32) -> Vec<(opsflux_model::FieldIx, Value)> {
        let entity = self.schema.entity(ix);
        let mut row = Vec::new();
        for (field, declared) in entity.iter() {
            let variant = self.variant(ix, field, record);
            let json = match (&declared.kind, declared.name.as_str()) {
                (_, system::ID) => Some(json!(sample::id(ix, record))),
                (_, system::CREATED_AT) => {
                    Some(json!(format!("2031-01-0{}T00:00:00Z", record + 1)))
                }
                (_, "company") if entity.scope.company == Some(field) => {
                    let company = self.schema.find("company").expect("companies");
                    match self.differs {
                        Differs::Company if !SHOWN.contains(&record) => {
                            Some(json!(sample::id(company, HIDDEN)))
                        }
                        _ => Some(json!(self.home)),
                    }
                }
                _ if declared.system => None,
                (FieldType::Link(link), _) if declared.required => {
                    Some(self.its_like(link.to, record))
                }
                (FieldType::Link(link), _) => self
                    .target(ix, link.to, variant, record)
                    .map(|target| json!(sample::id(link.to, target))),
                (FieldType::Links(link), _) => self
                    .target(ix, link.to, variant, record)
                    .map(|target| json!([sample::id(link.to, target)])),
                (FieldType::AnyLink { to }, _) => self.any(ix, to, record),
                _ => sample::value(self.spot(ix, field, record)),
            };
            let value = json.and_then(|json| wire::parse(&declared.kind, &json).ok());
            row.extend(value.map(|value| (field, value)));
        }
        row
    }
}

fn is_link(entity: &Entity, field: &str) -> bool {
    let kind = entity.find(field).map(|field| &entity.field(field).kind);
    matches!(kind, Some(FieldType::Link(_) | FieldType::Links(_)))
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}
