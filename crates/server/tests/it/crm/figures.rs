//! The pipeline in figures, against a calculation by hand.

use http::StatusCode;
use serde_json::json;

use super::{changed, made, organisation};
use crate::support::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn the_forecast_is_what_one_calculates_by_hand() {
    on_both(async |server| {
        let admin = server.admin().await;
        let customer = organisation(&admin, "Port de Nantes").await;
        made(
            &admin,
            "currency-rates",
            &json!({"currency": "USD", "rate": "0.9123", "on": "2026-01-01"}),
        )
        .await;
        let deal = |title: &str, montant: &str, more: serde_json::Value| {
            let mut body =
                json!({"title": title, "organisation": customer["id"], "montant": montant});
            body.as_object_mut()
                .expect("an object")
                .extend(more.as_object().expect("more").clone());
            body
        };
        let made_of = async |title: &str, montant: &str, more| {
            made(&admin, "deals", &deal(title, montant, more)).await
        };
        // 0.1 and 0.2 are no sums of halves: floating point would show.
        made_of(
            "A",
            "0.10",
            json!({"expected_close": "2027-01-10", "probability": 100}),
        )
        .await;
        made_of(
            "B",
            "0.20",
            json!({"expected_close": "2027-01-20", "probability": 100}),
        )
        .await;
        made_of(
            "C",
            "50000.01",
            json!({"expected_close": "2027-02-01", "stage": "proposition"}),
        )
        .await;
        made_of(
            "D",
            "1000",
            json!({"expected_close": "2027-02-28", "currency": "USD", "stage": "negociation"}),
        )
        .await;
        made_of("E", "777", json!({"probability": 0})).await;
        let won = made_of("F", "300", json!({"stage": "negociation"})).await;
        changed(&admin, "deals", &won, &json!({"stage": "signe"})).await;
        let lost = made_of("G", "900", json!({})).await;
        changed(
            &admin,
            "deals",
            &lost,
            &json!({"stage": "perdu", "lost_reason": "prix"}),
        )
        .await;

        let forecast = admin.get("/crm/forecast").await;
        assert_eq!(forecast.status, StatusCode::OK, "{}", forecast.text());
        let forecast = forecast.json();
        let months = forecast["months"].as_array().expect("months");
        let told: Vec<_> = months
            .iter()
            .map(|month| {
                (
                    month["month"].clone(),
                    month["count"].clone(),
                    month["amount"].to_string(),
                    month["weighted"].to_string(),
                )
            })
            .collect();
        // 50000.01 + 1000 × 0.9123 = 50912.31; 25000.01 (half a cent up) + 684.23 (684.225) = 25684.24.
        assert_eq!(
            told,
            [
                (
                    json!("2027-01"),
                    json!(2),
                    "0.3".to_owned(),
                    "0.3".to_owned()
                ),
                (
                    json!("2027-02"),
                    json!(2),
                    "50912.31".to_owned(),
                    "25684.24".to_owned()
                ),
                (json!(null), json!(1), "777".to_owned(), "0".to_owned()),
            ]
        );
        assert_eq!(
            months[1]["amounts"],
            json!([{"currency": "EUR", "amount": 50000.01}, {"currency": "USD", "amount": 1000}])
        );
        assert_eq!(forecast["total"]["weighted"].to_string(), "25684.54");
        assert_eq!(forecast["won"]["amount"], 300);
        let february = admin
            .get("/crm/forecast?from=2027-02-01&to=2027-02-28")
            .await
            .json();
        assert_eq!(february["total"]["count"], 2);

        let report = admin.get("/crm/report").await.json();
        assert_eq!(
            (&report["win_rate"], &report["cycle_days"]),
            (&json!(0.5), &json!(0))
        );
        let conversion: Vec<_> = report["conversion"]
            .as_array()
            .expect("steps")
            .iter()
            .map(|step| {
                (
                    step["entered"].as_i64().expect("entered"),
                    step["moved"].as_i64().expect("moved"),
                )
            })
            .collect();
        // A, B, E and G began at the first stage and went no further; C at the third; D and F at the fourth.
        assert_eq!(conversion, [(4, 0), (0, 0), (1, 0), (2, 1)]);
        assert_eq!(report["owners"][0]["name"], "Administrateur");
        for (path, wrong) in [
            ("/crm/forecast?from=soon", "from"),
            ("/crm/board?owner=nobody", "filter"),
            ("/crm/board?colour=red", "colour"),
        ] {
            let answer = admin.get(path).await;
            assert_eq!(
                answer.status,
                StatusCode::BAD_REQUEST,
                "{path}: {}",
                answer.text()
            );
            assert!(answer.text().contains(wrong), "{}", answer.text());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_rots_without_activity_unless_something_is_planned() {
    on_both(async |server| {
        let admin = server.admin().await;
        let deal = super::deal(&admin, "Dock").await;
        let rotting = async || {
            let board = admin.get("/crm/board").await.json();
            assert_eq!(board["columns"].as_array().map(Vec::len), Some(7));
            board["columns"][0]["rotting"].clone()
        };
        assert_eq!(rotting().await, 0, "it was made today");
        let id = deal["id"].as_str().expect("an id").replace('-', "");
        let blob = match server.database_url() {
            None => format!("x'{id}'"),
            Some(_) => format!("'{}'", deal["id"].as_str().expect("an id")),
        };
        let past = match server.database_url() {
            None => "1700000000000000".to_owned(),
            Some(_) => "'2023-11-14T22:13:20Z'".to_owned(),
        };
        server.sql(&format!("UPDATE r_deal SET stage_since = {past} WHERE id = {blob}"));
        assert_eq!(rotting().await, 1);
        let call = json!({"title": "Appel", "deal": deal["id"], "occurred_at": "2999-01-01T00:00:00Z", "planned": true});
        let call = made(&admin, "activities", &call).await;
        assert_eq!(rotting().await, 0, "something is planned, however far away");
        changed(&admin, "activities", &call, &json!({"planned": false, "occurred_at": "2023-12-01T00:00:00Z"})).await;
        assert_eq!(rotting().await, 1, "it was long ago");
        made(&admin, "activities", &json!({"title": "Appel", "deal": deal["id"]})).await;
        assert_eq!(rotting().await, 0, "today");
    })
    .await;
}
