//! Indicators nobody enters: counted from records with the rights of their owner, or made of other
//! indicators, and made again when what they are made of changes.

use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::support::{Client, on_both};
use crate::workflows::{id, until};

async fn made(client: &Client, path: &str, body: Json) -> Json {
    let answer = client.post(path, &body).await;
    assert_eq!(
        answer.status,
        StatusCode::CREATED,
        "{path} {}",
        answer.text()
    );
    answer.json()
}

async fn board(client: &Client) -> Json {
    made(client, "/dashboards", json!({"title": "Desk"})).await
}

async fn kpi(client: &Client, board: &Json, more: Json) -> Json {
    let mut body = json!({"name": "Measured", "frequency": "MONTHLY", "threshold_green": 1});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    made(client, &format!("/dashboards/{}/kpis", id(board)), body).await
}

fn open_tickets() -> Json {
    json!({
        "source": "QUERY", "query_of": "tickets", "direction": "DOWN_IS_BETTER",
        "query_filter": {"field": "status", "op": "not_in", "value": ["done", "closed"]},
    })
}

async fn becomes(client: &Client, kpi: &Json, value: Json) {
    let path = format!("/kpis/{}", id(kpi));
    until(client, &path, |kpi| kpi["latest_value"] == value).await;
}

#[tokio::test]
async fn open_tickets_are_counted_again_whenever_one_changes() {
    on_both(async |server| {
        let admin = server.admin().await;
        let board = board(&admin).await;
        let first = admin.ticket("First").await;
        let kpi = kpi(&admin, &board, open_tickets()).await;
        becomes(&admin, &kpi, json!(1)).await;
        admin.ticket("Second").await;
        becomes(&admin, &kpi, json!(2)).await;
        let read = admin.get(&format!("/kpis/{}", id(&kpi))).await.json();
        assert_eq!(
            (&read["latest_status"], &read["calculation_error"]),
            (&json!("RED"), &Json::Null)
        );
        assert_eq!(read["version"], kpi["version"]);
        admin
            .patch(
                &format!("/tickets/{}", id(&first)),
                &json!({"status": "closed"}),
            )
            .await;
        becomes(&admin, &kpi, json!(1)).await;

        // One value a period, whatever happens in it, and nobody enters or deletes it.
        let values = format!("/kpis/{}/values", id(&kpi));
        let page = admin.get(&values).await.json();
        assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
        let value = format!("{values}/{}", id(&page["items"][0]));
        for answer in [
            admin
                .post(&values, &json!({"period_start": "2020-01-01", "value": 1}))
                .await,
            admin.patch(&value, &json!({"value": 9})).await,
            admin.delete(&value).await,
        ] {
            assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
            assert_eq!(answer.json()["code"], "kpi.is_calculated");
        }
        let remark = admin.patch(&value, &json!({"comment": "A busy day"})).await;
        assert_eq!(remark.status, StatusCode::OK, "{}", remark.text());
    })
    .await;
}

#[tokio::test]
async fn a_count_has_the_rights_of_its_owner_and_ends_with_his_account() {
    on_both(async |server| {
        let admin = server.admin().await;
        let ana = server.person("ana", "user").await;
        admin.ticket("Not hers").await;
        ana.ticket("Hers").await;
        let board = board(&ana).await;
        let hers = kpi(&ana, &board, open_tickets()).await;
        becomes(&ana, &hers, json!(1)).await;

        // She cannot have it counted in another's name, nor another in hers.
        let me = admin.get("/auth/me").await.json();
        let refused = ana
            .patch(
                &format!("/kpis/{}", id(&hers)),
                &json!({"owner_id": me["id"]}),
            )
            .await;
        assert_eq!(
            refused.json()["errors"][0]["code"],
            "kpi.not_in_your_name",
            "{}",
            refused.text()
        );
        let mut others = open_tickets();
        others["owner_id"] = me["id"].clone();
        others["name"] = json!("Theirs");
        others["threshold_green"] = json!(1);
        let refused = ana
            .post(&format!("/dashboards/{}/kpis", id(&board)), &others)
            .await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            refused.text()
        );

        let her = ana.get("/auth/me").await.json();
        admin
            .patch(
                &format!("/users/{}", id(&her)),
                &json!({"status": "inactive"}),
            )
            .await;
        admin.ticket("After her").await;
        let path = format!("/kpis/{}", id(&hers));
        until(&admin, &path, |kpi| {
            kpi["calculation_error"] == "kpi.owner_missing"
        })
        .await;
        assert_eq!(admin.get(&path).await.json()["latest_value"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_formula_follows_what_is_corrected_and_deleted() {
    on_both(async |server| {
        let admin = server.admin().await;
        let board = board(&admin).await;
        let late = kpi(&admin, &board, json!({"name": "Late"})).await;
        let all = kpi(&admin, &board, json!({"name": "All"})).await;
        let formula = json!({
            "name": "Share", "source": "FORMULA", "formula": "late / all * 100",
            "formula_inputs": {"late": late["id"], "all": all["id"]},
        });
        let share = kpi(&admin, &board, formula).await;
        let enter = async |kpi: &Json, value: &str| {
            let body = json!({"period_start": "2025-02-01", "value": value});
            made(&admin, &format!("/kpis/{}/values", id(kpi)), body).await
        };
        let value = enter(&late, "1").await;
        enter(&all, "8").await;
        becomes(&admin, &share, json!(12.5)).await;
        let path = format!("/kpis/{}/values/{}", id(&late), id(&value));
        admin.patch(&path, &json!({"value": 2})).await;
        becomes(&admin, &share, json!(25)).await;
        // A formula over a formula follows too.
        let twice = json!({
            "name": "Twice", "source": "FORMULA", "formula": "s * 2", "formula_inputs": {"s": share["id"]},
        });
        let twice = kpi(&admin, &board, twice).await;
        admin.patch(&path, &json!({"value": 4})).await;
        becomes(&admin, &twice, json!(100)).await;
        // Without one of its parts there is no value; missing is not zero.
        admin.delete(&path).await;
        becomes(&admin, &share, Json::Null).await;
        becomes(&admin, &twice, Json::Null).await;

        let ring = json!({"source": "FORMULA", "formula": "x", "formula_inputs": {"x": twice["id"]}});
        let refused = admin.patch(&format!("/kpis/{}", id(&share)), &ring).await;
        assert_eq!(refused.json()["errors"][0]["code"], "kpi.formula_ring", "{}", refused.text());
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_calculated_is_refused_at_its_field() {
    on_both(async |server| {
        let admin = server.admin().await;
        let board = board(&admin).await;
        let input = kpi(&admin, &board, json!({"name": "Weekly", "frequency": "WEEKLY"})).await;
        let path = format!("/dashboards/{}/kpis", id(&board));
        let query = |more: Json| {
            let mut body = json!({"source": "QUERY", "query_of": "tickets"});
            for (name, value) in more.as_object().expect("an object") {
                body[name] = value.clone();
            }
            body
        };
        for (mut body, field) in [
            (query(json!({"query_of": "secrets"})), "query_of"),
            (query(json!({"query_filter": {"field": "colour", "op": "eq", "value": 1}})), "query_filter"),
            (query(json!({"query_filter": ["x"]})), "query_filter"),
            (query(json!({"query_measure": "SUM"})), "query_field"),
            (query(json!({"query_measure": "SUM", "query_field": "title"})), "query_field"),
            (query(json!({"query_date": "priority"})), "query_date"),
            (json!({"source": "FORMULA", "formula": "a +", "formula_inputs": {"a": input["id"]}}), "formula"),
            (json!({"source": "FORMULA", "formula": "b", "formula_inputs": {"a": input["id"]}}), "formula"),
            (json!({"source": "FORMULA", "formula": "a", "formula_inputs": {"a": input["id"]}}), "formula_inputs"),
            (json!({"source": "FORMULA", "formula": "a", "formula_inputs": {"a": id(&board)}}), "formula_inputs"),
        ] {
            body["name"] = json!("Wrong");
            body["threshold_green"] = json!(1);
            let answer = admin.post(&path, &body).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
            let told = answer.json();
            assert_eq!(told["errors"][0]["field"], field, "{body} {told}");
        }
    })
    .await;
}
