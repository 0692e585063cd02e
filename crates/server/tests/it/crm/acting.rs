//! What workflows do with customers.

use serde_json::json;

use super::{changed, deal, made, now, organisation, titles};
use crate::support::on_both;
use crate::workflows::{ended, execution, id, until, workflow};

#[tokio::test(flavor = "multi_thread")]
async fn the_triggers_of_the_crm_set_off_what_they_name() {
    on_both(async |server| {
        let admin = server.admin().await;
        let created = workflow(&admin, &json!({
            "trigger": {"type": "organisation_created"},
            "conditions": {"all": [{"field": "organisation.pipeline_stage", "op": "==", "value": "qualification"}]},
            "actions": [
                {"type": "add_tag", "params": {"tag": "{{ pipeline_stage }}"}},
                {"type": "create_task", "params": {"title": "Appeler {{organisation.nom}} ({{montant_potentiel}})", "due_in": "+3d", "priority": "high", "assignee": {"role": "admin"}}},
                {"type": "create_activity", "params": {"type": "note", "title": "Accueil de {{ organisation.nom }}", "description": "{{organisation.email}}"}},
            ],
        })).await;
        let moved = workflow(&admin, &json!({
            "trigger": {"type": "deal_stage_changed", "to": ["signe"]},
            "conditions": {"all": [{"field": "deal.montant", "op": ">", "value": 50000}, {"field": "deal.organisation.country", "op": "==", "value": "France"}]},
            "actions": [{"type": "create_activity", "params": {"title": "Signature de {{ deal.title }}"}}],
        })).await;
        organisation(&admin, "Sans suite").await;
        let body = json!({"nom": "Chantiers", "email": "a@chantiers.fr", "pipeline_stage": "qualification", "montant_potentiel": 1200, "country": "France"});
        let chantiers = made(&admin, "organisations", &body).await;
        let runs = ended(&admin, &created, 1).await;
        assert_eq!(runs.len(), 1, "the other one is a prospect");
        let run = execution(&admin, &created, &runs[0]).await;
        assert_eq!((&run["status"], &run["error"]), (&json!("SUCCESS"), &json!(null)));
        let tasks = admin.get(&format!("/tasks?organisation={}", id(&chantiers))).await.json();
        let task = &tasks["items"][0];
        assert_eq!((&task["title"], &task["priority"]), (&json!("Appeler Chantiers (1200)"), &json!("high")));
        let made_at = task["created_at"].as_str().expect("a time")[..10].parse::<jiff::civil::Date>().expect("a date");
        let due = task["due_date"].as_str().expect("a date").parse::<jiff::civil::Date>().expect("a date");
        assert_eq!(made_at.until(due).expect("a span").get_days(), 3);
        let timeline = admin.get(&format!("/activities?organisation={}", id(&chantiers))).await.json();
        assert_eq!(titles(&timeline, "title"), ["Accueil de Chantiers"]);
        assert!(timeline["items"][0]["description"].as_str().expect("text").starts_with("a@chantiers.fr"));
        assert_eq!(now(&admin, "organisations", &chantiers).await["tags"], json!(["qualification"]));

        for (montant, title) in [(50_000, "Juste"), (50_001, "Plus")] {
            let body = json!({"title": title, "organisation": chantiers["id"], "montant": montant});
            let deal = made(&admin, "deals", &body).await;
            changed(&admin, "deals", &deal, &json!({"stage": "signe"})).await;
        }
        let runs = ended(&admin, &moved, 1).await;
        assert_eq!((runs.len(), &runs[0]["status"]), (1, &json!("SUCCESS")), "{}", runs[0]);
        let signed = format!("/activities?organisation={}&type=system", id(&chantiers));
        let page = until(&admin, &signed, |page| page["items"][0].is_object()).await;
        assert_eq!(titles(&page, "title"), ["Signature de Plus"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_may_be_about_any_record_and_a_timeline_is_not_everywhere() {
    on_both(async |server| {
        let admin = server.admin().await;
        let rule = workflow(
            &admin,
            &json!({
                "trigger": {"type": "record_created", "entity": "ticket"},
                "actions": [
                    {"type": "create_task", "params": {"title": "Voir {{ number }}"}},
                    {"type": "create_activity", "params": {"title": "Panne"}},
                ],
            }),
        )
        .await;
        let ticket = admin.ticket("Panne").await;
        let runs = ended(&admin, &rule, 1).await;
        assert_eq!(runs[0]["status"], "FAILED");
        assert!(
            runs[0]["error"]
                .as_str()
                .expect("why")
                .contains("no timeline"),
            "{}",
            runs[0]
        );
        let tasks = admin.get("/tasks").await.json();
        assert_eq!(
            tasks["items"][0]["about"],
            json!({"entity": "ticket", "id": ticket["id"]})
        );
        let other = deal(&admin, "Autre").await;
        assert_eq!(other["version"], 1);
    })
    .await;
}
