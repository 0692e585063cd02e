//! Texts as words: what is indexed, what is looked for and what is marked are cut alike.

use std::ops::Range;

use opsflux_model::fold::fold;

/// Longest word that is indexed; longer ones are no words.
const LONGEST: usize = 60;

/// A word with where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Folded.
    pub text: String,
    /// In the original text, bytes.
    pub at: Range<usize>,
}

/// The words of a text, in order.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, letter.is_alphanumeric() || is_mark(letter)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                start = None;
                let folded = fold(&text[from..at]);
                if !folded.is_empty() && folded.len() <= LONGEST {
                    found.push(Word {
                        text: folded,
                        at: from..at,
                    });
                }
            }
            _ => {}
        }
    }
    found
}

/// Accents written as characters of their own belong to the letter before them.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

/// How many letters may differ: none in short words, where everything resembles everything.
#[must_use]
pub fn tolerance(word: &str) -> u8 {
    match word.chars().count() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_know_their_place() {
        let text = "L’imprimante du Réseau, TIC-000123";
        let texts: Vec<_> = words(text).into_iter().map(|word| word.text).collect();
        assert_eq!(texts, ["l", "imprimante", "du", "reseau", "tic", "000123"]);
        let reseau = words(text)
            .into_iter()
            .find(|word| word.text == "reseau")
            .unwrap();
        assert_eq!(&text[reseau.at], "Réseau");
        assert_eq!(words("re\u{301}seau")[0].text, "reseau");
        assert!(words("").is_empty());
        assert!(words(&"x".repeat(61)).is_empty());
    }
}
