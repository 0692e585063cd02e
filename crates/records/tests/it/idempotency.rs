//! The same POST twice is done once.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use opsflux_records::entity::operations;
use opsflux_records::{Body, Call, Error, Language, Origin, Reply};
use serde_json::{Value as Json, json};

use crate::world::{World, both};

both!(
    a_repeated_key_answers_the_same_record,
    a_key_with_another_body_is_refused,
    a_repeated_bulk_writes_nothing,
);

async fn post(world: &World, path: &str, key: &str, body: &Json) -> Result<Reply, Error> {
    let all = operations(&world.records);
    let operation = all
        .iter()
        .find(|o| o.path == path && o.method == http::Method::POST)
        .unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("idempotency-key", key.parse().unwrap());
    let call = Call {
        caller: Some(world.admin.clone()),
        origin: Arc::new(Origin::default()),
        language: Language::En,
        operation: format!("POST {path}"),
        path: Vec::new(),
        query: Vec::new(),
        headers,
        body: Bytes::from(body.to_string()),
        upload: None,
    };
    (operation.handler)(call).await
}

fn json_of(reply: Reply) -> Json {
    match reply.body {
        Body::Json(bytes) => serde_json::from_slice(&bytes).unwrap(),
        _ => panic!("no JSON"),
    }
}

async fn a_repeated_key_answers_the_same_record(world: World) {
    let body = json!({"title": "once"});
    let first = post(&world, "/tickets", "k1", &body).await.unwrap();
    assert_eq!(first.status, StatusCode::CREATED);
    let first = json_of(first);
    let again = post(&world, "/tickets", "k1", &body).await.unwrap();
    assert_eq!(again.status, StatusCode::CREATED);
    assert_eq!(json_of(again)["id"], first["id"]);
    assert_eq!(
        world.column(&world.admin, "ticket", "", "id").await.len(),
        1
    );
    post(&world, "/tickets", "k2", &body).await.unwrap();
    assert_eq!(
        world.column(&world.admin, "ticket", "", "id").await.len(),
        2
    );
}

async fn a_key_with_another_body_is_refused(world: World) {
    post(&world, "/tickets", "k1", &json!({"title": "one"}))
        .await
        .unwrap();
    let error = post(&world, "/tickets", "k1", &json!({"title": "two"}))
        .await
        .err()
        .unwrap();
    let Error::Invalid(errors) = error else {
        panic!("{error:?}")
    };
    assert_eq!(errors[0].code, "key_reused");
    // A request that failed is not kept: mended, it may use its key.
    let wrong = post(&world, "/tickets", "k9", &json!({"title": ""}))
        .await
        .err()
        .unwrap();
    assert!(matches!(wrong, Error::Invalid(_)));
    post(&world, "/tickets", "k9", &json!({"title": "mended"}))
        .await
        .unwrap();
}

async fn a_repeated_bulk_writes_nothing(world: World) {
    let body = json!({"operations": [{"op": "create", "data": {"title": "a"}}]});
    post(&world, "/tickets/bulk", "b1", &body).await.unwrap();
    let again = json_of(post(&world, "/tickets/bulk", "b1", &body).await.unwrap());
    assert_eq!(again["results"].as_array().unwrap().len(), 1);
    assert_eq!(
        world.column(&world.admin, "ticket", "", "id").await.len(),
        1
    );
}
