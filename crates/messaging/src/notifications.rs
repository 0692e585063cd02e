//! Reading marks: `GET /notifications/unread`, `POST /notifications/{id}/read`,
//! `POST /notifications/read-all`. Each person has his own; an administrator sees others' in the
//! list and marks none of them.

use std::time::Duration;

use http::{Method, StatusCode};
use opsflux_model::{Predicate, Value};
use opsflux_records::{Caller, Error, Needs, Operation, Records, Reply};
use opsflux_store::feed::Body;
use opsflux_store::{Commit, FeedOp, Living, NewEntry, Select, Write};
use serde_json::json;
use uuid::Uuid;

use crate::handler::handler;
use crate::outgoing::NOTIFICATION;
use opsflux_records::table::{Query, Table, refused};

const JSON: &str = "application/json";
/// Nobody counts further.
const MOST: u64 = 1_000;
/// Marked by one commit.
const BATCH: u32 = 500;
const BUDGET: Duration = Duration::from_secs(5);

pub(crate) fn operations(records: &Records) -> Vec<Operation> {
    let count = json!({
        "type": "object",
        "properties": {"count": {"type": "integer", "minimum": 0, "maximum": MOST}},
        "required": ["count"],
        "additionalProperties": false,
    });
    let operation = |name: &str, method, path: &str, summary: &str| Operation {
        name: name.to_owned(),
        method,
        path: path.to_owned(),
        summary: summary.to_owned(),
        tag: "notifications".to_owned(),
        needs: Needs::Session,
        query: Vec::new(),
        input: None,
        output: (StatusCode::OK, Some((JSON.to_owned(), count.clone()))),
        problems: Vec::new(),
        handler: handler(|_| async { Err(Error::NotFound) }),
    };
    let (counting, one, all) = (records.clone(), records.clone(), records.clone());
    vec![
        Operation {
            handler: handler(move |call| {
                let records = counting.clone();
                async move { counted(&records, call.caller()?).await }
            }),
            ..operation(
                "notification_unread",
                Method::GET,
                "/notifications/unread",
                "How many notifications the caller has not read, counted up to 1000",
            )
        },
        Operation {
            output: (StatusCode::NO_CONTENT, None),
            handler: handler(move |call| {
                let records = one.clone();
                async move {
                    let id = call.path(0).parse().map_err(|_| Error::NotFound)?;
                    read(&records, call.caller()?, id).await
                }
            }),
            ..operation(
                "notification_read",
                Method::POST,
                "/notifications/{id}/read",
                "Mark one of the caller's notifications as read",
            )
        },
        Operation {
            handler: handler(move |call| {
                let records = all.clone();
                async move { read_all(&records, call.caller()?).await }
            }),
            ..operation(
                "notification_read_all",
                Method::POST,
                "/notifications/read-all",
                "Mark everything the caller has not read until now; answers how many are left",
            )
        },
    ]
}

fn unread(table: &Table<'_>, caller: &Caller) -> Result<Predicate, Error> {
    let own = table.is("recipient", caller.user())?;
    Ok(own.and(table.is_empty("read_at")?))
}

async fn counted(records: &Records, caller: &Caller) -> Result<Reply, Error> {
    let schema = records.schema();
    let table = Table::of(&schema, NOTIFICATION)?;
    let select = Select {
        tenant: caller.tenant(),
        entity: table.ix,
        filter: unread(&table, caller)?,
        outputs: Vec::new(),
        sort: Vec::new(),
        after: None,
        limit: 1,
        living: Living::Any,
    };
    let count = records.store().count_up_to(&select, MOST, BUDGET).await?;
    Ok(Reply::json(
        json!({"count": count}).to_string().into_bytes(),
    ))
}

async fn read(records: &Records, caller: &Caller, id: Uuid) -> Result<Reply, Error> {
    let schema = records.schema();
    let table = Table::of(&schema, NOTIFICATION)?;
    let own = table
        .is("recipient", caller.user())?
        .and(table.is("id", id)?);
    let tenant = caller.tenant();
    let found = table.rows(
        records.store(),
        tenant,
        Query {
            fields: &["read_at"],
            filter: own,
            sort: &[],
            limit: 1,
        },
    );
    match found.await?.first().and_then(|row| row.first()) {
        None => Err(Error::NotFound),
        Some(Value::Null) => {
            mark(records, caller, &table, &[id]).await?;
            Ok(Reply::empty())
        }
        // It stays read when it was.
        Some(_) => Ok(Reply::empty()),
    }
}

async fn read_all(records: &Records, caller: &Caller) -> Result<Reply, Error> {
    let schema = records.schema();
    let table = Table::of(&schema, NOTIFICATION)?;
    // What comes while this goes on is not read.
    let after = records.now() + jiff::SignedDuration::from_micros(1);
    let filter = unread(&table, caller)?.and(table.is_before("created_at", after)?);
    loop {
        let rows = table
            .rows(
                records.store(),
                caller.tenant(),
                Query {
                    fields: &["id"],
                    filter: filter.clone(),
                    sort: &[],
                    limit: BATCH,
                },
            )
            .await?;
        let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.first()?.as_id()).collect();
        if ids.is_empty() {
            return counted(records, caller).await;
        }
        mark(records, caller, &table, &ids).await?;
    }
}

async fn mark(
    records: &Records,
    caller: &Caller,
    table: &Table<'_>,
    ids: &[Uuid],
) -> Result<(), Error> {
    let (now, change) = (records.now(), records.new_id());
    let mut commit = Commit {
        tenant: caller.tenant(),
        ..Commit::default()
    };
    let recipient = json!(caller.user().to_string());
    for id in ids {
        commit.writes.push(Write::Update {
            entity: table.ix,
            id: *id,
            expected_version: None,
            set: table.set(vec![("read_at", now.into())])?,
        });
        let anchors = [("recipient".to_owned(), recipient.clone())];
        // The other pages of the person count again.
        commit.feed.push(NewEntry {
            change,
            at: now,
            entity: NOTIFICATION.to_owned(),
            record: *id,
            version: 0,
            op: FeedOp::Updated,
            body: Body {
                fields: vec!["read_at".to_owned()],
                after: anchors.into_iter().collect(),
                by: Some(caller.user()),
                source: caller.origin.source.clone(),
                ..Body::default()
            },
        });
    }
    let done = records.store().commit(commit).await;
    done.map(|_| ()).map_err(refused)
}
