//! `POST /auth/signup`: a tenant of one's own, with its first company and its administrator.
//!
//! There only when the instance allows it. Everything is judged before anything is written; what a
//! crash in the middle leaves behind is a tenant nobody can enter, and the name is free again.

use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_model::fold::fold;
use opsflux_model::schema::FieldType;
use opsflux_records::{Call, ConflictKind, Error, Needs, Operation, Reply};

use super::{Input, texts_schema, tokens_schema};
use crate::Inner;
use crate::founding::{Founder, found};
use crate::password::{LONGEST, SHORTEST, check};

const LONGEST_NAME: usize = 200;
const LONGEST_EMAIL: usize = 254;

pub(super) fn operation(inner: &Arc<Inner>) -> Operation {
    let summary = "Makes an organisation with its first company and its administrator";
    let fields = [
        ("organization_name", LONGEST_NAME),
        ("full_name", LONGEST_NAME),
        ("email", LONGEST_EMAIL),
        ("password", LONGEST),
    ];
    let (kind, mut schema) = texts_schema(&fields);
    schema["properties"]["email"]["format"] = "email".into();
    schema["properties"]["password"]["minLength"] = SHORTEST.into();
    Operation {
        needs: Needs::Nothing,
        input: Some((kind, schema)),
        output: (StatusCode::CREATED, Some(tokens_schema())),
        problems: vec![StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY],
        ..super::operation(
            inner,
            "auth_signup",
            (Method::POST, "/auth/signup"),
            summary,
            signup,
        )
    }
}

async fn signup(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let mut input = Input::of(&call)?;
    let organisation = input.text("organization_name", LONGEST_NAME);
    let full_name = input.text("full_name", LONGEST_NAME);
    let email = input.required("email", &FieldType::Email);
    let password = input.text("password", LONGEST);
    if input.is_right("password")
        && let Err(weak) = check(&password, &[&full_name, &email])
    {
        input.mistake("password", weak.code(), weak.to_string());
    }
    input.finish()?;
    // One at a time: two with one address would both find it free.
    let _alone = inner.founding.lock().await;
    if inner
        .records
        .store()
        .log_name(&fold(&email))
        .await?
        .is_some()
    {
        return Err(Error::Conflict(ConflictKind::Unique {
            fields: vec!["email".to_owned()],
        }));
    }
    let founder = Founder {
        organisation: organisation.trim(),
        full_name: full_name.trim(),
        email: &email,
        password: Some(&password),
    };
    let (tenant, user) = found(&inner.records, &founder, &call.origin).await?;
    let reply = inner.begin(&call, (tenant, user), &email).await?;
    Ok(reply.with_status(StatusCode::CREATED))
}
