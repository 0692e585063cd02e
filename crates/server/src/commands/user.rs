//! `opsflux user …`: accounts when nobody can sign in yet, or any more.
//!
//! Written through the pipeline in the name of the house, like everything else.

use std::io::Read;
use std::process::ExitCode;

use opsflux_model::fold::fold;
use opsflux_model::predicate::Operand;
use opsflux_model::{EntityIx, Predicate, Value};
use opsflux_records::read::ListRequest;
use opsflux_records::{Actor, Caller, Error, Origin, Records, WriteOptions};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{Done, say};
use crate::cli::User;
use crate::config::Config;
use crate::problem::{Problem, Telling};
use crate::words::Words;

/// Accounts made from the shell belong to the first tenant: the one that holds the instance.
const TENANT: i64 = 1;
/// Longest password with its line end.
const LONGEST: u64 = 2048;

pub async fn run(config: Config, command: User) -> Done {
    let base = super::open(config).await?;
    let done = match command {
        User::Create {
            email,
            name,
            role,
            password_stdin,
        } => create(&base.records, &email, &name, &role, password_stdin).await,
        User::Password {
            account,
            password_stdin,
        } => password(&base.records, &account, password_stdin).await,
        User::List => list(&base.records).await,
    };
    let outcome = match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Failure::Refused(error)) => {
            eprintln!("opsflux: {}", in_words(&base.records, &error)?);
            Ok(ExitCode::FAILURE)
        }
        Err(Failure::Other(error)) => Err(error),
    };
    base.records.store().close().await;
    outcome
}

/// Refused by the pipeline, or failed otherwise.
enum Failure {
    Refused(Error),
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Refused(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::Other(error.into())
    }
}

fn house(records: &Records, tenant: i64) -> Caller {
    let origin = Origin {
        actor: Actor::System,
        source: "shell".to_owned(),
        ..Origin::default()
    };
    Caller::house(&records.schema(), tenant, Uuid::nil(), origin)
}

fn entity(records: &Records, name: &str) -> Result<EntityIx, Error> {
    let found = records.schema().find(name);
    found.ok_or_else(|| Error::Internal(format!("no module declares {name}")))
}

/// The id of the one record whose field has this text.
async fn named(
    records: &Records,
    tenant: i64,
    entity_name: &str,
    field: &str,
    text: Option<&str>,
) -> Result<Option<Uuid>, Error> {
    let schema = records.schema();
    let ix = entity(records, entity_name)?;
    let filter = match (text, schema.entity(ix).find(field)) {
        (Some(text), Some(field)) => {
            Predicate::test(ix, field, Operand::OneOf(vec![Value::from(text)]))
        }
        _ => Predicate::True,
    };
    let found = records.find(tenant, ix, filter, 1).await?;
    Ok(found.first().map(|record| record.id))
}

async fn create(
    records: &Records,
    email: &str,
    name: &str,
    role: &str,
    from_stdin: bool,
) -> Result<(), Failure> {
    let role_id = named(records, TENANT, "role", "name", Some(role)).await?;
    let role_id = role_id.ok_or_else(|| Error::field("role", "not_an_option", role))?;
    let company = named(records, TENANT, "company", "name", None).await?;
    let (clear, made) = new_password(from_stdin)?;
    let body = Map::from_iter([
        ("full_name".to_owned(), Json::from(name)),
        ("email".to_owned(), Json::from(email)),
        ("password".to_owned(), Json::from(clear.as_str())),
        (
            "memberships".to_owned(),
            json!([{"role": role_id.to_string()}]),
        ),
    ]);
    let caller = Caller {
        company,
        ..house(records, TENANT)
    };
    let users = entity(records, "user")?;
    let written = records
        .create(&caller, users, body, &WriteOptions::default())
        .await?;
    let shown: Json = serde_json::from_slice(&written.body).unwrap_or_default();
    let username = shown
        .get("username")
        .and_then(Json::as_str)
        .unwrap_or_default();
    say(&format!("{email}  {username}  {role}\n"))?;
    if made {
        say(&format!("Password: {clear}\n"))?;
    }
    Ok(())
}

async fn password(records: &Records, account: &str, from_stdin: bool) -> Result<(), Failure> {
    let found = records
        .store()
        .log_name(&fold(account.trim()))
        .await
        .map_err(Error::from)?;
    let (tenant, user) = found.ok_or_else(|| Error::field("account", "not_found", account))?;
    let (clear, made) = new_password(from_stdin)?;
    let body = Map::from_iter([("password".to_owned(), Json::from(clear.as_str()))]);
    let users = entity(records, "user")?;
    let caller = house(records, tenant);
    records
        .update(
            &caller,
            users,
            &user.to_string(),
            body,
            &WriteOptions::default(),
        )
        .await?;
    say("The password was changed; other sessions of the account end.\n")?;
    if made {
        say(&format!("Password: {clear}\n"))?;
    }
    Ok(())
}

async fn list(records: &Records) -> Result<(), Failure> {
    let users = entity(records, "user")?;
    for tenant in records.store().tenants().await.map_err(Error::from)? {
        let caller = house(records, tenant.number);
        let mut request = ListRequest {
            fields: Some(
                ["full_name", "email", "username", "status"]
                    .map(str::to_owned)
                    .to_vec(),
            ),
            limit: Some(500),
            ..ListRequest::default()
        };
        loop {
            let page = records.list(&caller, users, &request).await?;
            let page: Json = serde_json::from_slice(&page)
                .map_err(|error| Error::Internal(error.to_string()))?;
            for item in page["items"].as_array().into_iter().flatten() {
                let text = |name: &str| item[name].as_str().unwrap_or("-").to_owned();
                say(&format!(
                    "{}  {}  {}  {}  {}\n",
                    tenant.name,
                    text("email"),
                    text("username"),
                    text("full_name"),
                    text("status"),
                ))?;
            }
            match page["next_cursor"].as_str() {
                Some(cursor) => request.cursor = Some(cursor.to_owned()),
                None => break,
            }
        }
    }
    Ok(())
}

/// From stdin, or a strong one made here; and whether it was made here.
fn new_password(from_stdin: bool) -> Result<(String, bool), Failure> {
    if !from_stdin {
        // 122 random bits.
        return Ok((Uuid::new_v4().simple().to_string(), true));
    }
    let mut text = String::new();
    std::io::stdin().take(LONGEST).read_to_string(&mut text)?;
    Ok((text.trim_end_matches(['\r', '\n']).to_owned(), false))
}

/// A refusal as a person would be told in the interface, in English.
fn in_words(records: &Records, error: &Error) -> Result<String, serde_json::Error> {
    let words = Words::new(&records.schema())?;
    let telling = Telling {
        words: &words,
        language: opsflux_records::Language::En,
        instance: "",
        request_id: "-",
    };
    let document = Problem::from(error).members(&telling);
    let text = |json: &Json, name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let document = Json::Object(document);
    let mut said = format!(
        "{}. {}",
        text(&document, "title"),
        text(&document, "detail")
    );
    for field in document["errors"].as_array().into_iter().flatten() {
        said.push_str(&format!(
            "\n  {}: {}",
            text(field, "field"),
            text(field, "message")
        ));
    }
    if let Some(cause) = crate::problem::cause(error) {
        said.push_str(&format!("\n  {cause}"));
    }
    Ok(said)
}
