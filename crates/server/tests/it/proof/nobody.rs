//! Somebody with an account and no right: every operation that asks for one refuses him.

use http::{Method, StatusCode};
use opsflux_records::Needs;
use serde_json::json;

use super::wire::{Asked, Wire};
use crate::support::{PASSWORD, Server, on_both};

async fn without_rights(server: &Server) -> Wire {
    let body = json!({
        "full_name": "Nobody Yet", "email": "nobody@example.org", "password": PASSWORD,
    });
    let made = server.admin().await.post("/users", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let client = server.anybody().signed_in("nobody@example.org", PASSWORD);
    Wire::of(server, &client.await)
}

#[tokio::test]
async fn who_has_no_right_is_refused_by_every_operation_that_asks_for_one() {
    on_both(async |server| {
        let nobody = without_rights(server).await;
        let mut open = Vec::new();
        let mut asked = 0;
        for operation in server.running.app.served().registry.iter() {
            if matches!(operation.needs, Needs::Nothing | Needs::Session) {
                continue;
            }
            let parts = operation.path.split('/').map(|part| match part {
                part if part.starts_with('{') => "01a00000-0000-7000-8000-000000000000",
                part => part,
            });
            let path = parts.collect::<Vec<_>>().join("/");
            let ask = match operation.method {
                Method::GET => Asked::get(path),
                Method::DELETE => Asked::delete(path),
                _ => Asked::with(operation.method.clone(), path, &json!({})),
            };
            let said = nobody.ask(&ask).await;
            asked += 1;
            if !matches!(said.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) {
                open.push(format!("{}: {}", operation.name, said.status));
            }
        }
        assert!(open.is_empty(), "{open:?}");
        assert!(asked > 100, "{asked}");
    })
    .await;
}
