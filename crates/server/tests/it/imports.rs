//! Files over HTTP into records: what is taken, what is refused, what is taken back, on both
//! databases.

use std::time::Duration;

use http::{Method, StatusCode};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::{Value as Json, json};

use crate::process::{Serving, opsflux};
use crate::support::{ADMIN, Answer, Client, PASSWORD, Server, on_both};

const MULTIPART: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");

/// A form with a file and what is said besides.
fn form(file: &[u8], fields: &[(&str, &str)]) -> Vec<u8> {
    let mut form = Vec::new();
    for (name, value) in fields {
        let head = format!("Content-Disposition: form-data; name=\"{name}\"");
        form.extend(format!("--b\r\n{head}\r\n\r\n{value}\r\n").bytes());
    }
    let head = "Content-Disposition: form-data; name=\"file\"; filename=\"rows.csv\"";
    form.extend(format!("--b\r\n{head}\r\n\r\n").bytes());
    form.extend_from_slice(file);
    form.extend(b"\r\n--b--\r\n");
    form
}

async fn send(client: &Client, path: &str, file: &[u8], fields: &[(&str, &str)]) -> Answer {
    client
        .send(Method::POST, path, &[MULTIPART], form(file, fields))
        .await
}

/// The job of an answer, when it has ended.
async fn ended(client: &Client, answer: &Answer) -> Json {
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    end_of(client, &id).await
}

async fn end_of(client: &Client, id: &str) -> Json {
    let path = format!("/imports/jobs/{id}");
    let mut look = tokio::time::interval(Duration::from_millis(150));
    let job = async {
        loop {
            look.tick().await;
            let job = client.get(&path).await.json();
            if matches!(job["status"].as_str(), Some("SUCCESS" | "FAILED")) {
                return job;
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(120), job).await;
    ended.expect("the import ends within two minutes")
}

async fn import(client: &Client, file: &[u8], fields: &[(&str, &str)]) -> Json {
    let answer = send(client, "/imports", file, fields).await;
    ended(client, &answer).await
}

async fn count(client: &Client, path: &str) -> Json {
    let and = if path.contains('?') { '&' } else { '?' };
    let page = client.get(&format!("{path}{and}total=true&limit=1")).await;
    page.json()["total"].clone()
}

/// Files that lie in the folder of imports.
fn left(server: &Server) -> usize {
    let folder = server.folder.path().join("data/imports");
    std::fs::read_dir(folder).expect("the folder").count()
}

/// A dashboard with two indicators of the month.
async fn indicators(admin: &Client) -> String {
    let board = admin
        .post(
            "/dashboards",
            &json!({"title": "Production", "process_name": "P"}),
        )
        .await;
    assert_eq!(board.status, StatusCode::CREATED, "{}", board.text());
    let board = board.json()["id"].as_str().expect("an id").to_owned();
    for name in ["Taux de service", "Rebuts"] {
        let kpi = json!({
            "name": name, "frequency": "MONTHLY", "direction": "UP_IS_BETTER",
            "threshold_green": 95, "threshold_orange": 90,
        });
        let made = admin.post(&format!("/dashboards/{board}/kpis"), &kpi).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    }
    board
}

#[tokio::test]
async fn values_of_indicators_come_from_a_french_csv_and_from_a_workbook() {
    on_both(async |server| {
        let admin = server.admin().await;
        let board = indicators(&admin).await;
        let csv = "Indicateur;Début;Mesure\n\
            Taux de service;01/01/2026;96,5 %\n\
            Taux de service;01/02/2026;1 234,5\n\
            Rebuts;01/01/2026;\"(12)\"\n";
        let mapping = r#"{"kpi": "Indicateur", "period_start": "Début", "value": "Mesure"}"#;
        let fields = [
            ("mapping", mapping),
            ("dashboard_id", board.as_str()),
            ("locale", "fr"),
        ];
        let answer = send(&admin, "/imports/kpi-values", csv.as_bytes(), &fields).await;
        let job = ended(&admin, &answer).await;
        assert_eq!(job["status"], "SUCCESS", "{job}");
        assert_eq!(
            (&job["type"], &job["rows_ok"]),
            (&json!("EXCEL"), &json!(3))
        );
        assert_eq!(left(server), 0, "the file is gone when the job ends");
        let page = admin.get("/kpi-values?sort=value").await.json();
        let found: Vec<(String, &Json)> = page["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|item| (item["value"].to_string(), &item["status"]))
            .collect();
        let (green, red) = (json!("GREEN"), json!("RED"));
        let expected = [("-12", &red), ("96.5", &green), ("1234.5", &green)];
        assert_eq!(
            found,
            expected.map(|(value, status)| (value.to_owned(), status))
        );

        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (place, header) in ["kpi", "period_start", "value", "comment"]
            .iter()
            .enumerate()
        {
            sheet
                .write(0, u16::try_from(place).unwrap(), *header)
                .unwrap();
        }
        let day = Format::new().set_num_format("dd/mm/yyyy");
        for month in 3..=12_u8 {
            let row = u32::from(month) - 2;
            sheet.write(row, 0, "Taux de service").unwrap();
            let begin = ExcelDateTime::from_ymd(2026, month, 1).unwrap();
            sheet.write_with_format(row, 1, &begin, &day).unwrap();
            sheet.write(row, 2, 90.5).unwrap();
        }
        let content = book.save_to_buffer().unwrap();
        let answer = send(&admin, "/imports/kpi-values", &content, &[]).await;
        let job = ended(&admin, &answer).await;
        assert_eq!(
            (&job["status"], &job["rows_ok"]),
            (&json!("SUCCESS"), &json!(10)),
            "{job}"
        );
        assert_eq!(count(&admin, "/kpi-values?status=ORANGE").await, 10);

        let rows =
            json!({"rows": [{"kpi": "Rebuts", "period_start": "2026-02-01", "value": 3.25}]});
        let answer = admin.post("/imports/kpi-values", &rows).await;
        let job = ended(&admin, &answer).await;
        assert_eq!(
            (&job["type"], &job["status"]),
            (&json!("API"), &json!("SUCCESS")),
            "{job}"
        );
        let jobs = admin.get("/imports/jobs").await.json();
        assert_eq!(jobs["items"].as_array().map(Vec::len), Some(3));
    })
    .await;
}

#[tokio::test]
async fn every_wrong_cell_is_told_by_line_and_column_and_nothing_is_written() {
    on_both(async |server| {
        let admin = server.admin().await.in_language("fr");
        indicators(&admin).await;
        let csv = "kpi;period_start;value;comment\n\
            Taux de service;2026-01-01;95;juste\n\
            Taux de servise;2026-01-01;95;\n\
            Taux de service;2026-02-30;95;\n\
            Taux de service;2026-03-15;95;\n\
            Taux de service;2026-01-01;94;\n\
            Taux de service;2026-04-01;NaN;\n\
            Taux de service;2026-05-01;1234567890123456789012345678901234567890;\n";
        let answer = send(&admin, "/imports/kpi-values", csv.as_bytes(), &[]).await;
        let job = ended(&admin, &answer).await;
        assert_eq!(
            (&job["status"], &job["rows_ok"]),
            (&json!("FAILED"), &json!(0)),
            "{job}"
        );
        assert_eq!(
            (&job["rows_total"], &job["rows_failed"]),
            (&json!(7), &json!(6)),
            "{job}"
        );
        assert!(
            job["error_message"]
                .as_str()
                .is_some_and(|m| m.contains("rien n’a été écrit"))
        );
        let found: Vec<(i64, &str, &str)> = job["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|e| {
                let text = |name: &str| e[name].as_str().unwrap_or_default();
                (
                    e["line"].as_i64().expect("a line"),
                    text("column"),
                    text("code"),
                )
            })
            .collect();
        let expected = [
            (3, "kpi", "not_found"),
            (4, "period_start", "invalid_date"),
            (7, "value", "base.not_a_number"),
            (5, "period_start", "kpi.not_a_period"),
            (6, "period_start", "base.row_twice"),
            (8, "value", "precision"),
        ];
        assert_eq!(found, expected, "{job}");
        assert_eq!(count(&admin, "/kpi-values").await, 0);

        let skipped = send(
            &admin,
            "/imports/kpi-values",
            csv.as_bytes(),
            &[("mode", "skip_bad_rows")],
        )
        .await;
        let job = ended(&admin, &skipped).await;
        assert_eq!(
            (&job["status"], &job["rows_ok"]),
            (&json!("SUCCESS"), &json!(1)),
            "{job}"
        );
        assert_eq!(job["rows_failed"], 6);
        // What is there already is told as such.
        let again = "kpi;period_start;value\nTaux de service;2026-01-01;95\n";
        let answer = send(&admin, "/imports/kpi-values", again.as_bytes(), &[]).await;
        let job = ended(&admin, &answer).await;
        assert_eq!(job["errors"][0]["code"], "base.value_taken", "{job}");
    })
    .await;
}

#[tokio::test]
async fn a_mapping_that_cannot_be_is_told_before_a_row_is_read() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let csv = b"a;a;b\n1;2;3\n";
    let refused = async |fields: &[(&str, &str)]| {
        let job = import(&admin, csv, fields).await;
        assert_eq!(job["status"], "FAILED", "{job}");
        job["error_message"].as_str().expect("why").to_owned()
    };
    let ticket = ("entity", "ticket");
    let twice = refused(&[ticket, ("mapping", r#"{"title": "a"}"#)]).await;
    assert!(twice.contains("two columns"), "{twice}");
    let both = refused(&[ticket, ("mapping", r#"{"title": "b", "description": "b"}"#)]).await;
    assert!(both.contains("two fields"), "{both}");
    let none = refused(&[ticket, ("mapping", r#"{"title": "x"}"#)]).await;
    assert!(none.contains("no column"), "{none}");
    for (fields, field) in [
        (vec![("entity", "nothing")], "entity"),
        (vec![("entity", "user")], "entity"),
        (vec![("entity", "audit_entry")], "entity"),
        (vec![ticket, ("mode", "some")], "mode"),
        (vec![ticket, ("locale", "de")], "locale"),
        (vec![ticket, ("colour", "red")], "colour"),
        (vec![ticket, ("mapping", "[]")], "mapping"),
        (vec![], "entity"),
    ] {
        let answer = send(&admin, "/imports", csv, &fields).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            answer.text()
        );
        assert_eq!(
            answer.json()["errors"][0]["field"],
            field,
            "{}",
            answer.text()
        );
    }
    let guest = server.person("ida", "guest").await;
    let answer = send(&guest, "/imports", csv, &[("entity", "asset")]).await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
    assert_eq!(left(&server), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_preview_shows_what_rows_would_become_and_writes_nothing() {
    on_both(async |server| {
        let admin = server.admin().await;
        let mut csv = "Titre;Priorité;Échéance\n".to_owned();
        for n in 1..=30 {
            csv += &format!("Panne {n};Haute;0{}/02/2026\n", n % 9 + 1);
        }
        csv += "Panne 31;Enorme;01/02/2026\n";
        let fields = [("collection", "tickets")];
        let answer = send(
            &admin.in_language("fr"),
            "/imports/preview",
            csv.as_bytes(),
            &fields,
        )
        .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let preview = answer.json();
        assert_eq!(
            preview["format"],
            json!({"format": "csv", "separator": ";", "encoding": "UTF-8"})
        );
        assert_eq!(preview["rows_total"], 31);
        assert_eq!(preview["rows"].as_array().map(Vec::len), Some(10));
        assert_eq!(preview["mapping"]["title"], "Titre");
        assert_eq!(preview["mapping"]["priority"], "Priorité");
        assert_eq!(
            preview["rows"][0]["record"]["priority"], "high",
            "{preview}"
        );
        assert_eq!(preview["rows"][0]["errors"], json!([]), "{preview}");
        assert_eq!(count(&admin, "/tickets").await, 0);
        assert_eq!(left(server), 0);
    })
    .await;
}

#[tokio::test]
async fn records_are_found_by_a_key_and_an_import_can_be_rolled_back() {
    on_both(async |server| {
        let admin = server.admin().await;
        let first = b"title,description\nA,one\nB,two\n";
        let job = import(&admin, first, &[("entity", "ticket")]).await;
        assert_eq!(job["status"], "SUCCESS", "{job}");
        let second = b"title,description\nA,three\nC,four\n";
        let fields = [("entity", "ticket"), ("key", "title")];
        let changed = import(&admin, second, &fields).await;
        assert_eq!(
            (&changed["status"], &changed["rows_ok"]),
            (&json!("SUCCESS"), &json!(2))
        );
        assert_eq!(count(&admin, "/tickets").await, 3);
        let description = async || {
            let page = admin.get("/tickets?title=A").await.json();
            page["items"][0]["description"].clone()
        };
        assert_eq!(description().await, "three");

        let roll_back = async |job: &Json| {
            let path = format!(
                "/imports/jobs/{}/rollback",
                job["id"].as_str().expect("an id")
            );
            admin.send(Method::POST, &path, &[], "").await
        };
        let back = ended(&admin, &roll_back(&changed).await).await;
        assert_eq!(
            (&back["status"], &back["stage"]),
            (&json!("SUCCESS"), &json!("rolled_back"))
        );
        assert_eq!(count(&admin, "/tickets").await, 2);
        assert_eq!(description().await, "one");
        let again = roll_back(&changed).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());

        // What somebody has worked on since is named, and stays.
        let page = admin.get("/tickets?title=B").await.json();
        let touched = page["items"][0].clone();
        let path = format!("/tickets/{}", touched["id"].as_str().expect("an id"));
        let patch = json!({"description": "mine"}).to_string();
        let json = ("content-type", "application/json");
        admin.send(Method::PATCH, &path, &[json], patch).await;
        let refused = roll_back(&job).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
        let number = touched["number"].as_str().expect("a number");
        assert!(refused.text().contains(number), "{}", refused.text());
        assert_eq!(count(&admin, "/tickets").await, 2);
    })
    .await;
}

#[tokio::test]
async fn the_same_key_is_the_same_import() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let body = || form(b"title\nOnce\n", &[("entity", "ticket")]);
    let headers = [MULTIPART, ("idempotency-key", "import-1")];
    let first = admin.send(Method::POST, "/imports", &headers, body()).await;
    let done = ended(&admin, &first).await;
    let again = admin.send(Method::POST, "/imports", &headers, body()).await;
    assert_eq!(ended(&admin, &again).await["id"], done["id"]);
    assert_eq!(count(&admin, "/tickets").await, 1);
    assert_eq!(left(&server), 0);
    server.stop().await;
}

/// All or nothing also across `kill -9`: a server that is killed again and again while it imports
/// ends with all rows, or with none of them when a row was refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_goes_on_or_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut csv = "title\n".to_owned();
    for n in 0..6_000 {
        csv += &format!("Ligne {n}\n");
    }
    let mut serving = Serving::start(opsflux(&data));
    let admin = Client::at(serving.address).signed_in(ADMIN, PASSWORD).await;
    let answer = send(&admin, "/imports", csv.as_bytes(), &[("entity", "ticket")]).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    let path = format!("/imports/jobs/{id}");
    let mut seen = Vec::new();
    // Once while rows are checked, once while they are written.
    for stage in ["check", "write"] {
        let admin = Client::at(serving.address).signed_in(ADMIN, PASSWORD).await;
        // Looked at as often as one person may ask.
        let mut look = tokio::time::interval(Duration::from_millis(150));
        loop {
            look.tick().await;
            let job = admin.get(&path).await.json();
            let done = job["rows_done"].as_i64().unwrap_or(0);
            let ended = matches!(job["status"].as_str(), Some("SUCCESS" | "FAILED"));
            if job["stage"] == stage && done > 0 && done < 6_000 || ended {
                seen.push(job["stage"].clone());
                break;
            }
        }
        serving.kill();
        serving = Serving::start(opsflux(&data));
    }
    assert!(seen.contains(&json!("write")), "{seen:?}");
    let admin = Client::at(serving.address).signed_in(ADMIN, PASSWORD).await;
    let job = end_of(&admin, &id).await;
    assert_eq!(
        (&job["status"], &job["rows_ok"]),
        (&json!("SUCCESS"), &json!(6_000)),
        "{job}"
    );
    assert_eq!(count(&admin, "/tickets").await, 6_000);
    serving.kill();
}
