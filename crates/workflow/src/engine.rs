//! The engine: what it is made with, and its parts put together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use opsflux_records::feed::Reactor;
use opsflux_records::{Acting, Caller, Error, Origin, Records};
use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::action::{self, Action};
use crate::gate::Counted;
use crate::hook::Hooks;
use crate::matching::Matching;
use crate::published::Published;

/// Who people are to the engine, and how a mail asks them: it acts in the name of whoever owns a
/// workflow.
pub trait Asking: Acting {
    /// What signs the links by which people decide from a mail; none: there are no such links.
    fn link_key(&self) -> Option<aws_lc_rs::hmac::Key> {
        None
    }

    /// Subject and text of the mail that asks a person, in his language.
    fn letter(&self, _question: &Question) -> Option<(String, String)> {
        None
    }
}

/// A question as a mail asks it.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is asked.
    pub title: String,
    /// More about it.
    pub message: String,
    /// The title of the record it is about.
    pub subject: String,
    /// What people call the workflow.
    pub workflow: String,
    /// What the link carries.
    pub token: String,
    /// The language of whoever is asked.
    pub language: opsflux_records::Language,
}

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub records: Records,
    pub acting: Arc<dyn Asking>,
    pub actions: BTreeMap<&'static str, Arc<dyn Action>>,
    pub published: Published,
    /// Rung when an execution is to be gone on with.
    pub bell: Notify,
    /// What runs in this minute.
    pub counted: Mutex<Counted>,
    /// How other systems are let in.
    pub hooks: Hooks,
    /// The last place in the feed this process has looked at.
    pub seen: AtomicI64,
    /// When what is past its time was looked for last.
    pub tidied: AtomicI64,
    /// The name of this process among those that work executions off.
    pub worker: Uuid,
}

impl Engine {
    /// Puts the engine together, with the actions of other rooms.
    #[must_use]
    pub fn new(
        records: Records,
        acting: Arc<dyn Asking>,
        more: Vec<Arc<dyn Action>>,
        hooks: Hooks,
    ) -> Engine {
        let actions = action::built_in().into_iter().chain(more);
        Engine {
            inner: Arc::new(Inner {
                records,
                acting,
                actions: actions.map(|action| (action.name(), action)).collect(),
                published: Published::default(),
                bell: Notify::new(),
                counted: Mutex::default(),
                hooks,
                seen: AtomicI64::new(0),
                tidied: AtomicI64::new(0),
                worker: Uuid::new_v4(),
            }),
        }
    }

    /// What begins executions: to be followed by [`opsflux_records::feed::follow`].
    #[must_use]
    pub fn matching(&self) -> Arc<dyn Reactor> {
        Arc::new(Matching(self.clone()))
    }

    /// The caller in whose name a workflow acts.
    pub(crate) async fn act_as(
        &self,
        tenant: i64,
        owner: Uuid,
        cause: &Cause<'_>,
    ) -> Result<Option<Caller>, Error> {
        let origin = Origin {
            actor: opsflux_records::Actor::Workflow,
            source: "workflow".to_owned(),
            reason: Some(format!("workflow {}", cause.workflow)),
            chain: Some(cause.chain),
            depth: cause.depth.saturating_add(1),
            ..Origin::default()
        };
        self.inner.acting.caller(tenant, owner, origin).await
    }
}

/// What stands behind what a workflow does.
pub(crate) struct Cause<'a> {
    /// What people call the workflow.
    pub workflow: &'a str,
    /// What one first cause set off shares it.
    pub chain: Uuid,
    /// How many changes led here.
    pub depth: u16,
}
