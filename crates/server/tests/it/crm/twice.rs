//! What is there twice: asked about, found, made one, taken apart again.

use http::{Method, StatusCode};
use serde_json::json;

use super::{made, now, organisation, titles};
use crate::support::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_one_is_asked_about_naming_only_what_the_person_sees() {
    on_both(async |server| {
        let admin = server.admin().await;
        let first = json!({"nom": "Aciéries de l’Ouest SAS", "ville": "Nantes", "email": "contact@acier-ouest.fr", "numero_fiscal": "FR 12 345 678 901"});
        made(&admin, "organisations", &first).await;
        for (body, why) in [
            (json!({"nom": "ACIERIES DE L OUEST", "ville": "nantes"}), "name and town"),
            (json!({"nom": "Ouest", "email": "Contact@Acier-Ouest.fr"}), "e-mail"),
            (json!({"nom": "Ouest", "email": "ventes@acier-ouest.fr"}), "domain"),
            (json!({"nom": "Ouest", "site_web": "https://www.acier-ouest.fr"}), "website"),
            (json!({"nom": "Ouest", "numero_fiscal": "fr12345678901"}), "tax number"),
        ] {
            let asked = admin.post("/organisations", &body).await;
            assert_eq!(asked.status, StatusCode::CONFLICT, "{why}: {}", asked.text());
            let told = asked.json()["detail"].as_str().expect("words").to_owned();
            assert!(told.contains("Aciéries de l’Ouest SAS"), "{told}");
        }
        // The same name elsewhere, and the mail everybody has, say nothing.
        made(&admin, "organisations", &json!({"nom": "Aciéries de l’Ouest", "ville": "Brest", "email": "ouest@gmail.com"})).await;
        made(&admin, "organisations", &json!({"nom": "Autre", "email": "autre@gmail.com"})).await;

        let id = "01900000-0000-7000-8000-00000000c001";
        let body = json!({"id": id, "nom": "Ouest", "email": "ventes@acier-ouest.fr"});
        let asked = admin.post("/organisations", &body).await.json();
        let token = asked["confirm_token"].as_str().expect("a token");
        let sure = admin.write(Method::POST, "/organisations", &[("x-confirm", token)], &body).await;
        assert_eq!(sure.status, StatusCode::CREATED, "{}", sure.text());
        let found = admin.get(&format!("/organisations/{id}/duplicates")).await.json();
        assert_eq!(titles(&found, "title"), ["Aciéries de l’Ouest SAS"]);
        assert_eq!(found["items"][0]["reasons"], json!(["domain"]));
        let groups = admin.get("/crm/duplicates/organisations").await.json();
        assert_eq!(groups["items"].as_array().map(Vec::len), Some(1), "{groups}");
        assert_eq!(groups["items"][0]["reason"], "domain");

        // Somebody who sees only his own customers is asked, and told no name.
        let role = made(&admin, "roles", &json!({"name": "agent", "label": "Agent"})).await;
        for action in ["view", "create"] {
            let scope = if action == "view" { "own" } else { "company" };
            made(&admin, "role-permissions", &json!({"role": role["id"], "app": "organisations", "action": action, "scope": scope})).await;
        }
        let agent = server.person("agathe", "agent").await;
        let asked = agent.post("/organisations", &json!({"nom": "X", "email": "contact@acier-ouest.fr"})).await;
        assert_eq!(asked.status, StatusCode::CONFLICT, "{}", asked.text());
        assert_eq!(asked.json()["code"], "crm.duplicates_unseen");
        assert!(!asked.text().contains("Aciéries"), "{}", asked.text());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_moves_everything_and_is_undone() {
    on_both(async |server| {
        let admin = server.admin().await;
        let kept = made(&admin, "organisations", &json!({"nom": "Ouest", "tags": ["a"], "telephone": "+33 1 40 00 00 00"})).await;
        let gone = made(&admin, "organisations", &json!({"nom": "Ouest bis", "tags": ["b"], "email": "contact@ouest.fr", "telephone": "+33 2 40 00 00 00"})).await;
        let paul = made(&admin, "people", &json!({"nom": "Paul"})).await;
        for organisation in [&kept, &gone] {
            let place = json!({"person": paul["id"], "organisation": organisation["id"], "role": "decideur", "primary": true});
            made(&admin, "person-organisation-links", &place).await;
        }
        let anne = made(&admin, "people", &json!({"nom": "Anne"})).await;
        let place = json!({"person": anne["id"], "organisation": gone["id"], "role": "technique", "primary": true});
        let place = made(&admin, "person-organisation-links", &place).await;
        let deal = made(&admin, "deals", &json!({"title": "Quai", "organisation": gone["id"]})).await;
        let task = made(&admin, "tasks", &json!({"title": "Rappeler", "about": {"entity": "organisation", "id": gone["id"]}})).await;
        let call = made(&admin, "activities", &json!({"title": "Appel", "organisation": gone["id"]})).await;
        let gone_id = gone["id"].as_str().expect("an id");
        let said = admin.post(&format!("/organisations/{gone_id}/comments"), &json!({"body": "Bonjour"})).await;
        assert_eq!(said.status, StatusCode::CREATED);

        let path = format!("/organisations/{}/merge", kept["id"].as_str().expect("an id"));
        let itself = admin.post(&path, &json!({"from": kept["id"]})).await;
        assert_eq!(itself.json()["code"], "crm.same_record");
        let nothing = admin.post(&path, &json!({"from": "01900000-0000-7000-8000-00000000dead"})).await;
        assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
        let merged = admin.post(&path, &json!({"from": gone["id"]})).await;
        assert_eq!(merged.status, StatusCode::OK, "{}", merged.text());
        let merged = merged.json();
        assert_eq!(merged["moved"], 5, "deal, task, call, comment and Anne; Paul is there already");

        let seen = now(&admin, "organisations", &kept).await;
        assert_eq!((&seen["email"], &seen["telephone"]), (&json!("contact@ouest.fr"), &json!("+33 1 40 00 00 00")));
        assert_eq!((&seen["tags"], &seen["contacts"]), (&json!(["a", "b"]), &json!(2)));
        assert_eq!((&seen["main_contact"], &seen["open_deals"]), (&json!("Paul"), &json!(1)));
        assert_eq!(admin.get(&format!("/organisations/{gone_id}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(now(&admin, "deals", &deal).await["organisation"], kept["id"]);
        assert_eq!(now(&admin, "tasks", &task).await["about"]["id"], kept["id"]);
        assert_eq!(now(&admin, "activities", &call).await["organisation"], kept["id"]);

        // What changed since stays as it was changed.
        super::changed(&admin, "organisations", &kept, &json!({"email": "accueil@ouest.fr"})).await;
        let undo = format!("/merges/{}/undo", merged["id"].as_str().expect("an id"));
        let undone = admin.post(&undo, &json!({})).await;
        assert_eq!(undone.status, StatusCode::OK, "{}", undone.text());
        let seen = now(&admin, "organisations", &kept).await;
        assert_eq!((&seen["email"], &seen["tags"]), (&json!("accueil@ouest.fr"), &json!(["a"])));
        assert_eq!((&seen["contacts"], &seen["open_deals"]), (&json!(1), &json!(0)));
        let back = now(&admin, "organisations", &gone).await;
        assert_eq!((&back["contacts"], &back["open_deals"], &back["main_contact"]), (&json!(2), &json!(1), &json!("Anne")));
        assert_eq!(now(&admin, "person-organisation-links", &place).await["primary"], true);
        assert_eq!(now(&admin, "tasks", &task).await["about"]["id"], gone["id"]);
        let comments = admin.get(&format!("/organisations/{gone_id}/comments")).await.json();
        assert_eq!(titles(&comments, "body"), ["Bonjour"]);
        assert_eq!(admin.post(&undo, &json!({})).await.json()["code"], "crm.undone_already");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_merges_what_is_not_his_to_change_and_delete() {
    on_both(async |server| {
        let admin = server.admin().await;
        let vera = server.person("vera", "sales").await;
        let (hers, other) = (
            organisation(&vera, "À elle").await,
            organisation(&admin, "À un autre").await,
        );
        for (kept, gone) in [(&hers, &other), (&other, &hers)] {
            let path = format!(
                "/organisations/{}/merge",
                kept["id"].as_str().expect("an id")
            );
            let refused = vera.post(&path, &json!({"from": gone["id"]})).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
        }
        let untouched = now(&admin, "organisations", &other).await;
        assert_eq!(untouched["version"], 1);
    })
    .await;
}
