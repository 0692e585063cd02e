//! Nothing of one tenant reaches another: whatever of the one is put anywhere into a request of the
//! other is answered as what does not exist.

use std::collections::BTreeMap;

use http::Method;
use opsflux_model::schema::FieldType;
use opsflux_records::Operation;
use serde_json::{Value as Json, json};

use super::probing::encoded;
use super::sample::{self, Variant};
use super::wire::{Asked, Wire, plain};
use super::world::{Differs, HIDDEN, SHOWN, World};
use super::{Forbidden, Leaks, SETTINGS};
use crate::support::{PASSWORD, Server};

/// Where something foreign is put.
const HOLE: &str = "HOLE";

/// Something of the other tenant and what is like it and nobody's.
struct Foreign {
    theirs: String,
    nobodys: String,
    is_cursor: bool,
}

async fn stranger(server: &Server) -> Wire {
    let body = json!({
        "organization_name": "Another house", "full_name": "A Stranger",
        "email": "stranger@elsewhere.example", "password": PASSWORD,
    });
    let made = server.anybody().post("/auth/signup", &body).await;
    let mut client = server.anybody();
    client.token = made.json()["access_token"].as_str().map(str::to_owned);
    Wire::of(server, &client)
}

/// Requests with a hole: in the path, in each parameter, in each field of the body, in headers.
fn holes(world: &World, operation: &Operation) -> Vec<Asked> {
    let unknown = sample::id(opsflux_model::EntityIx(999), 9).to_string();
    let method = operation.method.clone();
    let asked = |path: String, body: &Json| match method == Method::GET || method == Method::DELETE
    {
        true => Asked {
            method: method.clone(),
            ..Asked::get(path)
        },
        false => Asked::with(method.clone(), path, body),
    };
    let mut parts: Vec<&str> = operation.path.split('/').collect();
    let params = parts.iter().filter(|part| part.starts_with('{')).count();
    for part in &mut parts {
        if part.starts_with('{') {
            *part = HOLE;
        }
    }
    let holed = parts.join("/");
    let filled = holed.replace(HOLE, &unknown);
    let mut all = Vec::new();
    if params > 0 {
        all.push(asked(holed.clone(), &json!({})));
        if operation.name.ends_with("_comment") {
            all.push(asked(holed, &json!({"body": "Theirs"})));
        }
    }
    let entity = world.schema.find_collection(&operation.tag);
    let entity = entity.map(|ix| world.schema.entity(ix));
    for (name, ..) in &operation.query {
        match (name.as_str(), entity) {
            ("*", Some(entity)) => {
                // All links at once, and all texts: whichever finds anything shows it.
                for links in [true, false] {
                    let fields = entity.fields.iter().filter(|f| match &f.kind {
                        FieldType::Link(_) | FieldType::Links(_) => links,
                        FieldType::Text { .. } | FieldType::Email => !links,
                        _ => false,
                    });
                    let tests = fields.map(|f| json!({"field": f.name, "op": "eq", "value": HOLE}));
                    let filter = json!({"any": tests.collect::<Vec<_>>()}).to_string();
                    let filter = encoded(&filter);
                    all.push(asked(
                        format!("{filled}?filter={filter}&total=true"),
                        &json!({}),
                    ));
                }
            }
            ("filter", _) => {
                let test = json!({"field": "id", "op": "eq", "value": HOLE}).to_string();
                let filter = encoded(&test);
                all.push(asked(
                    format!("{filled}?filter={filter}&total=true"),
                    &json!({}),
                ));
            }
            ("limit" | "total" | "deleted" | "fields" | "expand" | "sort" | "format", _) => {}
            (name, _) => {
                let rest = match operation.name.as_str() {
                    "access_explain" if name == "record" => "&collection=tickets",
                    "access_explain" => "&collection=tickets&action=view",
                    _ => "",
                };
                all.push(asked(format!("{filled}?{name}={HOLE}{rest}"), &json!({})));
            }
        }
    }
    let verb = entity.and_then(|e| operation.name.strip_prefix(&format!("{}_", e.name)));
    match (entity, verb) {
        (Some(entity), Some("create" | "update")) => {
            let mut body = json!({});
            for field in &entity.fields {
                let value = match &field.kind {
                    FieldType::Link(_) => json!(HOLE),
                    FieldType::Links(_) => json!([HOLE]),
                    FieldType::AnyLink { .. } => json!({"entity": "ticket", "id": HOLE}),
                    _ if field.required && verb == Some("create") => json!("Somebody"),
                    _ => continue,
                };
                body[&field.name] = value;
            }
            all.push(asked(filled.clone(), &body));
            let children = entity
                .fields
                .iter()
                .filter(|f| matches!(f.kind, FieldType::Children { .. }));
            for field in children {
                let rows = json!({&field.name: [{"id": HOLE, "role": HOLE}]});
                all.push(asked(filled.clone(), &rows));
            }
            all.push(asked(filled.clone(), &json!({"id": HOLE})));
        }
        (Some(_), Some("bulk")) => {
            let one = |op: &str| json!({"op": op, "id": HOLE, "data": {}});
            let create = json!({"op": "create", "data": {"id": HOLE}});
            let operations = json!([one("update"), one("delete"), create]);
            let body = json!({"atomic": false, "operations": operations});
            all.push(asked(filled.clone(), &body));
            all.push(asked(
                filled.clone(),
                &json!({"operations": [one("update")]}),
            ));
        }
        _ => {
            let properties = operation
                .input
                .as_ref()
                .map(|(_, schema)| schema["properties"].clone());
            let properties = properties
                .and_then(|p| p.as_object().cloned())
                .unwrap_or_default();
            for name in properties.keys() {
                let mut body = json!({});
                for other in properties.keys() {
                    body[other] = json!(if other == name {
                        HOLE
                    } else {
                        "nobody@nowhere.example"
                    });
                }
                all.push(asked(filled.clone(), &body));
            }
        }
    }
    let mut headers = vec!["opsflux-company"];
    if method != Method::GET {
        headers.extend(["idempotency-key", "x-confirm"]);
    }
    for header in headers {
        all.push(asked(filled.clone(), &json!({})).header(header, HOLE));
    }
    all
}

fn fill(asked: &Asked, with: &str) -> Asked {
    Asked {
        method: asked.method.clone(),
        path: asked.path.replace(HOLE, with),
        headers: asked
            .headers
            .iter()
            .map(|(n, v)| (n.clone(), v.replace(HOLE, with)))
            .collect(),
        body: asked.body.replace(HOLE, with),
        from: asked.from,
    }
}

/// What is of the other tenant, by where it may be tried.
async fn loot(world: &World, operation: &Operation) -> Vec<Foreign> {
    let schema = world.schema.clone();
    let mut loot = Vec::new();
    let mut add = |theirs: String, nobodys: &str| {
        loot.push(Foreign {
            theirs,
            nobodys: nobodys.to_owned(),
            is_cursor: false,
        });
    };
    let nobody = "019fffff-0000-7000-8000-00000000abcd";
    let tag = schema.find_collection(&operation.tag);
    let own = tag.and_then(|ix| world.made.get(&(ix, 1))).cloned();
    add(own.unwrap_or_else(|| world.home.clone()), nobody);
    add(world.home.clone(), nobody);
    if let Some(ix) = tag {
        let entity = schema.entity(ix);
        let path = format!("/{}?limit=1", entity.collection);
        let listed = world.admin.ask(&Asked::get(path)).await.json();
        let first = &listed["items"][0];
        if let Some(number) = first["number"].as_str() {
            let letters = number.split('-').next().unwrap_or_default();
            add(number.to_owned(), &format!("{letters}-999999"));
        }
        if let Some(id) = first["id"].as_str() {
            add(id.to_owned(), nobody);
        }
        add(
            sample::word(world.spot(ix, entity.title, 1)),
            "zqvnobodyhasthis",
        );
    }
    if let Some(ix) = tag {
        let path = format!("/{}?limit=1", schema.entity(ix).collection);
        let listed = world.admin.ask(&Asked::get(path)).await.json();
        if let Some(cursor) = listed["next_cursor"].as_str() {
            loot.push(Foreign {
                theirs: cursor.to_owned(),
                nobodys: "A".repeat(cursor.len()),
                is_cursor: true,
            });
        }
    }
    loot
}

async fn prove(server: &Server) {
    let world = World::make(server, "w90a", Differs::Company, Variant::One).await;
    world.indexed().await;
    let stranger = stranger(server).await;
    // Named by an id of theirs, a record of ours stays ours: ids may repeat.
    let mut forbidden = Forbidden::default();
    for (canary, name) in canaries(&world) {
        forbidden.add(&name, &canary);
    }
    let served = server.running.app.served();
    let mut leaks = Leaks::default();
    let mut count = 0;
    for operation in served.registry.iter() {
        // Signing out would end the attempt; a log-in name is taken for all tenants (409).
        if matches!(
            operation.name.as_str(),
            "auth_logout" | "auth_signup" | "stream"
        ) {
            continue;
        }
        let loot = loot(&world, operation).await;
        for (place, hole) in holes(&world, operation).iter().enumerate() {
            // Everything is tried as a name of a record, elsewhere one thing after the other.
            let of_one = hole.path.contains(HOLE) && !hole.path.contains('?');
            let tried = loot.iter().enumerate().filter(|(at, foreign)| {
                let cursor = hole.path.contains("cursor=");
                of_one || (cursor && foreign.is_cursor) || (!cursor && at % 3 == place % 3)
            });
            for (_, foreign) in tried {
                count += 1;
                let asked = fill(hole, &foreign.theirs);
                let said = stranger.ask(&asked).await;
                let like = stranger.ask(&fill(hole, &foreign.nobodys)).await;
                let bare = |text: &str, echo: &str| plain(&text.replace(echo, "ECHO"), "w90a");
                let (one, other) = (
                    bare(&said.raw, &foreign.theirs),
                    bare(&like.raw, &foreign.nobodys),
                );
                // What its own tenant's audit holds grows with every question.
                if one != other && operation.name != "audit_entry_verify" {
                    leaks.add(
                        "a stranger",
                        &operation.name,
                        &asked,
                        format!("{one}\n-- and of nobody:\n{other}"),
                    );
                }
                if let Some((word, name)) = forbidden.in_text(&said.raw, &asked.question()) {
                    let what = format!("shows {name}, “{word}”:\n{}", said.raw);
                    leaks.add("a stranger", &operation.name, &asked, what);
                }
                if of_one && !said.status.is_client_error() {
                    let what = format!("answers {}", said.status);
                    leaks.add("a stranger", &operation.name, &asked, what);
                }
            }
        }
    }
    eprintln!("{count} requests of a stranger");
    leaks.there_are_none();
}

#[tokio::test]
async fn nothing_of_one_tenant_reaches_another_on_sqlite() {
    let server = Server::start(&SETTINGS).await;
    prove(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn nothing_of_one_tenant_reaches_another_on_postgresql() {
    let server = Server::on_postgres(&SETTINGS).await;
    prove(&server).await;
    server.stop().await;
}

fn canaries(world: &World) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (ix, entity) in world.schema.iter() {
        for (field, declared) in entity.iter() {
            for record in SHOWN.into_iter().chain([HIDDEN]) {
                let name = format!("{}.{} of record {record}", entity.name, declared.name);
                all.extend(sample::canary(world.spot(ix, field, record)).map(|c| (c, name)));
            }
        }
    }
    all.extend(world.made.iter().map(|((ix, record), id)| {
        (
            id.clone(),
            format!("the id of {} {record}", world.schema.entity(*ix).name),
        )
    }));
    all
}
