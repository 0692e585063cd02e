//! Deciding from a mail, without a session: each person asked by mail gets a link of his own. What
//! it leads to shows the question and asks to confirm; opening it decides nothing, so whatever
//! looks at mail before a person does votes for nobody. It is good until he has decided or the
//! question is closed.
//!
//! The link names tenant, question and person, signed with a key of the instance.

use aws_lc_rs::hmac;
use http::{Method, StatusCode};
use opsflux_records::operation::{Call, Needs, Operation, Reply};
use opsflux_records::{Actor, Caller, Error, Origin};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::vote::{Via, Vote};
use super::{Decision, ENTITY, MAILS, Telling};
use crate::engine::{Engine, Question};
use crate::execution::Held;
use crate::log::Log;
use crate::operations::{comment, operation, said};

/// Bytes of a signature that are kept: enough that nobody finds one.
const SIGNED: usize = 16;
/// Bytes of a link: tenant, question, person, signature.
const LENGTH: usize = 8 + 16 + 16 + SIGNED;

/// Whom a link lets decide what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Link {
    tenant: i64,
    approval: Uuid,
    person: Uuid,
}

impl Link {
    fn payload(&self) -> Vec<u8> {
        [
            self.tenant.to_be_bytes().as_slice(),
            self.approval.as_bytes(),
            self.person.as_bytes(),
        ]
        .concat()
    }

    /// As a mail carries it.
    fn token(&self, key: &hmac::Key) -> String {
        let mut bytes = self.payload();
        let tag = hmac::sign(key, &bytes);
        bytes.extend(tag.as_ref().iter().take(SIGNED));
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What a token says, when this instance made it.
    fn read(token: &str, key: &hmac::Key) -> Option<Link> {
        if token.len() != LENGTH * 2 || !token.is_ascii() {
            return None;
        }
        let bytes: Option<Vec<u8>> = (0..LENGTH)
            .map(|at| u8::from_str_radix(token.get(at * 2..at * 2 + 2)?, 16).ok())
            .collect();
        let bytes = bytes?;
        let (payload, tag) = bytes.split_at_checked(LENGTH - SIGNED)?;
        let wanted = hmac::sign(key, payload);
        let wanted = wanted.as_ref().get(..SIGNED)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(wanted, tag).ok()?;
        Some(Link {
            tenant: i64::from_be_bytes(payload.get(..8)?.try_into().ok()?),
            approval: Uuid::from_slice(payload.get(8..24)?).ok()?,
            person: Uuid::from_slice(payload.get(24..40)?).ok()?,
        })
    }
}

impl Engine {
    /// The mail one person is asked by, as the action that sends it takes it.
    pub(super) async fn letter(
        &self,
        held: &Held,
        person: Uuid,
        telling: &Telling<'_>,
    ) -> Result<Option<(&'static str, Json)>, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let Some(key) = self.inner.acting.link_key() else {
            return Ok(None);
        };
        let link = Link {
            tenant: held.tenant,
            approval: telling.approval,
            person,
        };
        let user = Log::of(&schema, "user")?;
        let row = records.snapshot(held.tenant, user.ix, person).await?;
        let language = row.and_then(|row| {
            let language = row.get(&schema, "language").as_text();
            language.and_then(opsflux_records::Language::parse)
        });
        let question = Question {
            title: telling.title.to_owned(),
            message: telling.message.to_owned(),
            subject: held.title.clone(),
            workflow: held.name.clone(),
            token: link.token(&key),
            language: language.unwrap_or_default(),
        };
        let letter = self.inner.acting.letter(&question);
        Ok(letter.map(|(subject, body)| {
            // Whoever looks at what was sent must not decide with it.
            let shown = body.replace(&question.token, "…");
            let mail = json!({
                "to": [person], "subject": subject, "body": body, "shown": shown,
            });
            (MAILS, mail)
        }))
    }

    /// What HTTP serves for those who come by a mail.
    pub(crate) fn link_operations(&self) -> Vec<Operation> {
        let said_by_mail = json!({
            "type": "object", "additionalProperties": false, "required": ["decision"],
            "properties": {
                "decision": {"type": "string", "enum": ["approve", "reject"]},
                "comment": {"type": ["string", "null"], "maxLength": 4000},
            },
        });
        let shown = || Some(json!({"type": "object"}));
        vec![
            operation(
                self,
                "decision_question",
                Method::GET,
                "/decisions/{token}",
                "The question a mail asks; looking at it decides nothing",
                Needs::Nothing,
                (None, shown(), StatusCode::OK),
                |engine, call| Box::pin(async move { engine.question(&call).await }),
            ),
            operation(
                self,
                "decision_say",
                Method::POST,
                "/decisions/{token}",
                "Decides what a mail asks, once",
                Needs::Nothing,
                (Some(said_by_mail), shown(), StatusCode::OK),
                |engine, call| Box::pin(async move { engine.decide_by_link(&call).await }),
            ),
        ]
    }

    /// Whoever a link was sent to, as a caller, with the question.
    async fn linked(&self, call: &Call) -> Result<(Link, Caller), Error> {
        let key = self.inner.acting.link_key().ok_or(Error::NotFound)?;
        let link = Link::read(call.path(0), &key).ok_or(Error::NotFound)?;
        let origin = Origin {
            actor: Actor::User,
            source: "mail".to_owned(),
            ..(*call.origin).clone()
        };
        let acting = &self.inner.acting;
        let caller = acting.caller(link.tenant, link.person, origin).await?;
        Ok((link, caller.ok_or(Error::NotFound)?))
    }

    async fn question(&self, call: &Call) -> Result<Reply, Error> {
        let (link, caller) = self.linked(call).await?;
        let shown = self.shown(&caller, link).await?;
        Ok(Reply::json(shown.to_string().into_bytes()))
    }

    async fn shown(&self, caller: &Caller, link: Link) -> Result<Json, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let row = records.snapshot(link.tenant, log.ix, link.approval).await?;
        let row = row.ok_or(Error::NotFound)?;
        let voice = self.voice(&schema, caller, &row).await?;
        let text = |name: &str| row.get(&schema, name).as_text();
        let person = async |id: Option<Uuid>| -> Result<Json, Error> {
            let user = Log::of(&schema, "user")?;
            let Some(id) = id else { return Ok(Json::Null) };
            let row = records.snapshot(link.tenant, user.ix, id).await?;
            let name = row.and_then(|row| {
                let name = row.get(&schema, "full_name").as_text();
                name.map(str::to_owned)
            });
            Ok(json!(name))
        };
        let number = |name: &str| row.get(&schema, name).as_int();
        let due = match row.get(&schema, "due_at") {
            opsflux_model::Value::Time(at) => json!(at),
            _ => Json::Null,
        };
        Ok(json!({
            "title": text("title"), "message": text("message"), "subject": text("subject"),
            "status": text("status"), "stage": number("stage"), "stages": number("stages"),
            "due_at": due,
            "requester": person(row.get(&schema, "requester").as_id()).await?,
            "person": person(Some(link.person)).await?,
            "voice": person(voice.filter(|voice| *voice != link.person)).await?,
            "open": text("status") == Some("PENDING") && voice.is_some(),
        }))
    }

    async fn decide_by_link(&self, call: &Call) -> Result<Reply, Error> {
        let (link, caller) = self.linked(call).await?;
        let body = said(call)?;
        let unknown = body
            .keys()
            .find(|key| !["decision", "comment"].contains(&key.as_str()));
        if let Some(unknown) = unknown {
            return Err(Error::field(unknown, "unknown_field", ""));
        }
        let decision = match body.get("decision").and_then(Json::as_str) {
            Some("approve") => Decision::Approve,
            Some("reject") => Decision::Reject,
            Some(_) => return Err(Error::field("decision", "not_an_option", "approve, reject")),
            None => return Err(Error::field("decision", "required", "")),
        };
        let vote = Vote {
            decision,
            comment: comment(&body)?,
            via: Via::Mail,
        };
        self.vote(&caller, link.approval, vote).await?;
        let shown = self.shown(&caller, link).await?;
        Ok(Reply::json(shown.to_string().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_only_as_this_instance_made_it() {
        let key = |secret: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, secret);
        let link = Link {
            tenant: 7,
            approval: Uuid::new_v4(),
            person: Uuid::new_v4(),
        };
        let token = link.token(&key(b"ours"));
        assert_eq!(Link::read(&token, &key(b"ours")), Some(link));
        assert_eq!(Link::read(&token, &key(b"theirs")), None);
        for at in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            let other = String::from_utf8(other).expect("ASCII");
            assert_eq!(Link::read(&other, &key(b"ours")), None, "{at}");
        }
        for nonsense in [
            "",
            "00",
            "é",
            &token[1..],
            &format!("{token}0"),
            &"é".repeat(56),
        ] {
            assert_eq!(Link::read(nonsense, &key(b"ours")), None, "{nonsense}");
        }
    }
}
