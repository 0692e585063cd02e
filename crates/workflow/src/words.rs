//! What the engine itself says to people, in their language.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use opsflux_records::Language;

type Catalogue = BTreeMap<String, String>;

/// The catalogues: read once; a test holds them against each other.
static WORDS: LazyLock<[(Language, Catalogue); 4]> = LazyLock::new(|| {
    let read = |json: &str| serde_json::from_str(json).unwrap_or_default();
    [
        (Language::Fr, read(include_str!("../locales/fr.json"))),
        (Language::En, read(include_str!("../locales/en.json"))),
        (Language::Es, read(include_str!("../locales/es.json"))),
        (Language::Pt, read(include_str!("../locales/pt.json"))),
    ]
});

/// The words of a code, with the name of a workflow in them.
pub(crate) fn say(language: Language, code: &str, name: &str) -> String {
    let found = WORDS.iter().find(|(known, _)| *known == language);
    let words = found.and_then(|(_, catalogue)| catalogue.get(code));
    words.map_or(code, String::as_str).replace("{name}", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_word() {
        let codes =
            |(_, catalogue): &(Language, Catalogue)| catalogue.keys().cloned().collect::<Vec<_>>();
        let french = codes(&WORDS[0]);
        assert_eq!(french.len(), 3);
        for language in WORDS.iter() {
            assert_eq!(codes(language), french, "{:?}", language.0);
        }
    }
}
