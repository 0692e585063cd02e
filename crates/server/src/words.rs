//! The words people see, in their language.
//!
//! One catalogue a language (i18next v4 JSON): the server's own words, and over them those of the
//! modules, merged. What is missing in a language is said in English.
//!
//! What must never be here: sentences. They stand in `locales/`.

use std::collections::BTreeMap;

use icu_locale_core::locale;
use icu_plurals::{PluralCategory, PluralRules};
use opsflux_model::Schema;
use opsflux_records::Language;
use serde_json::{Map, Value as Json};

/// The server's own words: problems, messages for fields.
const OWN: [(Language, &str); 4] = [
    (Language::Fr, include_str!("../locales/fr.json")),
    (Language::En, include_str!("../locales/en.json")),
    (Language::Es, include_str!("../locales/es.json")),
    (Language::Pt, include_str!("../locales/pt.json")),
];

/// All catalogues. Made once for a schema.
pub struct Words {
    languages: BTreeMap<&'static str, Catalogue>,
}

struct Catalogue {
    words: Json,
    plurals: Option<PluralRules>,
}

impl Words {
    /// The server's words with those of the modules of `schema`.
    ///
    /// # Errors
    /// When a catalogue of the server itself is not JSON.
    pub fn new(schema: &Schema) -> Result<Words, serde_json::Error> {
        let mut languages = BTreeMap::new();
        for (language, own) in OWN {
            let mut words: Json = serde_json::from_str(own)?;
            for module in &schema.modules {
                if let Some(theirs) = module.words.get(language.code()) {
                    merge(&mut words, theirs);
                    keep_apart(&mut words, &module.name, theirs);
                }
            }
            let rules = match language {
                Language::Fr => locale!("fr"),
                Language::En => locale!("en"),
                Language::Es => locale!("es"),
                Language::Pt => locale!("pt"),
            };
            let plurals = PluralRules::try_new_cardinal(rules.into()).ok();
            languages.insert(language.code(), Catalogue { words, plurals });
        }
        Ok(Words { languages })
    }

    /// The text at `path`, without filling anything in.
    #[must_use]
    pub fn text(&self, language: Language, path: &[&str]) -> Option<&str> {
        self.own(language, path)
            .or_else(|| self.own(Language::En, path))
    }

    /// The text at `path` in this very language.
    #[must_use]
    pub fn own(&self, language: Language, path: &[&str]) -> Option<&str> {
        find(&self.catalogue(language)?.words, path)
    }

    /// The text at `path` with `{{name}}` filled from `params`; the form for `params.count` when
    /// there is a count.
    #[must_use]
    pub fn say(
        &self,
        language: Language,
        path: &[&str],
        params: &Map<String, Json>,
    ) -> Option<String> {
        let template = params
            .get("count")
            .and_then(Json::as_u64)
            .and_then(|count| self.counted(language, path, count))
            .or_else(|| self.text(language, path))?;
        Some(fill(template, params))
    }

    fn counted(&self, language: Language, path: &[&str], count: u64) -> Option<&str> {
        let (last, parents) = path.split_last()?;
        let category = match self
            .catalogue(language)?
            .plurals
            .as_ref()?
            .category_for(count)
        {
            PluralCategory::Zero => "zero",
            PluralCategory::One => "one",
            PluralCategory::Two => "two",
            PluralCategory::Few => "few",
            PluralCategory::Many => "many",
            PluralCategory::Other => "other",
        };
        let form = |category: &str| {
            let key = format!("{last}_{category}");
            let path: Vec<&str> = parents.iter().copied().chain([key.as_str()]).collect();
            find(&self.catalogue(language)?.words, &path)
        };
        form(category).or_else(|| form("other"))
    }

    fn catalogue(&self, language: Language) -> Option<&Catalogue> {
        self.languages.get(language.code())
    }
}

fn find<'a>(words: &'a Json, path: &[&str]) -> Option<&'a str> {
    path.iter()
        .try_fold(words, |words, key| words.get(key))?
        .as_str()
}

/// What `theirs` says is added to `words`; on a clash `theirs` wins.
fn merge(words: &mut Json, theirs: &Json) {
    match (words, theirs) {
        (Json::Object(words), Json::Object(theirs)) => {
            for (key, theirs) in theirs {
                merge(words.entry(key.as_str()).or_insert(Json::Null), theirs);
            }
        }
        (words, theirs) => *words = theirs.clone(),
    }
}

/// The words that several modules may use the same key for, under the module's own name.
fn keep_apart(words: &mut Json, module: &str, theirs: &Json) {
    let own: Map<String, Json> = ["module", "settings", "setting_help", "setting_options"]
        .into_iter()
        .filter_map(|key| theirs.get(key).map(|text| (key.to_owned(), text.clone())))
        .collect();
    if let Some(words) = words.as_object_mut()
        && let Json::Object(modules) = words
            .entry("modules")
            .or_insert_with(|| Json::Object(Map::new()))
    {
        modules.insert(module.to_owned(), Json::Object(own));
    }
}

fn fill(template: &str, params: &Map<String, Json>) -> String {
    let mut filled = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            continue;
        };
        match params.get(name.trim()) {
            Some(Json::String(text)) => filled.push_str(text),
            Some(Json::Null) | None => {}
            Some(other) => filled.push_str(&other.to_string()),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use opsflux_model::schema::Module;
    use serde_json::json;

    use super::*;

    fn words_of(french: Json) -> Words {
        let module = Module {
            name: "desk".to_owned(),
            words: BTreeMap::from([("fr".to_owned(), french)]),
            ..Module::default()
        };
        Words::new(&Schema::new(Vec::new(), vec![module], BTreeMap::new())).expect("words")
    }

    fn params(json: Json) -> Map<String, Json> {
        json.as_object().cloned().expect("an object")
    }

    #[test]
    fn modules_add_their_words_to_those_of_the_server() {
        let words =
            words_of(json!({"module": "Centre", "entities": {"ticket": {"one": "Ticket"}}}));
        assert_eq!(
            words.text(Language::Fr, &["entities", "ticket", "one"]),
            Some("Ticket")
        );
        assert_eq!(
            words.text(Language::Fr, &["modules", "desk", "module"]),
            Some("Centre")
        );
        assert!(
            words
                .text(Language::Fr, &["problems", "not_found", "title"])
                .is_some()
        );
        assert_eq!(
            words.text(Language::En, &["entities", "ticket", "one"]),
            None
        );
    }

    #[test]
    fn the_form_follows_the_count_by_the_rules_of_the_language() {
        let words = words_of(json!({"errors": {
            "desk.open_one": "{{count}} ticket ouvert",
            "desk.open_other": "{{count}} tickets ouverts",
        }}));
        let say = |count: u64| {
            words.say(
                Language::Fr,
                &["errors", "desk.open"],
                &params(json!({"count": count})),
            )
        };
        // French says zero in the singular.
        assert_eq!(say(0).as_deref(), Some("0 ticket ouvert"));
        assert_eq!(say(1).as_deref(), Some("1 ticket ouvert"));
        assert_eq!(say(2).as_deref(), Some("2 tickets ouverts"));
        assert_eq!(say(1_000_000).as_deref(), Some("1000000 tickets ouverts"));
    }

    #[test]
    fn what_is_not_known_is_left_out_and_half_a_placeholder_stays() {
        let params = params(json!({"a": 1, "b": "two"}));
        assert_eq!(fill("{{a}}-{{ b }}-{{c}}.", &params), "1-two-.");
        assert_eq!(fill("open {{a", &params), "open {{a");
    }

    fn leaves(prefix: &str, words: &Json, found: &mut BTreeSet<String>) {
        match words {
            Json::Object(words) => {
                for (key, words) in words {
                    leaves(&format!("{prefix}/{key}"), words, found);
                }
            }
            _ => {
                found.insert(prefix.to_owned());
            }
        }
    }

    #[test]
    fn the_four_languages_say_the_same_things_with_the_same_blanks() {
        let sets: Vec<(Language, BTreeSet<String>, Json)> = OWN
            .iter()
            .map(|(language, own)| {
                let words: Json = serde_json::from_str(own).expect("JSON");
                let mut found = BTreeSet::new();
                leaves("", &words, &mut found);
                (*language, found, words)
            })
            .collect();
        let (_, english, english_words) = &sets[1];
        for (language, found, words) in &sets {
            let missing: Vec<_> = english.symmetric_difference(found).collect();
            assert!(
                missing.is_empty(),
                "{language:?} and English differ in {missing:?}"
            );
            for pointer in english {
                let blanks = |words: &Json| {
                    let text = words
                        .pointer(pointer)
                        .and_then(Json::as_str)
                        .unwrap_or_default();
                    let mut names: Vec<String> = text
                        .split("{{")
                        .skip(1)
                        .filter_map(|part| part.split_once("}}").map(|(name, _)| name.to_owned()))
                        .collect();
                    names.sort();
                    names
                };
                assert_eq!(
                    blanks(words),
                    blanks(english_words),
                    "{language:?} {pointer}"
                );
            }
        }
    }
}
