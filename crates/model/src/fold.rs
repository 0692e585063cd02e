//! The folded key of a text: what case- and accent-blind comparison compares.
//!
//! It is made here, stored beside the text and compared bytewise, so that both databases order
//! and match alike whatever collations they know.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// NFKC, lower case, without combining marks: `Réseau` and `RESEAU` fold to `reseau`.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc()
        .flat_map(char::to_lowercase)
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(expand)
        .collect()
}

/// Letters that Unicode does not decompose but that people type as two.
fn expand(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'œ' => ('o', Some('e')),
        'æ' => ('a', Some('e')),
        'ß' => ('s', Some('s')),
        'ø' => ('o', None),
        'ł' => ('l', None),
        'đ' => ('d', None),
        'ı' => ('i', None),
        other => (other, None),
    };
    std::iter::once(first).chain(second)
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn accents_case_and_compatibility_forms_do_not_count() {
        assert_eq!(fold("Réseau ÉLECTRIQUE"), "reseau electrique");
        assert_eq!(fold("ﬁchier"), "fichier");
        assert_eq!(fold("Cœur STRAẞE"), "coeur strasse");
        assert_eq!(fold("İstanbul"), fold("istanbul"));
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for text in ["Œuvre", "ÀÉÎÕÜ", "½ livre", "Ａｂｃ", ""] {
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
    }
}
