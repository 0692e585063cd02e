//! What identity does around the operations of the entities that rights come from: users,
//! memberships, roles, groups, departments, companies.
//!
//! Their operations are those of every declared entity. Around them stands what the pipeline
//! cannot know: that what was just written decides about the very next request, that several
//! administrators must not leave by one change, and which field a name for signing in came from.
//! What must never be here: rules of single records (those are in [`crate::rules`]).

use std::sync::Arc;

use futures::future::BoxFuture;
use http::Method;
use opsflux_model::access::ADMIN;
use opsflux_model::fold::fold;
use opsflux_model::{Predicate, Schema};
use opsflux_records::write::{BulkOperation, BulkResult, read_bulk};
use opsflux_records::{Body, Call, Caller, ConflictKind, Error, Operation, Reply};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::operations::viewing;
use crate::{ACTIVE, Inner, sharing};
use opsflux_records::table::{Query, Table, at};

/// Several administrators would leave in one change; also its words.
const ONE_BY_ONE: &str = "base.several_administrators";

/// The entities whose records decide who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Concerns {
    User,
    Membership,
    Company,
    /// Roles with what they give, groups with what they hand down, departments.
    Structure,
    /// Single records that are shared.
    Share,
}

impl Concerns {
    /// What an operation that writes is about; `None` for all others.
    fn of(schema: &Schema, operation: &Operation) -> Option<Concerns> {
        if operation.method == Method::GET {
            return None;
        }
        let entity = schema.find_collection(&operation.tag)?;
        match schema.entity(entity).name.as_str() {
            "user" => Some(Concerns::User),
            "membership" => Some(Concerns::Membership),
            "company" => Some(Concerns::Company),
            "role" | "role_permission" | "role_field" | "group" | "group_role" | "department" => {
                Some(Concerns::Structure)
            }
            sharing::ENTITY => Some(Concerns::Share),
            _ => None,
        }
    }
}

/// Puts identity around `operation`: nothing is written with another's eyes, and more when it is
/// about one of its entities.
pub(crate) fn around(inner: &Arc<Inner>, operation: Operation) -> Operation {
    let operation = concerning(inner, operation);
    if viewing::allows(&operation) {
        return operation;
    }
    let within = operation.handler.clone();
    let handler = move |call: Call| -> BoxFuture<'static, Result<Reply, Error>> {
        if call
            .caller
            .as_ref()
            .is_some_and(|caller| caller.viewer.is_some())
        {
            return Box::pin(std::future::ready(Err(viewing::refused())));
        }
        within(call)
    };
    Operation {
        handler: Arc::new(handler),
        ..operation
    }
}

fn concerning(inner: &Arc<Inner>, operation: Operation) -> Operation {
    let Some(concerns) = Concerns::of(&inner.records.schema(), &operation) else {
        return operation;
    };
    let inner = inner.clone();
    let within = operation.handler.clone();
    let handler = move |call: Call| -> BoxFuture<'static, Result<Reply, Error>> {
        let (inner, within) = (inner.clone(), within.clone());
        Box::pin(async move {
            let Some(caller) = call.caller.clone() else {
                return within(call).await;
            };
            inner.leave_one_by_one(concerns, &caller, &call).await?;
            let email = email_of(&call);
            let record = call.path.first().and_then(|id| Uuid::try_parse(id).ok());
            let done = within(call).await;
            // Also after a failure: it may have come after the commit.
            match (concerns, record) {
                (Concerns::User, Some(user)) => {
                    inner.freshness.person_changed(caller.tenant(), user);
                }
                (Concerns::Share, _) => inner.freshness.shares_changed(caller.tenant()),
                _ => inner.freshness.tenant_changed(caller.tenant()),
            }
            match done {
                Ok(reply) => Ok(inner.name_in_reply(concerns, reply)),
                Err(error) => Err(inner.name_field(concerns, email.as_deref(), error).await),
            }
        })
    };
    Operation {
        handler: Arc::new(handler),
        ..operation
    }
}

/// The address a body gives, for the case that it is taken.
fn email_of(call: &Call) -> Option<String> {
    let body = call.object().ok()?;
    body.get("email")?.as_str().map(str::to_owned)
}

impl Inner {
    /// The guard that keeps an administrator is checked before anything of a change is written, so
    /// within one change it would count those who leave by the same change. Therefore no two leave
    /// by one change; as changes of their own (`"atomic": false`) they may.
    async fn leave_one_by_one(
        &self,
        concerns: Concerns,
        caller: &Caller,
        call: &Call,
    ) -> Result<(), Error> {
        if !matches!(concerns, Concerns::User | Concerns::Membership) {
            return Ok(());
        }
        // What is no bulk, or a wrong one, is judged by the operation itself.
        let Some(Ok((operations, true))) = call.object().ok().map(|body| read_bulk(&body)) else {
            return Ok(());
        };
        let leaving: Vec<Uuid> = operations
            .iter()
            .filter_map(|operation| leaves(concerns, operation))
            .collect();
        if leaving.len() < 2 {
            return Ok(());
        }
        let administrators = self
            .administrators_among(caller.tenant(), concerns, &leaving)
            .await?;
        if administrators < 2 {
            return Ok(());
        }
        Err(Error::Refused {
            code: ONE_BY_ONE.to_owned(),
            params: Map::from_iter([("count".to_owned(), Json::from(administrators))]),
            field: None,
        })
    }

    /// How many active administrators these users or memberships are about.
    async fn administrators_among(
        &self,
        tenant: i64,
        concerns: Concerns,
        ids: &[Uuid],
    ) -> Result<usize, Error> {
        let schema = self.records.schema();
        let memberships = Table::of(&schema, "membership")?;
        let field = match concerns {
            Concerns::User => "user",
            _ => "id",
        };
        let among: Result<Vec<Predicate>, Error> =
            ids.iter().map(|id| memberships.is(field, *id)).collect();
        let query = Query {
            fields: &["user"],
            filter: memberships
                .linked("role", "name", ADMIN)?
                .and(memberships.linked("user", "status", ACTIVE)?)
                .and(Predicate::Any(among?)),
            sort: &[],
            limit: 10_000,
        };
        let rows = memberships
            .rows(self.records.store(), tenant, query)
            .await?;
        let mut users: Vec<Uuid> = rows.iter().filter_map(|row| at(row, 0).as_id()).collect();
        users.sort_unstable();
        users.dedup();
        Ok(users.len())
    }

    /// Names the field that holds the name that is taken: the pipeline knows only that one is.
    async fn name_field(&self, concerns: Concerns, email: Option<&str>, error: Error) -> Error {
        let field = match (concerns, &error) {
            (Concerns::Company, error) if is_name_taken(error) => "code",
            (Concerns::User, error) if is_name_taken(error) && email.is_some() => {
                let name = fold(email.unwrap_or_default());
                match self.records.store().log_name(&name).await {
                    Ok(None) => "username",
                    _ => return Error::Conflict(unique("email")),
                }
            }
            _ => return error,
        };
        renamed(error, field)
    }

    /// The same for the operations of a bulk that stand for themselves.
    fn name_in_reply(&self, concerns: Concerns, reply: Reply) -> Reply {
        let Body::Bulk(results) = reply.body else {
            return reply;
        };
        let named = results.into_iter().map(|result| match result {
            BulkResult::Failed(error) if concerns == Concerns::Company && is_name_taken(&error) => {
                BulkResult::Failed(renamed(error, "code"))
            }
            other => other,
        });
        Reply {
            body: Body::Bulk(named.collect()),
            ..reply
        }
    }
}

/// The record an operation of a bulk may take an administrator's rights by.
fn leaves(concerns: Concerns, operation: &BulkOperation) -> Option<Uuid> {
    let reference = match operation {
        BulkOperation::Delete(reference) => reference,
        BulkOperation::Update(reference, _, data) => {
            let decides: &[&str] = match concerns {
                Concerns::User => &["status", "memberships"],
                _ => &["role", "user"],
            };
            if !decides.iter().any(|field| data.contains_key(*field)) {
                return None;
            }
            reference
        }
        BulkOperation::Create(_) | BulkOperation::Restore(_) => return None,
    };
    Uuid::try_parse(reference).ok()
}

fn unique(field: &str) -> ConflictKind {
    ConflictKind::Unique {
        fields: vec![field.to_owned()],
    }
}

/// The pipeline tells every taken name as a taken address.
fn is_name_taken(error: &Error) -> bool {
    match error {
        Error::Conflict(ConflictKind::Unique { fields }) => fields == &["email"],
        Error::Bulk { error, .. } => is_name_taken(error),
        _ => false,
    }
}

fn renamed(error: Error, field: &str) -> Error {
    match error {
        Error::Bulk { index, error } => Error::Bulk {
            index,
            error: Box::new(renamed(*error, field)),
        },
        _ => Error::Conflict(unique(field)),
    }
}
