//! When something is tried again. Pure: the clock and chance are given.

use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;

/// Tries after the first one, unless the message says otherwise.
pub const RETRIES: u32 = 3;
/// Longest pause before the first retry; each further one may be four times as long.
const FIRST: SignedDuration = SignedDuration::from_secs(15);
/// Longest pause of all, and the most a target may ask for.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);
/// Shortest pause: whoever has just failed is not asked again at once.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

/// Chance: numbers from 0 to 1, given so that tests throw their own.
#[derive(Clone)]
pub struct Dice(Arc<dyn Fn() -> f64 + Send + Sync>);

impl Dice {
    /// Dice that fall as `throw` says.
    #[must_use]
    pub fn new(throw: impl Fn() -> f64 + Send + Sync + 'static) -> Dice {
        Dice(Arc::new(throw))
    }

    /// Real ones.
    #[must_use]
    pub fn fair() -> Dice {
        Dice::new(|| {
            let mut bytes = [0; 4];
            // Without chance the pause is the longest; nothing worse comes of it.
            if aws_lc_rs::rand::fill(&mut bytes).is_err() {
                return 1.0;
            }
            f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
        })
    }

    fn throw(&self) -> f64 {
        (self.0)().clamp(0.0, 1.0)
    }
}

impl fmt::Debug for Dice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dice")
    }
}

/// The pause after the n-th try failed: anything up to the whole of it, so that a thousand
/// messages to one target do not come back together. Never less than the target asks for.
#[must_use]
pub fn pause(tried: i64, asked: Option<SignedDuration>, dice: &Dice) -> SignedDuration {
    let before = u32::try_from(tried.saturating_sub(1).clamp(0, 10)).unwrap_or_default();
    let whole = (FIRST * 4_i32.pow(before)).min(LONGEST);
    let drawn = SignedDuration::from_secs_f64(whole.as_secs_f64() * dice.throw());
    let asked = asked.unwrap_or_default().min(LONGEST);
    drawn.max(SHORTEST).max(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(tried: i64, asked: Option<i64>, throw: f64) -> i64 {
        let asked = asked.map(SignedDuration::from_secs);
        pause(tried, asked, &Dice::new(move || throw)).as_secs()
    }

    #[test]
    fn pauses_grow_and_are_drawn_from_their_whole_length() {
        let longest: Vec<i64> = (1..=4).map(|tried| seconds(tried, None, 1.0)).collect();
        assert_eq!(longest, [15, 60, 240, 960]);
        assert_eq!(seconds(2, None, 0.5), 30);
        assert_eq!(seconds(2, None, 0.0), 1, "never at once");
        assert_eq!(seconds(i64::MAX, None, 1.0), 24 * 3600);
    }

    #[test]
    fn a_target_is_given_the_time_it_asks_for_but_not_for_ever() {
        assert_eq!(seconds(1, Some(120), 0.0), 120);
        assert_eq!(seconds(2, Some(3), 1.0), 60);
        assert_eq!(seconds(1, Some(i64::MAX), 0.0), 24 * 3600);
        assert_eq!(seconds(1, Some(-5), 0.0), 1);
    }

    #[test]
    fn fair_dice_fall_between_nothing_and_one() {
        let throws: Vec<f64> = (0..100).map(|_| Dice::fair().throw()).collect();
        assert!(throws.iter().all(|throw| (0.0..=1.0).contains(throw)));
        assert!(throws.iter().any(|throw| *throw < 0.5) && throws.iter().any(|throw| *throw > 0.5));
    }
}
