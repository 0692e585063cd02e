//! Words with `{{ … }}` in them: read when a workflow is saved, filled in when a step is done.
//!
//! The language is Jinja's. A name that does not exist is an error that names it; what is there
//! but empty is empty. A text that is one `{{ expression }}` and nothing else keeps its type, so a
//! number stays a number and a link stays a link.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Number, Value as Json};

/// Steps one template may take: enough for a page of text, not for a loop without end.
const FUEL: u64 = 100_000;
/// Longest text that is made.
const MAX_TEXT: usize = 256 * 1024;

/// Names known to templates, with what they stand for.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    names: BTreeMap<String, Value>,
}

/// A record that a link leads to: printed it is its title, handed on it is its id.
#[derive(Debug)]
struct Linked {
    id: String,
    title: String,
    fields: BTreeMap<String, Value>,
}

impl Object for Linked {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "id" => Some(Value::from(self.id.clone())),
            name => self.fields.get(name).cloned(),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(
            self.fields
                .keys()
                .map(|key| Value::from(key.as_str()))
                .collect(),
        )
    }

    fn render(self: &Arc<Self>, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.title)
    }
}

impl Scope {
    /// Gives a name a value.
    pub fn set(&mut self, name: &str, value: &Json) {
        self.names.insert(name.to_owned(), to_value(value));
    }

    /// Gives a name a value made here.
    pub(crate) fn put(&mut self, name: &str, value: Value) {
        self.names.insert(name.to_owned(), value);
    }

    /// Fills in a text.
    ///
    /// # Errors
    /// What is wrong with it, naming what does not exist.
    pub fn fill(&self, text: &str) -> Result<Json, String> {
        if !text.contains("{{") && !text.contains("{%") {
            return Ok(Json::from(text));
        }
        let environment = environment();
        let context = Value::from_pairs(self.names.iter().map(|(k, v)| (k.clone(), v.clone())));
        let wrong = |error: minijinja::Error| told(&error);
        match alone(text) {
            Some(expression) => {
                let read = environment.compile_expression(expression).map_err(wrong)?;
                let value = read.eval(context).map_err(wrong)?;
                if value.is_undefined() {
                    return Err(format!("“{expression}” does not exist"));
                }
                Ok(to_json(&value))
            }
            None => {
                let made = environment.render_str(text, context).map_err(wrong)?;
                if made.len() > MAX_TEXT {
                    return Err(format!("the text is longer than {MAX_TEXT} bytes"));
                }
                Ok(Json::from(made))
            }
        }
    }

    /// Fills in every text in a value.
    ///
    /// # Errors
    /// As [`Scope::fill`].
    pub fn fill_all(&self, json: &Json) -> Result<Json, String> {
        Ok(match json {
            Json::String(text) => self.fill(text)?,
            Json::Array(list) => {
                let filled = list.iter().map(|json| self.fill_all(json));
                Json::Array(filled.collect::<Result<_, _>>()?)
            }
            Json::Object(map) => Json::Object(self.fill_map(map)?),
            other => other.clone(),
        })
    }

    /// Fills in every text in an object.
    ///
    /// # Errors
    /// As [`Scope::fill`].
    pub fn fill_map(&self, map: &Map<String, Json>) -> Result<Map<String, Json>, String> {
        let filled = map
            .iter()
            .map(|(key, json)| Ok((key.clone(), self.fill_all(json)?)));
        filled.collect()
    }
}

/// A record as a link shows it.
pub(crate) fn linked(id: &str, title: &str, fields: BTreeMap<String, Value>) -> Value {
    Value::from_object(Linked {
        id: id.to_owned(),
        title: title.to_owned(),
        fields,
    })
}

/// The dotted names that the texts in a value ask for: `assignee.email`.
///
/// # Errors
/// What cannot be read, with its place within the value.
pub fn names(json: &Json, at: &str, found: &mut BTreeSet<String>) -> Result<(), (String, String)> {
    match json {
        Json::String(text) if text.contains("{{") || text.contains("{%") => {
            let environment = environment();
            let template = environment.template_from_str(text).map_err(|error| {
                let text: String = text.chars().take(60).collect();
                (at.to_owned(), format!("“{text}”: {}", told(&error)))
            })?;
            found.extend(template.undeclared_variables(true));
        }
        Json::Array(list) => {
            for (place, json) in list.iter().enumerate() {
                names(json, &format!("{at}.{place}"), found)?;
            }
        }
        Json::Object(map) => {
            for (key, json) in map {
                names(json, &format!("{at}.{key}"), found)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    // So that an error names what does not exist.
    environment.set_debug(true);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment
}

fn told(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// The expression, when a text is `{{ expression }}` alone.
fn alone(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let is_one = !inner.contains("{{") && !inner.contains("}}") && !inner.contains("{%");
    is_one.then(|| inner.trim_matches('-').trim())
}

/// As templates see it: exact decimals that a float cannot hold are texts.
pub(crate) fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => {
            let text = number.to_string();
            match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Value::from(whole),
                (None, Some(float)) if float.to_string() == text => Value::from(float),
                _ => Value::from(text),
            }
        }
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(list) => Value::from_iter(list.iter().map(to_value)),
        Json::Object(map) => {
            Value::from_pairs(map.iter().map(|(key, json)| (key.clone(), to_value(json))))
        }
    }
}

fn to_json(value: &Value) -> Json {
    if let Some(linked) = value.downcast_object_ref::<Linked>() {
        return Json::from(linked.id.as_str());
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => {
            let text = value.to_string();
            let number = text.parse::<Number>();
            number.map_or(Json::String(text), Json::Number)
        }
        ValueKind::Seq | ValueKind::Iterable => match value.try_iter() {
            Ok(items) => Json::Array(items.map(|item| to_json(&item)).collect()),
            Err(_) => Json::Null,
        },
        ValueKind::Map => match value.try_iter() {
            Ok(keys) => Json::Object(
                keys.map(|key| {
                    let item = value.get_item(&key).unwrap_or_default();
                    (key.to_string(), to_json(&item))
                })
                .collect(),
            ),
            Err(_) => Json::Null,
        },
        _ => Json::from(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let mut scope = Scope::default();
        scope.set("title", &json!("Panne"));
        scope.set("count", &json!(3));
        scope.set(
            "price",
            &serde_json::from_str("12345678901234567890.10").expect("a number"),
        );
        scope.set("empty", &Json::Null);
        scope.set("lines", &json!([{"label": "a"}, {"label": "b"}]));
        let fields = [("email".to_owned(), Value::from("awa@acme.example"))];
        scope.put("assignee", linked("018f", "Awa Ndong", fields.into()));
        scope
    }

    #[test]
    fn texts_are_filled_in_and_a_lone_expression_keeps_its_type() {
        for (text, wanted) in [
            ("plain", json!("plain")),
            ("{{ title }} !", json!("Panne !")),
            ("{{ count }}", json!(3)),
            ("{{ count + 1 }}", json!(4)),
            ("n = {{ count }}", json!("n = 3")),
            ("{{ empty }}", Json::Null),
            ("{{ assignee }}", json!("018f")),
            ("for {{ assignee }}", json!("for Awa Ndong")),
            ("{{ assignee.email }}", json!("awa@acme.example")),
            ("{{ price }}", json!("12345678901234567890.10")),
            ("{{ lines }}", json!([{"label": "a"}, {"label": "b"}])),
            ("{% for l in lines %}{{ l.label }}{% endfor %}", json!("ab")),
            ("{{ title | upper }}", json!("PANNE")),
        ] {
            assert_eq!(scope().fill(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_does_not_exist_is_named_and_what_never_ends_is_stopped() {
        for text in ["{{ titel }}", "{{ assignee.emial }}", "x {{ titel }}"] {
            let error = scope().fill(text).expect_err(text);
            assert!(
                error.contains("titel") || error.contains("emial"),
                "{error}"
            );
        }
        assert!(scope().fill("{{ title ").is_err());
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(
            scope()
                .fill(endless)
                .expect_err("too long")
                .contains("fuel")
        );
    }

    #[test]
    fn the_names_a_text_asks_for_are_known_before() {
        let mut found = BTreeSet::new();
        let json = json!({"a": "{{ title }} {{ assignee.email }}", "b": ["{% for x in lines %}{{ x.y }}{% endfor %}"]});
        names(&json, "with", &mut found).expect("readable");
        let found: Vec<String> = found.into_iter().collect();
        assert_eq!(found, ["assignee.email", "lines", "title"]);
        let at = names(&json!({"a": ["{{ x "]}), "with", &mut BTreeSet::new());
        assert_eq!(at.expect_err("unreadable").0, "with.a.0");
    }
}
