//! `POST /auth/password`: one's own password, proved by the old one. Other sessions end.

use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_records::{Call, Error, FieldError, Operation, Reply, WriteOptions};
use serde_json::{Map, Value as Json};

use super::{Input, texts_schema};
use crate::Inner;
use crate::password::{LONGEST, SHORTEST, check};

pub(super) fn operation(inner: &Arc<Inner>) -> Operation {
    let summary = "Changes the caller's password and ends the caller's other sessions";
    let fields = [("current_password", LONGEST), ("new_password", LONGEST)];
    let (kind, mut schema) = texts_schema(&fields);
    schema["properties"]["new_password"]["minLength"] = SHORTEST.into();
    Operation {
        input: Some((kind, schema)),
        problems: vec![StatusCode::UNPROCESSABLE_ENTITY],
        ..super::operation(
            inner,
            "auth_password",
            (Method::POST, "/auth/password"),
            summary,
            change,
        )
    }
}

async fn change(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let caller = call.caller()?;
    let (tenant, user) = (caller.tenant(), caller.user());
    let live = inner.session_of(&call.headers, inner.records.now()).await?;
    let keep = live.ok_or(Error::Unauthenticated)?.owner.session;
    let account = inner
        .accounts
        .of(tenant, user)
        .await?
        .ok_or(Error::Unauthenticated)?;
    let mut input = Input::of(&call)?;
    let current = input.text("current_password", LONGEST);
    let new = input.text("new_password", LONGEST);
    let names: Vec<&str> = account.names.iter().map(String::as_str).collect();
    if input.is_right("new_password")
        && let Err(weak) = check(&new, &names)
    {
        input.mistake("new_password", weak.code(), weak.to_string());
    }
    input.finish()?;
    // A stolen session must not be a way to guess: wrong ones count like at signing in.
    if !inner
        .accounts
        .check(&account.email, Some(&account), current, &call.origin)
        .await?
    {
        let wrong = FieldError::new("current_password", "wrong_password", "");
        return Err(Error::Invalid(vec![wrong]));
    }
    let patch = Map::from_iter([("password".to_owned(), Json::from(new))]);
    let options = WriteOptions::default();
    match inner.change_user(caller, patch, &options).await {
        Ok(_) => {}
        // The pipeline knows the field by the name it has in the record.
        Err(Error::Invalid(mut errors)) => {
            for error in errors.iter_mut().filter(|error| error.field == "password") {
                "new_password".clone_into(&mut error.field);
            }
            return Err(Error::Invalid(errors));
        }
        Err(error) => return Err(error),
    }
    inner
        .sessions
        .end_all(tenant, user, Some(keep), Some(user))
        .await?;
    Ok(Reply::empty())
}
