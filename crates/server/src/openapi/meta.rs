//! The schemas of metadata, of search hits and of what an upload answers.

use opsflux_model::schema::RollupOp;
use opsflux_records::Language;
use serde_json::{Map, Value as Json, json};

/// Adds them.
pub fn schemas(all: &mut Map<String, Json>) {
    let mut add = |name: &str, described: Json| {
        all.insert(name.to_owned(), described);
    };
    add("AppMeta", app());
    add("EntityMeta", entity());
    add("FieldMeta", field());
    add("ViewMeta", view());
    add(
        "EntityMetaList",
        object(&[("items", list(reference("EntityMeta")))], &[]),
    );
    add("SearchHits", hits());
    add(
        "Attached",
        object(&[("items", list(reference("File")))], &[]),
    );
}

fn text() -> Json {
    json!({"type": "string"})
}

fn maybe_text() -> Json {
    json!({"type": ["string", "null"]})
}

fn flag() -> Json {
    json!({"type": "boolean"})
}

fn list(items: Json) -> Json {
    json!({"type": "array", "items": items})
}

fn reference(name: &str) -> Json {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object that has all of `always` and may have some of `sometimes`.
fn object(always: &[(&str, Json)], sometimes: &[(&str, Json)]) -> Json {
    let required: Vec<&str> = always.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Json> = always
        .iter()
        .chain(sometimes)
        .map(|(name, described)| ((*name).to_owned(), described.clone()))
        .collect();
    json!({
        "type": "object", "additionalProperties": false,
        "properties": properties, "required": required,
    })
}

/// A map whose keys are names of ours.
fn map(values: &Json) -> Json {
    json!({
        "type": "object", "additionalProperties": false,
        "patternProperties": {"^[a-z][a-z0-9_.]*$": values},
    })
}

fn app() -> Json {
    let company = object(
        &[
            ("id", json!({"type": "string", "format": "uuid"})),
            ("name", text()),
        ],
        &[],
    );
    let user = object(
        &[
            ("id", json!({"type": "string", "format": "uuid"})),
            ("full_name", maybe_text()),
            ("email", maybe_text()),
            ("username", maybe_text()),
            ("language", maybe_text()),
            ("time_zone", maybe_text()),
            ("theme", maybe_text()),
            ("roles", list(text())),
            ("department", maybe_text()),
            ("company", maybe_text()),
        ],
        &[
            ("organization_id", maybe_text()),
            ("role", text()),
            ("is_active", flag()),
            ("sso_id", maybe_text()),
            (
                "viewed_by",
                json!({"anyOf": [
                    object(&[("id", text()), ("full_name", maybe_text())], &[]),
                    {"type": "null"},
                ]}),
            ),
            ("companies", list(company.clone())),
            ("created_at", maybe_text()),
            ("updated_at", maybe_text()),
        ],
    );
    let item = object(
        &[("label", text()), ("icon", maybe_text())],
        &[("entity", text()), ("collection", text()), ("page", text())],
    );
    let menu = object(
        &[
            ("module", text()),
            ("label", text()),
            ("icon", maybe_text()),
            ("items", list(item)),
        ],
        &[],
    );
    let summary = object(
        &[
            ("name", text()),
            ("collection", text()),
            ("label", text()),
            ("label_plural", text()),
            ("icon", maybe_text()),
            ("title_field", maybe_text()),
            ("search", flag()),
            ("can", object(&[("view", flag()), ("create", flag())], &[])),
        ],
        &[],
    );
    object(
        &[
            ("name", text()),
            ("version", text()),
            (
                "mode",
                json!({"type": "string", "enum": ["production", "development"]}),
            ),
            (
                "languages",
                list(json!({"type": "string", "enum": Language::ALL.map(Language::code)})),
            ),
            ("user", user),
            ("companies", list(company)),
            ("menu", list(menu)),
            ("entities", list(summary)),
            ("settings", map(&json!({}))),
        ],
        &[],
    )
}

fn entity() -> Json {
    let actions = ["view", "create", "edit", "delete", "manage", "export"];
    let can: Vec<(&str, Json)> = actions.map(|action| (action, flag())).to_vec();
    let step = object(
        &[
            ("state", text()),
            ("label", text()),
            ("requires", list(text())),
        ],
        &[],
    );
    let state = object(
        &[
            ("value", text()),
            ("label", text()),
            (
                "category",
                json!({"type": "string", "enum": ["open", "active", "waiting", "done", "closed"]}),
            ),
            ("color", text()),
            ("to", list(step)),
        ],
        &[],
    );
    let related = object(
        &[
            ("name", text()),
            ("label", text()),
            ("entity", text()),
            ("collection", text()),
            ("via", text()),
            ("many_to_many", flag()),
        ],
        &[],
    );
    let section = object(
        &[
            ("name", text()),
            ("label", text()),
            ("fields", list(text())),
        ],
        &[],
    );
    object(
        &[
            ("name", text()),
            ("collection", text()),
            ("module", text()),
            ("kind", json!({"type": "string", "enum": ["record", "log"]})),
            ("icon", maybe_text()),
            ("label", text()),
            ("label_plural", text()),
            ("title_field", maybe_text()),
            ("number", flag()),
            ("state_field", maybe_text()),
            ("comments", flag()),
            ("sharing", flag()),
            ("internal_comments", flag()),
            ("files", flag()),
            ("search", flag()),
            ("can", object(&can, &[])),
            ("fields", list(reference("FieldMeta"))),
            ("states", list(state)),
            ("related", list(related)),
            (
                "list",
                object(&[("columns", list(text())), ("sort", list(text()))], &[]),
            ),
            (
                "form",
                object(&[("sections", list(section)), ("quick", list(text()))], &[]),
            ),
            ("views", list(reference("ViewMeta"))),
        ],
        &[],
    )
}

fn view() -> Json {
    object(
        &[
            ("name", text()),
            ("label", text()),
            ("columns", list(text())),
            ("sort", list(text())),
            ("filter", json!({"description": "A condition"})),
        ],
        &[],
    )
}

fn field() -> Json {
    let number_or_digits = json!({"type": ["integer", "string", "null"]});
    let size = json!({"type": ["integer", "null"]});
    let option = object(
        &[("value", text()), ("label", text()), ("color", text())],
        &[],
    );
    object(
        &[
            ("name", text()),
            ("type", text()),
            ("label", text()),
            ("help", maybe_text()),
            ("required", flag()),
            ("writable", flag()),
            ("system", flag()),
            ("default", json!({})),
            ("sortable", flag()),
            ("operators", list(text())),
        ],
        &[
            ("min", number_or_digits.clone()),
            ("max", number_or_digits),
            ("pattern", maybe_text()),
            ("precision", size.clone()),
            ("scale", size.clone()),
            ("unit", maybe_text()),
            ("currency", maybe_text()),
            ("options", list(option)),
            ("initial", text()),
            ("to", json!({"anyOf": [text(), list(text())]})),
            ("to_collection", text()),
            ("where", json!({"description": "A condition, or null"})),
            ("of", text()),
            ("via", text()),
            ("fields", list(reference("FieldMeta"))),
            ("max_size", size),
            ("returns", text()),
            (
                "op",
                json!({"type": "string", "enum": RollupOp::NAMES.map(|(name, _)| name)}),
            ),
        ],
    )
}

fn hits() -> Json {
    let hit = object(
        &[
            ("entity", text()),
            ("collection", text()),
            ("id", json!({"type": "string", "format": "uuid"})),
            ("title", text()),
            ("highlight", maybe_text()),
        ],
        &[("number", maybe_text()), ("label", text())],
    );
    object(&[("items", list(hit))], &[])
}
