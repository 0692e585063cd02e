//! Where settings are written: file, environment, command line.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::de::{DeTable, DeValue};

use super::keys::{Key, NotAllowed, keys};

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `--config` or `OPSFLUX_CONFIG`: must exist.
    pub file: Option<PathBuf>,
    /// Read when no file is named; may be absent.
    pub default_file: Option<PathBuf>,
    /// Name and value of environment variables, the ones that are not ours among them.
    pub environment: Vec<(String, String)>,
    /// Key and value of options.
    pub command_line: Vec<(&'static str, String)>,
}

/// A value as written, before anybody knows what it should be.
#[derive(Debug, Clone)]
pub(super) enum Raw {
    Text(String),
    List(Vec<String>),
}

/// A key with its value and the place it was found at.
pub(super) struct Given {
    pub key: &'static Key,
    pub raw: Raw,
    pub place: String,
}

/// One reason not to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Name of the key.
    pub key: String,
    /// File and line, variable or option.
    pub place: String,
    /// What would be allowed.
    pub expected: String,
}

/// Every reason not to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is not valid")?;
        for mistake in &self.0 {
            write!(
                f,
                "\n  {} ({}): {}",
                mistake.key, mistake.place, mistake.expected
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

impl Mistake {
    pub(super) fn value(key: &Key, place: Option<&str>) -> Mistake {
        Mistake {
            key: key.name.to_owned(),
            place: place.unwrap_or("default").to_owned(),
            expected: format!("takes {}", key.takes.replace('`', "")),
        }
    }

    fn unknown(name: &str, place: String) -> Mistake {
        let nearest = keys()
            .map(|key| (strsim::jaro_winkler(key.name, name), key.name))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let expected = match nearest {
            Some((_, known)) => format!("there is no such key; did you mean {known}?"),
            None => {
                let known: Vec<&str> = keys().map(|key| key.name).collect();
                format!("there is no such key; there are {}", known.join(", "))
            }
        };
        Mistake {
            key: name.to_owned(),
            place,
            expected,
        }
    }
}

impl Sources {
    /// Everything written anywhere, weakest first.
    pub(super) fn read(&self) -> Result<Vec<Given>, Mistakes> {
        let mut given = Vec::new();
        let mut mistakes = Vec::new();
        if let Some((path, text)) = self.file_text()? {
            read_file(&path, &text, &mut given, &mut mistakes);
        }
        self.read_environment(&mut given, &mut mistakes);
        for (name, value) in &self.command_line {
            let key = keys().find(|key| key.name == *name);
            let place = format!("option --{}", name.replace('_', "-"));
            match key {
                Some(key) => given.push(Given {
                    key,
                    raw: Raw::text(value),
                    place,
                }),
                None => mistakes.push(Mistake::unknown(name, place)),
            }
        }
        if mistakes.is_empty() {
            Ok(given)
        } else {
            Err(Mistakes(mistakes))
        }
    }

    /// The file that is read, when there is one.
    pub(super) fn read_file(&self) -> Option<PathBuf> {
        let default = self.default_file.clone().filter(|path| path.is_file());
        self.file.clone().or(default)
    }

    fn file_text(&self) -> Result<Option<(PathBuf, String)>, Mistakes> {
        let (path, named) = match (&self.file, &self.default_file) {
            (Some(path), _) => (path, true),
            (None, Some(path)) => (path, false),
            (None, None) => return Ok(None),
        };
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some((path.clone(), text))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => Ok(None),
            Err(error) => Err(Mistakes(vec![Mistake {
                key: "config".to_owned(),
                place: path.display().to_string(),
                expected: format!("cannot be read: {error}"),
            }])),
        }
    }

    fn read_environment(&self, given: &mut Vec<Given>, mistakes: &mut Vec<Mistake>) {
        let mut regular = Vec::new();
        for (name, raw) in &self.environment {
            let raw = Raw::text(raw);
            let place = format!("environment variable {name}");
            let aliased = keys().find(|key| key.aliases.contains(&name.as_str()));
            if let Some(key) = aliased {
                given.push(Given { key, raw, place });
            } else if let Some(key) = keys().find(|key| key.variable() == *name) {
                regular.push(Given { key, raw, place });
            } else if let Some(rest) = name.strip_prefix("OPSFLUX_")
                // The file is named by it; it is no key.
                && rest != "CONFIG"
            {
                let dotted = rest.to_lowercase().replace("__", ".");
                mistakes.push(Mistake::unknown(&dotted, place));
            }
        }
        // Regular names after aliases: the last one wins.
        given.append(&mut regular);
    }
}

fn read_file(path: &Path, text: &str, given: &mut Vec<Given>, mistakes: &mut Vec<Mistake>) {
    let place = |at: usize| {
        let line = text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        format!("{}, line {line}", path.display())
    };
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            mistakes.push(Mistake {
                key: "config".to_owned(),
                place: place(error.span().map_or(0, |span| span.start)),
                expected: format!("is not TOML: {}", error.message()),
            });
            return;
        }
    };
    let mut todo: Vec<(String, &DeTable<'_>)> = vec![(String::new(), table.get_ref())];
    while let Some((prefix, table)) = todo.pop() {
        for (name, value) in table {
            let dotted = format!("{prefix}{}", name.get_ref());
            let at = place(name.span().start);
            match (value.get_ref(), keys().find(|key| key.name == dotted)) {
                (value, Some(key)) => match Raw::from_toml(value) {
                    Some(raw) => given.push(Given {
                        key,
                        raw,
                        place: at,
                    }),
                    None => mistakes.push(Mistake::value(key, Some(&at))),
                },
                (DeValue::Table(inner), None) if is_table(&dotted) => {
                    todo.push((format!("{dotted}."), inner));
                }
                (_, None) => mistakes.push(Mistake::unknown(&dotted, at)),
            }
        }
    }
}

/// Whether some key stands in the table called `name`.
fn is_table(name: &str) -> bool {
    keys().any(|key| {
        key.name
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

impl Raw {
    pub fn text(text: impl AsRef<str>) -> Raw {
        Raw::Text(text.as_ref().to_owned())
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Raw> {
        let scalar = |value: &DeValue<'_>| match value {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) => {
                i64::from_str_radix(&number.as_str().replace('_', ""), number.radix())
                    .ok()
                    .map(|number| number.to_string())
            }
            DeValue::Boolean(flag) => Some(if *flag { "on" } else { "off" }.to_owned()),
            _ => None,
        };
        match value {
            DeValue::Array(items) => items
                .iter()
                .map(|item| scalar(item.get_ref()))
                .collect::<Option<_>>()
                .map(Raw::List),
            single => scalar(single).map(Raw::Text),
        }
    }

    fn single(&self) -> Result<&str, NotAllowed> {
        match self {
            Raw::Text(text) => Ok(text.trim()),
            Raw::List(_) => Err(NotAllowed),
        }
    }

    /// A text that is not empty.
    pub fn filled(&self) -> Result<&str, NotAllowed> {
        self.single().and_then(|text| {
            if text.is_empty() {
                Err(NotAllowed)
            } else {
                Ok(text)
            }
        })
    }

    /// Anything that parses.
    pub fn parse<T: FromStr>(&self) -> Result<T, NotAllowed> {
        self.single()?.parse().map_err(|_| NotAllowed)
    }

    /// A number within limits.
    pub fn number<T: FromStr + PartialOrd>(
        &self,
        range: RangeInclusive<T>,
    ) -> Result<T, NotAllowed> {
        let number = self.parse::<T>()?;
        if range.contains(&number) {
            Ok(number)
        } else {
            Err(NotAllowed)
        }
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(&self, known: &[(&str, T)]) -> Result<T, NotAllowed> {
        let text = self.single()?;
        known
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, value)| *value)
            .ok_or(NotAllowed)
    }

    /// `on` or `off`.
    pub fn switch(&self) -> Result<bool, NotAllowed> {
        self.one_of(&[
            ("on", true),
            ("true", true),
            ("off", false),
            ("false", false),
        ])
    }

    /// Any number of texts: an array, or one text with commas.
    pub fn list(&self) -> Vec<&str> {
        let parts: Vec<&str> = match self {
            Raw::Text(text) => text.split(',').collect(),
            Raw::List(items) => items.iter().map(String::as_str).collect(),
        };
        parts
            .into_iter()
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect()
    }
}
