//! The OpenAPI document against the server it describes.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::Value as Json;

use crate::support::Server;

/// Method, path with parameters filled in, and the operation.
fn operations(document: &Json) -> Vec<(Method, String, Json)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let method = method.to_uppercase().parse().expect("a method");
            let filled: Vec<&str> = path
                .split('/')
                .map(|part| if part.starts_with('{') { "x" } else { part })
                .collect();
            all.push((method, filled.join("/"), operation.clone()));
        }
    }
    all
}

#[tokio::test]
async fn every_operation_of_the_document_is_served_and_refuses_strangers() {
    let server = Server::start(&[("OPSFLUX_HTTP__RATE_LIMIT", "0")]).await;
    let anybody = server.anybody();
    let document = anybody.get("/openapi.json").await.json();
    let all = operations(&document);
    assert!(all.len() > 100, "{}", all.len());
    for (method, path, operation) in all {
        let is_open = operation.get("security").is_some();
        let answer = anybody.send(method.clone(), &path, &[], "").await;
        if is_open && answer.status == StatusCode::NOT_FOUND {
            // There is no such link: the address itself is served, so it knows which methods it takes.
            let unknown = Method::from_bytes(b"PURGE").expect("a method");
            let served = anybody.send(unknown, &path, &[], "").await.status;
            assert_eq!(served, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        } else if !is_open {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        }
        let documented = operation["responses"].as_object().expect("responses");
        let status = answer.status.as_str();
        assert!(
            documented.contains_key(status),
            "{method} {path} answers {status}, undocumented"
        );
    }
}

#[tokio::test]
async fn references_lead_somewhere_and_names_are_given_once() {
    let server = Server::start(&[]).await;
    let document = server.anybody().get("/openapi.json").await.json();
    let text = document.to_string();
    let mut missing = BTreeSet::new();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap_or_default();
        if document.pointer(pointer).is_none() {
            missing.insert(pointer.to_owned());
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
    let names: Vec<String> = operations(&document)
        .into_iter()
        .filter_map(|(_, _, operation)| operation["operationId"].as_str().map(str::to_owned))
        .collect();
    let unique: BTreeSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    for (method, path, operation) in operations(&document) {
        for status in operation["responses"]
            .as_object()
            .expect("responses")
            .keys()
        {
            let status: u16 = status
                .parse()
                .unwrap_or_else(|_| panic!("{method} {path}: {status}"));
            assert!(status < 500, "{method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn in_production_the_document_is_for_those_who_are_signed_in() {
    let server = Server::start(&[("OPSFLUX_MODE", "production")]).await;
    assert_eq!(
        server.anybody().get("/openapi.json").await.status,
        StatusCode::UNAUTHORIZED
    );
    let docs = server.anybody().get("//docs").await;
    assert_eq!(docs.status, StatusCode::SEE_OTHER);
    let admin = server.admin().await;
    assert_eq!(admin.get("/openapi.json").await.status, StatusCode::OK);
    assert_eq!(admin.get("//docs").await.status, StatusCode::OK);
}
