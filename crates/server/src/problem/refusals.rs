//! Which problem each refusal of the pipeline is: status, type, what the words mention.

use http::{StatusCode, header};
use opsflux_records::{ConflictKind, Error, FieldError};
use serde_json::{Map, Value as Json, json};

use super::{Problem, RETRY_WHEN_UNAVAILABLE};

impl From<&Error> for Problem {
    fn from(error: &Error) -> Problem {
        match error {
            Error::NotFound => Problem::new(StatusCode::NOT_FOUND, "not_found"),
            Error::Unauthenticated => Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated")
                .header(header::WWW_AUTHENTICATE, "Bearer"),
            Error::Forbidden { entity, .. } if entity == opsflux_identity::CSRF => {
                Problem::new(StatusCode::FORBIDDEN, "csrf")
            }
            Error::Forbidden { entity, .. } if entity == opsflux_identity::VIEWING => {
                Problem::new(StatusCode::FORBIDDEN, "view_as")
            }
            Error::Forbidden { action, entity } => Problem::new(StatusCode::FORBIDDEN, "forbidden")
                .with("action", action.as_str())
                .with("entity", entity.as_str()),
            Error::BadQuery {
                parameter,
                code,
                detail,
            } => Problem::new(StatusCode::BAD_REQUEST, "invalid_query")
                .with("parameter", parameter.as_str())
                .with("query_code", *code)
                .with("reason", detail.as_str())
                .member("parameter", parameter.as_str())
                .member("code", *code),
            Error::BadBody(reason) => Problem::new(StatusCode::BAD_REQUEST, "invalid_body")
                .with("reason", reason.as_str()),
            Error::Invalid(fields) => invalid(fields),
            Error::Bulk { index, error } => bulk(*index, Problem::from(&**error)),
            Error::Precondition { version, current } => {
                let mut problem = Problem::new(StatusCode::PRECONDITION_FAILED, "version")
                    .with("version", *version)
                    .header(header::ETAG, &format!("\"{version}\""));
                problem.current = Some(current.clone());
                problem
            }
            Error::Conflict(kind) => conflict(kind),
            Error::Refused {
                code,
                params,
                field,
            } => refused(code, params, field.as_deref()),
            Error::TooLarge { limit } => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large")
                .with("limit", limit.as_str()),
            Error::UnsupportedMedia => {
                Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media")
            }
            Error::TooMany { retry_after } => {
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many")
                    .with("count", *retry_after)
                    .retry_after(*retry_after)
            }
            Error::Resync => Problem::new(StatusCode::GONE, "resync"),
            Error::Unavailable(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
                .retry_after(RETRY_WHEN_UNAVAILABLE),
            Error::ReadOnly(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "read_only")
                .retry_after(RETRY_WHEN_UNAVAILABLE),
            Error::Timeout => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout")
                .retry_after(RETRY_WHEN_UNAVAILABLE),
            Error::Internal(_) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

fn invalid(fields: &[FieldError]) -> Problem {
    let names: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
    let mut problem =
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid").with("fields", names.join(", "));
    problem.fields = fields.to_vec();
    problem
}

/// One operation is wrong: the bulk answers 422 whatever the operation alone would have answered,
/// and says that answer inside.
fn bulk(index: usize, inner: Problem) -> Problem {
    let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bulk")
        .with("index", index)
        .member("index", index);
    problem.fields = inner
        .fields
        .iter()
        .map(|field| FieldError {
            field: format!("operations[{index}].data.{}", field.field),
            ..field.clone()
        })
        .collect();
    problem.inner = Some(Box::new(inner));
    problem
}

fn refused(code: &str, params: &Map<String, Json>, field: Option<&str>) -> Problem {
    let status = if field.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::CONFLICT
    };
    let mut problem = Problem::new(status, "refused").member("code", code);
    problem.params = params.clone();
    problem.said_by = Some(code.to_owned());
    problem.fields = field
        .map(|field| FieldError::new(field, code, ""))
        .into_iter()
        .collect();
    problem
}

fn conflict(kind: &ConflictKind) -> Problem {
    let new = |code| Problem::new(StatusCode::CONFLICT, code);
    match kind {
        ConflictKind::Merge(conflicts) => {
            let names: Vec<&str> = conflicts.iter().map(|c| c.field.as_str()).collect();
            let sides: Vec<Json> = conflicts
                .iter()
                .map(|c| json!({"field": c.field, "base": c.base, "yours": c.yours, "theirs": c.theirs}))
                .collect();
            new("edit_conflict")
                .with("fields", names.join(", "))
                .member("conflicts", sides)
        }
        ConflictKind::Unique { fields } => {
            let mut problem = new("unique").with("fields", fields.join(", "));
            problem.fields = fields
                .iter()
                .map(|field| FieldError::new(field, "unique", ""))
                .collect();
            problem
        }
        ConflictKind::State { field, allowed } => new("state_not_allowed")
            .with("allowed", allowed.join(", "))
            .member("field", field.as_str())
            .member("allowed", allowed.clone()),
        ConflictKind::Guard { name } => {
            let mut problem = new("guard")
                .with("name", name.as_str())
                .member("guard", name.as_str());
            problem.said_by = Some(name.clone());
            problem
        }
        ConflictKind::Referenced {
            entity,
            field,
            count,
        } => new("referenced")
            .with("entity", entity.as_str())
            .with("count", *count)
            .member("entity", entity.as_str())
            .member("field", field.as_str())
            .member("count", *count),
        ConflictKind::DeletedOwner { field } => new("deleted_owner")
            .with("field", field.as_str())
            .member("field", field.as_str()),
        ConflictKind::Confirm {
            code,
            params,
            token,
        } => {
            let mut problem = new("confirmation_required")
                .member("code", code.as_str())
                .member("confirm_token", token.as_str());
            problem.params = params.clone();
            problem.said_by = Some(code.clone());
            problem
        }
        ConflictKind::IdTaken => new("id_taken"),
        ConflictKind::InProgress => new("in_progress").retry_after(1),
        ConflictKind::AlreadyDone => new("already_done"),
        ConflictKind::Busy => new("busy").retry_after(1),
    }
}
