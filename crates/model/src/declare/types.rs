//! The types of fields and settings with the keys each has; see [`super::keys`].

use super::keys::{COLOR, NAMES, key, needed};
use super::shape::{Key, Shape, Style, Type};

use Shape::{Bool, Condition, List, Name, Number, OneOf, OrList, OrTable, Table, Text};
use Style::{Code, Snake};

/// `type`, in every table where it chooses the other keys.
pub(crate) const TYPE: Key = needed("type", Text, "What it holds.");

const REQUIRED: Key = key("required", Bool, "May not be null or empty.");
const DEFAULT: Key = key(
    "default",
    Shape::Value,
    "Used when the field is absent on create; \"now\", \"today\", \"me\" for times, dates and links to user.",
);
const UNIQUE: Key = key(
    "unique",
    Bool,
    "Among the records of a tenant that are not deleted; texts compare folded.",
);
const INDEX: Key = key("index", Bool, "An index of its own.");
const SEARCH: Key = key(
    "search",
    OneOf(&["high", "normal", "low"]),
    "Weight in full-text search; absent: not searched.",
);
const READONLY: Key = key(
    "readonly",
    Bool,
    "Set by rules and engines only, never by a request.",
);
pub(crate) const WAS: Key = key(
    "was",
    Name(Code),
    "The former name, for one release, when renamed.",
);

const PLAIN: &[Key] = &[REQUIRED, DEFAULT, READONLY, WAS];
const COMPARED: &[Key] = &[REQUIRED, DEFAULT, UNIQUE, INDEX, READONLY, WAS];
const WORDS: &[Key] = &[REQUIRED, DEFAULT, UNIQUE, INDEX, SEARCH, READONLY, WAS];
const PROSE: &[Key] = &[
    REQUIRED,
    DEFAULT,
    SEARCH,
    READONLY,
    WAS,
    key("max", Shape::Integer(1), "Most characters (100 000)."),
];
const SEALED: &[Key] = &[REQUIRED, READONLY, WAS];
const DERIVED: &[Key] = &[WAS];

const INTEGER_LIMITS: &[Key] = &[
    key("min", Shape::Integer(i64::MIN), "Smallest value."),
    key("max", Shape::Integer(i64::MIN), "Largest value."),
];
const MAX_SIZE: &[Key] = &[key("max_size", Shape::Integer(1), "Most bytes.")];
const ON_DELETE: &str = "What deleting the target does here.";
const INVERSE: Key = key(
    "inverse",
    Name(Snake),
    "Its name at the other end, where it is a list of these records.",
);
const WHERE_TARGET: Key = key("where", Condition, "What the target must satisfy.");
const TARGET: Key = needed("to", Name(Snake), "The entity linked to.");

/// An option: its code, or its code with a colour.
const OPTION: Shape = OrTable(
    &Name(Code),
    &Table(&[
        needed("value", Name(Code), "Stable code."),
        key("color", COLOR, "Colour of the badge."),
        WAS,
    ]),
);
const OPTIONS: &[Key] = &[needed(
    "options",
    List(&OPTION),
    "The choices, in their order.",
)];

const fn kind(name: &'static str, doc: &'static str, keys: &'static [&'static [Key]]) -> Type {
    Type { name, doc, keys }
}

/// Every type a field can have.
pub(crate) const FIELD_TYPES: &[Type] = &[
    kind(
        "text",
        "Short text.",
        &[
            WORDS,
            &[
                key("max", Shape::Integer(1), "Most characters (255)."),
                key("min", Shape::Integer(0), "Fewest characters."),
                key(
                    "pattern",
                    Text,
                    "Regular expression the whole must match; anchor it.",
                ),
            ],
        ],
    ),
    kind("long_text", "Text of several lines.", &[PROSE]),
    kind("rich_text", "Markdown.", &[PROSE]),
    kind("email", "E-mail address.", &[WORDS]),
    kind("phone", "Telephone number.", &[WORDS]),
    kind("url", "Web address.", &[WORDS]),
    kind("color", "#rrggbb", &[COMPARED]),
    kind("integer", "Whole number.", &[COMPARED, INTEGER_LIMITS]),
    kind(
        "decimal",
        "Exact number.",
        &[
            COMPARED,
            DIGITS,
            &[
                key("min", Number, "Smallest value."),
                key("max", Number, "Largest value."),
                key("unit", Text, "Unit shown beside it."),
            ],
        ],
    ),
    kind(
        "money",
        "Exact amount with its currency.",
        &[
            &[REQUIRED, DEFAULT, INDEX, READONLY, WAS],
            DIGITS,
            &[key(
                "currency",
                Text,
                "Currency the form starts with (ISO 4217).",
            )],
        ],
    ),
    kind(
        "boolean",
        "true or false.",
        &[&[REQUIRED, DEFAULT, INDEX, READONLY, WAS]],
    ),
    kind("date", "A day.", &[COMPARED]),
    kind("datetime", "An instant, UTC.", &[COMPARED]),
    kind("duration", "Seconds.", &[COMPARED, INTEGER_LIMITS]),
    kind("choice", "One of the options.", &[COMPARED, OPTIONS]),
    kind("choices", "Some of the options.", &[PLAIN, OPTIONS]),
    kind(
        "tags",
        "Free words.",
        &[
            PLAIN,
            &[SEARCH, key("max", Shape::Integer(1), "Most entries (50).")],
        ],
    ),
    kind(
        "state",
        "Where the record stands; states and moves are in [states].",
        &[&[
            needed("initial", Name(Code), "The state of a new record."),
            INDEX,
            WAS,
        ]],
    ),
    kind(
        "link",
        "Link to one record.",
        &[
            COMPARED,
            &[
                TARGET,
                WHERE_TARGET,
                key(
                    "on_delete",
                    OneOf(&["clear", "cascade", "refuse"]),
                    ON_DELETE,
                ),
                INVERSE,
                key(
                    "acyclic",
                    Bool,
                    "A link of an entity to itself that must not form a ring.",
                ),
                key(
                    "nested",
                    Bool,
                    "Records are also made, changed and deleted below the target.",
                ),
            ],
        ],
    ),
    kind(
        "links",
        "Many-to-many link.",
        &[
            PLAIN,
            &[
                TARGET,
                WHERE_TARGET,
                key("on_delete", OneOf(&["clear", "refuse"]), ON_DELETE),
                INVERSE,
            ],
        ],
    ),
    kind(
        "any_link",
        "Link to a record of any of several entities.",
        &[
            &[REQUIRED, INDEX, READONLY, WAS],
            &[needed(
                "to",
                OrList(&Text, &NAMES),
                "Entities, or \"*\" for any.",
            )],
        ],
    ),
    kind(
        "children",
        "Child table, edited with its owner.",
        &[
            &[REQUIRED, WAS],
            &[
                needed("of", Name(Snake), "The entity of the rows."),
                needed("via", Name(Snake), "The link in it that points here."),
            ],
        ],
    ),
    kind("file", "An attached file.", &[SEALED, MAX_SIZE]),
    kind("image", "An attached picture.", &[SEALED, MAX_SIZE]),
    kind("geo", "A point on the map.", &[PLAIN]),
    kind("json", "Any JSON.", &[PLAIN]),
    kind("secret", "Encrypted at rest; write only.", &[SEALED]),
    kind("password", "Hashed; write only.", &[SEALED]),
    kind(
        "computed",
        "Made from other fields; not writable.",
        &[
            DERIVED,
            &[
                INDEX,
                SEARCH,
                needed("returns", OneOf(RETURNS), "The type of the result."),
                needed("expr", Text, "How it is made."),
            ],
        ],
    ),
    kind(
        "rollup",
        "Made from records that point here; not writable.",
        &[
            DERIVED,
            &[
                INDEX,
                needed("of", Name(Snake), "An inverse or a field of type children."),
                needed(
                    "op",
                    OneOf(&["count", "sum", "min", "max", "average", "latest"]),
                    "How they are combined.",
                ),
                key("field", Name(Snake), "What is combined; not for count."),
                key(
                    "by",
                    Name(Snake),
                    "What makes a record the latest; without, when it was made.",
                ),
                key("where", Condition, "Which of them count."),
            ],
        ],
    ),
];

const DIGITS: &[Key] = &[
    key("precision", Shape::Integer(1), "Digits in all (18)."),
    key("scale", Shape::Integer(0), "Digits after the point."),
];

/// What a computed field can return.
pub(crate) const RETURNS: &[&str] = &[
    "text",
    "long_text",
    "integer",
    "decimal",
    "boolean",
    "date",
    "datetime",
    "duration",
];

const SETTING: &[Key] = &[needed(
    "default",
    Shape::Value,
    "Until an administrator changes it.",
)];

/// Types of settings.
pub(crate) const SETTING_TYPES: &[Type] = &[
    kind(
        "text",
        "Short text.",
        &[
            SETTING,
            &[key("max", Shape::Integer(1), "Most characters (255).")],
        ],
    ),
    kind("email", "E-mail address.", &[SETTING]),
    kind("url", "Web address.", &[SETTING]),
    kind("color", "#rrggbb", &[SETTING]),
    kind("integer", "Whole number.", &[SETTING, INTEGER_LIMITS]),
    kind("decimal", "Exact number.", &[SETTING, DIGITS]),
    kind("boolean", "true or false.", &[SETTING]),
    kind("date", "A day.", &[SETTING]),
    kind("duration", "Seconds.", &[SETTING, INTEGER_LIMITS]),
    kind("choice", "One of the options.", &[SETTING, OPTIONS]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_table_has_a_key_twice() {
        for types in [FIELD_TYPES, SETTING_TYPES] {
            for kind in types {
                let mut names: Vec<_> = kind.keys().map(|key| key.name).collect();
                names.sort_unstable();
                let count = names.len();
                names.dedup();
                assert_eq!(names.len(), count, "{}", kind.name);
            }
        }
    }
}
