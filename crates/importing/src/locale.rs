//! Numbers and days as people write them.
//!
//! How a column is written is found out from all of it, or declared; a cell is never guessed by
//! itself. What can be read in two ways is told, and read as the person's language does.

use jiff::civil::{Date, DateTime, Time};
use opsflux_records::Language;
use serde::{Deserialize, Serialize};

/// Spaces that people and programs put between thousands.
const SPACES: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\''];

/// How a file says that it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Locale {
    /// 1 234,56 and 31/12/2026.
    #[serde(rename = "fr")]
    Fr,
    /// 1.234,56 and 31/12/2026.
    #[serde(rename = "es")]
    Es,
    /// 1.234,56 and 31/12/2026.
    #[serde(rename = "pt")]
    Pt,
    /// 1,234.56 and 31/12/2026.
    #[serde(rename = "en-GB")]
    EnGb,
    /// 1,234.56 and 12/31/2026.
    #[serde(rename = "en-US")]
    EnUs,
}

impl Locale {
    /// Every one, by its code.
    pub const ALL: [(&'static str, Locale); 5] = [
        ("fr", Locale::Fr),
        ("en-GB", Locale::EnGb),
        ("en-US", Locale::EnUs),
        ("es", Locale::Es),
        ("pt", Locale::Pt),
    ];

    /// By its code; English alone does not say whether the day comes first.
    #[must_use]
    pub fn parse(code: &str) -> Option<Locale> {
        let mut all = Locale::ALL.into_iter();
        all.find(|(known, _)| known.eq_ignore_ascii_case(code))
            .map(|(_, locale)| locale)
    }

    fn style(self) -> Style {
        match self {
            Locale::Fr | Locale::Es | Locale::Pt => Style {
                decimal: ',',
                day_first: Some(true),
            },
            Locale::EnGb => Style {
                decimal: '.',
                day_first: Some(true),
            },
            Locale::EnUs => Style {
                decimal: '.',
                day_first: Some(false),
            },
        }
    }
}

/// How one column is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Style {
    /// What stands before the fraction; the other one groups thousands.
    pub decimal: char,
    /// Whether the day comes before the month; nothing when nobody can know.
    pub day_first: Option<bool>,
}

/// What can be read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ambiguity {
    /// Only such as 1.234 or 1,234.
    Numbers,
    /// Some say that the comma is the decimal sign, some that the point is.
    MixedNumbers,
    /// Only days up to the twelfth.
    Dates,
    /// Some say that the day comes first, some that the month does.
    MixedDates,
}

/// What the texts of a column have shown so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    comma: bool,
    point: bool,
    either: bool,
    day: bool,
    month: bool,
    both: bool,
}

impl Seen {
    /// Looks at one more number.
    pub fn number(&mut self, text: &str) {
        let Some(number) = bare(text) else { return };
        let count = |sign| number.digits.matches(sign).count();
        let (commas, points) = (count(','), count('.'));
        let (comma_last, point_last) = (number.digits.rfind(','), number.digits.rfind('.'));
        match (commas, points) {
            (0, 0) => {}
            (0, 1) | (1, 0) => {
                let sign = if commas == 1 { ',' } else { '.' };
                let (before, after) = number.digits.split_once(sign).unwrap_or_default();
                let may_group = after.len() == 3
                    && (1..=3).contains(&before.chars().filter(char::is_ascii_digit).count())
                    && !before.starts_with('0')
                    && !before.contains(SPACES);
                match (may_group, sign) {
                    (true, _) => self.either = true,
                    (false, ',') => self.comma = true,
                    (false, _) => self.point = true,
                }
            }
            (_, 0) => self.point = true,
            (0, _) => self.comma = true,
            _ if comma_last > point_last => self.comma = true,
            _ => self.point = true,
        }
    }

    /// Looks at one more day.
    pub fn date(&mut self, text: &str) {
        let Some((first, second, _)) = three(text.split_whitespace().next().unwrap_or_default())
        else {
            return;
        };
        match (first > 12, second > 12) {
            (true, false) => self.day = true,
            (false, true) => self.month = true,
            (false, false) if first != second => self.both = true,
            _ => {}
        }
    }

    /// How the column is written, and what could be read another way.
    #[must_use]
    pub fn style(&self, declared: Option<Locale>, language: Language) -> (Style, Vec<Ambiguity>) {
        if let Some(declared) = declared {
            return (declared.style(), Vec::new());
        }
        let own = match language {
            Language::En => Style {
                decimal: '.',
                day_first: None,
            },
            _ => Locale::Fr.style(),
        };
        let mut told = Vec::new();
        let decimal = match (self.comma, self.point) {
            (true, false) => ',',
            (false, true) => '.',
            (true, true) => {
                told.push(Ambiguity::MixedNumbers);
                own.decimal
            }
            (false, false) if self.either => {
                told.push(Ambiguity::Numbers);
                own.decimal
            }
            (false, false) => own.decimal,
        };
        let day_first = match (self.day, self.month) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            (true, true) => {
                told.push(Ambiguity::MixedDates);
                own.day_first
            }
            (false, false) if self.both => {
                told.push(Ambiguity::Dates);
                own.day_first
            }
            (false, false) => own.day_first,
        };
        (Style { decimal, day_first }, told)
    }
}

/// A number without its sign and what surrounds it.
struct Bare<'a> {
    negative: bool,
    digits: &'a str,
}

/// `(1 234)`, `-12,5 %`, `1 234,56`; nothing when other letters stand in it.
fn bare(text: &str) -> Option<Bare<'_>> {
    let text = text.trim();
    let (negative, text) = match text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        Some(inside) => (true, inside.trim()),
        None => match text.strip_prefix(['-', '\u{2212}', '\u{2013}']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        },
    };
    let trimmed = |c: char| c == '%' || c.is_whitespace();
    let digits = text.trim_matches(trimmed);
    let known = |c: char| c.is_ascii_digit() || c == ',' || c == '.' || SPACES.contains(&c);
    let some = digits.contains(|c: char| c.is_ascii_digit());
    (some && digits.chars().all(known)).then_some(Bare { negative, digits })
}

/// A number as a program writes it: `-1234.56`. Nothing when it is none, or thousands are grouped
/// in a way that nobody groups them.
#[must_use]
pub fn number(text: &str, style: Style) -> Option<String> {
    let bare = bare(text)?;
    let (whole, fraction) = match bare.digits.split_once(style.decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (bare.digits, None),
    };
    let fraction = fraction.unwrap_or_default();
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let group = if style.decimal == ',' { '.' } else { ',' };
    let mut groups = whole.split(|c: char| c == group || SPACES.contains(&c));
    let first = groups.next().unwrap_or_default();
    let mut digits = first.to_owned();
    let mut rest = 0;
    for part in groups {
        if part.len() != 3 {
            return None;
        }
        digits.push_str(part);
        rest += 1;
    }
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    let begins = rest == 0 || (1..=3).contains(&first.len());
    if !plain || !begins || digits.is_empty() && fraction.is_empty() {
        return None;
    }
    let sign = if bare.negative { "-" } else { "" };
    let digits = match digits.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    Some(match fraction {
        "" => format!("{sign}{digits}"),
        fraction => format!("{sign}{digits}.{fraction}"),
    })
}

/// Three numbers with the same sign between them, the year last.
fn three(text: &str) -> Option<(u8, u8, &str)> {
    let sign = text.chars().find(|c| matches!(c, '/' | '.' | '-'))?;
    let mut parts = text.split(sign);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |part: &str| {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u8>().ok()).flatten()
    };
    (parts.next().is_none()).then_some(())?;
    Some((short(first)?, short(second)?, year))
}

/// Why a text is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDate {
    /// It is none.
    Invalid,
    /// Day or month first: nobody can know.
    Ambiguous,
}

/// A day, `2026-12-31` or as the column is written; a number of days since 1900 too.
///
/// # Errors
/// [`NoDate`].
pub fn date(text: &str, style: Style) -> Result<Date, NoDate> {
    let text = text.trim();
    if let Some(date) = iso(text) {
        return Ok(date);
    }
    if let Ok(days) = text.parse::<u32>() {
        return serial(days.into(), false)
            .map(|at| at.date())
            .ok_or(NoDate::Invalid);
    }
    let (first, second, year) = three(text).ok_or(NoDate::Invalid)?;
    let year = (year.len() == 4)
        .then(|| year.parse::<i16>().ok())
        .flatten();
    let year = year.ok_or(NoDate::Invalid)?;
    let day_first = match (style.day_first, first > 12, second > 12) {
        (Some(day_first), _, _) => day_first,
        (None, true, false) => true,
        (None, false, true) => false,
        (None, _, _) if first == second => true,
        _ => return Err(NoDate::Ambiguous),
    };
    let (day, month) = match day_first {
        true => (first, second),
        false => (second, first),
    };
    let small = |part: u8| i8::try_from(part).unwrap_or(-1);
    Date::new(year, small(month), small(day)).map_err(|_| NoDate::Invalid)
}

/// `2026-12-31`, `2026/12/31`.
fn iso(text: &str) -> Option<Date> {
    let is_iso = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-' || byte == b'/',
            _ => byte.is_ascii_digit(),
        });
    is_iso
        .then(|| text.replace('/', "-").parse().ok())
        .flatten()
}

/// A day with a time of the day.
///
/// # Errors
/// [`NoDate`].
pub fn moment(text: &str, style: Style) -> Result<DateTime, NoDate> {
    let text = text.trim();
    if let Ok(at) = text.parse::<DateTime>()
        && text.len() > 10
    {
        return Ok(at);
    }
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (day, time.trim()),
        None => (text, ""),
    };
    let day = date(day, style)?;
    let time = match time {
        "" => Time::midnight(),
        time => time
            .replace(['h', 'H'], ":")
            .parse::<Time>()
            .map_err(|_| NoDate::Invalid)?,
    };
    Ok(day.to_datetime(time))
}

/// The moment so many days after the begin of a workbook's calendar.
#[must_use]
pub fn serial(days: f64, from_1904: bool) -> Option<DateTime> {
    let first = if from_1904 {
        Date::constant(1904, 1, 1)
    } else {
        // Excel counts a 29 February 1900; before it the days are one off, and nobody has them.
        Date::constant(1899, 12, 30)
    };
    if !(1.0..=2_958_465.999).contains(&days) {
        return None;
    }
    let seconds = (days * 86_400.0).round();
    let span = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    first.to_datetime(Time::midnight()).checked_add(span).ok()
}

#[cfg(test)]
mod tests;
