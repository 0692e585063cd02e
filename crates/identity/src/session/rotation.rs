//! Exchanging refresh tokens: each is good once, and one that comes back ends its session.

use jiff::{SignedDuration, Timestamp};
use opsflux_model::Value;
use opsflux_records::{Error, Origin};
use opsflux_store::{Commit, CommitError, Guard, StoreError, Write};
use uuid::Uuid;

use super::{ATTEMPTS, ENTITY, Sessions, failed};
use crate::token::{Owner, REFRESH_LIFE, RefreshToken, same};
use opsflux_records::table::{Query, Table, at, text_at, time_at};

/// What became of a refresh token.
pub(crate) enum Rotation {
    /// It was the current one; `next` is now, the same again while nothing can be written.
    Rotated {
        owner: Owner,
        /// When the session was begun.
        began: Timestamp,
        next: RefreshToken,
    },
    /// It was used already, moments ago: two pages of one browser that renewed at once. It gets
    /// nothing, and nothing is ended.
    Again,
    /// It was used already: somebody has a copy. The session has been ended.
    Stolen(Owner),
    /// The session is over, or never was.
    Over,
}

/// Whether one token may be in several hands: the pages of a browser share a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    /// A client that keeps its token itself.
    One,
    /// A browser.
    Several,
}

/// How long after a rotation the token before it is taken for a second page's, not for a copy.
const SECOND_PAGE: SignedDuration = SignedDuration::from_secs(10);

/// A session's row as a refresh needs it.
#[derive(Debug, Clone)]
pub(super) struct Family {
    pub user: Uuid,
    pub began: Timestamp,
    digest: String,
    rotated_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended: bool,
    pub viewing_as: Option<Uuid>,
}

/// What a presented token is to its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presented {
    Current,
    JustUsed,
    Used,
    Over,
}

impl Family {
    fn judge(&self, digest: &str, now: Timestamp, pages: Pages) -> Presented {
        if self.ended || self.expires_at <= now {
            Presented::Over
        } else if same(self.digest.as_bytes(), digest.as_bytes()) {
            Presented::Current
        } else if pages == Pages::Several && now.duration_since(self.rotated_at) <= SECOND_PAGE {
            Presented::JustUsed
        } else {
            Presented::Used
        }
    }
}

impl Sessions {
    /// Exchanges a refresh token of ours.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rotate(
        &self,
        presented: &RefreshToken,
        origin: &Origin,
        pages: Pages,
    ) -> Result<Rotation, Error> {
        let (tenant, session) = (presented.tenant, presented.session);
        let digest = presented.digest();
        for _ in 0..ATTEMPTS {
            let now = self.records.now();
            let Some(family) = self.family(tenant, session).await? else {
                return Ok(Rotation::Over);
            };
            let owner = Owner {
                tenant,
                user: family.user,
                session,
            };
            match family.judge(&digest, now, pages) {
                Presented::Over => return Ok(Rotation::Over),
                Presented::JustUsed => return Ok(Rotation::Again),
                Presented::Used => {
                    self.end(tenant, &[session], None).await?;
                    return Ok(Rotation::Stolen(owner));
                }
                Presented::Current => {}
            }
            let next = self.new_refresh(&owner)?;
            match self.replace(&owner, &digest, &next, origin, now).await {
                Ok(()) => {
                    self.freshness.session_changed(tenant, session);
                    let began = family.began;
                    return Ok(Rotation::Rotated { owner, began, next });
                }
                // Nothing can be written, but people read on: the token stays the current one
                // until it can be exchanged, and that it is used twice is found out then.
                Err(CommitError::Store(StoreError::ReadOnly(_))) => {
                    return Ok(Rotation::Rotated {
                        owner,
                        began: family.began,
                        next: presented.clone(),
                    });
                }
                // Somebody else was faster with the same token, or ended the session.
                Err(
                    CommitError::Guard { .. } | CommitError::Version { .. } | CommitError::Retry,
                ) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(Error::Unavailable(
            "the session is refreshed too often at once".to_owned(),
        ))
    }

    async fn replace(
        &self,
        owner: &Owner,
        digest: &str,
        next: &RefreshToken,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        let schema = self.records.schema();
        let undeclared = |error: Error| StoreError::Internal(error.to_string());
        let table = Table::of(&schema, ENTITY).map_err(undeclared)?;
        let text = |name: &str, value: &Option<String>| {
            Value::from(value.as_deref().map(|text| table.cut(name, text)))
        };
        let holds = table
            .is("refresh_digest", digest)
            .and_then(|current| Ok(current.and(table.is_empty("ended_at")?)))
            .map_err(undeclared)?;
        let set = table
            .set(vec![
                ("refresh_digest", next.digest().into()),
                ("last_seen_at", now.into()),
                ("expires_at", (now + REFRESH_LIFE).into()),
                ("address", text("address", &origin.address)),
                ("user_agent", text("user_agent", &origin.user_agent)),
            ])
            .map_err(undeclared)?;
        let (entity, id) = (table.ix, owner.session);
        let commit = Commit {
            tenant: owner.tenant,
            guards: vec![Guard::Exists {
                name: "refresh".to_owned(),
                entity,
                id,
                holds,
            }],
            writes: vec![Write::Update {
                entity,
                id,
                expected_version: None,
                set,
            }],
            ..Commit::default()
        };
        self.records.store().commit(commit).await.map(|_| ())
    }

    pub(super) async fn family(&self, tenant: i64, session: Uuid) -> Result<Option<Family>, Error> {
        let schema = self.records.schema();
        let table = Table::of(&schema, ENTITY)?;
        let query = Query {
            fields: &[
                "user",
                "refresh_digest",
                "last_seen_at",
                "expires_at",
                "ended_at",
                "created_at",
                "viewing_as",
            ],
            filter: table.is("id", session)?,
            sort: &[],
            limit: 1,
        };
        let rows = table.rows(self.records.store(), tenant, query).await?;
        Ok(rows.first().and_then(|row| {
            Some(Family {
                user: at(row, 0).as_id()?,
                digest: text_at(row, 1)?,
                rotated_at: time_at(row, 2)?,
                expires_at: time_at(row, 3)?,
                ended: time_at(row, 4).is_some(),
                began: time_at(row, 5)?,
                viewing_as: at(row, 6).as_id(),
            })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family() -> Family {
        let rotated_at = Timestamp::UNIX_EPOCH;
        Family {
            user: Uuid::from_u128(1),
            began: rotated_at,
            digest: "current".into(),
            rotated_at,
            expires_at: rotated_at + REFRESH_LIFE,
            ended: false,
            viewing_as: None,
        }
    }

    fn after(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn the_current_token_is_good_until_the_session_expires() {
        let end = REFRESH_LIFE.as_secs();
        for pages in [Pages::One, Pages::Several] {
            assert_eq!(
                family().judge("current", after(1), pages),
                Presented::Current
            );
            assert_eq!(
                family().judge("current", after(end - 1), pages),
                Presented::Current
            );
            assert_eq!(
                family().judge("current", after(end), pages),
                Presented::Over
            );
        }
    }

    #[test]
    fn a_used_token_is_a_copy() {
        assert_eq!(
            family().judge("before", after(0), Pages::One),
            Presented::Used
        );
        assert_eq!(
            family().judge("before", after(100), Pages::One),
            Presented::Used
        );
    }

    #[test]
    fn in_a_browser_it_is_a_second_page_for_ten_seconds() {
        assert_eq!(
            family().judge("before", after(10), Pages::Several),
            Presented::JustUsed
        );
        assert_eq!(
            family().judge("before", after(11), Pages::Several),
            Presented::Used
        );
    }

    #[test]
    fn no_token_of_an_ended_session_is_good() {
        let ended = Family {
            ended: true,
            ..family()
        };
        for digest in ["current", "before"] {
            assert_eq!(
                ended.judge(digest, after(1), Pages::Several),
                Presented::Over
            );
        }
    }
}
