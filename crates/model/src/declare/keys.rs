//! Every key of every declaration file (types of fields: [`super::types`]): the one list that the checker and the editors' schema
//! are both made from. Adding a key here makes it known to both; its meaning is given where it is
//! resolved.

use super::shape::{Key, Shape, Style};
use super::types::{FIELD_TYPES, SETTING_TYPES, WAS};

use Shape::{Bool, Condition, List, Map, Name, OneOf, OrTable, Table, Text};
use Style::{Code, Kebab, Snake};

pub(crate) const fn key(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key {
        name,
        shape,
        required: false,
        doc,
    }
}

pub(crate) const fn needed(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key {
        name,
        shape,
        required: true,
        doc,
    }
}

/// Colours of badges.
pub const COLORS: &[&str] = &[
    "gray", "blue", "cyan", "green", "amber", "orange", "red", "violet", "pink",
];
/// Categories of states.
pub(crate) const CATEGORIES: &[&str] = &["open", "active", "waiting", "done", "closed"];
/// The languages every label is in.
pub const LANGUAGES: &[&str] = &["fr", "en", "es", "pt"];
/// Scopes of permissions.
pub(crate) const SCOPES: &[&str] = &["own", "department", "company", "all"];
/// The right on a field, where it is less than the action gives.
pub(crate) const FIELD_RIGHTS: &[&str] = &["read", "hidden", "mask"];

pub(crate) const NAMES: Shape = List(&Name(Snake));
const TEXTS: Shape = List(&Text);
pub(crate) const COLOR: Shape = OneOf(COLORS);

/// `module.toml`.
pub(crate) const MODULE: &[Key] = &[
    needed(
        "name",
        Name(Snake),
        "Name of the module; also of its folder.",
    ),
    needed("version", Text, "Semantic version."),
    key("depends", NAMES, "Modules that must be there."),
    key("icon", Name(Kebab), "Lucide icon."),
    key(
        "order",
        Shape::Integer(i64::MIN),
        "Place in the sidebar, ascending.",
    ),
    key(
        "menu",
        List(&Table(&[
            key("entity", Name(Snake), "The list of this entity."),
            key("page", Name(Kebab), "This page of the interface."),
            key("icon", Name(Kebab), "Lucide icon of the page."),
            key(
                "of",
                Name(Snake),
                "The page is for those who see this entity.",
            ),
        ])),
        "Entries of the sidebar.",
    ),
    key(
        "settings",
        Map(Snake, &Shape::Typed(SETTING_TYPES)),
        "Settings of the module.",
    ),
];

/// `entities/*.toml`.
pub(crate) const ENTITY: &[Key] = &[
    needed("name", Name(Snake), "Singular; also the table."),
    needed(
        "collection",
        Name(Kebab),
        "Plural; also the path under /api/v1.",
    ),
    key(
        "kind",
        OneOf(&["record", "log"]),
        "log: written only by its engine, no version, audit or soft delete.",
    ),
    needed("title", Name(Snake), "The field that names a record."),
    key("icon", Name(Kebab), "Lucide icon."),
    key(
        "number",
        Text,
        "Template of the number: {seq:N}, {yyyy}, {yy}, {mm}.",
    ),
    key("gapless", Bool, "No number is ever left out."),
    key("comments", Bool, "Public and internal comments."),
    key("files", Bool, "Attachments."),
    key(
        "sharing",
        Bool,
        "A single record may be shared with a person or a group.",
    ),
    key("audit_reads", Bool, "Reading a record is audited too."),
    WAS,
    key("unique", List(&NAMES), "Fields that are unique together."),
    key("index", List(&TEXTS), "Indexes; - for descending."),
    key(
        "list",
        Table(&[
            key("columns", NAMES, "Columns, in order."),
            key("sort", TEXTS, "Sort; - for descending."),
        ]),
        "What a list shows first.",
    ),
    key(
        "form",
        Table(&[
            key(
                "sections",
                List(&Table(&[
                    needed("name", Name(Snake), "Its label is in locales."),
                    needed("fields", NAMES, "Fields, in order."),
                ])),
                "Sections, in order.",
            ),
            key("quick", NAMES, "Fields of the short create dialog."),
        ]),
        "How the form is laid out.",
    ),
    needed(
        "fields",
        Map(Snake, &Shape::Typed(FIELD_TYPES)),
        "The fields, in the order of the form.",
    ),
    key(
        "scope",
        Table(&[
            key(
                "own",
                NAMES,
                "Links to user that make a record somebody's own.",
            ),
            key(
                "department",
                Name(Snake),
                "The link to department that the scope reads.",
            ),
            key(
                "company",
                Name(Snake),
                "The link to company, when not the system column.",
            ),
            key("owner", Name(Snake), "Who sees this record sees ours."),
            key(
                "write_needs",
                OneOf(&["edit"]),
                "What one must be able to do with the owner to write ours; absent: to see it.",
            ),
        ]),
        "Whose a record is.",
    ),
    key(
        "states",
        Map(
            Code,
            &Table(&[
                key("to", List(&Name(Code)), "States it may move to."),
                key("category", OneOf(CATEGORIES), "What it amounts to (open)."),
                key("color", COLOR, "Colour of the badge."),
                key("requires", NAMES, "Fields that must be filled to enter it."),
                WAS,
            ]),
        ),
        "States, in the order in which they compare and sort.",
    ),
    key(
        "permissions",
        Map(Snake, &Table(ROLE_RIGHTS)),
        "By role: what it may do.",
    ),
];

const REACH: Shape = OrTable(
    &OneOf(SCOPES),
    &Table(&[
        needed("scope", OneOf(SCOPES), "How far it reaches."),
        key("where", Condition, "Only records that satisfy this."),
    ]),
);

/// The keys of `[permissions.ROLE]`: every action, and the rights on fields.
const ROLE_RIGHTS: &[Key] = &[
    key("view", REACH, "Read records."),
    key("create", REACH, "Make records."),
    key("edit", REACH, "Change records."),
    key("delete", REACH, "Delete and restore records."),
    key(
        "manage",
        REACH,
        "What the module reserves to those in charge.",
    ),
    key("approve", REACH, "Decide where a decision is asked."),
    key("export", REACH, "Take records out in bulk."),
    key(
        "fields",
        Map(Snake, &OneOf(FIELD_RIGHTS)),
        "Rights on fields; those not named have every right the action gives.",
    ),
];

/// One role of `roles.toml`.
pub(crate) const ROLE: &[Key] = &[
    key("inherits", NAMES, "Roles whose permissions it has too."),
    key(
        "permissions",
        TEXTS,
        "COLLECTION.ACTION.SCOPE, besides what entities say.",
    ),
];

/// `roles.toml`.
pub(crate) const ROLES: Shape = Map(Snake, &Table(ROLE));

/// `views/*.toml`.
pub(crate) const VIEW: &[Key] = &[
    needed(
        "name",
        Name(Snake),
        "Unique in its entity; its label is in locales.",
    ),
    needed("entity", Name(Snake), "What it lists."),
    key("columns", NAMES, "Columns, in order."),
    key("sort", TEXTS, "Sort; - for descending."),
    key("filter", Condition, "What it shows."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Action, Scope};

    #[test]
    fn every_action_and_scope_has_its_key() {
        for (name, _) in Action::NAMES {
            assert!(ROLE_RIGHTS.iter().any(|key| key.name == name), "{name}");
        }
        for name in SCOPES {
            assert!(Scope::parse(name).is_some(), "{name}");
        }
    }
}
