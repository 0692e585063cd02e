//! Which colour a value has.
//!
//! The better colour has the limit: of `UP_IS_BETTER` a value is green from `green` on, else
//! orange from `orange` on, else red. Without an orange threshold what is better than `red` is
//! orange; without either it is red at once. `DOWN_IS_BETTER` is the mirror image. Of
//! `WITHIN_RANGE` the distance from the target is judged as `DOWN_IS_BETTER`.

use opsflux_model::Value;
use opsflux_records::error::FieldError;
use rust_decimal::Decimal;

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Higher.
    Up,
    /// Lower.
    Down,
    /// Near the target.
    Within,
}

impl Direction {
    /// The direction with this code: `UP_IS_BETTER`, `DOWN_IS_BETTER`, `WITHIN_RANGE`.
    #[must_use]
    pub fn of(code: &str) -> Option<Direction> {
        match code {
            "UP_IS_BETTER" => Some(Direction::Up),
            "DOWN_IS_BETTER" => Some(Direction::Down),
            "WITHIN_RANGE" => Some(Direction::Within),
            _ => None,
        }
    }
}

/// The colour of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As wished.
    Green,
    /// To be watched.
    Orange,
    /// To be acted on.
    Red,
}

impl Status {
    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Status::Green => "GREEN",
            Status::Orange => "ORANGE",
            Status::Red => "RED",
        }
    }

    /// The colour with this code.
    #[must_use]
    pub fn of(code: &str) -> Option<Status> {
        [Status::Green, Status::Orange, Status::Red]
            .into_iter()
            .find(|status| status.code() == code)
    }
}

/// Where the colours begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Green up to here; without it nothing is green.
    pub green: Option<Decimal>,
    /// Orange up to here.
    pub orange: Option<Decimal>,
    /// Red from here, where there is no orange.
    pub red: Option<Decimal>,
    /// What is aimed at.
    pub target: Option<Decimal>,
}

impl Limits {
    /// The limits in the fields of a record.
    pub fn read<'a>(get: impl Fn(&str) -> &'a Value) -> Limits {
        let decimal = |name: &str| match get(name) {
            Value::Decimal(decimal) => Some(*decimal),
            _ => None,
        };
        Limits {
            green: decimal("threshold_green"),
            orange: decimal("threshold_orange"),
            red: decimal("threshold_red"),
            target: decimal("target"),
        }
    }

    /// The colour of a value. Nothing when it cannot be told: near a target that is not said, or
    /// so far from it that the distance has no number.
    #[must_use]
    pub fn status(&self, direction: Direction, value: Decimal) -> Option<Status> {
        let judged = match direction {
            Direction::Up | Direction::Down => value,
            Direction::Within => value.checked_sub(self.target?)?.abs(),
        };
        let at_least_as_good = |limit: Decimal| match direction {
            Direction::Up => judged >= limit,
            Direction::Down | Direction::Within => judged <= limit,
        };
        let better = |limit: Decimal| match direction {
            Direction::Up => judged > limit,
            Direction::Down | Direction::Within => judged < limit,
        };
        Some(if self.green.is_some_and(at_least_as_good) {
            Status::Green
        } else if let Some(orange) = self.orange {
            if at_least_as_good(orange) {
                Status::Orange
            } else {
                Status::Red
            }
        } else if self.red.is_some_and(better) {
            Status::Orange
        } else {
            Status::Red
        })
    }

    /// What is wrong with them: thresholds that do not stand in order, named at the worse one, and
    /// what a range lacks.
    #[must_use]
    pub fn mistakes(&self, direction: Direction) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        let code = match direction {
            Direction::Up => "kpi.threshold_order_up",
            Direction::Down | Direction::Within => "kpi.threshold_order_down",
        };
        let named = [
            ("threshold_green", self.green),
            ("threshold_orange", self.orange),
            ("threshold_red", self.red),
        ];
        let mut best: Option<Decimal> = None;
        for (name, limit) in named {
            let Some(limit) = limit else { continue };
            if direction == Direction::Within && limit < Decimal::ZERO {
                wrong.push(FieldError::new(name, "kpi.negative_distance", ""));
            }
            let is_worse = best.is_none_or(|best| match direction {
                Direction::Up => limit <= best,
                Direction::Down | Direction::Within => limit >= best,
            });
            if !is_worse {
                wrong.push(FieldError::new(name, code, ""));
            }
            best = Some(limit);
        }
        if direction == Direction::Within && self.target.is_none() {
            wrong.push(FieldError::new("target", "kpi.range_needs_target", ""));
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn limits(green: &str, orange: &str, red: &str, target: &str) -> Limits {
        let read = |text: &str| (!text.is_empty()).then(|| d(text));
        Limits {
            green: read(green),
            orange: read(orange),
            red: read(red),
            target: read(target),
        }
    }

    /// Every boundary of every direction, one step beside it on each side.
    #[test]
    fn the_better_colour_has_the_limit() {
        use Direction::{Down, Up, Within};
        use Status::{Green, Orange, Red};
        let both = limits("95", "90", "80", "");
        let no_orange = limits("95", "", "80", "");
        let green_only = limits("95", "", "", "");
        let low = limits("2", "5", "8", "");
        let low_no_orange = limits("2", "", "8", "");
        let near = limits("0.5", "1", "", "50");
        let table = [
            (Up, both, "95.0000000001", Green),
            (Up, both, "95", Green),
            (Up, both, "94.9999999999", Orange),
            (Up, both, "90", Orange),
            (Up, both, "89.9999999999", Red),
            (Up, both, "80", Red),
            (Up, both, "-1", Red),
            (Up, no_orange, "95", Green),
            (Up, no_orange, "94.9999999999", Orange),
            (Up, no_orange, "80.0000000001", Orange),
            (Up, no_orange, "80", Red),
            (Up, green_only, "95", Green),
            (Up, green_only, "94.9999999999", Red),
            (Down, low, "1.9999999999", Green),
            (Down, low, "2", Green),
            (Down, low, "2.0000000001", Orange),
            (Down, low, "5", Orange),
            (Down, low, "5.0000000001", Red),
            (Down, low, "0", Green),
            (Down, low_no_orange, "7.9999999999", Orange),
            (Down, low_no_orange, "8", Red),
            (Within, near, "50", Green),
            (Within, near, "49.5", Green),
            (Within, near, "50.5", Green),
            (Within, near, "50.5000000001", Orange),
            (Within, near, "49.4999999999", Orange),
            (Within, near, "51", Orange),
            (Within, near, "49", Orange),
            (Within, near, "51.0000000001", Red),
            (Within, near, "48.9999999999", Red),
        ];
        for (direction, limits, value, status) in table {
            let found = limits.status(direction, d(value));
            assert_eq!(found, Some(status), "{direction:?} {value}");
        }
    }

    #[test]
    fn equal_thresholds_are_in_order_and_crossed_ones_are_named() {
        let fields = |limits: Limits, direction| -> Vec<String> {
            let wrong = limits.mistakes(direction);
            wrong.into_iter().map(|error| error.field).collect()
        };
        assert!(fields(limits("95", "95", "95", ""), Direction::Up).is_empty());
        assert!(fields(limits("2", "5", "8", ""), Direction::Down).is_empty());
        assert_eq!(
            fields(limits("90", "95", "", ""), Direction::Up),
            ["threshold_orange"]
        );
        assert_eq!(
            fields(limits("90", "80", "85", ""), Direction::Up),
            ["threshold_red"]
        );
        assert_eq!(
            fields(limits("90", "", "95", ""), Direction::Up),
            ["threshold_red"]
        );
        assert_eq!(
            fields(limits("5", "2", "", ""), Direction::Down),
            ["threshold_orange"]
        );
        assert_eq!(
            fields(limits("-1", "2", "", ""), Direction::Within),
            ["threshold_green", "target"]
        );
    }

    #[test]
    fn what_is_too_far_from_its_target_has_no_colour() {
        let limits = limits("1", "2", "", "79228162514264337593543950335");
        assert_eq!(limits.status(Direction::Within, Decimal::MIN), None);
    }
}
