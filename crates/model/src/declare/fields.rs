//! The type of every field, with its limits, its target and its default.

use rust_decimal::Decimal;

use super::diagnostic::{Place, did_you_mean};
use super::ids::option_values;
use super::resolve::{Resolver, index};
use super::tree::{Is, Node};
use crate::condition::Condition;
use crate::lock::Kind;
use crate::schema::{ChoiceOption, DefaultValue, FieldType, Pattern};
use crate::value::Value;
use crate::wire;

/// Where a type is written, for messages and names.
#[derive(Clone, Copy)]
pub(crate) struct Site<'n> {
    /// Place of the module among the modules.
    pub(crate) module: usize,
    /// `ticket.priority`, or the name of a setting: what the ids of options are below.
    pub(crate) path: &'n str,
    /// The entity it is in, if it is a field.
    pub(crate) entity: Option<usize>,
}

impl Resolver<'_, '_> {
    /// Resolves the types of the declared fields of an entity, roll-ups apart.
    pub(crate) fn field_types(&mut self, place: usize) {
        let all = self.all;
        let declared = &all.entities[place];
        let entries = declared.node.get("fields").map_or(&[][..], Node::table);
        for entry in entries {
            let Some(ix) = self.entities[place].find(&entry.key) else {
                continue;
            };
            if self.entities[place].field(ix).system {
                continue;
            }
            let path = format!("{}.{}", declared.name, entry.key);
            let site = Site {
                module: declared.module,
                path: &path,
                entity: Some(place),
            };
            let before = self.mistakes.errors();
            let kind = self.field_type(site, &entry.node);
            let field = &mut self.entities[place].fields[usize::from(ix.0)];
            match kind {
                Some(kind) if self.mistakes.errors() == before => field.kind = kind,
                Some(kind) => {
                    field.kind = kind;
                    self.break_field(place, &entry.key);
                }
                None => self.break_field(place, &entry.key),
            }
            self.check_link_wishes(&entry.key, &entry.node);
        }
    }

    /// The type written in `node`; `None` when it cannot be said, which has been reported.
    pub(crate) fn field_type(&mut self, site: Site<'_>, node: &Node) -> Option<FieldType> {
        Some(match node.text_of("type")? {
            "text" => self.text(node)?,
            "long_text" => FieldType::LongText {
                max: length(node, "max", 100_000),
            },
            "rich_text" => FieldType::RichText {
                max: length(node, "max", 100_000),
            },
            "integer" => {
                let (min, max) = self.integer_limits(node)?;
                FieldType::Integer { min, max }
            }
            "duration" => {
                let (min, max) = self.integer_limits(node)?;
                FieldType::Duration { min, max }
            }
            "decimal" => self.decimal(node)?,
            "money" => self.money(node)?,
            "choice" => FieldType::Choice {
                options: self.options(site, node),
            },
            "choices" => FieldType::Choices {
                options: self.options(site, node),
            },
            "tags" => FieldType::Tags {
                max: length(node, "max", 50),
            },
            "state" => FieldType::State {
                initial: node.text_of("initial")?.to_owned(),
            },
            "link" => FieldType::Link(self.link(site, node)?),
            "links" => FieldType::Links(self.link(site, node)?),
            "any_link" => self.any_link(site, node)?,
            "children" => self.children(site, node)?,
            "file" => FieldType::File {
                max_size: bytes(node),
            },
            "image" => FieldType::Image {
                max_size: bytes(node),
            },
            "computed" => self.computed(node)?,
            "rollup" => self.rollup_outline(node)?,
            other => simple(other)?,
        })
    }

    fn text(&mut self, node: &Node) -> Option<FieldType> {
        let (min, max) = (length(node, "min", 0), length(node, "max", 255));
        if min > max {
            let message = format!("min {min} is above max {max}");
            self.mistakes
                .error(node.place_of("min"), "bad_limits", message);
        }
        let pattern = match node.get("pattern") {
            None => None,
            Some(pattern) => match regex::Regex::new(pattern.text()?) {
                Ok(regex) => Some(Pattern(regex)),
                Err(error) => {
                    let message = format!("not a regular expression: {}", last_line(&error));
                    self.mistakes.error(pattern.at, "bad_pattern", message);
                    None
                }
            },
        };
        Some(FieldType::Text { min, max, pattern })
    }

    fn integer_limits(&mut self, node: &Node) -> Option<(Option<i64>, Option<i64>)> {
        let limits = (node.integer_of("min"), node.integer_of("max"));
        if let (Some(min), Some(max)) = limits
            && min > max
        {
            let message = format!("min {min} is above max {max}");
            self.mistakes
                .error(node.place_of("min"), "bad_limits", message);
            return None;
        }
        Some(limits)
    }

    /// Precision and scale: what both databases and [`Decimal`] hold exactly.
    fn digits(&mut self, node: &Node, scale: i64) -> Option<(u8, u8)> {
        let precision = node.integer_of("precision").unwrap_or(18);
        let scale = node.integer_of("scale").unwrap_or(scale);
        if (1..=28).contains(&precision) && (0..=precision).contains(&scale) {
            return Some((u8::try_from(precision).ok()?, u8::try_from(scale).ok()?));
        }
        let key = if (1..=28).contains(&precision) {
            "scale"
        } else {
            "precision"
        };
        let message = "precision is from 1 to 28, scale from 0 to precision";
        self.mistakes
            .error(node.place_of(key), "bad_limits", message);
        None
    }

    fn decimal(&mut self, node: &Node) -> Option<FieldType> {
        let (precision, scale) = self.digits(node, 6)?;
        let mut limit = |key: &str| -> Option<Decimal> {
            let node = node.get(key)?;
            let parsed = wire::decimal(&node.to_json(), precision, scale, None, None);
            let report = |invalid: wire::Invalid| {
                let message = format!("{key} is not a value of the field: {}", expected(&invalid));
                self.mistakes.error(node.at, "bad_limits", message);
            };
            parsed.map_err(report).ok()
        };
        let (min, max) = (limit("min"), limit("max"));
        if let (Some(low), Some(high)) = (min, max)
            && low > high
        {
            let message = format!("min {low} is above max {high}");
            self.mistakes
                .error(node.place_of("min"), "bad_limits", message);
        }
        Some(FieldType::Decimal {
            precision,
            scale,
            min,
            max,
            unit: node.text_of("unit").map(str::to_owned),
        })
    }

    fn money(&mut self, node: &Node) -> Option<FieldType> {
        let (precision, scale) = self.digits(node, 2)?;
        let currency = node.text_of("currency").map(str::to_owned);
        if let Some(code) = &currency
            && (code.len() != 3 || !code.chars().all(|c| c.is_ascii_uppercase()))
        {
            let message = format!("“{code}” is not an ISO 4217 code such as EUR");
            self.mistakes
                .error(node.place_of("currency"), "bad_currency", message);
        }
        Some(FieldType::Money {
            precision,
            scale,
            currency,
        })
    }

    fn options(&mut self, site: Site<'_>, node: &Node) -> Vec<ChoiceOption> {
        let mut options: Vec<ChoiceOption> = Vec::new();
        for (value, option) in option_values(node) {
            if options.iter().any(|other| other.value == value) {
                let message = format!("the option “{value}” is there twice");
                self.mistakes.error(option.at, "duplicate", message);
                continue;
            }
            options.push(ChoiceOption {
                id: self.ids.of(Kind::Option, &format!("{}.{value}", site.path)),
                value: value.to_owned(),
                color: option.text_of("color").unwrap_or("gray").to_owned(),
            });
        }
        if let Some(list) = node.get("options")
            && list.list().is_empty()
        {
            self.mistakes
                .error(list.at, "no_options", "there must be at least one option");
        }
        options
    }

    fn computed(&mut self, node: &Node) -> Option<FieldType> {
        let expr = node.get("expr")?;
        let source = expr.text()?.trim();
        if source.is_empty() {
            self.mistakes
                .error(expr.at, "empty_expr", "expr says how the value is made");
        }
        Some(FieldType::Computed {
            returns: Box::new(returned(node.text_of("returns")?)?),
            expr: source.to_owned(),
        })
    }

    /// A condition as written; whether its fields exist is asked when all of them are known.
    pub(crate) fn condition(&mut self, node: Option<&Node>) -> Condition {
        let Some(node) = node else {
            return Condition::default();
        };
        Condition::from_json(&node.to_json()).unwrap_or_else(|error| {
            let at = super::conditions::place(node, &error);
            self.mistakes
                .error(at, "bad_condition", super::conditions::message(&error));
            Condition::default()
        })
    }

    /// Resolves the defaults of an entity's fields.
    pub(crate) fn defaults(&mut self, place: usize) {
        let all = self.all;
        for entry in all.entities[place]
            .node
            .get("fields")
            .map_or(&[][..], Node::table)
        {
            let Some(ix) = self.entities[place].find(&entry.key) else {
                continue;
            };
            if self.is_broken(place, ix) {
                continue;
            }
            let kind = self.entities[place].field(ix).kind.clone();
            let default = match (&kind, entry.node.get("default")) {
                (FieldType::State { initial }, _) => {
                    DefaultValue::Constant(Value::from(initial.as_str()))
                }
                (_, Some(node)) => self.default_value(&kind, node),
                (_, None) => continue,
            };
            self.entities[place].fields[usize::from(ix.0)].default = default;
        }
    }

    fn default_value(&mut self, kind: &FieldType, node: &Node) -> DefaultValue {
        match (kind, node.text()) {
            (FieldType::DateTime, Some("now")) => return DefaultValue::Now,
            (FieldType::Date, Some("today")) => return DefaultValue::Today,
            (FieldType::Link(link), Some("me"))
                if self.all.by_name.get("user").copied().map(index) == Some(link.to) =>
            {
                return DefaultValue::Me;
            }
            _ => {}
        }
        DefaultValue::Constant(self.constant(kind, node))
    }

    /// A value of `kind`, reported when it is none.
    pub(crate) fn constant(&mut self, kind: &FieldType, node: &Node) -> Value {
        match wire::parse(kind, &node.to_json()) {
            Ok(value) => value,
            Err(invalid) => {
                let message = format!(
                    "default is not a value of type {}: {}",
                    kind.name(),
                    expected(&invalid)
                );
                let hint = match (kind, &node.is) {
                    (FieldType::Choice { options }, Is::Text(text)) => {
                        did_you_mean(text, options.iter().map(|option| option.value.as_str()))
                    }
                    _ => None,
                };
                self.mistakes
                    .error_hint(node.at, "bad_default", message, hint);
                Value::Null
            }
        }
    }

    /// Reports at `at` when `is_so` does not hold.
    pub(crate) fn require(&mut self, is_so: bool, at: Place, code: &'static str, message: String) {
        if !is_so {
            self.mistakes.error(at, code, message);
        }
    }
}

/// What a value that was refused should have been.
fn expected(invalid: &wire::Invalid) -> String {
    let detail = &invalid.detail;
    match invalid.code {
        "too_small" => format!("at least {detail} is needed"),
        "too_large" => format!("at most {detail} is allowed"),
        "too_long" => format!("at most {detail} characters are allowed"),
        "too_short" => format!("at least {detail} characters are needed"),
        "precision" => format!("more digits than {detail}"),
        "pattern" => format!("it does not match {detail}"),
        _ => format!("{detail} is needed"),
    }
}

/// Types without keys of their own.
fn simple(name: &str) -> Option<FieldType> {
    Some(match name {
        "email" => FieldType::Email,
        "phone" => FieldType::Phone,
        "url" => FieldType::Url,
        "color" => FieldType::Color,
        "boolean" => FieldType::Boolean,
        "date" => FieldType::Date,
        "datetime" => FieldType::DateTime,
        "geo" => FieldType::Geo,
        "json" => FieldType::Json,
        "secret" => FieldType::Secret,
        "password" => FieldType::Password,
        _ => return None,
    })
}

/// What a computed field returns: a type with its usual limits.
fn returned(name: &str) -> Option<FieldType> {
    let (min, max) = (None, None);
    Some(match name {
        "text" => FieldType::Text {
            min: 0,
            max: 255,
            pattern: None,
        },
        "long_text" => FieldType::LongText { max: 100_000 },
        "integer" => FieldType::Integer { min, max },
        "duration" => FieldType::Duration { min, max },
        "decimal" => FieldType::Decimal {
            precision: 18,
            scale: 6,
            min: None,
            max: None,
            unit: None,
        },
        other => simple(other)?,
    })
}

fn length(node: &Node, key: &str, default: usize) -> usize {
    node.integer_of(key)
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(default)
}

fn bytes(node: &Node) -> Option<u64> {
    u64::try_from(node.integer_of("max_size")?).ok()
}

fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}
