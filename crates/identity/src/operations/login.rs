//! `POST /auth/login`: a name and a password for a session.

use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_records::{Call, Error, Needs, Operation, Reply};

use super::{Input, texts_schema, tokens_schema};
use crate::Inner;
use crate::password::LONGEST;

/// Longest name: what an e-mail address may have.
pub(super) const LONGEST_NAME: usize = 320;

pub(super) fn operation(inner: &Arc<Inner>) -> Operation {
    let summary = "Signs in with an e-mail address or an @username; with the header \
                   X-Requested-With: opsflux the tokens are set as cookies too";
    Operation {
        needs: Needs::Nothing,
        input: Some(texts_schema(&[
            ("email", LONGEST_NAME),
            ("password", LONGEST),
        ])),
        output: (StatusCode::OK, Some(tokens_schema())),
        problems: vec![StatusCode::UNPROCESSABLE_ENTITY],
        ..super::operation(
            inner,
            "auth_login",
            (Method::POST, "/auth/login"),
            summary,
            login,
        )
    }
}

async fn login(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let mut input = Input::of(&call)?;
    let identifier = input.text("email", LONGEST_NAME);
    let password = input.text("password", LONGEST);
    input.finish()?;
    let identifier = identifier.trim();
    let account = inner
        .accounts
        .prove(identifier, password, &call.origin)
        .await?;
    // A second factor is asked for between these two lines: the account is proved by its password
    // only, and no session has begun.
    inner
        .begin(&call, (account.tenant, account.user), identifier)
        .await
}
