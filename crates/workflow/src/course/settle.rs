//! Going on from what is over to what comes next, until every open step is one to be done or
//! waited for.

use serde_json::Value as Json;

use super::{Around, Block, Course, End, Leaf, Now, Open};
use crate::flow::{Flow, Join, Step, StepKind};

impl Course {
    /// Begins what is to begin, leaves what is over.
    pub(super) fn settle(&mut self, flow: &Flow) {
        if self.end.is_some() {
            return;
        }
        match self.block.settle(&flow.steps) {
            Settled::Open => {}
            Settled::Over => self.end = Some(End::Success),
            Settled::Refused => self.end = Some(End::Success),
        }
    }
}

/// What a list of steps came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    /// Something in it is open.
    Open,
    /// All of it is over.
    Over,
    /// What follows a refusal is over: nothing comes after it.
    Refused,
}

impl Block {
    fn settle(&mut self, steps: &[Step]) -> Settled {
        loop {
            let Some(step) = steps.get(self.at) else {
                return Settled::Over;
            };
            let now = self.now.get_or_insert_with(|| Box::new(first(step)));
            match now.settle(step) {
                Settled::Open => return Settled::Open,
                Settled::Refused => return Settled::Refused,
                Settled::Over => {
                    self.at += 1;
                    self.now = None;
                }
            }
        }
    }

    /// Adds the open steps of these.
    pub(super) fn open<'c, 'f>(
        &'c self,
        steps: &'f [Step],
        around: &mut Around<'c, 'f>,
        open: &mut Vec<Open<'c, 'f>>,
    ) {
        let (Some(step), Some(now)) = (steps.get(self.at), &self.now) else {
            return;
        };
        let end = around.place.len();
        around.place.push_str(&step.id);
        match &**now {
            Now::Over => {}
            Now::Leaf(leaf) | Now::Pause(_, leaf) => open.push(Open {
                place: around.place.clone(),
                step,
                leaf,
                items: around.items.clone(),
                rounds: match &**now {
                    Now::Pause(rounds, _) => *rounds,
                    _ => 0,
                },
            }),
            Now::Within(case, block) => {
                around.place.push('.');
                block.open(within(step, *case), around, open);
            }
            Now::Branches(blocks) => {
                for (block, branch) in blocks.iter().zip(branches(step)) {
                    let end = around.place.len();
                    around.place.push_str(&format!(".{}.", branch.0));
                    block.open(branch.1, around, open);
                    around.place.truncate(end);
                }
            }
            Now::Round(round, block) => {
                if let StepKind::Repeat(repeat) = &step.kind {
                    around.place.push_str(&format!("[{round}]."));
                    block.open(&repeat.steps, around, open);
                }
            }
            Now::Each(items, at, block) => {
                if let StepKind::ForEach { name, steps, .. } = &step.kind {
                    around.place.push_str(&format!("[{at}]."));
                    around
                        .items
                        .push((name, items.get(*at).unwrap_or(&Json::Null)));
                    block.open(steps, around, open);
                    around.items.pop();
                }
            }
        }
        around.place.truncate(end);
    }

    /// The state of the open step at a place.
    pub(super) fn slot(
        &mut self,
        steps: &[Step],
        place: &str,
        around: &mut String,
    ) -> Option<&mut Now> {
        let step = steps.get(self.at)?;
        let now = self.now.as_deref_mut()?;
        let end = around.len();
        around.push_str(&step.id);
        if matches!(now, Now::Leaf(_) | Now::Pause(..)) {
            let is_here = around == place;
            around.truncate(end);
            return is_here.then_some(now);
        }
        let found = match now {
            Now::Over | Now::Leaf(_) | Now::Pause(..) => None,
            Now::Within(case, block) => {
                around.push('.');
                block.slot(within(step, *case), place, around)
            }
            Now::Branches(blocks) => {
                let mut found = None;
                for (block, branch) in blocks.iter_mut().zip(branches(step)) {
                    let end = around.len();
                    around.push_str(&format!(".{}.", branch.0));
                    // Only the branch in which the place is may hold it.
                    if place.starts_with(around.as_str()) {
                        found = block.slot(branch.1, place, around);
                    }
                    around.truncate(end);
                }
                found
            }
            Now::Round(round, block) => match &step.kind {
                StepKind::Repeat(repeat) => {
                    around.push_str(&format!("[{round}]."));
                    block.slot(&repeat.steps, place, around)
                }
                _ => None,
            },
            Now::Each(_, at, block) => match &step.kind {
                StepKind::ForEach { steps, .. } => {
                    around.push_str(&format!("[{at}]."));
                    block.slot(steps, place, around)
                }
                _ => None,
            },
        };
        around.truncate(end);
        found
    }
}

impl Now {
    fn settle(&mut self, step: &Step) -> Settled {
        match self {
            Now::Over => Settled::Over,
            Now::Leaf(_) | Now::Pause(..) => Settled::Open,
            Now::Round(round, block) => {
                let StepKind::Repeat(repeat) = &step.kind else {
                    return Settled::Over;
                };
                match block.settle(&repeat.steps) {
                    Settled::Over if *round + 1 >= repeat.most => Settled::Over,
                    Settled::Over => {
                        *self = Now::Pause(*round + 1, Leaf::FIRST);
                        Settled::Open
                    }
                    settled => settled,
                }
            }
            Now::Within(case, block) => match block.settle(within(step, *case)) {
                Settled::Over if matches!(step.kind, StepKind::Approval(_)) => Settled::Refused,
                settled => settled,
            },
            Now::Branches(blocks) => {
                let mut over = 0;
                let mut refused = false;
                for (block, branch) in blocks.iter_mut().zip(branches(step)) {
                    match block.settle(branch.1) {
                        Settled::Open => {}
                        Settled::Over => over += 1,
                        Settled::Refused => refused = true,
                    }
                }
                let wanted = match &step.kind {
                    StepKind::Parallel {
                        join: Join::Count(count),
                        ..
                    } => (*count).min(blocks.len()),
                    _ => blocks.len(),
                };
                match (refused, over >= wanted) {
                    (true, _) => Settled::Refused,
                    (false, true) => Settled::Over,
                    (false, false) => Settled::Open,
                }
            }
            Now::Each(items, at, block) => {
                let StepKind::ForEach { steps, .. } = &step.kind else {
                    return Settled::Over;
                };
                while *at < items.len() {
                    match block.settle(steps) {
                        Settled::Over => {
                            *at += 1;
                            *block = Block::default();
                        }
                        settled => return settled,
                    }
                }
                Settled::Over
            }
        }
    }
}

/// How a step begins.
fn first(step: &Step) -> Now {
    match &step.kind {
        StepKind::Parallel { branches, .. } => {
            Now::Branches(branches.iter().map(|_| Block::default()).collect())
        }
        StepKind::Repeat(_) => Now::Pause(0, Leaf::FIRST),
        _ => Now::Leaf(Leaf::FIRST),
    }
}

/// The steps of a case; after the last one those of `else`. Of an approval, those after a refusal.
fn within(step: &Step, case: usize) -> &[Step] {
    match &step.kind {
        StepKind::Branch { cases, otherwise } => {
            cases.get(case).map_or(otherwise, |case| &case.steps)
        }
        StepKind::Approval(approval) => &approval.on_reject,
        StepKind::Listen(listen) => &listen.on_timeout,
        _ => &[],
    }
}

fn branches(step: &Step) -> impl Iterator<Item = (&str, &[Step])> {
    let branches = match &step.kind {
        StepKind::Parallel { branches, .. } => branches.as_slice(),
        _ => &[],
    };
    branches
        .iter()
        .map(|branch| (branch.id.as_str(), branch.steps.as_slice()))
}
