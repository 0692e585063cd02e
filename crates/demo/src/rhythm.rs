//! When people work and ask for help: hours of the day, days of the week, times of the year.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::draw::{Draw, later};

/// How a site lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// Days in the week.
    Office,
    /// Early, and with somebody there on Saturday.
    Yard,
    /// Day and night, every day.
    Shift,
}

/// Tickets by hour, from midnight on. Offices rest at noon; shifts change at six.
const OFFICE: [u32; 24] = [
    0, 0, 0, 0, 0, 0, 0, 4, 11, 15, 14, 10, 4, 6, 12, 11, 9, 6, 2, 1, 0, 0, 0, 0,
];
const YARD: [u32; 24] = [
    0, 0, 0, 0, 0, 2, 8, 12, 12, 10, 9, 8, 4, 8, 9, 8, 6, 4, 2, 1, 1, 0, 0, 0,
];
const SHIFT: [u32; 24] = [
    2, 2, 2, 2, 2, 4, 8, 7, 5, 5, 5, 4, 4, 4, 4, 4, 4, 5, 8, 7, 4, 3, 3, 2,
];

/// Days off on the same date each year, here and at the offices abroad.
const HOLIDAYS: [(i8, i8); 7] = [(1, 1), (5, 1), (8, 15), (8, 16), (8, 17), (11, 1), (12, 25)];

/// Of a hundred in an average month, from January on: budgets and arrivals at the beginning of
/// the year, holidays in July and August, everybody back in September.
const MONTHS: [u32; 12] = [114, 102, 104, 98, 90, 101, 79, 66, 127, 112, 106, 84];

/// The last days of a history.
const RECENT: usize = 12;

impl Rhythm {
    /// That of a kind of site.
    pub fn of(kind: &str) -> Rhythm {
        match kind {
            "platform" | "vessel" => Rhythm::Shift,
            "base" | "warehouse" | "plant" => Rhythm::Yard,
            _ => Rhythm::Office,
        }
    }

    fn hours(self) -> &'static [u32; 24] {
        match self {
            Rhythm::Office => &OFFICE,
            Rhythm::Yard => &YARD,
            Rhythm::Shift => &SHIFT,
        }
    }

    /// How likely somebody is there who could ask.
    pub fn presence(self, date: Date) -> f64 {
        match (self, is_rest(date)) {
            (_, false) | (Rhythm::Shift, true) => 1.0,
            (Rhythm::Yard, true) => 0.3,
            (Rhythm::Office, true) => 0.06,
        }
    }

    /// A moment of that day at which somebody asks.
    pub fn moment(self, date: Date, zone: &TimeZone, draw: &mut Draw) -> Timestamp {
        let hour = i8::try_from(draw.weighted(self.hours().iter().copied())).unwrap_or_default();
        let at = date.at(hour, 0, 0, 0);
        later(instant(at, zone), draw.between(0, 3_599))
    }
}

/// Whether offices are closed.
pub fn is_rest(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
        || HOLIDAYS.contains(&(date.month(), date.day()))
}

/// The moment itself while the desk works, else the beginning of its next working day.
pub fn working(at: Timestamp, zone: &TimeZone, draw: &mut Draw) -> Timestamp {
    let local = at.to_zoned(zone.clone()).datetime();
    let (opens, closes) = ((7, 30), (18, 0));
    let time = (local.hour(), local.minute());
    if !is_rest(local.date()) && (opens..closes).contains(&time) {
        return at;
    }
    let mut day = local.date();
    if time >= opens {
        day = next(day);
    }
    while is_rest(day) {
        day = next(day);
    }
    later(instant(day.at(8, 0, 0, 0), zone), draw.between(0, 5_400))
}

/// The moment a clock on the wall shows. One that does not exist or comes twice is the earlier.
pub fn instant(at: DateTime, zone: &TimeZone) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    ambiguous.compatible().unwrap_or(Timestamp::UNIX_EPOCH)
}

fn next(day: Date) -> Date {
    day.saturating_add(1.day())
}

/// How `tickets` spread over the days from `first` to `last`, of which this share is over; they
/// add up.
pub fn spread(
    tickets: u32,
    (first, last): (Date, Date),
    over: f64,
    draw: &mut Draw,
) -> Vec<(Date, u32)> {
    let mut days = Vec::new();
    let mut day = first;
    while day <= last {
        days.push(day);
        let following = next(day);
        if following == day {
            break;
        }
        day = following;
    }
    let count = days.len().max(1) as f64;
    let weights: Vec<f64> = days
        .iter()
        .enumerate()
        .map(|(place, day)| {
            let share = if *day == last { over } else { 1.0 };
            // Who looks at a demo looks at its end: the queues are not empty there.
            let recent = if days.len() - place <= RECENT {
                2.0
            } else {
                1.0
            };
            let growth = 0.85 + 0.3 * place as f64 / count;
            weight(*day, draw) * share * recent * growth
        })
        .collect();
    let total: f64 = weights.iter().sum();
    // What is cut off of one day's share comes with the next.
    let mut due = 0.0;
    let mut given = 0;
    let mut spread = Vec::with_capacity(days.len());
    for (place, (day, weight)) in days.iter().zip(weights).enumerate() {
        due += f64::from(tickets) * weight / total;
        let until = if place + 1 == days.len() {
            tickets
        } else {
            (due as u32).min(tickets)
        };
        spread.push((*day, until - given));
        given = until;
    }
    spread
}

/// How much is asked on a day.
fn weight(day: Date, draw: &mut Draw) -> f64 {
    let week = match day.weekday() {
        Weekday::Monday => 1.25,
        Weekday::Tuesday => 1.1,
        Weekday::Wednesday | Weekday::Thursday => 1.0,
        Weekday::Friday => 0.85,
        Weekday::Saturday => 0.2,
        Weekday::Sunday => 0.13,
    };
    let week = if is_rest(day) {
        f64::min(week, 0.2)
    } else {
        week
    };
    let place = usize::try_from(day.month() - 1).unwrap_or_default();
    let season = MONTHS
        .get(place)
        .copied()
        .map_or(1.0, |month| f64::from(month) / 100.0);
    // Now and then something breaks for everybody at once.
    let trouble = if draw.chance(0.015) { 2.2 } else { 1.0 };
    week * season * trouble * (0.8 + 0.4 * draw.share())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn libreville() -> TimeZone {
        TimeZone::get("Africa/Libreville").unwrap()
    }

    #[test]
    fn tickets_add_up_and_follow_the_week_and_the_year() {
        let (first, last) = (date(2024, 1, 1), date(2025, 12, 31));
        for tickets in [1, 37, 2_000, 100_000] {
            let spread = spread(tickets, (first, last), 1.0, &mut Draw::of(1, 0));
            assert_eq!(spread.iter().map(|(_, count)| count).sum::<u32>(), tickets);
            assert_eq!(spread.len(), 731);
        }
        let spread = spread(100_000, (first, last), 1.0, &mut Draw::of(1, 0));
        let of = |wanted: &dyn Fn(Date) -> bool| -> u32 {
            spread
                .iter()
                .filter(|(day, _)| wanted(*day))
                .map(|(_, count)| count)
                .sum()
        };
        let on = |weekday| of(&move |day: Date| day.weekday() == weekday);
        assert!(on(Weekday::Monday) > on(Weekday::Friday));
        assert!(on(Weekday::Friday) > 3 * on(Weekday::Sunday));
        let month = |month| of(&move |day: Date| day.month() == month);
        assert!(month(9) > month(8) * 3 / 2);
    }

    #[test]
    fn offices_ask_in_the_day_of_their_own_zone() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let mut draw = Draw::of(2, 0);
        for _ in 0..500 {
            let at = Rhythm::Office.moment(date(2025, 7, 1), &paris, &mut draw);
            let hour = at.to_zoned(paris.clone()).hour();
            assert!((7..=19).contains(&hour), "{hour}");
        }
        let night = (0..500).filter(|_| {
            let at = Rhythm::Shift.moment(date(2025, 7, 1), &libreville(), &mut draw);
            at.to_zoned(libreville()).hour() < 5
        });
        assert!(night.count() > 10);
    }

    #[test]
    fn the_desk_goes_on_the_next_working_morning() {
        let zone = libreville();
        let mut draw = Draw::of(3, 0);
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        // A Thursday at noon.
        assert_eq!(
            working(at("2025-07-03T11:00:00Z"), &zone, &mut draw),
            at("2025-07-03T11:00:00Z")
        );
        // Friday evening becomes Monday, Sunday too, before dawn the same day.
        for (asked, morning) in [
            ("2025-07-04T20:00:00Z", date(2025, 7, 7)),
            ("2025-07-06T10:00:00Z", date(2025, 7, 7)),
            ("2025-07-03T03:00:00Z", date(2025, 7, 3)),
            ("2025-04-30T22:00:00Z", date(2025, 5, 2)),
        ] {
            let goes_on = working(at(asked), &zone, &mut draw).to_zoned(zone.clone());
            assert_eq!(goes_on.date(), morning, "{asked}");
            assert!((8..=9).contains(&goes_on.hour()));
        }
    }
}
