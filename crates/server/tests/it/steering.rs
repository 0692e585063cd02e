//! Indicators over HTTP as kpix's specification names them: what a value may be, which colour it
//! gets, who may enter it, and figures that add up what their reader sees.

use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::support::{Answer, Client, on_both};

fn id(record: &Json) -> &str {
    record["id"].as_str().expect("an id")
}

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

async fn dashboard(client: &Client, title: &str, process: &str) -> Json {
    let body = json!({"title": title, "process_name": process});
    made(client, "/dashboards", body).await
}

async fn kpi(client: &Client, dashboard: &Json, more: Json) -> Json {
    let mut body = json!({
        "name": "Availability", "unit": "%", "frequency": "MONTHLY", "direction": "UP_IS_BETTER",
        "threshold_green": 95, "threshold_orange": 90,
    });
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    made(client, &format!("/dashboards/{}/kpis", id(dashboard)), body).await
}

async fn value(client: &Client, kpi: &Json, start: &str, value: &str) -> Json {
    let body = json!({"period_start": start, "value": value});
    made(client, &format!("/kpis/{}/values", id(kpi)), body).await
}

/// The field and the code of the first thing that is wrong.
fn wrong(answer: &Answer) -> (String, String) {
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        answer.text()
    );
    let error = answer.json()["errors"][0].clone();
    let part = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (part("field"), part("code"))
}

#[tokio::test]
async fn the_paths_and_names_of_kpix_lead_from_a_dashboard_to_a_comment() {
    on_both(async |server| {
        let admin = server.admin().await;
        let board = dashboard(&admin, "Plant", "Production").await;
        let me = admin.get("/auth/me").await.json();
        assert_eq!(board["organization_id"], me["organization_id"]);
        assert_eq!(board["owner_id"], me["id"]);
        let kpi = kpi(&admin, &board, json!({})).await;
        assert_eq!(kpi["dashboard_id"], board["id"]);
        assert_eq!(kpi["latest_status"], Json::Null);
        let listed = admin
            .get(&format!("/dashboards/{}/kpis", id(&board)))
            .await
            .json();
        assert_eq!(listed["items"][0]["id"], kpi["id"]);

        let path = format!("/kpis/{}/comments", id(&kpi));
        let said = made(&admin, &path, json!({"content": "Why?"})).await;
        assert_eq!(
            (&said["content"], &said["author_id"]),
            (&json!("Why?"), &me["id"])
        );
        let page = admin.get(&path).await.json();
        assert_eq!(page["items"][0]["content"], "Why?");
        let empty = admin.post(&path, &json!({"content": ""})).await;
        assert_eq!(wrong(&empty).0, "content");

        let plans = format!("/kpis/{}/actions", id(&kpi));
        let plan = made(&admin, &plans, json!({"title": "Repair"})).await;
        assert_eq!(
            (&plan["status"], &plan["progress"]),
            (&json!("OPEN"), &json!(0))
        );
        let path = format!("/actions/{}/comments", id(&plan));
        made(&admin, &path, json!({"content": "Ordered"})).await;
        assert_eq!(
            admin.get(&path).await.json()["items"][0]["content"],
            "Ordered"
        );
        let elsewhere = json!({"title": "x", "kpi_id": id(&plan)});
        assert_eq!(
            wrong(&admin.post(&plans, &elsewhere).await),
            ("kpi_id".into(), "readonly".into())
        );
    })
    .await;
}

#[tokio::test]
async fn a_value_has_the_colour_of_its_thresholds_and_the_latest_period_is_the_indicators() {
    on_both(async |server| {
        let admin = server.admin().await;
        let board = dashboard(&admin, "Plant", "Production").await;
        let kpi = kpi(&admin, &board, json!({})).await;
        // Entered out of order: the latest is told by its period, not by when it was entered.
        for (start, entered, status) in [
            ("2026-03-01", "89.9999999999", "RED"),
            ("2026-01-01", "95", "GREEN"),
            ("2026-02-01", "90", "ORANGE"),
        ] {
            let value = value(&admin, &kpi, start, entered).await;
            assert_eq!(value["status"], status, "{entered}");
        }
        let path = format!("/kpis/{}", id(&kpi));
        let read = admin.get(&path).await.json();
        assert_eq!(read["latest_status"], "RED");
        assert_eq!(read["latest_value"].to_string(), "89.9999999999");
        assert_eq!(read["latest_period_start"], "2026-03-01");
        assert_eq!(read["version"], kpi["version"]);

        let listed = admin
            .get(&format!("{path}/values?from=2026-02-01&to=2026-03-31"))
            .await
            .json();
        let starts: Vec<_> = listed["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|v| v["period_start"].clone())
            .collect();
        assert_eq!(starts, ["2026-02-01", "2026-03-01"]);
        let last = id(&listed["items"][1]).to_owned();
        let corrected = admin
            .patch(&format!("{path}/values/{last}"), &json!({"value": 97}))
            .await;
        assert_eq!(corrected.json()["status"], "GREEN");
        assert_eq!(admin.get(&path).await.json()["latest_status"], "GREEN");
        let gone = admin.delete(&format!("{path}/values/{last}")).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT);
        let read = admin.get(&path).await.json();
        assert_eq!(
            (&read["latest_status"], &read["value_count"]),
            (&json!("ORANGE"), &json!(2))
        );

        // Below another indicator there is no such value.
        let other = self::kpi(&admin, &board, json!({"name": "Other"})).await;
        let first = id(&listed["items"][0]).to_owned();
        let answer = admin
            .get(&format!("/kpis/{}/values/{first}", id(&other)))
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn thresholds_from_a_day_on_leave_earlier_colours_alone() {
    on_both(async |server| {
        let admin = server.admin().await;
        let board = dashboard(&admin, "Plant", "Production").await;
        let kpi = kpi(&admin, &board, json!({})).await;
        assert_eq!(value(&admin, &kpi, "2026-01-01", "92").await["status"], "ORANGE");
        let path = format!("/kpis/{}", id(&kpi));
        let targets = json!({"targets": [{"valid_from": "2026-02-01", "threshold_green": 92}]});
        let changed = admin.patch(&path, &targets).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
        assert_eq!(value(&admin, &kpi, "2026-02-01", "92").await["status"], "GREEN");
        assert_eq!(value(&admin, &kpi, "2026-03-01", "91.9").await["status"], "RED");
        // The indicator's own thresholds change: what was measured keeps its colour.
        admin.patch(&path, &json!({"threshold_green": 50, "threshold_orange": 40})).await;
        let page = admin.get(&format!("{path}/values")).await.json();
        assert_eq!(page["items"][0]["status"], "ORANGE");
        // Unless they are judged anew on purpose.
        let again = admin.patch(&path, &json!({"judged_from": "2026-01-15"})).await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.text());
        let page = admin.get(&format!("{path}/values")).await.json();
        let colour = |place: usize| page["items"][place]["status"].clone();
        assert_eq!([colour(0), colour(1), colour(2)], ["ORANGE", "GREEN", "RED"]);
        admin.patch(&path, &json!({"judged_from": "2025-01-01"})).await;
        let page = admin.get(&format!("{path}/values")).await.json();
        assert_eq!(page["items"][0]["status"], "GREEN");
        let crossed = json!({"targets": [{"valid_from": "2026-05-01", "threshold_green": 10, "threshold_orange": 20}]});
        let (field, code) = wrong(&admin.patch(&path, &crossed).await);
        assert_eq!((field.as_str(), code.as_str()), ("targets[0].threshold_orange", "kpi.threshold_order_up"));
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_a_value_is_refused_at_its_field() {
    on_both(async |server| {
        let admin = server.admin().await;
        let board = dashboard(&admin, "Plant", "Production").await;
        let kpi = kpi(&admin, &board, json!({"frequency": "WEEKLY"})).await;
        let path = format!("/kpis/{}/values", id(&kpi));
        for (body, field, code) in [
            (json!({"period_start": "2026-11-03", "value": 1}), "period_start", "kpi.not_a_period"),
            (json!({"period_start": "2026-11-02", "period_end": "2026-11-09", "value": 1}), "period_end", "kpi.period_end"),
            (json!({"period_start": "2026-11-02"}), "value", "kpi.value_missing"),
            (json!({"period_start": "2026-11-02", "value": "NaN"}), "value", "wrong_type"),
            (json!({"period_start": "2026-11-02", "value": "1".repeat(40)}), "value", "precision"),
            (json!({"period_start": "2026-11-02", "value": "0.00000000001"}), "value", "precision"),
            (json!({"period_start": "2026-11-02", "value": 1, "status": "GREEN"}), "status", "readonly"),
            (json!({"period_start": "2026-11-02", "numerator": 1}), "denominator", "kpi.ratio_parts"),
            (json!({"period_start": "2026-11-02", "numerator": 1, "denominator": 0}), "denominator", "kpi.zero_denominator"),
            (json!({"period_start": "2026-11-02", "numerator": 1, "denominator": 3, "value": 0.3}), "value", "kpi.ratio_differs"),
            (json!({"period_start": "-009999-01-01", "value": 1}), "period_start", "invalid_date"),
        ] {
            let found = wrong(&admin.post(&path, &body).await);
            assert_eq!(found, (field.to_owned(), code.to_owned()), "{body}");
        }
        value(&admin, &kpi, "2026-11-02", "1").await;
        let twice = admin.post(&path, &json!({"period_start": "2026-11-02", "value": 2})).await;
        assert_eq!(twice.status, StatusCode::CONFLICT);
        let frequency = admin.patch(&format!("/kpis/{}", id(&kpi)), &json!({"frequency": "DAILY"})).await;
        assert_eq!(wrong(&frequency).1, "kpi.frequency_in_use");

        let close = json!({"closed_before": "2026-11-09"});
        admin.patch(&format!("/dashboards/{}", id(&board)), &close).await;
        let value = admin.get(&path).await.json()["items"][0].clone();
        let one = format!("{path}/{}", id(&value));
        for answer in [
            admin.patch(&one, &json!({"value": 5})).await,
            admin.delete(&one).await,
            admin.post(&path, &json!({"period_start": "2026-10-26", "value": 1})).await,
        ] {
            assert_eq!(answer.status, StatusCode::CONFLICT);
            assert_eq!(answer.json()["code"], "kpi.period_closed");
        }
        self::value(&admin, &kpi, "2026-11-09", "1").await;
    })
    .await;
}

#[tokio::test]
async fn a_plan_is_done_when_it_is_whole_and_taken_up_again_with_a_reason() {
    on_both(async |server| {
        let admin = server.admin().await;
        let board = dashboard(&admin, "Plant", "Production").await;
        let kpi = kpi(&admin, &board, json!({})).await;
        let plans = format!("/kpis/{}/actions", id(&kpi));
        let plan = made(&admin, &plans, json!({"title": "Repair"})).await;
        let path = format!("/actions/{}", id(&plan));
        let change = async |body: Json| admin.patch(&path, &body).await;
        assert_eq!(
            change(json!({"progress": 30})).await.json()["status"],
            "IN_PROGRESS"
        );
        let (field, _) = wrong(&change(json!({"progress": 101})).await);
        assert_eq!(field, "progress");
        assert_eq!(
            wrong(&change(json!({"status": "DONE", "progress": 60})).await).1,
            "kpi.done_is_whole"
        );
        let done = change(json!({"status": "DONE"})).await.json();
        assert_eq!(done["progress"], 100);
        assert_ne!(done["done_at"], Json::Null);
        assert_eq!(
            wrong(&change(json!({"status": "IN_PROGRESS"})).await).1,
            "kpi.reason_missing"
        );
        let again = json!({"status": "IN_PROGRESS", "progress": 80, "reason": "Broken again"});
        assert_eq!(change(again).await.json()["done_at"], Json::Null);
        assert_eq!(
            change(json!({"status": "CANCELLED"})).await.status,
            StatusCode::OK
        );
        let illegal = change(json!({"status": "DONE"})).await;
        assert_eq!(
            (illegal.status, &illegal.json()["allowed"]),
            (StatusCode::CONFLICT, &json!(["OPEN"]))
        );
    })
    .await;
}

#[tokio::test]
async fn somebody_edits_only_his_own_and_reads_what_is_not_kept_to_a_team() {
    on_both(async |server| {
        let admin = server.admin().await;
        let (ana, bea) = (
            server.person("ana", "user").await,
            server.person("bea", "user").await,
        );
        let board = dashboard(&ana, "Logistics", "Logistics").await;
        let kpi = kpi(&ana, &board, json!({})).await;
        let value = value(&ana, &kpi, "2026-01-01", "80").await;
        let plan = made(
            &ana,
            &format!("/kpis/{}/actions", id(&kpi)),
            json!({"title": "Hers"}),
        )
        .await;
        // She reads all of it and changes none of it.
        for path in [
            format!("/dashboards/{}", id(&board)),
            format!("/kpis/{}", id(&kpi)),
            format!("/kpis/{}/values/{}", id(&kpi), id(&value)),
            format!("/actions/{}", id(&plan)),
        ] {
            assert_eq!(bea.get(&path).await.status, StatusCode::OK, "{path}");
            for answer in [bea.patch(&path, &json!({})).await, bea.delete(&path).await] {
                assert_eq!(
                    answer.status,
                    StatusCode::FORBIDDEN,
                    "{path} {}",
                    answer.text()
                );
            }
        }
        for (path, body) in [
            (
                format!("/dashboards/{}/kpis", id(&board)),
                json!({"name": "x", "threshold_green": 1}),
            ),
            (
                format!("/kpis/{}/values", id(&kpi)),
                json!({"period_start": "2026-02-01", "value": 1}),
            ),
        ] {
            let answer = bea.post(&path, &body).await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{path} {}",
                answer.text()
            );
        }
        // What is hers below it she may change: a plan, and an indicator she answers for.
        let own = made(
            &bea,
            &format!("/kpis/{}/actions", id(&kpi)),
            json!({"title": "Mine"}),
        )
        .await;
        assert_eq!(
            bea.patch(&format!("/actions/{}", id(&own)), &json!({"progress": 5}))
                .await
                .status,
            StatusCode::OK
        );
        let bea_id = bea.get("/auth/me").await.json()["id"].clone();
        ana.patch(&format!("/kpis/{}", id(&kpi)), &json!({"owner_id": bea_id}))
            .await;
        self::value(&bea, &kpi, "2026-02-01", "70").await;
        assert_eq!(
            bea.get("/reporting/overview").await.json()["items"][0]["red"],
            1
        );

        // Kept to a team she is not in, it is nowhere: not in lists, not below, not in figures.
        let team = made(&admin, "/groups", json!({"name": "Movers", "kind": "team"})).await;
        let kept = ana
            .patch(
                &format!("/dashboards/{}", id(&board)),
                &json!({"teams": [id(&team)]}),
            )
            .await;
        assert_eq!(kept.status, StatusCode::OK, "{}", kept.text());
        for path in [
            format!("/dashboards/{}", id(&board)),
            format!("/dashboards/{}/tiles", id(&board)),
            format!("/kpis/{}", id(&kpi)),
            format!("/kpis/{}/chart", id(&kpi)),
            format!("/kpis/{}/values", id(&kpi)),
        ] {
            assert_eq!(bea.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(
            bea.get("/reporting/overview").await.json()["items"],
            json!([])
        );
        assert_eq!(
            bea.get("/reporting/top-risks").await.json()["items"],
            json!([])
        );
        assert_eq!(bea.get("/kpi-values").await.json()["items"], json!([]));
        let direction = bea.get("/reporting/direction").await.text();
        assert!(
            !direction.contains("Availability") && !direction.contains("Hers"),
            "{direction}"
        );
        // The owner and an administrator still do, and so does a member of the team.
        assert_eq!(
            ana.get("/reporting/overview").await.json()["items"][0]["red"],
            1
        );
        assert_eq!(
            admin.get(&format!("/kpis/{}", id(&kpi))).await.status,
            StatusCode::OK
        );
        admin
            .patch(
                &format!("/groups/{}", id(&team)),
                &json!({"members": {"add": [bea_id]}}),
            )
            .await;
        assert_eq!(
            bea.get(&format!("/kpis/{}", id(&kpi))).await.status,
            StatusCode::OK
        );
    })
    .await;
}

#[tokio::test]
async fn figures_name_the_worst_first_and_leave_inactive_indicators_out() {
    on_both(async |server| {
        let admin = server.admin().await;
        let plant = dashboard(&admin, "Plant", "Production").await;
        let safety = dashboard(&admin, "Safety", "HSE").await;
        let near = kpi(&admin, &plant, json!({"name": "Near"})).await;
        let far = kpi(&admin, &plant, json!({"name": "Far"})).await;
        let orange = kpi(&admin, &safety, json!({"name": "Orange"})).await;
        let asleep = kpi(&admin, &safety, json!({"name": "Asleep"})).await;
        kpi(&admin, &safety, json!({"name": "Empty"})).await;
        value(&admin, &near, "2026-10-01", "89").await;
        value(&admin, &far, "2026-09-01", "20").await;
        value(&admin, &far, "2026-10-01", "9.5").await;
        value(&admin, &orange, "2026-10-01", "91").await;
        value(&admin, &asleep, "2026-10-01", "1").await;
        admin
            .patch(
                &format!("/kpis/{}", id(&asleep)),
                &json!({"is_active": false}),
            )
            .await;
        let plans = format!("/kpis/{}/actions", id(&far));
        made(
            &admin,
            &plans,
            json!({"title": "Late", "due_date": "2020-01-01"}),
        )
        .await;
        made(&admin, &plans, json!({"title": "Open"})).await;
        made(
            &admin,
            &plans,
            json!({"title": "Done", "status": "DONE", "due_date": "2020-01-01"}),
        )
        .await;

        let overview = admin.get("/reporting/overview").await.json();
        let items = overview["items"].as_array().expect("items");
        let of = |title: &str| {
            items
                .iter()
                .find(|item| item["title"] == title)
                .expect("the dashboard")
                .clone()
        };
        let plant = of("Plant");
        assert_eq!(
            (
                &plant["status"],
                &plant["red"],
                &plant["open_actions"],
                &plant["late_actions"]
            ),
            (&json!("RED"), &json!(2), &json!(2), &json!(1))
        );
        let safety = of("Safety");
        assert_eq!(
            (
                &safety["status"],
                &safety["orange"],
                &safety["red"],
                &safety["no_data"]
            ),
            (&json!("ORANGE"), &json!(1), &json!(0), &json!(1))
        );
        assert_eq!(overview["processes"].as_array().map(Vec::len), Some(2));

        let risks = admin.get("/reporting/top-risks?limit=3").await.json();
        let told: Vec<_> = risks["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|risk| (risk["name"].clone(), risk["severity"].to_string()))
            .collect();
        assert_eq!(
            told,
            [
                (json!("Far"), "0.9".to_owned()),
                (json!("Near"), "0.0632".to_owned()),
                (json!("Orange"), "0.0421".to_owned())
            ]
        );
        assert_eq!(risks["items"][0]["consecutive_reds"], 2);
        assert_eq!(
            admin.get("/reporting/top-risks?limit=0").await.status,
            StatusCode::BAD_REQUEST
        );

        let direction = admin.get("/reporting/direction?limit=1").await.json();
        assert_eq!(direction["top_risks"].as_array().map(Vec::len), Some(1));
        assert_eq!(
            direction["trends"][0]["values"].as_array().map(Vec::len),
            Some(2)
        );
        assert_eq!(direction["key_actions"][0]["title"], "Late");
        assert_eq!(direction["key_actions"][0]["late"], true);
    })
    .await;
}

#[tokio::test]
async fn a_ratio_rolls_up_as_the_sum_of_its_parts() {
    on_both(async |server| {
        let admin = server.admin().await;
        let board = dashboard(&admin, "Plant", "Production").await;
        let ratio = kpi(
            &admin,
            &board,
            json!({"name": "Yield", "aggregation": "RATIO", "ratio_multiplier": 100}),
        )
        .await;
        for (start, numerator, denominator) in [("2026-01-01", 1, 1), ("2026-02-01", 0, 99)] {
            let body =
                json!({"period_start": start, "numerator": numerator, "denominator": denominator});
            made(&admin, &format!("/kpis/{}/values", id(&ratio)), body).await;
        }
        let chart = admin
            .get(&format!("/kpis/{}/chart?by=quarter", id(&ratio)))
            .await
            .json();
        // The mean of 100 % and 0 % is 50; one of a hundred is 1.
        assert_eq!(chart["spans"][0]["value"], 1);
        assert_eq!(chart["spans"][0]["status"], "RED");
        let answer = admin
            .get(&format!("/kpis/{}/chart?by=day", id(&ratio)))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    })
    .await;
}
