//! `POST /auth/refresh`: a refresh token for the next one. A token that is used twice ends its
//! session: one of the two who have it is not its owner.

use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_records::{Call, Error, Needs, Operation, Reply};
use serde_json::json;

use super::{Input, JSON, json_reply, tokens_schema, wants_cookies};
use crate::resolve::{csrf_refused, repeats_csrf};
use crate::session::{Pages, Rotation};
use crate::token::{ACCESS_LIFE, RefreshToken};
use crate::{Inner, cookies};

/// Longer than any token of ours.
const LONGEST: usize = 512;

pub(super) fn operation(inner: &Arc<Inner>) -> Operation {
    let summary =
        "Exchanges a refresh token for new tokens; a browser sends its cookie and no body";
    let input = json!({
        "type": "object",
        "properties": {"refresh_token": {"type": "string", "minLength": 1, "maxLength": LONGEST}},
        "additionalProperties": false,
    });
    Operation {
        needs: Needs::Nothing,
        input: Some((JSON.to_owned(), input)),
        output: (StatusCode::OK, Some(tokens_schema())),
        problems: vec![StatusCode::UNPROCESSABLE_ENTITY],
        ..super::operation(
            inner,
            "auth_refresh",
            (Method::POST, "/auth/refresh"),
            summary,
            refresh,
        )
    }
}

/// A refresh token with how it came.
struct Presented {
    token: RefreshToken,
    by_cookie: bool,
}

impl Inner {
    fn presented(&self, call: &Call) -> Result<Presented, Error> {
        let object = if call.body.is_empty() {
            Default::default()
        } else {
            call.object()?
        };
        if object.is_empty() {
            let cookie = cookies::read(&call.headers, cookies::REFRESH);
            let token = cookie.and_then(|text| self.tokens.read_refresh(text));
            let token = token.ok_or(Error::Unauthenticated)?;
            if !repeats_csrf(&call.headers, &self.tokens.csrf(token.session)) {
                return Err(csrf_refused());
            }
            return Ok(Presented {
                token,
                by_cookie: true,
            });
        }
        let mut input = Input::of(call)?;
        let text = input.text("refresh_token", LONGEST);
        input.finish()?;
        let token = self
            .tokens
            .read_refresh(&text)
            .ok_or(Error::Unauthenticated)?;
        Ok(Presented {
            token,
            by_cookie: false,
        })
    }
}

async fn refresh(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let Presented { token, by_cookie } = inner.presented(&call)?;
    let pages = if by_cookie {
        Pages::Several
    } else {
        Pages::One
    };
    match inner.sessions.rotate(&token, &call.origin, pages).await? {
        Rotation::Over => Err(Error::Unauthenticated),
        Rotation::Stolen(owner) => {
            let reason = Some("a refresh token was used twice");
            inner
                .note(&owner, &call, "session_ended", "refused", reason)
                .await?;
            Err(Error::Unauthenticated)
        }
        // The cookies of the other page are in the browser already.
        Rotation::Again => Ok(json_reply(&renewed())),
        Rotation::Rotated { owner, began, next } => {
            let person = inner
                .people
                .find(owner.tenant, owner.user, inner.records.now())
                .await?;
            if !person.is_some_and(|person| person.accepts(began)) {
                inner
                    .sessions
                    .end(owner.tenant, &[owner.session], None)
                    .await?;
                return Err(Error::Unauthenticated);
            }
            let reply = inner.answer(&owner, &next, by_cookie || wants_cookies(&call))?;
            if by_cookie {
                // Scripts of a page have no business with the tokens its cookies keep from them.
                let body = json_reply(&renewed()).body;
                return Ok(Reply { body, ..reply });
            }
            Ok(reply)
        }
    }
}

fn renewed() -> serde_json::Value {
    json!({"token_type": "bearer", "expires_in": ACCESS_LIFE.as_secs()})
}
