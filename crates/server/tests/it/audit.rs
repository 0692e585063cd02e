//! The audit from outside: verified, tampered with, exported.

use std::process::Output;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::jobs::ended;
use crate::process::opsflux;
use crate::support::{Client, Server, on_both};

/// `opsflux audit verify` beside the running server.
fn verify_by_hand(server: &Server, arguments: &[&str]) -> Output {
    let mut command = opsflux(&server.folder.path().join("data"));
    if let Some(url) = server.database_url() {
        command.env("OPSFLUX_DATABASE_URL", url);
    }
    let output = command.args(["audit", "verify"]).args(arguments).output();
    output.expect("the program runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

async fn verify(client: &Client) -> Json {
    let answer = client.post("/audit-entries/verify", &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

/// Waits until everything so far has its seal; the verification itself is an entry too.
async fn all_sealed(client: &Client) -> Json {
    let mut look = tokio::time::interval(Duration::from_millis(500));
    for _ in 0..10 {
        look.tick().await;
        let found = verify(client).await;
        if found["waiting"]
            .as_i64()
            .is_some_and(|waiting| waiting <= 1)
        {
            return found;
        }
    }
    panic!("nothing seals");
}

/// Waits until every entry has its seal, asking in a way that makes no entry.
async fn nothing_waits(server: &Server) {
    let mut look = tokio::time::interval(Duration::from_millis(500));
    for _ in 0..20 {
        look.tick().await;
        if !said(&verify_by_hand(server, &[])).contains("not sealed yet") {
            return;
        }
    }
    panic!("nothing seals");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_altered_in_the_database_is_named_by_the_command_and_over_http() {
    on_both(async |server| {
        let admin = server.admin().await;
        for title in ["One", "Two", "Three"] {
            admin.ticket(title).await;
        }
        let found = all_sealed(&admin).await;
        assert_eq!(
            (&found["whole"], &found["first_bad"]),
            (&json!(true), &Json::Null)
        );
        assert!(found["outside_heads"].as_i64() > Some(0), "{found}");
        let output = verify_by_hand(server, &[]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(
            said(&output).contains("entries, whole"),
            "{}",
            said(&output)
        );
        assert!(
            said(&output).contains("a roll-back of the whole folder cannot be seen"),
            "{}",
            said(&output)
        );

        let path = "/audit-entries?entity=ticket&action=create&sort=created_at&limit=1";
        let entry = admin.get(path).await.json()["items"][0]["id"].clone();
        let entry = entry.as_str().expect("an id");
        let digits = entry.replace('-', "");
        let literal = match server.database_url() {
            Some(_) => format!("'{entry}'"),
            None => format!("x'{digits}'"),
        };
        server.sql(&format!(
            "UPDATE r_audit_entry SET result = 'refused' WHERE id = {literal}"
        ));
        let found = verify(&admin).await;
        assert_eq!(
            (
                &found["whole"],
                &found["first_bad"]["id"],
                &found["first_bad"]["code"]
            ),
            (&json!(false), &json!(entry), &json!("edited"))
        );
        let output = verify_by_hand(server, &[]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(entry), "{}", said(&output));
        let place = format!("sequence {}", found["first_bad"]["sequence"]);
        assert!(said(&output).contains(&place), "{}", said(&output));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_was_cut_off_is_seen_by_the_file_of_heads_and_by_a_copy_of_it() {
    on_both(async |server| {
        let admin = server.admin().await;
        admin.ticket("Before").await;
        all_sealed(&admin).await;
        let heads = server.folder.path().join("data/audit-heads.log");
        let copy = server.folder.path().join("copy.log");
        std::fs::copy(&heads, &copy).expect("a copy elsewhere");
        let text = copy.display().to_string();
        let output = verify_by_hand(server, &["--heads", &text]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(!said(&output).contains("roll-back"), "{}", said(&output));
        // A seal made after the rows are gone would be another way to see it.
        nothing_waits(server).await;

        // Everything that speaks of a chain, in the database and in the folder.
        server.sql(
            "DELETE FROM sys_audit_head; DELETE FROM sys_audit_seal; \
             DELETE FROM sys_audit_new; DELETE FROM r_audit_entry",
        );
        let output = verify_by_hand(server, &[]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        std::fs::write(&heads, "").expect("emptied");
        let output = verify_by_hand(server, &["--heads", &text]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains("outside"), "{}", said(&output));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_exported_with_their_hashes_and_the_export_is_an_entry() {
    on_both(async |server| {
        let admin = server.admin().await;
        for title in ["One", "=Two()", "Three"] {
            admin.ticket(title).await;
        }
        all_sealed(&admin).await;
        let query = "entity=ticket&action=create";
        let lines = admin
            .get(&format!("/audit-entries/export?format=jsonl&{query}"))
            .await;
        assert_eq!(lines.status, StatusCode::OK, "{}", lines.text());
        let text = lines.text();
        let rows: Vec<Json> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("an object a line"))
            .collect();
        assert_eq!(rows.len(), 3, "{text}");
        for row in &rows {
            assert_eq!(row["action"], "create");
            assert_eq!(row["seal_chain"].as_str().map(str::len), Some(64), "{row}");
            assert!(row["actor_name"].is_string(), "{row}");
        }
        let csv = admin
            .get(&format!("/audit-entries/export?format=csv&{query}"))
            .await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        let text = csv.text();
        let mut table = text.split("\r\n");
        let header = table.next().expect("a header");
        assert!(
            header.contains("seal_chain") && header.contains("created_at"),
            "{header}"
        );
        assert_eq!(table.filter(|line| !line.is_empty()).count(), 3, "{text}");
        for row in &rows {
            assert!(text.contains(row["seal_chain"].as_str().expect("a hash")));
        }

        let told = "/audit-entries?action=export&sort=-created_at";
        let mut look = tokio::time::interval(Duration::from_millis(100));
        let told = loop {
            look.tick().await;
            let told = admin.get(told).await.json();
            if told["items"]
                .as_array()
                .is_some_and(|items| items.len() == 2)
            {
                break told;
            }
        };
        let after = &told["items"][0]["after"];
        assert_eq!(
            *after,
            json!({"filter": {"entity": "ticket", "action": "create"}, "format": "csv", "rows": 3})
        );

        let wrong = admin.get("/audit-entries/export?format=xlsx").await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{}", wrong.text());
        let person = server.person("curious", "technician").await;
        for path in ["/audit-entries/export", "/audit-entries"] {
            let refused = person.get(path).await;
            assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.text());
        }
        let refused = person.post("/audit-entries/verify", &json!({})).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.text());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_chain_is_verified_by_a_job() {
    on_both(async |server| {
        let admin = server.admin().await;
        let one = json!({"op": "create", "data": {"title": "Many"}});
        let many = json!({"operations": vec![one; 1_000]});
        let made = admin.post("/tickets/bulk", &many).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
        let job = async || {
            let mut look = tokio::time::interval(Duration::from_millis(500));
            for _ in 0..20 {
                look.tick().await;
                let asked = admin.post("/audit-entries/verify", &json!({})).await;
                // Directly, until enough of them are sealed.
                if asked.status == StatusCode::ACCEPTED {
                    return ended(&admin, asked.header("location")).await;
                }
            }
            panic!("the chain does not grow");
        };
        let done = job().await;
        assert_eq!(done["status"], "done", "{done}");
        assert_eq!(done["result"]["whole"], true, "{done}");
        assert!(done["done"].as_i64() > Some(1_000), "{done}");

        let last = "SELECT entry_id FROM sys_audit_seal WHERE seq = 900";
        server.sql(&format!("DELETE FROM r_audit_entry WHERE id = ({last})"));
        let done = job().await;
        assert_eq!(done["status"], "done", "{done}");
        let bad = &done["result"]["first_bad"];
        assert_eq!(
            (&bad["sequence"], &bad["code"]),
            (&json!(900), &json!("removed")),
            "{done}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_sees_verifies_and_exports_the_audit_and_nothing_else() {
    on_both(async |server| {
        let admin = server.admin().await;
        let ticket = admin.ticket("Not for auditors").await;
        let auditor = server.person("checker", "auditor").await;
        let seen = auditor.get("/audit-entries?entity=ticket").await;
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.text());
        assert_eq!(seen.json()["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(all_sealed(&auditor).await["whole"], true);
        let exported = auditor.get("/audit-entries/export?entity=ticket").await;
        assert_eq!(exported.text().lines().count(), 1, "{}", exported.text());

        let entities = auditor.get("/meta/entities").await.json();
        let names: Vec<&str> = entities["items"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|entity| entity["name"].as_str())
            .collect();
        assert_eq!(names, ["audit_entry", "job", "notification"]);
        let entry = &seen.json()["items"][0]["id"];
        let path = format!("/audit-entries/{}", entry.as_str().expect("an id"));
        let id = ticket["id"].as_str().expect("an id");
        for path in [
            "/tickets",
            "/users",
            "/companies",
            &format!("/tickets/{id}"),
        ] {
            let refused = auditor.get(path).await;
            assert_eq!(
                refused.status,
                StatusCode::NOT_FOUND,
                "{path} {}",
                refused.text()
            );
        }
        for refused in [
            auditor.post("/tickets", &json!({"title": "Mine"})).await,
            auditor
                .patch(&format!("/tickets/{id}"), &json!({"title": "Mine"}))
                .await,
            auditor.patch(&path, &json!({"action": "nothing"})).await,
            auditor.delete(&path).await,
            admin.patch(&path, &json!({"action": "nothing"})).await,
            admin.delete(&path).await,
        ] {
            let status = refused.status;
            assert!(status.is_client_error(), "{status} {}", refused.text());
        }
    })
    .await;
}
