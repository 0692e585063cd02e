//! kpix's names where the platform has its own: a comment's `content` and `author_id`, and the
//! days of a list of values.

use std::sync::Arc;

use opsflux_records::operation::{Body, Call, Operation};
use opsflux_records::{Error, FieldError, Reply};
use serde_json::{Value as Json, json};

/// The operation, with kpix's names if it is one of those.
#[must_use]
pub fn around(operation: Operation) -> Operation {
    match operation.name.as_str() {
        "kpi_comments" | "action_plan_comments" => listed(operation),
        "kpi_comment" | "action_plan_comment" => said(operation),
        "kpi_values_list" => between(operation),
        _ => operation,
    }
}

fn schema(name: &str) -> Json {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Adds kpix's names to a comment.
fn named(comment: &mut Json) {
    if let Some(comment) = comment.as_object_mut() {
        for (ours, theirs) in [("body", "content"), ("created_by", "author_id")] {
            if let Some(value) = comment.get(ours).cloned() {
                comment.insert(theirs.to_owned(), value);
            }
        }
    }
}

fn renamed(reply: Reply, work: impl Fn(&mut Json)) -> Result<Reply, Error> {
    let Body::Json(bytes) = &reply.body else {
        return Ok(reply);
    };
    let unfit = |error: serde_json::Error| Error::Internal(error.to_string());
    let mut answer: Json = serde_json::from_slice(bytes).map_err(unfit)?;
    work(&mut answer);
    Ok(Reply {
        body: Body::Json(answer.to_string().into_bytes()),
        ..reply
    })
}

fn listed(operation: Operation) -> Operation {
    let inner = operation.handler.clone();
    let (status, _) = operation.output;
    Operation {
        output: (
            status,
            Some(("application/json".to_owned(), schema("KpixCommentPage"))),
        ),
        handler: Arc::new(move |call| {
            let done = inner(call);
            Box::pin(async move {
                renamed(done.await?, |page| {
                    let items = page["items"].as_array_mut();
                    items.into_iter().flatten().for_each(named);
                })
            })
        }),
        ..operation
    }
}

fn said(operation: Operation) -> Operation {
    let inner = operation.handler.clone();
    let (status, _) = operation.output;
    let json = "application/json".to_owned();
    Operation {
        input: Some((json.clone(), schema("NewKpixComment"))),
        output: (status, Some((json, schema("KpixComment")))),
        handler: Arc::new(move |mut call: Call| {
            let inner = inner.clone();
            Box::pin(async move {
                let mut body = call.object()?;
                let content = body.remove("content");
                let is_theirs = content.is_some();
                if let Some(content) = content
                    && body.insert("body".to_owned(), content).is_some()
                {
                    return Err(Error::field("content", "readonly", "body"));
                }
                call.body = Json::Object(body).to_string().into_bytes().into();
                match inner(call).await {
                    Ok(reply) => renamed(reply, named),
                    Err(error) if is_theirs => Err(theirs(error)),
                    Err(error) => Err(error),
                }
            })
        }),
        ..operation
    }
}

/// What is wrong with the text, at the name it was sent under.
fn theirs(error: Error) -> Error {
    let Error::Invalid(fields) = error else {
        return error;
    };
    let renamed = fields.into_iter().map(|field| match field.field.as_str() {
        "body" => FieldError {
            field: "content".to_owned(),
            ..field
        },
        _ => field,
    });
    Error::Invalid(renamed.collect())
}

/// `from` and `to` stand for the first and last day a period may begin on.
fn between(operation: Operation) -> Operation {
    let inner = operation.handler.clone();
    let mut query = operation.query.clone();
    for (name, about) in [
        ("from", "Periods that begin on this day or later"),
        ("to", "Periods that begin on this day or earlier"),
    ] {
        query.push((
            name.to_owned(),
            json!({"type": "string", "format": "date"}),
            about.to_owned(),
        ));
    }
    Operation {
        query,
        handler: Arc::new(move |mut call: Call| {
            for (name, _) in &mut call.query {
                match name.as_str() {
                    "from" => "period_start[gte]".clone_into(name),
                    "to" => "period_start[lte]".clone_into(name),
                    _ => {}
                }
            }
            inner(call)
        }),
        ..operation
    }
}
