//! The course of a ticket: when it is taken, solved and closed, and where that leaves it today.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::draw::{Draw, later, seconds};
use crate::rhythm::working;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Priorities, in the order of the weights of templates.
pub const PRIORITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// By priority: minutes until somebody answers, at least and at most.
const ANSWERED: [(i64, i64); 4] = [(120, 3_000), (45, 1_400), (10, 240), (3, 25)];
/// By priority: hours until half of them are solved.
const SOLVED: [f64; 4] = [130.0, 64.0, 22.0, 5.0];
/// By priority: hours that are promised.
const PROMISED: [i64; 4] = [168, 72, 24, 8];
/// Shortest time between being taken and being solved: room for a conversation.
const SHORTEST: i64 = 25 * MINUTE;

/// When what happens to a ticket. Some of it lies behind the present and has not happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course {
    /// Somebody of the desk begins.
    pub taken: Timestamp,
    /// The person who asked has what he needs.
    pub resolved: Timestamp,
    /// Nobody will come back to it.
    pub closed: Timestamp,
    /// What was promised, when something was.
    pub due: Option<Timestamp>,
    /// Something outside is waited for.
    waits: bool,
}

impl Course {
    /// The course of a ticket made at `created`; `priority` is a place in [`PRIORITIES`].
    pub fn plan(
        created: Timestamp,
        priority: usize,
        kind: &str,
        desk: &TimeZone,
        draw: &mut Draw,
    ) -> Course {
        let place = priority.min(PRIORITIES.len() - 1);
        // At night only what is critical wakes somebody.
        let at_work = |at: Timestamp, draw: &mut Draw| {
            if place == 3 {
                at
            } else {
                working(at, desk, draw)
            }
        };
        let (soonest, latest) = ANSWERED[place];
        let haste = draw.share();
        let delay = soonest + ((latest - soonest) as f64 * haste * haste) as i64;
        let taken = at_work(later(created, delay * MINUTE), draw);
        let slowness = match kind {
            "problem" => 2.6,
            "change" => 2.0,
            "request" => 1.3,
            _ => 1.0,
        };
        // A few are forgotten, or wait for a part that does not come.
        let forgotten = draw.chance(0.018);
        let lost = if forgotten {
            10.0 + 35.0 * draw.share()
        } else {
            1.0
        };
        let hours = SOLVED[place] * slowness * lost * (0.9 * draw.bell()).exp();
        let solving = ((hours * HOUR as f64) as i64).clamp(SHORTEST, 600 * DAY);
        let resolved = at_work(later(taken, solving), draw);
        let closed = if draw.chance(0.2) {
            later(resolved, draw.between(MINUTE, 20 * MINUTE))
        } else {
            working(later(resolved, draw.between(DAY, 6 * DAY)), desk, draw)
        };
        let due = draw
            .chance(0.7)
            .then(|| later(created, PROMISED[place] * HOUR));
        let waits = draw.chance(if forgotten { 0.75 } else { 0.2 });
        Course {
            taken,
            resolved,
            closed,
            due,
            waits,
        }
    }

    /// The course of a part of it, made after it was taken and done before it is; with when.
    pub fn part(&self, draw: &mut Draw) -> (Timestamp, Course) {
        let whole = seconds(self.taken, self.resolved);
        let along = |from: f64, to: f64, draw: &mut Draw| {
            let share = from + (to - from) * draw.share();
            later(self.taken, ((whole as f64 * share) as i64).max(1))
        };
        let created = along(0.01, 0.1, draw);
        let course = Course {
            taken: along(0.12, 0.3, draw),
            resolved: along(0.35, 0.95, draw),
            closed: self.closed,
            due: self.due,
            waits: draw.chance(0.2),
        };
        (created, course)
    }

    /// Where the ticket stands.
    pub fn status(&self, now: Timestamp, draw: &mut Draw) -> &'static str {
        if self.closed <= now {
            "closed"
        } else if self.resolved <= now {
            "done"
        } else if self.taken <= now {
            match self.waits {
                true => "on_hold",
                false if draw.chance(0.2) => "todo",
                false => "in_progress",
            }
        } else if draw.chance(0.25) {
            "todo"
        } else {
            "new"
        }
    }

    /// When each of `lines` of a conversation is said: the first when it is taken, the last before
    /// it is solved.
    pub fn lines(&self, lines: usize, desk: &TimeZone, draw: &mut Draw) -> Vec<Timestamp> {
        let whole = seconds(self.taken, self.resolved);
        let count = i64::try_from(lines).unwrap_or(i64::MAX).max(1);
        let mut moments = Vec::with_capacity(lines);
        let mut last = self.taken;
        for line in 0..count {
            let at = if line == 0 {
                self.taken
            } else {
                let even = whole as f64 * (line as f64 + draw.share() * 0.8) / count as f64;
                let at = working(later(self.taken, even as i64), desk, draw);
                // Room for those that follow, and never before the one it answers.
                let latest = later(self.resolved, -MINUTE * (count - line));
                at.min(latest).max(later(last, MINUTE / 2))
            };
            moments.push(at);
            last = at;
        }
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> TimeZone {
        TimeZone::get("Africa/Libreville").unwrap()
    }

    fn courses() -> impl Iterator<Item = (Timestamp, Course, Draw)> {
        (0..3_000_u64).map(|seed| {
            let mut draw = Draw::of(seed, 0);
            let created = Timestamp::from_second(1_700_000_000 + 7_919 * seed as i64).unwrap();
            let kind = ["incident", "request", "change", "problem"][draw.below(4)];
            let priority = draw.below(4);
            (
                created,
                Course::plan(created, priority, kind, &zone(), &mut draw),
                draw,
            )
        })
    }

    #[test]
    fn nothing_happens_before_what_leads_to_it() {
        for (created, course, mut draw) in courses() {
            assert!(created < course.taken, "{course:?}");
            assert!(course.taken < course.resolved && course.resolved <= course.closed);
            let lines = course.lines(6, &zone(), &mut draw);
            assert_eq!(lines[0], course.taken);
            assert!(
                lines.windows(2).all(|two| two[0] < two[1]),
                "{lines:?} {course:?}"
            );
            assert!(lines[5] < course.resolved);
            let (made, part) = course.part(&mut draw);
            assert!(course.taken < made && made < part.taken);
            assert!(part.taken < part.resolved && part.resolved < course.resolved);
        }
    }

    #[test]
    fn old_tickets_are_closed_and_today_s_are_not() {
        let mut closed = 0;
        for (created, course, mut draw) in courses() {
            let soon = course.status(later(created, MINUTE), &mut draw);
            assert!(matches!(soon, "new" | "todo"), "{soon}");
            let after_a_year = course.status(later(created, 365 * DAY), &mut draw);
            closed += u32::from(after_a_year == "closed");
            assert_eq!(
                course.status(course.resolved, &mut draw) == "done",
                course.closed > course.resolved
            );
        }
        assert!(closed > 2_950, "{closed}");
    }

    #[test]
    fn what_is_critical_is_answered_at_once() {
        let created = "2025-07-06T02:00:00Z".parse().unwrap();
        for seed in 0..50 {
            let mut draw = Draw::of(seed, 0);
            let course = Course::plan(created, 3, "incident", &zone(), &mut draw);
            assert!(seconds(created, course.taken) <= 25 * MINUTE);
        }
    }
}
