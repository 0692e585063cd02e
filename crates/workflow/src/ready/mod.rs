//! Workflows that modules bring ready to be taken: files `workflows/NAME.json` of a module, taken as
//! a draft in the language of whoever takes it.
//!
//! ```json
//! {
//!   "name": {"fr": "…", "en": "…", "es": "…", "pt": "…"},
//!   "description": {"fr": "…", "en": "…", "es": "…", "pt": "…"},
//!   "icon": "shopping-cart",
//!   "order": 10,
//!   "trigger": {"type": "…"}, "conditions": {}, "actions": []
//! }
//! ```
//!
//! What it does is written as in any workflow, in either form. Wherever a text stands there may be
//! the same text in the four languages instead.

mod serve;

use std::collections::BTreeSet;

use opsflux_model::predicate::Variables;
use opsflux_model::schema::Schema;
use opsflux_records::Language;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::action::Signature;
use crate::check::Check;
use crate::flow::{self, Mistake};
use crate::published::CONTENT;

/// What stands beside what a workflow does.
const ABOUT: [&str; 4] = ["name", "description", "icon", "order"];

/// A workflow ready to be taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ready<'s> {
    /// Its name: that of its file.
    pub id: &'s str,
    /// The module it comes with.
    pub module: &'s str,
    written: &'s Json,
}

/// Something wrong with a workflow of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The module.
    pub module: String,
    /// The name of the file, without its ending.
    pub file: String,
    /// What, and where in it.
    pub mistake: Mistake,
}

/// Every workflow of every module, in the order of the modules and of what they say themselves.
pub(crate) fn all(schema: &Schema) -> Vec<Ready<'_>> {
    let mut all = Vec::new();
    for module in &schema.modules {
        let mut own: Vec<Ready<'_>> = module
            .workflows
            .iter()
            .map(|(id, written)| Ready {
                id,
                module: &module.name,
                written,
            })
            .collect();
        own.sort_by_key(|ready| ready.written["order"].as_i64().unwrap_or(i64::MAX));
        all.extend(own);
    }
    all
}

/// Every mistake in the workflows of all modules.
#[must_use]
pub fn check(schema: &Schema, actions: &[Signature]) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for ready in all(schema) {
        let mut mistakes = ready.check(schema, actions);
        if !known.insert(ready.id) {
            mistakes.push(Mistake::new("", "repeated_name", ready.id));
        }
        wrong.extend(mistakes.into_iter().map(|mistake| Wrong {
            module: ready.module.to_owned(),
            file: ready.id.to_owned(),
            mistake,
        }));
    }
    wrong
}

impl Ready<'_> {
    /// A text about it.
    pub fn text(&self, key: &str, language: Language) -> Json {
        self.written
            .get(key)
            .map_or(Json::Null, |text| spoken(text, language))
    }

    /// What it does, in a language: the members of a workflow that are not empty.
    pub fn content(&self, language: Language) -> Map<String, Json> {
        let member = |name: &&str| {
            let written = self.written.get(*name).filter(|json| !json.is_null())?;
            Some(((*name).to_owned(), spoken(written, language)))
        };
        CONTENT.iter().filter_map(member).collect()
    }

    fn check(&self, schema: &Schema, actions: &[Signature]) -> Vec<Mistake> {
        let Some(object) = self.written.as_object() else {
            return vec![Mistake::new("", "wrong_type", "an object")];
        };
        let mut mistakes = Vec::new();
        for name in object.keys() {
            if !ABOUT.contains(&name.as_str()) && !CONTENT.contains(&name.as_str()) {
                mistakes.push(Mistake::new(name, "unknown_field", ""));
            }
        }
        for name in ["name", "description"] {
            let found = object.get(name).and_then(languages);
            let said = found.is_some_and(|texts| texts.values().all(|text| !is_blank(text)));
            if !said {
                mistakes.push(Mistake::new(name, "required", "fr, en, es, pt"));
            }
        }
        half_said(self.written, "", &mut mistakes);
        let variables = Variables {
            me: Uuid::nil(),
            my_groups: Vec::new(),
            my_departments: Vec::new(),
            now: jiff::Timestamp::UNIX_EPOCH,
            today: jiff::civil::Date::constant(1970, 1, 1),
            zone: jiff::tz::TimeZone::UTC,
        };
        for language in Language::ALL {
            let found = match flow::read(&self.content(language)) {
                Ok(flow) => Check::new(schema, None, &variables, actions).all(&flow),
                Err(found) => found,
            };
            for mistake in found {
                if !mistakes.contains(&mistake) {
                    mistakes.push(mistake);
                }
            }
        }
        mistakes
    }
}

fn is_blank(text: &Json) -> bool {
    text.as_str().is_none_or(|text| text.trim().is_empty())
}

/// A text in the four languages, when that is what this is.
fn languages(json: &Json) -> Option<&Map<String, Json>> {
    let map = json.as_object()?;
    let all = Language::ALL.iter().all(|one| map.contains_key(one.code()));
    (all && map.len() == Language::ALL.len()).then_some(map)
}

/// A text that is said in some of the languages only.
fn half_said(json: &Json, at: &str, mistakes: &mut Vec<Mistake>) {
    let place = |key: &str| match at {
        "" => key.to_owned(),
        at => format!("{at}.{key}"),
    };
    match json {
        Json::Object(map) => {
            let codes = Language::ALL.iter().map(|one| one.code());
            let is_said = !map.is_empty() && map.keys().all(|key| codes.clone().any(|c| c == key));
            if is_said && languages(json).is_none() {
                let missing: Vec<&str> = codes.filter(|code| !map.contains_key(*code)).collect();
                mistakes.push(Mistake::new(at, "required", missing.join(", ")));
                return;
            }
            for (key, json) in map {
                half_said(json, &place(key), mistakes);
            }
        }
        Json::Array(list) => {
            for (index, json) in list.iter().enumerate() {
                half_said(json, &place(&index.to_string()), mistakes);
            }
        }
        _ => {}
    }
}

/// A value with its texts in one language.
fn spoken(json: &Json, language: Language) -> Json {
    if let Some(texts) = languages(json) {
        return texts.get(language.code()).cloned().unwrap_or(Json::Null);
    }
    match json {
        Json::Object(map) => {
            let all = map.iter();
            Json::Object(
                all.map(|(key, json)| (key.clone(), spoken(json, language)))
                    .collect(),
            )
        }
        Json::Array(list) => list.iter().map(|json| spoken(json, language)).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(text: &str) -> Json {
        json!({"fr": text, "en": format!("{text} en"), "es": text, "pt": text})
    }

    fn wrong(written: &Json) -> Vec<(String, &'static str)> {
        let ready = Ready {
            id: "one",
            module: "desk",
            written,
        };
        let actions = crate::action::signatures();
        let found = ready.check(&Schema::default(), &actions);
        found.into_iter().map(|m| (m.at, m.code)).collect()
    }

    fn whole() -> Json {
        json!({
            "name": words("Relance"), "description": words("Relance chaque jour"), "order": 1,
            "trigger": {"type": "scheduled", "frequency": "daily", "at": "08:00"},
            "actions": [{"type": "create_record", "params": {
                "entity": "task", "set": {"title": words("Appeler")},
            }}],
        })
    }

    #[test]
    fn one_is_taken_in_the_language_of_whoever_takes_it() {
        let written = whole();
        assert_eq!(wrong(&written), []);
        let ready = Ready {
            id: "one",
            module: "desk",
            written: &written,
        };
        assert_eq!(ready.text("name", Language::En), "Relance en");
        let content = ready.content(Language::En);
        assert_eq!(
            content["actions"][0]["params"]["set"]["title"],
            "Appeler en"
        );
        assert_eq!(content["trigger"], written["trigger"], "as it was written");
        assert!(!content.contains_key("name") && !content.contains_key("definition"));
    }

    #[test]
    fn whatever_is_wrong_is_named() {
        let mut written = whole();
        written["actions"][0]["params"]["set"]["title"] = json!({"fr": "Appeler", "en": "Call"});
        written["actions"][0]["type"] = json!("conjure");
        written["colour"] = json!("red");
        if let Some(name) = written["name"].as_object_mut() {
            name.insert("pt".to_owned(), json!(" "));
        }
        assert_eq!(
            wrong(&written),
            [
                ("colour".to_owned(), "unknown_field"),
                ("name".to_owned(), "required"),
                ("actions.0.params.set.title".to_owned(), "required"),
                ("steps.action_1".to_owned(), "unknown_action"),
            ]
        );
        assert_eq!(wrong(&json!([]))[0].1, "wrong_type");
    }
}
