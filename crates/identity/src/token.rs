//! What a session is carried in: access tokens, refresh tokens, the CSRF token.
//!
//! An access token is a JWT (HS256) that names the session and lives 15 minutes. A refresh token
//! is 256 random bits behind the session they belong to, with a tag that proves we made it: a
//! genuine token that is not the session's current one has been used before, and that is told
//! from a forged one without keeping a list. What must never be here: I/O, and a clock.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, Header, Validation};
use opsflux_records::Error;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::keys::{CryptoFailed, Keys, digest_of, random};

/// How long an access token is good for.
pub const ACCESS_LIFE: SignedDuration = SignedDuration::from_mins(15);
/// How long a session lives without being refreshed.
pub const REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The person.
    pub sub: Uuid,
    /// The person's tenant.
    pub tenant: i64,
    /// The session.
    pub sid: Uuid,
    /// When it was made, Unix seconds.
    pub iat: i64,
    /// From when on it is refused, Unix seconds.
    pub exp: i64,
}

/// Makes and checks tokens.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    keys: Arc<Keys>,
    rules: Arc<Validation>,
}

impl Tokens {
    pub fn new(keys: Arc<Keys>) -> Tokens {
        let mut rules = Validation::new(Algorithm::HS256);
        // Time is the caller's: it is passed in, and a cached token expires too.
        rules.validate_exp = false;
        Tokens {
            keys,
            rules: Arc::new(rules),
        }
    }

    /// An access token of a session.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn access(&self, owner: &Owner, now: Timestamp) -> Result<String, Error> {
        let claims = Claims {
            sub: owner.user,
            tenant: owner.tenant,
            sid: owner.session,
            iat: now.as_second(),
            exp: (now + ACCESS_LIFE).as_second(),
        };
        jsonwebtoken::encode(
            &Header::new(Algorithm::HS256),
            &claims,
            &self.keys.sign_access,
        )
        .map_err(|error| Error::Internal(error.to_string()))
    }

    /// What a genuine access token says, whether or not it has expired.
    pub fn read_access(&self, token: &str) -> Option<Claims> {
        jsonwebtoken::decode(token, &self.keys.check_access, &self.rules)
            .ok()
            .map(|token| token.claims)
    }

    /// A new refresh token of a session.
    ///
    /// # Errors
    /// [`CryptoFailed`].
    pub fn refresh(&self, tenant: i64, session: Uuid) -> Result<RefreshToken, CryptoFailed> {
        let mut bytes = Vec::with_capacity(BODY + TAG);
        bytes.extend_from_slice(&tenant.to_be_bytes());
        bytes.extend_from_slice(session.as_bytes());
        bytes.extend_from_slice(&random::<32>()?);
        let tag = hmac::sign(&self.keys.refresh, &bytes);
        bytes.extend_from_slice(tag.as_ref().get(..TAG).ok_or(CryptoFailed)?);
        Ok(RefreshToken {
            tenant,
            session,
            text: URL_SAFE_NO_PAD.encode(bytes),
        })
    }

    /// The refresh token in `text`, when we made it.
    pub fn read_refresh(&self, text: &str) -> Option<RefreshToken> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .filter(|bytes| bytes.len() == BODY + TAG)?;
        let (body, tag) = bytes.split_at_checked(BODY)?;
        let genuine = hmac::sign(&self.keys.refresh, body);
        if !same(genuine.as_ref().get(..TAG)?, tag) {
            return None;
        }
        let (tenant, rest) = body.split_first_chunk::<8>()?;
        let (session, _) = rest.split_first_chunk::<16>()?;
        Some(RefreshToken {
            tenant: i64::from_be_bytes(*tenant),
            session: Uuid::from_bytes(*session),
            text: text.to_owned(),
        })
    }

    /// The CSRF token of a session: what a page of ours can read from its cookie and another
    /// site's cannot. Bound to the session, so that a planted cookie is worth nothing.
    pub fn csrf(&self, session: Uuid) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.keys.csrf, session.as_bytes()))
    }
}

/// Tenant, session, 256 random bits.
const BODY: usize = 8 + 16 + 32;
/// 128 bits of the HMAC.
const TAG: usize = 16;

/// Whose session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub tenant: i64,
    pub user: Uuid,
    pub session: Uuid,
}

/// A refresh token we made.
#[derive(Clone)]
pub(crate) struct RefreshToken {
    /// The tenant of the session.
    pub tenant: i64,
    /// The session: the family of all refresh tokens that follow one log-in.
    pub session: Uuid,
    /// As the client keeps it.
    pub text: String,
}

impl RefreshToken {
    /// What the database keeps of it.
    pub fn digest(&self) -> String {
        digest_of(&self.text)
    }
}

/// Whether two secrets are the same, in a time that tells nothing.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(byte: u8) -> Tokens {
        Tokens::new(Arc::new(Keys::derive(&[byte; 32]).unwrap()))
    }

    fn owner() -> Owner {
        Owner {
            tenant: 3,
            user: Uuid::from_u128(1),
            session: Uuid::from_u128(2),
        }
    }

    #[test]
    fn an_access_token_says_who_and_until_when() {
        let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        let token = tokens(1).access(&owner(), now).unwrap();
        let claims = tokens(1).read_access(&token).unwrap();
        assert_eq!(
            (claims.sub, claims.tenant, claims.sid),
            (owner().user, 3, owner().session)
        );
        assert_eq!(claims.exp - claims.iat, 900);
        assert_eq!(claims.iat, now.as_second());
    }

    #[test]
    fn a_token_of_another_key_or_with_another_algorithm_is_nothing() {
        let now = Timestamp::UNIX_EPOCH;
        let token = tokens(1).access(&owner(), now).unwrap();
        assert!(tokens(2).read_access(&token).is_none(), "another instance");
        let (_, payload) = token.split_once('.').unwrap();
        let (payload, _) = payload.split_once('.').unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        assert!(
            tokens(1)
                .read_access(&format!("{none}.{payload}."))
                .is_none(),
            "unsigned"
        );
        let claims = tokens(1).read_access(&token).unwrap();
        let key = jsonwebtoken::EncodingKey::from_secret(&[1; 32]);
        let foreign = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &key).unwrap();
        assert!(tokens(1).read_access(&foreign).is_none());
        for garbage in ["", "a.b.c", "ey", &token[..token.len() - 2]] {
            assert!(tokens(1).read_access(garbage).is_none(), "{garbage}");
        }
    }

    #[test]
    fn a_refresh_token_names_its_session_and_cannot_be_made_up() {
        let made = tokens(1).refresh(3, Uuid::from_u128(2)).unwrap();
        let read = tokens(1).read_refresh(&made.text).unwrap();
        assert_eq!((read.tenant, read.session), (3, Uuid::from_u128(2)));
        assert_eq!(read.digest(), made.digest());
        assert!(!made.text.contains(&made.digest()));
        assert!(
            tokens(2).read_refresh(&made.text).is_none(),
            "another instance"
        );
        let mut bytes = URL_SAFE_NO_PAD.decode(&made.text).unwrap();
        for place in 0..bytes.len() {
            bytes[place] ^= 1;
            assert!(
                tokens(1)
                    .read_refresh(&URL_SAFE_NO_PAD.encode(&bytes))
                    .is_none(),
                "byte {place}"
            );
            bytes[place] ^= 1;
        }
        assert!(tokens(1).read_refresh("").is_none());
    }

    #[test]
    fn refresh_tokens_of_one_session_differ() {
        let session = Uuid::from_u128(2);
        let (one, other) = (
            tokens(1).refresh(3, session).unwrap(),
            tokens(1).refresh(3, session).unwrap(),
        );
        assert_ne!(one.text, other.text);
        assert_ne!(one.digest(), other.digest());
    }

    #[test]
    fn the_csrf_token_belongs_to_one_session() {
        let one = tokens(1).csrf(Uuid::from_u128(2));
        assert_eq!(one, tokens(1).csrf(Uuid::from_u128(2)));
        assert_ne!(one, tokens(1).csrf(Uuid::from_u128(3)));
        assert_ne!(one, tokens(2).csrf(Uuid::from_u128(2)));
    }
}
