//! What a series of values says about itself: control limits with signals, and what comes next.
//!
//! Control limits are those of an individuals and moving range chart: `x̄ ± 2.66 · m̄R`, the upper
//! limit of the ranges `3.267 · m̄R` (Wheeler; 2.66 is 3 / 1.128). They are exact decimals. The
//! forecast is a straight line through the latest values by least squares, with the interval in
//! which four of five next values are to be expected; it is an estimate, in binary numbers.

use jiff::civil::Date;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value as Json, json};

use super::reader;

/// Fewer values have no limits.
const FEWEST: usize = 3;
/// From so many values on the limits are firm.
const FIRM: usize = 15;
/// Digits of means and limits.
const DIGITS: u32 = 10;
/// Values a forecast is made of, the latest.
const LOOKS_AT: usize = 12;
/// Fewer make no forecast.
const FORETELLS: usize = 6;

/// 3 / d₂ for ranges of two.
const WIDTH: Decimal = Decimal::from_parts(266, 0, 0, false, 2);
/// D₄ for ranges of two.
const RANGE: Decimal = Decimal::from_parts(3_267, 0, 0, false, 3);

/// Control limits of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    pub mean: Decimal,
    pub lower: Decimal,
    pub upper: Decimal,
    pub range_mean: Decimal,
    pub range_upper: Decimal,
    pub is_firm: bool,
    /// Place in the series and the number of Nelson's rule.
    pub signals: Vec<(usize, u8)>,
}

fn rounded(number: Decimal) -> Decimal {
    number
        .round_dp_with_strategy(DIGITS, RoundingStrategy::MidpointAwayFromZero)
        .normalize()
}

fn mean(numbers: &[Decimal]) -> Option<Decimal> {
    let sum = numbers
        .iter()
        .try_fold(Decimal::ZERO, |sum, number| sum.checked_add(*number))?;
    sum.checked_div(Decimal::from(numbers.len()))
}

/// The control limits of a series, in order of time. Nothing for fewer than three values, or for
/// numbers too large to add up.
#[must_use]
pub fn control(values: &[Decimal]) -> Option<Control> {
    if values.len() < FEWEST {
        return None;
    }
    let ranges: Option<Vec<Decimal>> = values
        .windows(2)
        .map(|pair| Some(pair[1].checked_sub(pair[0])?.abs()))
        .collect();
    let (mean, range_mean) = (mean(values)?, mean(&ranges?)?);
    let width = range_mean.checked_mul(WIDTH)?;
    Some(Control {
        lower: rounded(mean.checked_sub(width)?),
        upper: rounded(mean.checked_add(width)?),
        range_upper: rounded(range_mean.checked_mul(RANGE)?),
        mean: rounded(mean),
        range_mean: rounded(range_mean),
        is_firm: values.len() >= FIRM,
        signals: signals(values, mean, width),
    })
}

/// Nelson's rules 1 (beyond a limit), 2 (nine on one side of the mean), 3 (six rising or falling)
/// and 5 (two of three beyond two thirds of the way to one limit), each at the value that
/// completes it.
fn signals(values: &[Decimal], mean: Decimal, width: Decimal) -> Vec<(usize, u8)> {
    let two_thirds = width * Decimal::TWO / Decimal::from(3);
    let side = |value: &Decimal, beyond: Decimal| -> i8 {
        let away = *value - mean;
        i8::from(away > beyond) - i8::from(away < -beyond)
    };
    let run = |at: usize, length: usize| at.checked_sub(length - 1).map(|from| &values[from..=at]);
    let mut found = Vec::new();
    for (at, value) in values.iter().enumerate() {
        if side(value, width) != 0 {
            found.push((at, 1));
        }
        if let Some(nine) = run(at, 9) {
            let first = side(&nine[0], Decimal::ZERO);
            if first != 0 && nine.iter().all(|value| side(value, Decimal::ZERO) == first) {
                found.push((at, 2));
            }
        }
        if let Some(six) = run(at, 6) {
            let rising = six.windows(2).all(|pair| pair[1] > pair[0]);
            let falling = six.windows(2).all(|pair| pair[1] < pair[0]);
            if rising || falling {
                found.push((at, 3));
            }
        }
        if let Some(three) = run(at, 3) {
            let here = side(value, two_thirds);
            let beyond = three.iter().filter(|value| side(value, two_thirds) == here);
            if here != 0 && beyond.count() >= 2 {
                found.push((at, 5));
            }
        }
    }
    found
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    pub value: f64,
    pub lower: f64,
    pub upper: f64,
    /// How far off it would have been on average, had it been made for each of the latest values
    /// from those before it; nothing when there are too few.
    pub back_test: Option<f64>,
}

/// Student's t for four of five, by degrees of freedom from 1.
const STUDENT: [f64; 30] = [
    3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356, 1.350,
    1.345, 1.341, 1.337, 1.333, 1.330, 1.328, 1.325, 1.323, 1.321, 1.319, 1.318, 1.316, 1.315,
    1.314, 1.313, 1.311, 1.310,
];

/// What the next value of a series is to be, from its latest twelve; nothing for fewer than six.
#[must_use]
pub fn forecast(values: &[Decimal]) -> Option<Forecast> {
    let numbers: Option<Vec<f64>> = values.iter().map(ToPrimitive::to_f64).collect();
    let numbers = numbers?;
    let (value, half) = next(&numbers)?;
    let errors: Vec<f64> = (FORETELLS..numbers.len())
        .rev()
        .take(LOOKS_AT)
        .filter_map(|at| Some((next(&numbers[..at])?.0 - numbers[at]).abs()))
        .collect();
    let back_test = (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / errors.len() as f64);
    Some(Forecast {
        value,
        lower: value - half,
        upper: value + half,
        back_test,
    })
}

/// The next value on the line through the latest ones, and half the width of its interval.
fn next(numbers: &[f64]) -> Option<(f64, f64)> {
    let latest = &numbers[numbers.len().saturating_sub(LOOKS_AT)..];
    if latest.len() < FORETELLS {
        return None;
    }
    let count = latest.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = latest.iter().sum::<f64>() / count;
    let places = || {
        latest
            .iter()
            .enumerate()
            .map(|(at, value)| (at as f64 - middle, value - mean))
    };
    let spread: f64 = places().map(|(x, _)| x * x).sum();
    let slope: f64 = places().map(|(x, y)| x * y).sum::<f64>() / spread;
    let left: f64 = places().map(|(x, y)| (y - slope * x).powi(2)).sum();
    let free = latest.len() - 2;
    let deviation = (left / free as f64).sqrt();
    let ahead = count - middle;
    let student = STUDENT.get(free - 1).copied().unwrap_or(1.282);
    let half = student * deviation * (1.0 + 1.0 / count + ahead * ahead / spread).sqrt();
    Some((mean + slope * ahead, half)).filter(|(value, half)| value.is_finite() && half.is_finite())
}

impl Forecast {
    /// On the wire, for the period that begins on `start`.
    #[must_use]
    pub fn to_json(&self, start: Option<Date>) -> Json {
        let shown = |number: f64| (number * 1e6).round() / 1e6;
        json!({
            "period_start": reader::date(start),
            "value": shown(self.value),
            "lower": shown(self.lower),
            "upper": shown(self.upper),
            "back_test_error": self.back_test.map(shown),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(text: &str) -> Vec<Decimal> {
        text.split(' ')
            .map(|number| number.parse().unwrap())
            .collect()
    }

    fn rules(values: &[Decimal]) -> Vec<(usize, u8)> {
        control(values).unwrap().signals
    }

    #[test]
    fn limits_are_the_mean_and_2_66_mean_ranges() {
        // x̄ = 12; ranges 2 1 3 6, m̄R = 3; 12 ± 7.98; 9.801.
        let control = control(&series("11 13 12 15 9")).unwrap();
        assert_eq!(control.mean, Decimal::from(12));
        assert_eq!(control.range_mean, "3".parse().unwrap());
        assert_eq!(control.upper, "19.98".parse().unwrap());
        assert_eq!(control.lower, "4.02".parse().unwrap());
        assert_eq!(control.range_upper, "9.801".parse().unwrap());
        assert!(!control.is_firm);
    }

    #[test]
    fn signals_stand_at_the_value_that_completes_them() {
        let outlier = series("10 11 10 11 10 11 10 11 10 30 10 11 10 11 10 11 10 11");
        assert!(rules(&outlier).contains(&(9, 1)));
        let shifted = series("10 12 10 12 10 12 10 12 20 22 20 22 20 22 20 22 20 22");
        assert!(rules(&shifted).contains(&(16, 2)), "{:?}", rules(&shifted));
        let rising = series("5 9 4 8 5 9 4 5 6 7 8 9 4");
        assert_eq!(
            rules(&rising).iter().filter(|(_, rule)| *rule == 3).count(),
            1
        );
        assert!(rules(&rising).contains(&(11, 3)));
        assert!(rules(&series("10 11 10 11 10 11 10 11")).is_empty());
    }

    #[test]
    fn a_series_that_does_not_move_has_no_signals() {
        let control = control(&series("7 7 7 7 7 7 7 7 7 7 7 7")).unwrap();
        assert_eq!(
            (control.lower, control.upper),
            (Decimal::from(7), Decimal::from(7))
        );
        assert!(control.signals.is_empty());
    }

    #[test]
    fn a_straight_line_goes_on_and_was_never_off() {
        let forecast = forecast(&series("1 2 3 4 5 6 7 8")).unwrap();
        assert!((forecast.value - 9.0).abs() < 1e-9);
        assert!((forecast.upper - forecast.lower).abs() < 1e-9);
        assert!(forecast.back_test.unwrap() < 1e-9);
        assert_eq!(super::forecast(&series("1 2 3 4 5")), None);
    }

    #[test]
    fn an_interval_is_that_of_least_squares() {
        // Σxy = 17, Σx² = 17.5, so the slope is 34 / 35; what is left is 192 / 9 − 17² / 17.5, of four
        // degrees of freedom: s² = 1.2048, and half the interval 1.533 · s · √(1 + 1 / 6 + 0.7).
        let forecast = forecast(&series("1 1 4 3 6 5")).unwrap();
        let (slope, mean) = (34.0 / 35.0, 10.0 / 3.0);
        assert!((forecast.value - (mean + slope * 3.5)).abs() < 1e-9);
        assert!((forecast.upper - forecast.value - 2.2989).abs() < 1e-3);
        assert_eq!(forecast.back_test, None);
    }
}
