//! Workflows that modules bring ready to be taken.

use std::path::Path;

use http::StatusCode;
use opsflux_server::modules;
use serde_json::{Value as Json, json};

use super::id;
use crate::support::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn one_is_taken_as_a_draft_in_ones_language_and_says_what_the_list_said() {
    on_both(async |server| {
        let admin = server.admin().await.in_language("fr");
        let list = admin.get("/workflows/templates/list").await;
        assert_eq!(list.status, StatusCode::OK, "{}", list.text());
        let list = list.json();
        let all = list["items"].as_array().expect("templates");
        assert!(all.len() >= 3, "{list}");
        for ready in all {
            let path = format!("/workflows/templates/{}/create", id(ready));
            let taken = admin.post(&path, &json!({})).await;
            assert_eq!(taken.status, StatusCode::CREATED, "{path} {}", taken.text());
            let taken = taken.json();
            assert_eq!(taken["status"], "DRAFT");
            for key in [
                "name",
                "description",
                "trigger",
                "conditions",
                "actions",
                "definition",
            ] {
                let empty = |json: &Json| {
                    if json.is_null() {
                        Json::Null
                    } else {
                        json.clone()
                    }
                };
                assert_eq!(empty(&taken[key]), empty(&ready[key]), "{key} of {path}");
            }
            // Whoever takes it puts it in force when he has looked at it.
            let force = format!("/workflows/{}/activate", id(&taken));
            let active = admin.post(&force, &json!({"active": true})).await;
            assert_eq!(active.status, StatusCode::OK, "{path} {}", active.text());
        }
        let french = &all[0]["name"];
        let english = server.admin().await.get("/workflows/templates/list").await;
        assert_ne!(&english.json()["items"][0]["name"], french);
        let unknown = admin
            .post("/workflows/templates/nothing/create", &json!({}))
            .await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
        let technician = server.person("tom", "technician").await;
        let path = format!("/workflows/templates/{}/create", id(&all[0]));
        let refused = technician.post(&path, &json!({})).await;
        assert_eq!(
            refused.status,
            StatusCode::NOT_FOUND,
            "he may know nothing of rules"
        );
    })
    .await;
}

#[test]
fn checking_a_module_names_what_is_wrong_with_its_workflows() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../modules/desk");
    let desk = modules::read(Path::new(folder)).expect("the module");
    assert!(modules::check(&desk).usable);
    let words = json!({"fr": "a", "en": "a", "es": "a", "pt": "a"});
    let broken = json!({
        "name": words, "description": {"fr": "a", "en": "b"},
        "trigger": {"type": "record_created", "entity": "tickt"},
        "actions": [{"type": "comment", "params": {"body": "{{ titel }}"}}],
    });
    let desk = desk.with("workflows/broken.json", broken.to_string());
    let checked = modules::check(&desk);
    assert!(!checked.usable);
    let told: Vec<String> = checked
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect();
    for wanted in ["description: required", "unknown_entity (tickt)"] {
        assert!(
            told.iter().any(|line| line.contains(wanted)),
            "{wanted}: {told:?}"
        );
    }
    assert!(
        told.iter()
            .all(|line| line.starts_with("modules/desk/workflows/broken.json"))
    );
    let unreadable = desk.with("workflows/worse.json", "{");
    assert!(!modules::check(&unreadable).usable);
}
