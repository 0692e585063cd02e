//! The ways out: what is asked of each operation. An operation that is not known here has no
//! probe, and the proof fails naming it.

use http::Method;
use opsflux_model::schema::EntityIx;
use opsflux_records::Operation;
use serde_json::{Value as Json, json};

use super::probing::{Probe, encoded};
use super::readers::both;
use super::sample::{self, Variant};
use super::wire::Asked;
use super::world::{HIDDEN, MORE, World};

/// When it is asked: what changes nothing first, so that all find the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    Reading,
    Writing,
    Deleting,
    Leaving,
}

/// What is asked of `operation`; nothing when there is no probe of it.
pub fn of(world: &World, operation: &Operation) -> Option<(Turn, Vec<Asked>)> {
    let known = named(world, operation).or_else(|| of_engines(world, operation));
    if let Some(asked) = known.or_else(|| of_figures(operation)) {
        return Some(asked);
    }
    let mut entities = world.schema.iter();
    // Names of entities begin names of others: role, role_field.
    let probes = entities
        .by_ref()
        .filter(|(_, e)| e.collection == operation.tag);
    let mut probes = probes.map(|(ix, _)| Probe { world, ix });
    let asked = probes.next().and_then(|probe| probe.of(operation));
    asked.or_else(|| below_a_record(world, operation))
}

/// Figures of what somebody sees.
fn of_figures(operation: &Operation) -> Option<(Turn, Vec<Asked>)> {
    let known = [
        "/reporting/overview",
        "/reporting/top-risks",
        "/reporting/direction",
    ];
    let asked = Asked::get(&operation.path);
    known
        .contains(&operation.path.as_str())
        .then(|| (Turn::Reading, vec![asked]))
}

/// Whatever stands below single records: each record of each kind in the address is one that may
/// be known, one that may not, and nobody's.
fn below_a_record(world: &World, operation: &Operation) -> Option<(Turn, Vec<Asked>)> {
    let parts: Vec<&str> = operation.path.split('/').skip(1).collect();
    let above = world.schema.find_collection(parts.first()?)?;
    if !parts.get(1)?.starts_with('{') {
        return None;
    }
    let entity = world.schema.entity(above);
    let related = parts.get(2).map(|name| name.replace('-', "_"));
    let below = related
        .and_then(|name| entity.find_related(&name))
        .map(|r| r.entity);
    if parts.len() > 4 || (parts.len() == 4 && below.is_none()) {
        return None;
    }
    let mut paths = Vec::new();
    for record in [1, 2, HIDDEN, MORE, 77] {
        let mut path = world.path(above, record);
        if let Some(name) = parts.get(2) {
            path = format!("{path}/{name}");
        }
        match (parts.len(), below) {
            (4, Some(below)) => paths.extend(
                [record, HIDDEN].map(|record| format!("{path}/{}", sample::id(below, record))),
            ),
            _ => paths.push(path),
        }
    }
    let ask = |path: String| match operation.method {
        Method::GET => Asked::get(path),
        Method::DELETE => Asked::delete(path),
        _ => Asked::with(operation.method.clone(), path, &json!({"odd": 1})),
    };
    let turn = match operation.method {
        Method::GET => Turn::Reading,
        Method::DELETE => Turn::Leaving,
        _ => Turn::Writing,
    };
    Some((turn, paths.into_iter().map(ask).collect()))
}

/// Acts of engines on single records: on one of one's own kind, on one that is hidden, on nobody's.
fn of_engines(world: &World, operation: &Operation) -> Option<(Turn, Vec<Asked>)> {
    let ix = |name: &str| world.schema.find(name);
    let each = |entity: &str, bodies: &[Json]| -> Option<Vec<Asked>> {
        let ix = ix(entity)?;
        let suffix = operation.path.split("{id}").nth(1).unwrap_or_default();
        let mut asked = Vec::new();
        for record in [1, 2, HIDDEN, MORE, 77] {
            let path = format!("{}{suffix}", world.path(ix, record));
            match operation.method {
                Method::GET => asked.push(Asked::get(path)),
                _ => asked.extend(
                    bodies
                        .iter()
                        .map(|body| Asked::with(operation.method.clone(), &path, body)),
                ),
            }
        }
        Some(asked)
    };
    let nothing = [json!({})];
    Some(match operation.name.as_str() {
        "workflow_actions" => (Turn::Reading, vec![Asked::get(&operation.path)]),
        "workflow_stats" => (Turn::Reading, each("workflow", &nothing)?),
        "workflow_execution" => {
            let mut asked = Vec::new();
            for (workflow, execution) in [
                (1, 1),
                (1, HIDDEN),
                (HIDDEN, HIDDEN),
                (HIDDEN, 77),
                (77, 77),
            ] {
                let of = world.path(ix("workflow")?, workflow);
                let id = sample::id(ix("execution")?, execution);
                asked.push(Asked::get(format!("{of}/executions/{id}")));
            }
            (Turn::Reading, asked)
        }
        "workflow_execution_list" | "workflow_executions" => {
            (Turn::Reading, each("workflow", &nothing)?)
        }
        "workflow_replace" | "workflow_activate" => {
            let wrong = [
                json!({"odd": 1}),
                json!({"name": "Seen", "format": "nothing"}),
            ];
            (Turn::Leaving, each("workflow", &wrong)?)
        }
        "workflow_execute" => {
            let ticket = ix("ticket").or_else(|| world.holder(EntityIx(999)))?;
            let entity = &world.schema.entity(ticket).name;
            let of = |record| json!({"entity": entity, "record_id": sample::id(ticket, record)});
            (
                Turn::Leaving,
                each("workflow", &[of(HIDDEN), of(MORE), of(77)])?,
            )
        }
        "execution_cancel" => (Turn::Writing, each("execution", &nothing)?),
        "approval_approve" | "approval_reject" => (Turn::Writing, each("approval", &nothing)?),
        "delivery_retry" | "delivery_settle" => (Turn::Writing, each("delivery", &nothing)?),
        "notification_read" => (Turn::Writing, each("notification", &nothing)?),
        "notification_unread" => (Turn::Reading, vec![Asked::get(&operation.path)]),
        "notification_read_all" | "notification_announce" => (
            Turn::Writing,
            vec![Asked::post(&operation.path, &json!({"title": "x"}))],
        ),
        "job_cancel" => (Turn::Writing, each("job", &nothing)?),
        _ => return None,
    })
}

/// Operations that stand alone.
fn named(world: &World, operation: &Operation) -> Option<(Turn, Vec<Asked>)> {
    let reading = |asked: Vec<Asked>| Some((Turn::Reading, asked));
    let unknown = sample::id(EntityIx(999), 1);
    match operation.name.as_str() {
        "search" => {
            let words = words(world);
            let asked = words
                .iter()
                .map(|word| Asked::get(format!("/search?q={word}&limit=50")));
            reading(asked.collect())
        }
        "meta_app" => reading(vec![Asked::get("/meta/app")]),
        "meta_entities" => reading(vec![Asked::get("/meta/entities")]),
        "openapi" => reading(vec![Asked::get("/openapi.json")]),
        "meta_entity" => {
            let names = world.schema.iter().map(|(_, entity)| &entity.name);
            reading(
                names
                    .map(|name| Asked::get(format!("/meta/entities/{name}")))
                    .collect(),
            )
        }
        "access_explain" => {
            let user = world.schema.find("user")?;
            let explain = |(ix, entity): (EntityIx, &opsflux_model::Entity)| {
                let (user, record) = (sample::id(user, 1), sample::id(ix, HIDDEN));
                let of = &entity.collection;
                Asked::get(format!(
                    "/access/explain?user={user}&collection={of}&record={record}"
                ))
            };
            reading(world.schema.iter().map(explain).collect())
        }
        "access_matrix" => reading(vec![Asked::get("/access/matrix")]),
        "access_preview" | "access_view_as" => {
            let body = json!({"user": unknown, "role": unknown});
            Some((Turn::Writing, vec![Asked::post(&operation.path, &body)]))
        }
        "access_view_as_end" => {
            let asked = match operation.method {
                Method::DELETE => Asked::delete(&operation.path),
                _ => Asked::post(&operation.path, &json!({})),
            };
            Some((Turn::Writing, vec![asked]))
        }
        "file_content" => {
            let file = world.schema.find("file")?;
            let content = |record| format!("{}/content", world.path(file, record));
            let paths = [1, 2, HIDDEN, MORE, 77].map(content);
            let mut asked: Vec<Asked> = paths.iter().map(Asked::get).collect();
            asked.extend(
                paths
                    .iter()
                    .map(|p| Asked::get(p).header("range", "bytes=1-3")),
            );
            asked.extend(
                paths
                    .iter()
                    .map(|p| Asked::get(p).header("range", "bytes=900-")),
            );
            reading(asked)
        }
        "audit_entry_export" => {
            let path = "/audit-entries/export?sort=created_at";
            reading(vec![
                Asked::get(format!("{path}&format=csv")),
                Asked::get(format!("{path}&format=jsonl")),
                Asked::get("/audit-entries/export?after[is_empty]=false"),
            ])
        }
        "audit_entry_verify" => Some((
            Turn::Writing,
            vec![Asked::post("/audit-entries/verify", &json!({}))],
        )),
        // Its probe is `stream` of this folder: it has no end that could be compared.
        "stream" => reading(vec![Asked::get("/stream")]),
        "auth_me" => reading(vec![Asked::get("/auth/me")]),
        "auth_session_list" => reading(vec![Asked::get("/auth/sessions")]),
        "auth_me_update" => {
            let asked = json!({"manager": unknown, "full_name": "Reader again", "odd": 1});
            Some((Turn::Writing, vec![Asked::patch("/auth/me", &asked)]))
        }
        "auth_session_end" => {
            let path = format!("/auth/sessions/{unknown}");
            Some((Turn::Writing, vec![Asked::delete(path)]))
        }
        "auth_password" => {
            let asked = json!({"current_password": "wrong-horse-1-battery", "new_password": "x"});
            Some((Turn::Writing, vec![Asked::post("/auth/password", &asked)]))
        }
        "auth_refresh" => {
            let asked = json!({"refresh_token": "nothing"});
            Some((Turn::Leaving, vec![Asked::post("/auth/refresh", &asked)]))
        }
        // Before a session nobody has rights; an account is taken in one world as in the other.
        "auth_login" => {
            let asked =
                json!({"email": "nobody@nowhere.example", "password": "wrong-horse-1-battery"});
            let way = u32::from(world.side == Variant::Other);
            let asked = Asked::post("/auth/login", &asked).from(EntityIx(250), way);
            Some((Turn::Leaving, vec![asked]))
        }
        "auth_signup" => Some((Turn::Leaving, vec![Asked::post("/auth/signup", &json!({}))])),
        "auth_logout" => Some((Turn::Leaving, Vec::new())),
        _ => None,
    }
}

/// How all texts of one world begin, and those of the other, and those of both; and a few texts
/// whole. Each text of each field is searched for in the list of its entity ([`Probe::lists`]).
fn words(world: &World) -> Vec<String> {
    let mut words: Vec<String> = ["zqa", "zqb", "zqv"].map(str::to_owned).into();
    for name in ["ticket", "user"] {
        let Some(ix) = world.schema.find(name) else {
            continue;
        };
        let title = world.schema.entity(ix).title;
        for record in [1, HIDDEN] {
            let [one, _] = both(world, ix, title, record);
            words.extend(one.iter().filter_map(Json::as_str).map(encoded));
        }
    }
    words
}
