//! Who asks, from where, and what stands behind it.

use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use opsflux_model::Access;
use opsflux_model::predicate::Variables;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;

/// One request's identity. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What the person may do.
    pub access: Arc<Access>,
    /// What audit and feed keep about this request.
    pub origin: Arc<Origin>,
    /// The language messages come back in.
    pub language: Language,
    /// The zone in which days begin.
    pub time_zone: TimeZone,
    /// The company a new record belongs to.
    pub company: Option<Uuid>,
    /// The companies whose records are read; empty: all the person may see.
    pub companies: Vec<Uuid>,
    /// The administrator who sees with this person's eyes and writes nothing.
    pub viewer: Option<Uuid>,
}

impl Caller {
    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> i64 {
        self.access.principal.tenant
    }

    /// The person.
    #[must_use]
    pub fn user(&self) -> Uuid {
        self.access.principal.user
    }

    /// What `@me`, `@today` and their kin stand for at `now`.
    #[must_use]
    pub fn variables(&self, now: Timestamp) -> Variables {
        let principal = &self.access.principal;
        let mut departments: Vec<Uuid> = principal
            .memberships
            .iter()
            .flat_map(|m| m.departments.iter().copied())
            .collect();
        departments.sort_unstable();
        departments.dedup();
        Variables {
            me: principal.user,
            my_groups: principal.groups.clone(),
            my_departments: departments,
            now,
            today: now.to_zoned(self.time_zone.clone()).date(),
            zone: self.time_zone.clone(),
        }
    }
}

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Language {
    #[default]
    Fr,
    En,
    Es,
    Pt,
}

impl Language {
    /// Every language, the first one first.
    pub const ALL: [Language; 4] = [Language::Fr, Language::En, Language::Es, Language::Pt];

    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Language::Fr => "fr",
            Language::En => "en",
            Language::Es => "es",
            Language::Pt => "pt",
        }
    }

    /// The language with this code, `fr-CA` included.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag).trim();
        Language::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    /// The best language for an `Accept-Language` header, by its weights.
    #[must_use]
    pub fn accepted(header: &str) -> Option<Language> {
        let mut wanted: Vec<(u32, Language)> = header
            .split(',')
            .filter_map(|part| {
                let (tag, quality) = part.split_once(";q=").unwrap_or((part, "1"));
                let quality = quality
                    .trim()
                    .parse::<f32>()
                    .ok()
                    .filter(|q| (0.0..=1.0).contains(q))?;
                // Thousandths, as the header's grammar allows; compared as integers.
                Language::parse(tag.trim()).map(|language| ((quality * 1000.0) as u32, language))
            })
            .filter(|(quality, _)| *quality > 0)
            .collect();
        wanted.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
        wanted.first().map(|(_, language)| *language)
    }
}

/// Where a change comes from; kept with audit and feed from the first row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Origin {
    /// What kind of actor.
    pub actor: Actor,
    /// Somebody in whose name the actor acts.
    pub on_behalf_of: Option<Uuid>,
    /// `web`, `api`, `import`, `demo`, `workflow`, `sync`, `system`.
    pub source: String,
    /// Name of the device, where known.
    pub device: Option<String>,
    /// When the device says it happened, for queued work.
    pub device_time: Option<Timestamp>,
    /// IP address.
    pub address: Option<String>,
    /// As sent.
    pub user_agent: Option<String>,
    /// The request it belongs to.
    pub request_id: Option<String>,
    /// Why, when somebody said so.
    pub reason: Option<String>,
    /// The chain of changes, when another change led to this one.
    pub chain: Option<Uuid>,
    /// How many changes led here.
    pub depth: u16,
}

/// What kind of actor makes a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Actor {
    #[default]
    User,
    ApiKey,
    Service,
    Agent,
    Workflow,
    System,
}

impl Actor {
    /// Its code in the audit.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Actor::User => "user",
            Actor::ApiKey => "api_key",
            Actor::Service => "service",
            Actor::Agent => "agent",
            Actor::Workflow => "workflow",
            Actor::System => "system",
        }
    }
}

/// Who people are to whatever acts in their names while they are away: with the rights they have
/// then, and never with more.
pub trait Acting: Send + Sync {
    /// The person as a caller; none when he may not act (any more).
    ///
    /// # Errors
    /// When the database does not answer.
    fn caller<'a>(
        &'a self,
        tenant: i64,
        user: Uuid,
        origin: Origin,
    ) -> BoxFuture<'a, Result<Option<Caller>, Error>>;
}
