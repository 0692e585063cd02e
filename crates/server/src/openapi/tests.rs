//! What programs rely on in the document.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use opsflux_model::schema::Schema;
use opsflux_records::Needs;

use super::*;
use crate::http::test_support::operation;

fn tickets() -> Schema {
    let ticket = r#"
name = "ticket"
collection = "tickets"
kind = "record"
title = "title"
icon = "ticket"
number = "TIC-{seq:06}"
[fields]
title = { type = "text", required = true, max = 200, search = "high" }
priority = { type = "choice", options = ["low", "high"], default = "low", required = true }
status = { type = "state", initial = "new" }
parent = { type = "link", to = "ticket", inverse = "children" }
cost = { type = "decimal", precision = 8, scale = 2 }
tags = { type = "tags", max = 5 }
closed_at = { type = "datetime", readonly = true }
pin = { type = "secret" }
[states]
new = { to = ["done"], category = "open", color = "blue" }
done = { to = ["new"], category = "done", color = "green" }
[permissions.user]
view = "all"
create = "all"
"#;
    Schema::from_declarations(&[ticket], "[user]\n").unwrap_or_else(|found| panic!("{found:?}"))
}

fn operations() -> Vec<Operation> {
    let reference = |name: &str| {
        Some((
            "application/json".to_owned(),
            json!({"$ref": format!("#/components/schemas/{name}")}),
        ))
    };
    let mut list = operation("ticket_list", Method::GET, "/tickets");
    list.needs = Needs::Session;
    list.query = vec![
        (
            "limit".to_owned(),
            json!({"type": "integer"}),
            "Rows".to_owned(),
        ),
        ("*".to_owned(), json!({"type": "string"}), String::new()),
    ];
    list.output = (StatusCode::OK, reference("TicketPage"));
    let mut create = operation("ticket_create", Method::POST, "/tickets");
    create.needs = Needs::Session;
    create.input = reference("TicketCreate");
    create.output = (StatusCode::CREATED, reference("Ticket"));
    create.problems = vec![StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY];
    let mut get = operation("ticket_get", Method::GET, "/tickets/{id}");
    get.needs = Needs::Session;
    get.output = (StatusCode::OK, reference("Ticket"));
    let login = operation("login", Method::POST, "/auth/login");
    vec![list, create, get, login]
}

fn made() -> Json {
    serde_json::from_slice(&document(&tickets(), &operations())).expect("JSON")
}

/// Every value of the document with its place.
fn walk<'a>(at: &str, json: &'a Json, seen: &mut dyn FnMut(&str, &'a Json)) {
    seen(at, json);
    match json {
        Json::Object(object) => {
            for (key, json) in object {
                walk(&format!("{at}/{key}"), json, seen);
            }
        }
        Json::Array(items) => {
            for (place, json) in items.iter().enumerate() {
                walk(&format!("{at}/{place}"), json, seen);
            }
        }
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = made();
    let mut missing = BTreeSet::new();
    walk("", &document, &mut |at, json| {
        if let Some(target) = json.get("$ref").and_then(Json::as_str)
            && document.pointer(target.trim_start_matches('#')).is_none()
        {
            missing.insert(format!("{at} → {target}"));
        }
    });
    // Rooms bring schemas that only their entities have.
    missing.retain(|place| !place.contains("schemas/File"));
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn no_object_takes_what_is_not_named() {
    let document = made();
    let mut open = Vec::new();
    walk("", &document, &mut |at, json| {
        let is_schema =
            json.get("properties").is_some_and(Json::is_object) && json.get("type").is_some();
        if is_schema && json.get("additionalProperties") != Some(&Json::Bool(false)) {
            open.push(at.to_owned());
        }
    });
    assert!(open.is_empty(), "{open:#?}");
}

#[test]
fn answers_are_named_one_by_one_and_none_is_our_failure() {
    let document = made();
    let mut operations = 0;
    for item in document["paths"].as_object().expect("paths").values() {
        for operation in item.as_object().expect("methods").values() {
            operations += 1;
            for status in operation["responses"]
                .as_object()
                .expect("responses")
                .keys()
            {
                assert!(
                    status.parse::<u16>().is_ok_and(|status| status < 500),
                    "{status}"
                );
            }
        }
    }
    assert_eq!(operations, 4);
}

#[test]
fn a_body_for_a_new_record_names_what_it_needs_and_nothing_the_engine_writes() {
    let create = &made()["components"]["schemas"]["TicketCreate"];
    // With a default or an initial state nothing has to be said.
    assert_eq!(create["required"], json!(["title"]));
    let properties = create["properties"].as_object().expect("properties");
    for absent in ["closed_at", "number", "version", "created_at"] {
        assert!(!properties.contains_key(absent), "{absent}");
    }
    assert_eq!(
        properties["title"],
        json!({"type": "string", "maxLength": 200})
    );
    assert_eq!(
        properties["priority"],
        json!({"type": "string", "enum": ["low", "high"]})
    );
    assert_eq!(properties["id"]["format"], "uuid");
    let digits = properties["cost"].pointer("/anyOf/0/anyOf/1/pattern");
    assert_eq!(digits, Some(&json!("^-?[0-9]{1,6}(\\.[0-9]{1,2})?$")));
}

#[test]
fn a_patch_takes_its_base_and_what_joins_or_leaves_a_set() {
    let patch = &made()["components"]["schemas"]["TicketPatch"];
    assert!(patch.get("required").is_none());
    assert!(patch["properties"].get("base_version").is_some());
    let sides = patch["properties"]["tags"]
        .pointer("/anyOf/1/properties")
        .expect("sides");
    assert!(sides.get("add").is_some() && sides.get("remove").is_some());
}

#[test]
fn lists_name_the_fields_they_are_filtered_by() {
    let document = made();
    let list = &document["paths"]["/tickets"]["get"];
    let names: Vec<&str> = list["parameters"]
        .as_array()
        .expect("parameters")
        .iter()
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    assert!(names.contains(&"status") && names.contains(&"limit") && names.contains(&"parent"));
    assert!(
        !names.contains(&"*") && !names.contains(&"pin"),
        "{names:?}"
    );
    let unique: BTreeSet<&&str> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
}

#[test]
fn signing_in_needs_no_session_and_everything_else_does() {
    let document = made();
    assert_eq!(
        document["paths"]["/auth/login"]["post"]["security"],
        json!([])
    );
    assert!(
        document["paths"]["/tickets"]["get"]
            .get("security")
            .is_none()
    );
    assert_eq!(document["security"].as_array().map(Vec::len), Some(2));
}
