//! Reading JSON that people write: every mistake at once, each with its place.

use opsflux_records::FieldError;
use serde_json::{Map, Value as Json};

/// Something wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where: `actions.0.params.to`.
    pub at: String,
    /// Code of its words.
    pub code: &'static str,
    /// What the words mention.
    pub detail: String,
}

impl Mistake {
    /// A mistake.
    pub fn new(at: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Mistake {
        Mistake {
            at: at.into(),
            code,
            detail: detail.into(),
        }
    }
}

impl From<Mistake> for FieldError {
    fn from(mistake: Mistake) -> FieldError {
        FieldError::new(&mistake.at, mistake.code, &mistake.detail)
    }
}

/// An object while it is read: what is asked for is taken, what is left is unknown.
pub(super) struct Object<'a> {
    at: String,
    left: Map<String, Json>,
    mistakes: &'a mut Vec<Mistake>,
}

impl<'a> Object<'a> {
    /// The object at a place; nothing, and a mistake, when it is none.
    pub fn of(json: &Json, at: &str, mistakes: &'a mut Vec<Mistake>) -> Option<Object<'a>> {
        match json {
            Json::Object(map) => Some(Object {
                at: at.to_owned(),
                left: map.clone(),
                mistakes,
            }),
            _ => {
                mistakes.push(Mistake::new(at, "wrong_type", "an object"));
                None
            }
        }
    }

    /// The place of a member.
    pub fn at(&self, key: &str) -> String {
        join(&self.at, key)
    }

    /// More mistakes.
    pub fn mistakes(&mut self) -> &mut Vec<Mistake> {
        self.mistakes
    }

    /// Says that a member is wrong.
    pub fn wrong(&mut self, key: &str, code: &'static str, detail: impl Into<String>) {
        let at = self.at(key);
        self.mistakes.push(Mistake::new(at, code, detail));
    }

    /// Whether a member is there and not null.
    pub fn has(&self, key: &str) -> bool {
        self.left.get(key).is_some_and(|value| !value.is_null())
    }

    /// A member that is there and not null.
    pub fn take(&mut self, key: &str) -> Option<Json> {
        self.left.remove(key).filter(|value| !value.is_null())
    }

    /// A member that must be there.
    pub fn need(&mut self, key: &str) -> Option<Json> {
        let found = self.take(key);
        if found.is_none() {
            self.wrong(key, "required", "");
        }
        found
    }

    /// A text.
    pub fn text(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            Json::String(text) => Some(text),
            _ => {
                self.wrong(key, "wrong_type", "a text");
                None
            }
        }
    }

    /// A text that must be there and not be empty.
    pub fn need_text(&mut self, key: &str) -> Option<String> {
        match self.need(key)? {
            Json::String(text) if !text.trim().is_empty() => Some(text),
            Json::String(_) => {
                self.wrong(key, "required", "");
                None
            }
            _ => {
                self.wrong(key, "wrong_type", "a text");
                None
            }
        }
    }

    /// Texts; one alone stands for a list of one.
    pub fn texts(&mut self, key: &str) -> Vec<String> {
        let list = match self.take(key) {
            None => return Vec::new(),
            Some(Json::Array(list)) => list,
            Some(one) => vec![one],
        };
        let mut texts = Vec::with_capacity(list.len());
        for value in list {
            match value {
                Json::String(text) => texts.push(text),
                _ => self.wrong(key, "wrong_type", "a list of texts"),
            }
        }
        texts
    }

    /// Yes or no.
    pub fn flag(&mut self, key: &str) -> bool {
        match self.take(key) {
            None => false,
            Some(Json::Bool(flag)) => flag,
            Some(_) => {
                self.wrong(key, "wrong_type", "true or false");
                false
            }
        }
    }

    /// A list.
    pub fn list(&mut self, key: &str) -> Vec<Json> {
        match self.take(key) {
            None => Vec::new(),
            Some(Json::Array(list)) => list,
            Some(_) => {
                self.wrong(key, "wrong_type", "a list");
                Vec::new()
            }
        }
    }

    /// One of several words.
    pub fn option<T: Copy>(&mut self, key: &str, options: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = options.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
            self.wrong(key, "not_an_option", names.join(", "));
        }
        found.map(|(_, value)| *value)
    }

    /// Says what was not asked for.
    pub fn finish(self) {
        for key in self.left.keys() {
            self.mistakes
                .push(Mistake::new(join(&self.at, key), "unknown_field", ""));
        }
    }
}

/// A place within a place.
pub(super) fn join(at: &str, key: &str) -> String {
    match at {
        "" => key.to_owned(),
        at => format!("{at}.{key}"),
    }
}
