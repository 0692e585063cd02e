//! The way of a deal.

use http::StatusCode;
use serde_json::json;

use super::{changed, deal, made, now, organisation, refused};
use crate::support::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_goes_back_with_a_reason_is_lost_with_one_and_every_move_is_logged() {
    on_both(async |server| {
        let admin = server.admin().await;
        let deal = deal(&admin, "Pompe").await;
        assert_eq!(
            (&deal["stage"], &deal["chance"], &deal["rate"]),
            (&json!("prospect"), &json!(10), &json!(1))
        );
        changed(&admin, "deals", &deal, &json!({"stage": "negociation"})).await;
        let back = json!({"stage": "qualification"});
        assert_eq!(
            refused(&admin, "deals", &deal, &back).await,
            "crm.reason_needed"
        );
        let blank = json!({"stage": "qualification", "stage_reason": "  "});
        assert_eq!(
            refused(&admin, "deals", &deal, &blank).await,
            "crm.reason_needed"
        );
        let why = json!({"stage": "qualification", "stage_reason": "Le besoin a changé"});
        let gone_back = changed(&admin, "deals", &deal, &why).await;
        assert_eq!(
            (&gone_back["stage_reason"], &gone_back["chance"]),
            (&json!(null), &json!(25))
        );
        // The same reason is a reason again.
        changed(&admin, "deals", &deal, &json!({"stage": "negociation"})).await;
        changed(&admin, "deals", &deal, &why).await;

        let number = deal["number"].as_str().expect("a number");
        let lost = admin
            .patch(&format!("/deals/{number}"), &json!({"stage": "perdu"}))
            .await;
        assert_eq!(lost.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(lost.json()["errors"][0]["field"], "lost_reason");
        let other = json!({"stage": "perdu", "lost_reason": "autre"});
        assert_eq!(
            refused(&admin, "deals", &deal, &other).await,
            "crm.lost_detail"
        );
        let why =
            json!({"stage": "perdu", "lost_reason": "autre", "lost_detail": "Rachat du client"});
        let lost = changed(&admin, "deals", &deal, &why).await;
        assert_eq!((&lost["chance"], &lost["weighted"]), (&json!(0), &json!(0)));
        assert!(lost["closed_on"].is_string());

        let path = format!(
            "/deal-stage-changes?deal={}&sort=created_at",
            deal["id"].as_str().expect("an id")
        );
        let log = admin.get(&path).await.json();
        let moves: Vec<_> = log["items"]
            .as_array()
            .expect("moves")
            .iter()
            .map(|row| {
                (
                    row["from"].as_str().unwrap_or("-"),
                    row["to"].as_str().expect("to"),
                    row["reason"].as_str().unwrap_or("-"),
                )
            })
            .collect();
        assert_eq!(
            moves,
            [
                ("-", "prospect", "-"),
                ("prospect", "negociation", "-"),
                ("negociation", "qualification", "Le besoin a changé"),
                ("qualification", "negociation", "-"),
                ("negociation", "qualification", "Le besoin a changé"),
                ("qualification", "perdu", "autre – Rachat du client"),
            ]
        );
        assert_eq!(
            log["items"][0]["duration"],
            json!(null),
            "it came from nowhere"
        );
        assert!(log["items"][1]["duration"].is_i64());
        let unknown = admin
            .patch(&format!("/deals/{number}"), &json!({"stage": "gagne"}))
            .await;
        assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(unknown.json()["errors"][0]["code"], "not_an_option");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_is_opened_again_by_those_who_lead() {
    on_both(async |server| {
        let seller = server.person("vera", "sales").await;
        let leader = server.person("luc", "sales_manager").await;
        let deal = deal(&seller, "Compresseur").await;
        changed(&seller, "deals", &deal, &json!({"stage": "signe"})).await;
        let again = json!({"stage": "negociation", "stage_reason": "Avenant"});
        assert_eq!(refused(&seller, "deals", &deal, &again).await, "crm.reopen");
        assert_eq!(now(&seller, "deals", &deal).await["stage"], "signe");
        let opened = changed(&leader, "deals", &deal, &again).await;
        assert_eq!(
            (&opened["stage"], &opened["closed_on"]),
            (&json!("negociation"), &json!(null))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_works_his_own_deals_and_those_who_lead_see_all() {
    on_both(async |server| {
        let vera = server.person("vera", "sales").await;
        let ivo = server.person("ivo", "sales").await;
        let leader = server.person("luc", "sales_manager").await;
        let somebody = server.person("uma", "user").await;
        let deal = deal(&vera, "Vanne").await;
        let path = format!("/deals/{}", deal["number"].as_str().expect("a number"));
        for (client, status) in [
            (&vera, StatusCode::OK),
            (&leader, StatusCode::OK),
            (&ivo, StatusCode::NOT_FOUND),
            (&somebody, StatusCode::NOT_FOUND),
        ] {
            assert_eq!(client.get(&path).await.status, status);
        }
        let log = ivo.get("/deal-stage-changes").await.json();
        assert_eq!(
            log["items"],
            json!([]),
            "nor the moves of what he does not see"
        );
        let board = ivo.get("/crm/board").await.json();
        assert_eq!(board["columns"][0]["count"], 0);
        assert_eq!(
            somebody.get("/crm/board").await.status,
            StatusCode::NOT_FOUND
        );
        let customer = deal["organisation"].as_str().expect("an id");
        let customer = format!("/organisations/{customer}");
        assert_eq!(
            ivo.get(&customer).await.status,
            StatusCode::OK,
            "customers are the company's"
        );
        let taken = ivo.patch(&customer, &json!({"nom": "À moi"})).await;
        assert_eq!(taken.status, StatusCode::FORBIDDEN, "but not his to change");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_fixed_on_the_deal_and_nothing_is_not_zero() {
    on_both(async |server| {
        let admin = server.admin().await;
        let customer = organisation(&admin, "Gulf Drilling").await;
        let body = json!({
            "title": "Rig", "organisation": customer["id"], "montant": "1000.01", "currency": "USD",
        });
        let without = admin.post("/deals", &body).await;
        assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(without.json()["code"], "crm.no_rate");
        let told = without.json()["errors"][0]["message"]
            .as_str()
            .expect("words")
            .to_owned();
        assert!(told.contains("USD"), "{told}");
        for (on, rate) in [
            ("2025-01-01", "0.95"),
            ("2026-01-01", "0.9"),
            ("2999-01-01", "3"),
        ] {
            made(
                &admin,
                "currency-rates",
                &json!({"currency": "USD", "on": on, "rate": rate}),
            )
            .await;
        }
        let rig = made(&admin, "deals", &body).await;
        assert_eq!(
            (&rig["rate"], &rig["montant_ref"]),
            (&json!(0.9), &json!(900.01)),
            "the last that holds today"
        );
        assert_eq!(rig["weighted"], json!(90));
        made(
            &admin,
            "currency-rates",
            &json!({"currency": "USD", "rate": "0.5"}),
        )
        .await;
        let later = changed(&admin, "deals", &rig, &json!({"montant": 2000})).await;
        assert_eq!(
            (&later["rate"], &later["montant_ref"]),
            (&json!(0.9), &json!(1800))
        );

        let none = changed(&admin, "deals", &rig, &json!({"probability": 0})).await;
        assert_eq!((&none["chance"], &none["weighted"]), (&json!(0), &json!(0)));
        let stays = changed(&admin, "deals", &rig, &json!({"stage": "proposition"})).await;
        assert_eq!(
            (&stays["probability"], &stays["chance"]),
            (&json!(0), &json!(0))
        );
        let usual = changed(&admin, "deals", &rig, &json!({"probability": null})).await;
        assert_eq!(
            (&usual["chance"], &usual["weighted"]),
            (&json!(50), &json!(900))
        );
    })
    .await;
}
