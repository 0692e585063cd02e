//! What many operations share: problems, labels, histories, headers.

use opsflux_model::schema::{EntityKind, Schema};
use opsflux_records::entity::schema_name;
use serde_json::{Map, Value as Json, json};

use crate::problem::MEDIA_TYPE;

/// What a reader should know before the first call.
pub const DESCRIPTION: &str = "Records of every declared entity, and what can be done with them.\n\n\
    Names are snake_case, paths kebab-case, times RFC 3339 in UTC, decimals exact. \
    Wherever a record is addressed, its number is accepted besides its id.\n\n\
    Lists are filtered by `FIELD=value` and `FIELD[op]=value` with op in `eq ne gt gte lt lte contains \
    starts_with ends_with in not_in is_empty`; FIELD may be a dotted path through links \
    (`assigned_group.name`). Conditions that need more than that go into `filter` as JSON.\n\n\
    Refusals are RFC 9457 problems. 503 with Retry-After may answer anything while the database does not.";

/// The statuses every problem may have, with the name of their response.
pub const PROBLEMS: [(u16, &str, &str); 14] = [
    (
        400,
        "BadRequest",
        "The address, a header or the form of the body is not valid",
    ),
    (401, "Unauthenticated", "Not signed in, or not any more"),
    (403, "Forbidden", "Known, but not allowed"),
    (
        404,
        "NotFound",
        "There is no such thing, or none the caller may know of",
    ),
    (406, "NotAcceptable", "There is no such form of the answer"),
    (409, "Conflict", "The state of things is against it"),
    (
        410,
        "Gone",
        "The history no longer reaches back so far, or rights changed: read again",
    ),
    (
        412,
        "PreconditionFailed",
        "The record has another version; it is in the answer",
    ),
    (413, "TooLarge", "The body is too large"),
    (414, "AddressTooLong", "The address is too long"),
    (
        415,
        "UnsupportedMedia",
        "The content type is not understood",
    ),
    (416, "RangeNotSatisfiable", "The file has no such range"),
    (
        422,
        "Invalid",
        "Fields of the body are not valid, every one of them named",
    ),
    (429, "TooMany", "Too many requests"),
];

pub fn schemas(schema: &Schema) -> Map<String, Json> {
    let mut all = Map::new();
    let mut add = |name: &str, described: Json| {
        all.insert(name.to_owned(), described);
    };
    add("Problem", problem());
    add(
        "Labels",
        json!({
            "type": "object", "additionalProperties": false,
            "description": "Titles of the records that links point at, by id, where the caller may read them",
            "patternProperties": {
                "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$": {"type": "string"},
            },
        }),
    );
    add(
        "Can",
        json!({
            "type": "object", "additionalProperties": false,
            "description": "What the caller may do with this record",
            "properties": {"edit": {"type": "boolean"}, "delete": {"type": "boolean"}},
        }),
    );
    add("HistoryPage", history());
    add("BulkResults", bulk_results(schema));
    add("NewComment", new_comment());
    all
}

fn problem() -> Json {
    let text = json!({"type": "string"});
    let error = json!({
        "type": "object", "additionalProperties": false, "required": ["field", "code", "message"],
        "properties": {"field": text, "code": text, "message": text},
    });
    let conflict = json!({
        "type": "object", "additionalProperties": false,
        "required": ["field", "base", "yours", "theirs"],
        "properties": {"field": text, "base": {}, "yours": {}, "theirs": {}},
    });
    json!({
        "type": "object", "additionalProperties": false,
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": text, "status": {"type": "integer"}, "detail": text,
            "instance": text, "request_id": text,
            "errors": {"type": "array", "items": error},
            "conflicts": {"type": "array", "items": conflict},
            "parameter": text, "code": text, "field": text, "entity": text, "guard": text,
            "count": {"type": "integer"}, "index": {"type": "integer"},
            "allowed": {"type": "array", "items": text},
            "confirm_token": text,
            "current": {"description": "The record as it is"},
            "problem": {"$ref": "#/components/schemas/Problem"},
        },
    })
}

fn history() -> Json {
    let text = json!({"type": "string"});
    let maybe = json!({"type": ["string", "null"]});
    let id = json!({"type": "string", "format": "uuid"});
    let actor = json!({
        "type": ["object", "null"], "additionalProperties": false, "required": ["id", "name"],
        "properties": {"id": id, "name": maybe},
    });
    let change = json!({
        "type": "object", "additionalProperties": false, "required": ["field", "before", "after"],
        "properties": {"field": text, "before": {}, "after": {}},
    });
    let entry = json!({
        "type": "object", "additionalProperties": false,
        "required": ["id", "at", "actor", "action", "changes", "result"],
        "properties": {
            "id": id, "at": {"type": "string", "format": "date-time"}, "actor": actor,
            "action": text, "source": maybe, "result": text, "reason": maybe,
            "changes": {"type": "array", "items": change},
        },
    });
    json!({
        "type": "object", "additionalProperties": false,
        "required": ["items", "labels", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": entry},
            "labels": {"$ref": "#/components/schemas/Labels"},
            "next_cursor": maybe,
        },
    })
}

fn bulk_results(schema: &Schema) -> Json {
    let records = schema
        .entities
        .iter()
        .filter(|entity| entity.kind == EntityKind::Record);
    let mut any: Vec<Json> = records
        .map(|entity| json!({"$ref": format!("#/components/schemas/{}", schema_name(entity))}))
        .collect();
    any.push(json!({"type": "null"}));
    let result = json!({
        "type": "object", "additionalProperties": false, "required": ["status"],
        "properties": {
            "status": {"type": "integer"},
            "record": {"anyOf": any},
            "problem": {"$ref": "#/components/schemas/Problem"},
        },
    });
    json!({
        "type": "object", "additionalProperties": false, "required": ["results"],
        "properties": {"results": {"type": "array", "items": result}},
    })
}

fn new_comment() -> Json {
    json!({
        "type": "object", "additionalProperties": false, "required": ["body"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "body": {"type": "string", "minLength": 1, "maxLength": 100_000},
            "internal": {"type": "boolean"},
        },
    })
}

pub fn responses() -> Map<String, Json> {
    PROBLEMS
        .iter()
        .map(|(status, name, about)| {
            let schema = json!({"schema": {"$ref": "#/components/schemas/Problem"}});
            let mut response = json!({"description": about, "content": {MEDIA_TYPE: schema}});
            if *status == 429 {
                response["headers"] =
                    json!({"Retry-After": {"$ref": "#/components/headers/RetryAfter"}});
            }
            ((*name).to_owned(), response)
        })
        .collect()
}

pub fn parameters() -> Json {
    let header = |name: &str, schema: Json, about: &str| json!({"name": name, "in": "header", "schema": schema, "description": about});
    json!({
        "IdempotencyKey": header(
            "Idempotency-Key",
            json!({"type": "string", "minLength": 1, "maxLength": 255}),
            "The same key and body are executed once in 24 hours and answered alike",
        ),
        "IfMatch": header(
            "If-Match",
            json!({"type": "string", "pattern": "^\"[0-9]{1,18}\"$"}),
            "The version the record must have, as in ETag",
        ),
        "IfNoneMatch": header(
            "If-None-Match",
            // Whatever names no version is known to nobody, which is no mistake.
            json!({"type": "string"}),
            "The version the caller has, as in ETag; then 304",
        ),
        "Confirm": header(
            "X-Confirm",
            json!({"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}),
            "The confirm_token of the question that was answered with yes",
        ),
    })
}

pub fn headers() -> Json {
    json!({
        "RetryAfter": {
            "description": "Seconds until another try makes sense",
            "schema": {"type": "integer", "minimum": 1},
        },
        "ETag": {"description": "The version of the record", "schema": {"type": "string"}},
        "Location": {
            "description": "Where the new record is",
            "schema": {"type": "string", "format": "uri-reference"},
        },
    })
}
