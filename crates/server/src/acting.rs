//! Who people are to what acts in their names, and how a mail asks them: identity and the
//! catalogues answer.

use aws_lc_rs::hmac;
use futures::future::BoxFuture;
use opsflux_identity::Identity;
use opsflux_records::{Acting, Caller, Error, Origin};
use opsflux_workflow::{Asking, Question};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::words::Words;

/// What the key of links is derived for.
const LINKS: &[u8] = b"opsflux approval links";

/// People, as identity knows them.
pub struct People {
    identity: Identity,
    words: Option<Words>,
    /// Where people find the interface from outside.
    public_url: Option<String>,
    link_key: hmac::Key,
}

impl People {
    /// People of this instance. Without an address from outside no mail carries a link.
    #[must_use]
    pub fn new(identity: Identity, public_url: Option<String>, secret: &[u8; 32]) -> People {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derived = hmac::sign(&root, LINKS);
        People {
            identity,
            words: Words::new(&opsflux_model::Schema::default()).ok(),
            public_url,
            link_key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()),
        }
    }
}

impl Acting for People {
    fn caller<'a>(
        &'a self,
        tenant: i64,
        user: Uuid,
        origin: Origin,
    ) -> BoxFuture<'a, Result<Option<Caller>, Error>> {
        Box::pin(self.identity.in_the_name_of(tenant, user, origin))
    }
}

impl Asking for People {
    fn link_key(&self) -> Option<hmac::Key> {
        Some(self.link_key.clone())
    }

    fn letter(&self, question: &Question) -> Option<(String, String)> {
        let words = self.words.as_ref()?;
        let url = self.public_url.as_deref()?.trim_end_matches('/');
        let params: Map<String, Json> = [
            ("title", json!(question.title)),
            ("message", json!(question.message)),
            ("subject", json!(question.subject)),
            ("workflow", json!(question.workflow)),
            ("link", json!(format!("{url}/decide/{}", question.token))),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        let say = |key: &str| words.say(question.language, &["approval_mail", key], &params);
        let mut parts = vec![say("asks")?];
        parts.extend((!question.message.is_empty()).then(|| question.message.clone()));
        parts.push(say("link")?);
        parts.push(say("once")?);
        Some((say("subject")?, parts.join("\n\n")))
    }
}
