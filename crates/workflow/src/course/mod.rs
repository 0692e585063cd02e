//! Where an execution stands: a tree in the shape of its steps, moved on by what happened.
//!
//! Pure: no clock, no database, no chance. [`Course::open`] says what is to be done or waited for
//! now; whoever did it tells [`Course::advance`]. A step is only as done as the course says that
//! it is, and the course is stored in the commit that did it, so nothing is forgotten and nothing
//! done twice, however often a process dies. Definitions are data: a course is never replayed, and
//! neither its length nor its age has a limit.

mod settle;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::flow::{Flow, OnFailure, Step, StepKind};

/// Where an execution stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Course {
    block: Block,
    /// What steps gave, by their names; the last time counts.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub outputs: Map<String, Json>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// All was done.
    Success,
    /// Something failed: why.
    Failed(String),
    /// Somebody stopped it.
    Cancelled,
}

/// A list of steps under way.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Block {
    /// Which step.
    at: usize,
    /// How far that is; nothing before it is begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    now: Option<Box<Now>>,
}

/// How far a step is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Now {
    /// A step without steps of its own.
    Leaf(Leaf),
    /// Within a case of a branch, or the steps after a refusal.
    Within(usize, Block),
    /// Within branches that run at once.
    Branches(Vec<Block>),
    /// At an element of a list.
    Each(Vec<Json>, usize, Block),
    /// Before a round, after so many.
    Pause(usize, Leaf),
    /// Within a round, after so many.
    Round(usize, Block),
    /// Done.
    Over,
}

/// How far a step without steps of its own is, or one that has not chosen them yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaf {
    /// To be done, at the given try, not before a moment.
    Due {
        /// The first is 1.
        attempt: u32,
        /// Not before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// Nothing until a moment.
    Waiting(Timestamp),
    /// People are asked; the approval, and when their time is over.
    Asked(Uuid, Option<Timestamp>),
    /// Something was sent outside, at the given try; the deliveries whose end is waited for.
    Sent(Vec<Uuid>, u32),
    /// Something is listened for.
    Listening {
        /// Not after.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Whether it was looked at since those who hear were told to listen: what came between
        /// is not missed.
        #[serde(default)]
        looked: bool,
    },
    /// Another workflow runs: its execution, and when it is looked for if nothing is heard of it.
    Called(Uuid, Timestamp),
}

/// A step that is open.
#[derive(Debug, Clone)]
pub struct Open<'c, 'f> {
    /// Its name with those of the blocks around it: `review.b1.ask`, `each[2].note`.
    pub place: String,
    /// What it is.
    pub step: &'f Step,
    /// How far it is.
    pub leaf: &'c Leaf,
    /// The elements of lists around it, by their names.
    pub items: Vec<(&'f str, &'c Json)>,
    /// Rounds behind it, of a step that repeats.
    pub rounds: usize,
}

/// What happened to an open step.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// It is done, and gave this.
    Done(Json),
    /// Which case holds; none.
    Case(Option<usize>),
    /// What the list is.
    Items(Vec<Json>),
    /// It goes on waiting, or is tried later.
    Waits(Leaf),
    /// It failed for good.
    Failed(String),
    /// The people refused.
    Refused(Json),
    /// The time of a wait is over.
    Expired(Json),
    /// The execution ends here.
    Ends(End),
}

impl Default for Course {
    fn default() -> Self {
        Course {
            block: Block::default(),
            outputs: Map::new(),
            end: None,
        }
    }
}

impl Course {
    /// At the beginning of a workflow.
    #[must_use]
    pub fn begin(flow: &Flow) -> Course {
        let mut course = Course::default();
        course.settle(flow);
        course
    }

    /// The steps that are open, in order; none when it has ended.
    #[must_use]
    pub fn open<'c, 'f>(&'c self, flow: &'f Flow) -> Vec<Open<'c, 'f>> {
        let mut open = Vec::new();
        if self.end.is_none() {
            let mut around = Around {
                place: String::new(),
                items: Vec::new(),
            };
            self.block.open(&flow.steps, &mut around, &mut open);
        }
        open
    }

    /// Which of the workflow's steps it is at, from 1, and how many there are; blocks count as one.
    #[must_use]
    pub fn stage(&self, flow: &Flow) -> (usize, usize) {
        let all = flow.steps.len();
        (self.block.at.saturating_add(1).min(all), all)
    }

    /// When something is to be done without anything happening before: the earliest moment, or
    /// `now` when a step can be done at once.
    #[must_use]
    pub fn due(&self, flow: &Flow, now: Timestamp) -> Option<Timestamp> {
        let open = self.open(flow);
        open.iter().filter_map(|open| open.leaf.due(now)).min()
    }

    /// Moves on by what happened to the open step at `place`. False when no such step is open: it
    /// was cancelled meanwhile, or this was told before.
    pub fn advance(&mut self, flow: &Flow, place: &str, happened: Happened) -> bool {
        if self.end.is_some() {
            return false;
        }
        let Some(step) = self.find(flow, place) else {
            return false;
        };
        let next = match happened {
            Happened::Ends(end) => {
                self.end = Some(end);
                return true;
            }
            Happened::Failed(why) => match &step.kind {
                StepKind::Action(action) if action.on_failure == OnFailure::Continue => {
                    let output = serde_json::json!({ "error": why });
                    self.outputs.insert(step.id.clone(), output);
                    Now::Over
                }
                _ => {
                    self.end = Some(End::Failed(why));
                    return true;
                }
            },
            Happened::Done(output) => {
                if !output.is_null() {
                    self.outputs.insert(step.id.clone(), output);
                }
                Now::Over
            }
            Happened::Refused(output) | Happened::Expired(output) => {
                self.outputs.insert(step.id.clone(), output);
                Now::Within(0, Block::default())
            }
            Happened::Case(case) if matches!(step.kind, StepKind::Repeat(_)) => match case {
                Some(_) => Now::Round(self.rounds(flow, place), Block::default()),
                None => Now::Over,
            },
            Happened::Waits(leaf) if matches!(step.kind, StepKind::Repeat(_)) => {
                Now::Pause(self.rounds(flow, place), leaf)
            }
            Happened::Case(case) => {
                let otherwise = match &step.kind {
                    StepKind::Branch { cases, .. } => cases.len(),
                    _ => 0,
                };
                Now::Within(case.unwrap_or(otherwise), Block::default())
            }
            Happened::Items(items) => Now::Each(items, 0, Block::default()),
            Happened::Waits(leaf) => Now::Leaf(leaf),
        };
        let mut around = String::new();
        if let Some(slot) = self.block.slot(&flow.steps, place, &mut around) {
            *slot = next;
        }
        self.settle(flow);
        true
    }

    /// How many rounds a step that repeats has behind it.
    fn rounds(&mut self, flow: &Flow, place: &str) -> usize {
        match self.block.slot(&flow.steps, place, &mut String::new()) {
            Some(Now::Pause(rounds, _)) => *rounds,
            _ => 0,
        }
    }

    fn find<'f>(&self, flow: &'f Flow, place: &str) -> Option<&'f Step> {
        let open = self.open(flow);
        open.iter()
            .find(|open| open.place == place)
            .map(|open| open.step)
    }
}

impl Leaf {
    /// A first try, at once.
    pub(crate) const FIRST: Leaf = Leaf::Due {
        attempt: 1,
        at: None,
    };

    /// When it is to be looked at without anything happening before.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Leaf::Due { at, .. } => Some(at.unwrap_or(now)),
            Leaf::Waiting(at) => Some(*at),
            Leaf::Asked(_, at) => *at,
            Leaf::Sent(..) => None,
            // Once more at once, so that nothing is missed.
            Leaf::Listening { looked: false, .. } => Some(now),
            Leaf::Listening { until, .. } => *until,
            Leaf::Called(_, at) => Some(*at),
        }
    }
}

/// Where a walk through the tree is.
struct Around<'c, 'f> {
    place: String,
    items: Vec<(&'f str, &'c Json)>,
}
