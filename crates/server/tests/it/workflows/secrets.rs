//! Secrets that rules use and nobody reads.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::{ended, execution, id, workflow};
use crate::support::{Client, Server};

const SECRET: &str = "tr\"ès-secret-4711";

/// A system that is called once, and repeats what it was sent.
fn receiver() -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (told, got) = mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut seen = Vec::new();
            let mut part = [0; 4096];
            while !String::from_utf8_lossy(&seen).contains("}\u{20}") {
                match stream.read(&mut part) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => seen.extend_from_slice(&part[..count]),
                }
                if seen.ends_with(b"\"fin\"}") {
                    break;
                }
            }
            let text = String::from_utf8_lossy(&seen).into_owned();
            let body = json!({"you_sent": text}).to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(body.as_bytes());
            if told.send(text).is_err() {
                return;
            }
        }
    });
    (port, got)
}

async fn credential(client: &Client, name: &str) -> Json {
    let body = json!({"name": name, "kind": "api", "secret": SECRET});
    let made = client.post("/credentials", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()
}

async fn handed_on(server: &Server) {
    let admin = server.admin().await;
    let made = credential(&admin, "GMAO").await;
    assert_eq!(made["secret"], "••••");
    for kind in ["ssh", "generic"] {
        let body = json!({"name": kind, "kind": kind, "secret": "ssh-key-77"});
        assert_eq!(
            admin.post("/credentials", &body).await.status,
            StatusCode::CREATED
        );
    }
    let wrong = admin
        .post("/credentials", &json!({"name": "a b", "secret": "x"}))
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let (port, got) = receiver();
    let rule = workflow(
        &admin,
        &json!({
            "trigger": {"type": "manual", "entity": "ticket"},
            "actions": [{"type": "call_webhook", "id": "call", "params": {
                "url": format!("http://127.0.0.1:{port}/orders"),
                "headers": {"authorization": "Bearer {{ vault.ssh }}"},
                "body": {"key": "{{ vault.GMAO }}", "title": "{{ title }}", "z": "fin"},
            }}],
        }),
    )
    .await;
    // What people write into a record is never taken for a secret.
    let ticket = admin.ticket("⟦vault:GMAO:00⟧").await;
    let run = format!("/workflows/{}/execute", id(&rule));
    admin.post(&run, &json!({"record_id": ticket["id"]})).await;
    let sent = tokio::task::block_in_place(|| got.recv_timeout(crate::support::PATIENCE));
    let sent = match sent {
        Ok(sent) => sent,
        Err(_) => panic!("no call: {}", admin.get("/executions").await.text()),
    };
    assert!(sent.contains("Bearer ssh-key-77\r\n"), "{sent}");
    let body = json!({"key": SECRET, "title": "⟦vault:GMAO:00⟧", "z": "fin"}).to_string();
    assert!(sent.ends_with(&body), "{sent}");
    let runs = ended(&admin, &rule, 1).await;
    let run = execution(&admin, &rule, &runs[0]).await;
    assert_eq!(run["status"], "SUCCESS", "{run}");
    // Nothing that is kept holds it, though the other side repeated it.
    let deliveries = admin.get("/deliveries").await.json();
    assert!(
        deliveries["items"][0]["response"]
            .to_string()
            .contains("••••")
    );
    for kept in [run.to_string(), deliveries.to_string()] {
        assert!(!kept.contains("secret-4711"), "{kept}");
    }
    let used = format!(
        "/audit-entries?action=use&entity=credential&record={}",
        id(&made)
    );
    let used = admin.get(&used).await.json();
    assert_eq!(used["items"].as_array().map(Vec::len), Some(1), "{used}");
    assert!(
        !admin
            .get("/audit-entries?limit=500")
            .await
            .text()
            .contains("secret-4711")
    );
    // Another's is not there: neither to see, nor to use.
    let lea = server.person("lea", "manager").await;
    let path = format!("/credentials/{}", id(&made));
    assert_eq!(lea.get(&path).await.status, StatusCode::NOT_FOUND);
    let hers = workflow(
        &lea,
        &json!({
            "trigger": {"type": "manual", "entity": "ticket"},
            "actions": [{"type": "call_webhook", "params": {
                "url": format!("http://127.0.0.1:{port}/"), "body": {"key": "{{ vault.GMAO }}", "z": "fin"},
            }}],
        }),
    )
    .await;
    let run = format!("/workflows/{}/execute", id(&hers));
    let mine = lea.ticket("Mien").await;
    let begun = lea.post(&run, &json!({"record_id": mine["id"]})).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.text());
    let runs = ended(&lea, &hers, 1).await;
    assert_eq!(runs[0]["status"], "FAILED");
    let why = runs[0]["error"].as_str().expect("a reason");
    assert!(why.contains("vault.GMAO"), "{why}");
    // Where it would be read it may not be named.
    for (kind, params) in [
        ("comment", json!({"body": "{{ vault.GMAO }}"})),
        (
            "send_notification",
            json!({"to": "{{ requester }}", "title": "{{ vault.GMAO }}"}),
        ),
    ] {
        let body = json!({
            "name": "Fuite", "status": "ACTIVE",
            "trigger": {"type": "record_created", "entity": "ticket"},
            "actions": [{"type": kind, "params": params}],
        });
        let refused = admin.post("/workflows", &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{kind}");
        assert_eq!(refused.json()["errors"][0]["code"], "unknown_variable");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_reaches_the_other_side_and_nothing_that_is_kept() {
    let settings = [("OPSFLUX_HTTP__ALLOW_PRIVATE_TARGETS", "on")];
    let sqlite = Server::start(&settings).await;
    handed_on(&sqlite).await;
    let folder = sqlite.folder.path().join("data");
    for file in ["opsflux.db", "opsflux.db-wal"] {
        let bytes = std::fs::read(folder.join(file)).unwrap_or_default();
        let found = bytes.windows(11).any(|part| part == b"secret-4711");
        assert!(!found, "{file} holds it in clear");
    }
    sqlite.stop().await;
    let postgres = Server::on_postgres(&settings).await;
    handed_on(&postgres).await;
    postgres.stop().await;
}
