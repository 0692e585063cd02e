//! What was expected, in the language of the caller.
//!
//! The rooms below say it in English beside a stable code: a limit, a format, a name in quotation
//! marks, now and then a phrase. Here it becomes part of a sentence in another language: a phrase
//! has its translation, a name and a format need none, and what is neither is left out. Half a
//! sentence in a language the reader may not know helps nobody.

use opsflux_records::Language;

use crate::words::Words;

/// `detail` as part of a sentence in `language`; empty when nothing of it can be said there.
pub(super) fn phrase(words: &Words, language: Language, detail: &str) -> String {
    if let Some(known) = translated(words, language, detail) {
        return known;
    }
    if language == Language::En {
        return detail.to_owned();
    }
    if let Some(name) = quoted(detail) {
        return name.to_owned();
    }
    // A parser's own words end with the place.
    if let Some(place) = detail.rfind("at line ")
        && let Some(known) = translated(words, language, detail.get(place..).unwrap_or_default())
    {
        return known;
    }
    if says_nothing(detail) {
        detail.to_owned()
    } else {
        String::new()
    }
}

/// The first number in `detail`, for words that mention a limit.
pub(super) fn number(detail: &str) -> Option<&str> {
    detail
        .split(|c: char| !c.is_ascii_digit())
        .find(|digits| !digits.is_empty())
}

/// The translation of a phrase; numbers in it stand as `#` in the catalogue and keep their order.
fn translated(words: &Words, language: Language, detail: &str) -> Option<String> {
    if let Some(known) = words.text(language, &["expected", detail]) {
        return Some(known.to_owned());
    }
    let mut pattern = String::with_capacity(detail.len());
    let mut numbers = Vec::new();
    let mut rest = detail;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        pattern.push_str(before);
        pattern.push('#');
        numbers.push(digits);
        rest = after;
    }
    pattern.push_str(rest);
    let template = words.text(language, &["expected", pattern.as_str()])?;
    let mut numbers = numbers.into_iter();
    let mut filled = String::with_capacity(template.len() + 8);
    for letter in template.chars() {
        match letter {
            '#' => filled.push_str(numbers.next().unwrap_or("#")),
            letter => filled.push(letter),
        }
    }
    Some(filled)
}

/// What a detail speaks of: the name in quotation marks.
fn quoted(detail: &str) -> Option<&str> {
    let (_, rest) = detail.split_once('“')?;
    rest.split_once('”').map(|(name, _)| name)
}

/// Whether a detail is a name, a list of names, a number, a format: the same in every language.
/// Words of a sentence stand side by side with nothing but a space between them.
fn says_nothing(detail: &str) -> bool {
    let is_word = |part: &str| part.len() > 1 && part.bytes().all(|b| b.is_ascii_alphabetic());
    let mut parts = detail.split(' ').peekable();
    while let Some(part) = parts.next() {
        if is_word(part) && parts.peek().is_some_and(|next| is_word(next)) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use opsflux_model::Schema;

    use super::*;

    fn said(language: Language, detail: &str) -> String {
        let words = Words::new(&Schema::default()).expect("words");
        phrase(&words, language, detail)
    }

    #[test]
    fn phrases_have_their_translation_with_their_numbers() {
        assert_eq!(said(Language::Fr, "1 to 500"), "de 1 à 500");
        assert_eq!(said(Language::Es, "true or false"), "sí o no");
        assert_eq!(
            said(Language::Pt, "nested deeper than 64"),
            "aninhado além de 64"
        );
    }

    #[test]
    fn names_and_formats_need_none() {
        for detail in [
            "200",
            "YYYY-MM-DD",
            "#rrggbb",
            "low, medium, high",
            "^[A-Z]{3}$",
            "{\"lat\": -0.72, \"lon\": 8.78}",
            "+241 11 22 33 44",
            "",
        ] {
            assert_eq!(said(Language::Fr, detail), detail);
        }
        assert_eq!(said(Language::Fr, "there is no field “colour”"), "colour");
    }

    #[test]
    fn a_sentence_without_translation_is_told_in_english_only() {
        let sentence = "this is nowhere in any catalogue";
        assert_eq!(said(Language::En, sentence), sentence);
        assert_eq!(said(Language::Pt, sentence), "");
        let parser = "expected value at line 3 column 14";
        assert_eq!(said(Language::En, parser), parser);
        assert_eq!(said(Language::Fr, parser), "ligne 3, colonne 14");
    }

    #[test]
    fn the_first_number_is_the_limit() {
        assert_eq!(number("at least 8 characters of 9"), Some("8"));
        assert_eq!(number("none"), None);
    }
}
