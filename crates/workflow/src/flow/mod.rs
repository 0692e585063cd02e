//! What a workflow says, read once: what sets it off, what must hold, and its steps.
//!
//! Two ways of writing it are read into the same [`Flow`] ([`read`]): the short one of the simple
//! editor (`{trigger, conditions, actions}`) and the whole one (`opsflux.flow/1`, a tree of
//! steps). Blocks nest, so where branches join is never in doubt and every path ends.

mod limits;
mod object;
mod patience;
mod read;
mod span;
mod steps;
mod triggers;

pub use limits::{Batch, Excess, Limits, Once, Slot, Throttle};
pub use object::Mistake;
pub use patience::{CallStep, ListenStep, RepeatStep};
pub use read::{FORMAT, read};
pub use span::{later, read as duration};
pub(crate) use triggers::{GENERAL as TRIGGERS, KIN as ALIASES};

use std::fmt;

use jiff::Span;
use jiff::civil::{Time, Weekday};
use opsflux_model::Condition;
use serde_json::{Map, Value as Json};

/// The entity of people's accounts.
pub(crate) const ACCOUNT: &str = "user";

/// A workflow.
#[derive(Debug, Clone)]
pub struct Flow {
    /// What sets it off; one is enough.
    pub triggers: Vec<Trigger>,
    /// The limits of each, in the same order.
    pub limits: Vec<Limits>,
    /// What must hold of the record then.
    pub when: Condition,
    /// What is done.
    pub steps: Vec<Step>,
}

/// What sets a workflow off.
#[derive(Debug, Clone)]
pub enum Trigger {
    /// Something happens to a record.
    Record(OnRecord),
    /// The clock.
    Clock(OnClock),
    /// A moment of a record comes near, or is long past.
    Moment(OnMoment),
    /// Somebody asks for it.
    Manual {
        /// For records of this entity; none: it needs no record.
        entity: Option<String>,
    },
    /// Another workflow calls it, or starts it.
    Called {
        /// For records of this entity; none: it needs no record.
        entity: Option<String>,
    },
    /// A record is about to be saved: what is done is part of the change.
    Before {
        /// Of this entity.
        entity: String,
        /// Fields of which one must change, unless it is new; empty: any.
        changed: Vec<String>,
    },
    /// Another system calls.
    Hook(OnHook),
    /// A person signs in or out: about his account.
    Account {
        /// Out; else in.
        leaves: bool,
    },
    /// Something the engine or the house does by itself failed for good.
    Trouble,
}

/// A trigger by a call of another system.
#[derive(Debug, Clone, PartialEq)]
pub struct OnHook {
    /// The entity of the record it is about, when it is about one.
    pub entity: Option<String>,
    /// Which: a template that knows `trigger.body`.
    pub record: Option<String>,
}

/// A trigger by what happens to a record.
#[derive(Debug, Clone, PartialEq)]
pub struct OnRecord {
    /// Name of the entity.
    pub entity: String,
    /// What happens.
    pub event: Event,
    /// Fields of which one must have changed; empty: any.
    pub changed: Vec<String>,
    /// States it must come from; empty: any.
    pub from: Vec<String>,
    /// States it must come to; empty: any.
    pub to: Vec<String>,
}

/// A trigger by the clock.
#[derive(Debug, Clone, PartialEq)]
pub struct OnClock {
    /// When.
    pub when: Rhythm,
    /// Where days begin; the owner's zone when absent.
    pub zone: Option<jiff::tz::TimeZone>,
    /// For each record of this entity that satisfies the conditions; once, about nothing, when
    /// absent.
    pub entity: Option<String>,
}

/// How often.
#[derive(Debug, Clone, PartialEq)]
pub enum Rhythm {
    /// Each day.
    Daily(Time),
    /// Each week on a day.
    Weekly(Weekday, Time),
    /// Each month on a day; the last one when the month is shorter.
    Monthly(i8, Time),
    /// As a cron pattern says.
    Cron(Box<croner::Cron>),
}

/// A trigger by a moment of a record.
#[derive(Debug, Clone)]
pub struct OnMoment {
    /// Name of the entity.
    pub entity: String,
    /// The field that has the moment.
    pub field: String,
    /// How far from it: before it, or after it.
    pub distance: Span,
    /// Whether it is set off before the moment or after it.
    pub before: bool,
}

/// What happens to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Event {
    Created,
    Updated,
    Deleted,
    Restored,
    /// Its state moved.
    StateChanged,
}

/// A step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name within the workflow, never used again for another.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// What it does.
    pub kind: StepKind,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum StepKind {
    /// One act.
    Action(ActionStep),
    /// The steps of the first case that holds.
    Branch {
        /// In order.
        cases: Vec<Case>,
        /// When none holds.
        otherwise: Vec<Step>,
    },
    /// Several at once.
    Parallel {
        /// Each with its own steps.
        branches: Vec<Branch>,
        /// When it is over.
        join: Join,
    },
    /// The same steps for each element of a list, one after the other.
    ForEach {
        /// The list: a template, or elements.
        list: Json,
        /// What the element is called within.
        name: String,
        /// For each.
        steps: Vec<Step>,
    },
    /// Nothing, for a time.
    Wait(WaitStep),
    /// Nothing, until something happens.
    Listen(ListenStep),
    /// The same steps again and again.
    Repeat(RepeatStep),
    /// Another workflow.
    Call(CallStep),
    /// People decide.
    Approval(Box<ApprovalStep>),
    /// The end.
    Stop {
        /// Whether it counts as failed.
        failed: bool,
        /// Why: a template.
        message: Option<String>,
    },
}

/// One act.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionStep {
    /// Name of the action.
    pub action: String,
    /// What it is given: templates in every text.
    pub params: Map<String, Json>,
    /// Tries in all.
    pub tries: u32,
    /// What follows when it fails in the end.
    pub on_failure: OnFailure,
}

/// What follows a step that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The execution fails.
    Stop,
    /// The next step.
    Continue,
}

/// One way of a branch.
#[derive(Debug, Clone)]
pub struct Case {
    /// What must hold.
    pub when: Condition,
    /// What is done then.
    pub steps: Vec<Step>,
}

/// One of several that run at once.
#[derive(Debug, Clone)]
pub struct Branch {
    /// Its name within the step.
    pub id: String,
    /// What is done.
    pub steps: Vec<Step>,
}

/// When several that run at once are over. Those still running then are cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// When all are.
    All,
    /// When so many are.
    Count(usize),
}

/// A wait.
#[derive(Debug, Clone)]
pub enum WaitStep {
    /// So long.
    For(Span),
    /// Until a moment: a template.
    Until(String),
}

/// A decision of people.
#[derive(Debug, Clone)]
pub struct ApprovalStep {
    /// Who: ids, addresses, `{role}`, `{group}`, templates.
    pub approvers: Json,
    /// What is asked: a template.
    pub title: Option<String>,
    /// More about it: a template.
    pub message: Option<String>,
    /// How many must agree.
    pub quorum: Quorum,
    /// How long they have.
    pub due: Option<Span>,
    /// What follows when they do not answer.
    pub on_timeout: OnTimeout,
    /// Whether whoever set the workflow off may decide.
    pub allow_self: bool,
    /// After how long somebody above is asked too.
    pub escalate: Option<Span>,
    /// Who that is; each one's manager when it is not said.
    pub escalate_to: Option<Json>,
    /// After how long, and again after as long, those who have not answered are told once more.
    pub remind: Option<Span>,
    /// Whether they are asked by mail too, with a link to decide by.
    pub by_mail: bool,
    /// What is done when they refuse; then the execution ends.
    pub on_reject: Vec<Step>,
}

/// How many must agree. One refusal is enough to refuse, unless so many can still agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quorum {
    /// One.
    Any,
    /// Each.
    All,
    /// So many.
    Count(usize),
}

/// What follows an approval nobody decided in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum OnTimeout {
    Reject,
    Approve,
    Fail,
}

impl Event {
    /// The event with its name in events and triggers.
    pub const NAMES: [(&'static str, Event); 5] = [
        ("created", Event::Created),
        ("updated", Event::Updated),
        ("deleted", Event::Deleted),
        ("restored", Event::Restored),
        ("state_changed", Event::StateChanged),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = Event::NAMES.iter().find(|(_, event)| *event == self);
        found.map_or("updated", |(name, _)| name)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl Trigger {
    /// The entity it is about, when it is about one.
    #[must_use]
    pub fn entity(&self) -> Option<&str> {
        match self {
            Trigger::Record(on) => Some(&on.entity),
            Trigger::Moment(on) => Some(&on.entity),
            Trigger::Clock(on) => on.entity.as_deref(),
            Trigger::Manual { entity } | Trigger::Called { entity } => entity.as_deref(),
            Trigger::Hook(on) => on.entity.as_deref(),
            Trigger::Before { entity, .. } => Some(entity),
            Trigger::Account { .. } => Some(ACCOUNT),
            Trigger::Trouble => None,
        }
    }

    /// Whether what is done is part of the change.
    #[must_use]
    pub fn is_before(&self) -> bool {
        matches!(self, Trigger::Before { .. })
    }

    /// Whether it is set off by what fails.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        matches!(self, Trigger::Trouble)
    }

    /// Whether time alone may set it off.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        matches!(self, Trigger::Clock(_) | Trigger::Moment(_))
    }
}

impl Flow {
    /// The limits of a trigger, by its place.
    #[must_use]
    pub fn limits_of(&self, trigger: usize) -> Option<&Limits> {
        self.limits.get(trigger)
    }

    /// Calls `see` for every step, blocks before what is within.
    pub fn each<'f>(&'f self, see: &mut impl FnMut(&'f Step)) {
        each(&self.steps, see);
    }
}

fn each<'f>(steps: &'f [Step], see: &mut impl FnMut(&'f Step)) {
    for step in steps {
        see(step);
        for block in step.blocks() {
            each(block, see);
        }
    }
}

impl Step {
    /// The lists of steps within.
    #[must_use]
    pub fn blocks(&self) -> Vec<&[Step]> {
        match &self.kind {
            StepKind::Action(_) | StepKind::Wait(_) | StepKind::Call(_) | StepKind::Stop { .. } => {
                Vec::new()
            }
            StepKind::Listen(listen) => vec![&listen.on_timeout],
            StepKind::Repeat(repeat) => vec![&repeat.steps],
            StepKind::Branch { cases, otherwise } => {
                let cases = cases.iter().map(|case| case.steps.as_slice());
                cases.chain([otherwise.as_slice()]).collect()
            }
            StepKind::Parallel { branches, .. } => branches
                .iter()
                .map(|branch| branch.steps.as_slice())
                .collect(),
            StepKind::ForEach { steps, .. } => vec![steps],
            StepKind::Approval(approval) => vec![&approval.on_reject],
        }
    }
}
