//! Sessions: begun by a log-in, rotated by each refresh, ended by the person, an administrator,
//! time, or a refresh token that is used twice.
//!
//! A session is a row of the log entity `session`, which is also the family of its refresh tokens:
//! it keeps the digest of the current one. That it ended is told to other processes through the
//! feed; in this one it is known before the answer is given. What must never be here: passwords.

mod rotation;

use std::sync::Arc;

use jiff::Timestamp;
use moka::sync::Cache;
use opsflux_model::Value;
use opsflux_records::{Error, Origin, Records};
use opsflux_store::feed::{Body, FeedOp, NewEntry};
use opsflux_store::{Commit, CommitError, Write};
use uuid::Uuid;

use crate::freshness::{Freshness, Mark};
use crate::journal::Journal;
use crate::token::{Owner, REFRESH_LIFE, RefreshToken, Tokens};
use opsflux_records::table::{Query, Table, at, text_at, time_at};

pub(crate) use rotation::{Pages, Rotation};

/// Name of the entity.
pub(crate) const ENTITY: &str = "session";

/// How many sessions are kept in memory.
const KEPT: u64 = 65_536;
/// Most sessions of one person that are shown or ended at once.
const MOST: u32 = 1_000;
/// How often a write that had to give way is made again.
const ATTEMPTS: usize = 5;

/// A session that may be used.
#[derive(Debug)]
pub(crate) struct Live {
    pub owner: Owner,
    pub csrf: String,
    /// When it was begun by signing in.
    pub began: Timestamp,
    /// With whose eyes it sees, when not with its own.
    pub viewing_as: Option<Uuid>,
    expires_at: Timestamp,
}

struct Kept {
    mark: Mark,
    /// `None`: there is no such session, or it has ended.
    live: Option<Arc<Live>>,
}

/// A session as its person sees it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub id: Uuid,
    pub created_at: Option<Timestamp>,
    pub last_seen_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

/// The sessions of all tenants.
pub(crate) struct Sessions {
    records: Records,
    tokens: Tokens,
    freshness: Arc<Freshness>,
    kept: Cache<(i64, Uuid), Arc<Kept>>,
}

impl Sessions {
    pub fn new(records: Records, tokens: Tokens, freshness: Arc<Freshness>) -> Sessions {
        Sessions {
            records,
            tokens,
            freshness,
            kept: Cache::new(KEPT),
        }
    }

    /// The session, while it may be used; from memory while that may be believed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(
        &self,
        tenant: i64,
        session: Uuid,
        now: Timestamp,
    ) -> Result<Option<Arc<Live>>, Error> {
        let mark = self.freshness.session(tenant, session);
        let known = self
            .kept
            .get(&(tenant, session))
            .filter(|kept| kept.mark == mark);
        let kept = match known.filter(|_| self.freshness.hears(now)) {
            Some(kept) => kept,
            None => {
                let live = self.read(tenant, session).await?.map(Arc::new);
                let kept = Arc::new(Kept { mark, live });
                self.kept.insert((tenant, session), kept.clone());
                kept
            }
        };
        Ok(kept.live.clone().filter(|live| live.expires_at > now))
    }

    async fn read(&self, tenant: i64, session: Uuid) -> Result<Option<Live>, Error> {
        let Some(family) = self.family(tenant, session).await? else {
            return Ok(None);
        };
        let owner = Owner {
            tenant,
            user: family.user,
            session,
        };
        let csrf = self.tokens.csrf(session);
        let (began, expires_at) = (family.began, family.expires_at);
        Ok((!family.ended).then_some(Live {
            owner,
            csrf,
            began,
            viewing_as: family.viewing_as,
            expires_at,
        }))
    }

    /// Begins a session of a person who has proved to be one: the session, its line in the journal
    /// and the time of the person's last log-in are one commit.
    ///
    /// The last log-in is a note of ours beside the record, not a change of it: it raises no
    /// version and tells nobody.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin(
        &self,
        tenant: i64,
        user: Uuid,
        identifier: &str,
        origin: &Origin,
    ) -> Result<(Owner, RefreshToken), Error> {
        let now = self.records.now();
        let owner = Owner {
            tenant,
            user,
            session: self.records.new_id(),
        };
        let refresh = self.new_refresh(&owner)?;
        let schema = self.records.schema();
        let (table, users) = (Table::of(&schema, ENTITY)?, Table::of(&schema, "user")?);
        let text = |name: &str, value: &Option<String>| {
            Value::from(value.as_deref().map(|text| table.cut(name, text)))
        };
        let session = table.row(vec![
            ("id", Value::Id(owner.session)),
            ("created_at", now.into()),
            ("user", Value::Id(user)),
            ("refresh_digest", refresh.digest().into()),
            ("last_seen_at", now.into()),
            ("expires_at", (now + REFRESH_LIFE).into()),
            ("address", text("address", &origin.address)),
            ("user_agent", text("user_agent", &origin.user_agent)),
        ])?;
        let commit = Commit {
            tenant,
            writes: vec![
                Write::Insert {
                    entity: table.ix,
                    values: session,
                },
                Journal::success(&schema, &self.records, user, identifier, origin)?,
                Write::Update {
                    entity: users.ix,
                    id: user,
                    expected_version: None,
                    set: users.set(vec![("last_login_at", now.into())])?,
                },
            ],
            feed: vec![NewEntry {
                change: self.records.new_id(),
                at: now,
                entity: ENTITY.to_owned(),
                record: owner.session,
                version: 1,
                op: FeedOp::Created,
                body: Body {
                    by: Some(user),
                    ..Body::default()
                },
            }],
            ..Commit::default()
        };
        self.commit(commit).await?;
        Ok((owner, refresh))
    }

    fn new_refresh(&self, owner: &Owner) -> Result<RefreshToken, Error> {
        let made = self.tokens.refresh(owner.tenant, owner.session);
        made.map_err(|failed| Error::Internal(failed.to_string()))
    }

    /// Ends sessions, at once here and within a second elsewhere. `by` is who did it, when a
    /// person did.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end(&self, tenant: i64, sessions: &[Uuid], by: Option<Uuid>) -> Result<(), Error> {
        if sessions.is_empty() {
            return Ok(());
        }
        let ended = ("ended_at", self.records.now().into());
        self.change(tenant, sessions, ended, by).await
    }

    /// Sees with somebody's eyes, or with one's own again: at once here and within a second
    /// elsewhere.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn view_as(&self, owner: &Owner, user: Option<Uuid>) -> Result<(), Error> {
        let seen = ("viewing_as", Value::from(user));
        let by = Some(owner.user);
        self.change(owner.tenant, &[owner.session], seen, by).await
    }

    async fn change(
        &self,
        tenant: i64,
        sessions: &[Uuid],
        (field, value): (&'static str, Value),
        by: Option<Uuid>,
    ) -> Result<(), Error> {
        let now = self.records.now();
        let change = self.records.new_id();
        let schema = self.records.schema();
        let table = Table::of(&schema, ENTITY)?;
        let mut commit = Commit {
            tenant,
            ..Commit::default()
        };
        for session in sessions {
            let set = table.set(vec![(field, value.clone())])?;
            let (entity, id) = (table.ix, *session);
            commit.writes.push(Write::Update {
                entity,
                id,
                expected_version: None,
                set,
            });
            commit.feed.push(NewEntry {
                change,
                at: now,
                entity: ENTITY.to_owned(),
                record: id,
                version: 1,
                op: FeedOp::Updated,
                body: Body {
                    fields: vec![field.to_owned()],
                    by,
                    ..Body::default()
                },
            });
        }
        self.commit(commit).await?;
        for session in sessions {
            self.freshness.session_changed(tenant, *session);
        }
        Ok(())
    }

    /// The sessions of a person that have neither ended nor expired, the last one used first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(&self, tenant: i64, user: Uuid) -> Result<Vec<Shown>, Error> {
        let schema = self.records.schema();
        let table = Table::of(&schema, ENTITY)?;
        let query = Query {
            fields: &[
                "id",
                "created_at",
                "last_seen_at",
                "expires_at",
                "address",
                "user_agent",
            ],
            filter: table
                .is("user", user)?
                .and(table.is_empty("ended_at")?)
                .and(table.is_after("expires_at", self.records.now())?),
            sort: &["-last_seen_at", "-id"],
            limit: MOST,
        };
        let rows = table.rows(self.records.store(), tenant, query).await?;
        let shown = rows.iter().filter_map(|row| {
            Some(Shown {
                id: at(row, 0).as_id()?,
                created_at: time_at(row, 1),
                last_seen_at: time_at(row, 2),
                expires_at: time_at(row, 3),
                address: text_at(row, 4),
                user_agent: text_at(row, 5),
            })
        });
        Ok(shown.collect())
    }

    /// Ends the sessions of a person but for the one to keep.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_all(
        &self,
        tenant: i64,
        user: Uuid,
        keep: Option<Uuid>,
        by: Option<Uuid>,
    ) -> Result<(), Error> {
        let all = self.of(tenant, user).await?;
        let ids: Vec<Uuid> = all
            .iter()
            .map(|shown| shown.id)
            .filter(|id| Some(*id) != keep)
            .collect();
        self.end(tenant, &ids, by).await
    }

    async fn commit(&self, commit: Commit) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            match self.records.store().commit(commit.clone()).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Retry) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(Error::Unavailable("the database is busy".to_owned()))
    }
}

/// None of our writes can be refused by a person's doing.
pub(crate) fn failed(error: CommitError) -> Error {
    match error {
        CommitError::Store(error) => error.into(),
        CommitError::Retry => Error::Unavailable("the database is busy".to_owned()),
        other => Error::Internal(other.to_string()),
    }
}
