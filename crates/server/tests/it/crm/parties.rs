//! Organisations, people, and who is what where; activities and tasks about them.

use http::StatusCode;
use serde_json::json;

use super::{changed, deal, made, now, organisation, refused, titles};
use crate::support::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn one_register_for_all_kinds_of_parties_with_every_stage() {
    on_both(async |server| {
        let admin = server.admin().await;
        for kind in ["client", "fournisseur", "distributeur", "emetteur", "autre"] {
            made(&admin, "organisations", &json!({"nom": format!("Un {kind}"), "type": kind})).await;
        }
        let wrong = admin.post("/organisations", &json!({"nom": "X", "type": "client2"})).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        let suppliers = admin.get("/organisations?type=fournisseur").await.json();
        assert_eq!(titles(&suppliers, "nom"), ["Un fournisseur"]);
        for stage in ["prospect", "qualification", "proposition", "negociation", "signe", "perdu", "inactif"] {
            let body = json!({"nom": format!("Au stade {stage}"), "pipeline_stage": stage});
            assert_eq!(made(&admin, "organisations", &body).await["pipeline_stage"], stage);
        }
        let whole = made(&admin, "organisations", &json!({
            "nom": "Alpha Gestion", "email": "contact@alpha-gestion.fr", "telephone": "+33 1 40 00 00 00",
            "montant_potentiel": "125000.50", "aum": 1_200_000_000, "strategies": ["Actions", "Obligations"],
            "country": "France", "language": "fr", "also": ["emetteur"],
        })).await;
        assert_eq!(whole["strategies"], json!(["Actions", "Obligations"]));
        assert_eq!((&whole["montant_potentiel"], &whole["aum"]), (&json!(125_000.5), &json!(1_200_000_000)));
        let phone = admin.post("/organisations", &json!({"nom": "Y", "telephone": "contact@y.fr"})).await;
        assert_eq!(phone.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(phone.json()["errors"][0]["field"], "telephone");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_there_once_with_a_place_in_each_organisation() {
    on_both(async |server| {
        let admin = server.admin().await;
        let (ouest, nord) = (organisation(&admin, "Ouest").await, organisation(&admin, "Nord").await);
        let person = made(&admin, "people", &json!({"prenom": "Jeanne", "nom": "Le Goff", "other_emails": ["j@nord.fr"]})).await;
        assert_eq!(person["name"], "Jeanne Le Goff");
        let link = |organisation: &serde_json::Value, role: &str| {
            json!({"person": person["id"], "organisation": organisation["id"], "role": role})
        };
        let first = made(&admin, "person-organisation-links", &link(&ouest, "contact_principal")).await;
        let second = made(&admin, "person-organisation-links", &link(&nord, "technique")).await;
        assert_eq!((&first["primary"], &second["primary"]), (&json!(true), &json!(false)));
        let twice = admin.post("/person-organisation-links", &link(&nord, "technique")).await;
        assert_eq!(twice.json()["code"], "crm.linked_already");
        let seen = now(&admin, "organisations", &ouest).await;
        assert_eq!((&seen["contacts"], &seen["main_contact"]), (&json!(1), &json!("Jeanne Le Goff")));
        assert_eq!(seen["version"], 1, "nobody changed it");

        changed(&admin, "people", &person, &json!({"nom": "Le Guen"})).await;
        assert_eq!(now(&admin, "organisations", &ouest).await["main_contact"], "Jeanne Le Guen");
        // Another main contact: there is one.
        let paul = made(&admin, "people", &json!({"nom": "Paul"})).await;
        let body = json!({"person": paul["id"], "organisation": ouest["id"], "role": "decideur", "primary": true});
        made(&admin, "person-organisation-links", &body).await;
        let seen = now(&admin, "organisations", &ouest).await;
        assert_eq!((&seen["contacts"], &seen["main_contact"]), (&json!(2), &json!("Paul")));
        assert_eq!(now(&admin, "person-organisation-links", &first).await["primary"], false);

        let wrong = json!({"start": "2026-02-01", "end": "2026-01-01"});
        assert_eq!(refused(&admin, "person-organisation-links", &second, &wrong).await, "crm.end_before_start");
        changed(&admin, "person-organisation-links", &second, &json!({"end": "2026-01-31"})).await;
        made(&admin, "person-organisation-links", &link(&nord, "technique")).await;
        let id = person["id"].as_str().expect("an id");
        let places = admin.get(&format!("/person-organisation-links?person={id}")).await.json();
        assert_eq!(places["items"].as_array().map(Vec::len), Some(3), "what ended is his history");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_about_a_deal_is_about_its_organisation() {
    on_both(async |server| {
        let admin = server.admin().await;
        let deal = deal(&admin, "Quai").await;
        let call = json!({"type": "call", "title": "Premier appel", "deal": deal["id"], "occurred_at": "2026-01-10T09:00:00Z"});
        made(&admin, "activities", &call).await;
        let meeting = json!({"type": "meeting", "title": "Réunion", "deal": deal["id"], "occurred_at": "2027-01-10T09:00:00Z", "planned": true});
        made(&admin, "activities", &meeting).await;
        let customer = deal["organisation"].as_str().expect("an id");
        let timeline = admin.get(&format!("/activities?organisation={customer}&sort=-occurred_at")).await.json();
        assert_eq!(titles(&timeline, "title"), ["Réunion", "Premier appel"]);
        let seen = now(&admin, "deals", &deal).await;
        assert_eq!((&seen["last_activity_at"], &seen["next_activity_at"]), (&json!("2026-01-10T09:00:00Z"), &json!("2027-01-10T09:00:00Z")));
        assert_eq!(seen["version"], 1, "calling changes nothing of the deal");
        let task = json!({"title": "Relancer", "about": {"entity": "deal", "id": deal["id"]}, "due_date": "2026-01-01", "priority": "high"});
        let task = made(&admin, "tasks", &task).await;
        assert_eq!(task["organisation"], deal["organisation"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_is_overdue_and_what_comes_again_comes_once() {
    on_both(async |server| {
        let admin = server.admin().await;
        for (title, due) in [("Hier", "2020-01-01"), ("Un jour", "2999-01-01")] {
            made(&admin, "tasks", &json!({"title": title, "due_date": due})).await;
        }
        let done = made(&admin, "tasks", &json!({"title": "Faite", "due_date": "2020-01-01"})).await;
        let done = changed(&admin, "tasks", &done, &json!({"status": "done"})).await;
        assert!(done["done_at"].is_string());
        let overdue = "/tasks?status[in]=todo,in_progress&due_date[lt]=@today";
        assert_eq!(titles(&admin.get(overdue).await.json(), "title"), ["Hier"]);

        let rent = json!({"title": "Loyer", "due_date": "2020-01-31", "recurrence": "monthly", "priority": "high"});
        let rent = made(&admin, "tasks", &rent).await;
        changed(&admin, "tasks", &rent, &json!({"status": "done"})).await;
        let open = "/tasks?title=Loyer&status=todo";
        let next = crate::workflows::until(&admin, open, |page| page["items"][0].is_object()).await;
        let next = &next["items"][0];
        assert_eq!((&next["priority"], &next["recurrence"]), (&json!("high"), &json!("monthly")));
        assert!(next["due_date"].as_str() > Some("2026"), "{}", next["due_date"]);
        // Done once more by mistake: the next one is there already.
        changed(&admin, "tasks", &rent, &json!({"status": "todo"})).await;
        changed(&admin, "tasks", &rent, &json!({"status": "done"})).await;
        let other = made(&admin, "tasks", &json!({"title": "Impôt", "due_date": "2020-01-31", "recurrence": "yearly"})).await;
        changed(&admin, "tasks", &other, &json!({"status": "done"})).await;
        // The feed is followed in order: when this one has come, the other would have.
        let path = "/tasks?title=Impôt&status=todo".replace('ô', "%C3%B4");
        crate::workflows::until(&admin, &path, |page| page["items"][0].is_object()).await;
        let all = admin.get(open).await.json();
        assert_eq!(all["items"].as_array().map(Vec::len), Some(1));
    })
    .await;
}
