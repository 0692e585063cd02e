//! Mistakes in fields: types, limits, targets, defaults, names.

use super::*;

const IN_FIELDS: &str = r#"
x = { type = "txt" }
=> 6:14: unknown type “txt” — did you mean “text”?
x = { type = "text", requird = true }
=> 6:22: x of type text has no key “requird” — did you mean “required”?
x = { typ = "text" }
=> 6:5: type of x is missing
x = { type = "json", unique = true }
=> 6:22: x of type json has no key “unique”
x = { type = "text", max = "9" }
=> 6:28: max must be an integer, not a text
x = { type = "text", max = 0 }
=> 6:28: max must be at least 1
x = { type = "text", min = 9, max = 3 }
=> 6:28: min 9 is above max 3
x = { type = "text", pattern = "[a" }
=> 6:32: not a regular expression: unclosed character class
x = { type = "text", search = "hihg" }
=> 6:31: search cannot be “hihg” — did you mean “high”?
x = { type = "decimal", precision = 29 }
=> 6:37: precision is from 1 to 28, scale from 0 to precision
x = { type = "decimal", scale = 2, max = 1.234 }
=> 6:42: max is not a value of the field: more digits than 18,2
x = { type = "money", currency = "euro" }
=> 6:34: “euro” is not an ISO 4217 code such as EUR
x = { type = "integer", min = 99999999999999999999 }
=> 6:31: the integer has more than 64 bits
x = { type = "choice" }
=> 6:5: options of x of type choice is missing
x = { type = "choice", options = [] }
=> 6:34: there must be at least one option
x = { type = "choice", options = ["a", "a"] }
=> 6:40: the option “a” is there twice
x = { type = "choice", options = ["a b"] }
=> 6:35: “a b” is not a name: letters, digits, _ and -, at most 40 characters
x = { type = "choice", options = [{ value = "a", color = "grey" }] }
=> 6:58: color cannot be “grey” — did you mean “gray”?
x = { type = "choice", options = ["low"], default = "lwo" }
=> 6:53: default is not a value of type choice: low is needed — did you mean “low”?
x = { type = "date", default = "tomorrow" }
=> 6:32: default is not a value of type date: YYYY-MM-DD is needed
x = { type = "integer", default = 1.5 }
=> 6:35: default is not a value of type integer: an integer is needed
x = { type = "link", to = "usr" }
=> 6:27: there is no entity “usr” — did you mean “user”?
x = { type = "link", to = "user", default = "you" }
=> 6:45: default is not a value of type link: a UUID is needed
x = { type = "link", to = "user", acyclic = true }
=> 6:45: acyclic is for a link of an entity to itself
x = { type = "link", to = "user", inverse = "name" }
=> 6:45: user has a field “name”
x = { type = "link", to = "user", inverse = "files" }
=> 6:45: /files below a record is not free
x = { type = "link", to = "user", where = { field = "nam", op = "eq", value = "a" } }
=> 6:53: there is no field “nam”
x = { type = "link", to = "user", where = { field = "name", op = "like" } }
=> 6:66: there is no operator “like”; there are eq ne gt gte lt lte contains starts_with ends_with in not_in is_empty
x = { type = "link", to = "user", where = { all = [{ fld = "name" }] } }
=> 6:52: a condition is an object with all, any, not, or field, op and value
x = { type = "links", to = "user", on_delete = "cascade" }
=> 6:48: on_delete cannot be “cascade” — one of clear, refuse
x = { type = "any_link", to = "user" }
=> 6:31: to is a list of entities or "*", not “user” — to = ["user"]
x = { type = "any_link", to = [] }
=> 6:31: there must be at least one entity; "*" means any
x = { type = "any_link", to = ["user", "user"] }
=> 6:40: user is there twice
x = { type = "children", of = "user", via = "name" }
=> 6:45: user.name is not a link to ticket
x = { type = "children", of = "user", via = "tickt" }
=> 6:45: user has no field “tickt”
x = { type = "computed", returns = "link", expr = "a" }
=> 6:36: returns cannot be “link” — one of text, long_text, integer, decimal, boolean, date, datetime, duration
x = { type = "computed", returns = "text", expr = " " }
=> 6:51: expr says how the value is made
x = { type = "rollup", of = "lines", op = "count" }
=> 6:29: ticket has no inverse or child table “lines”
x = { type = "state", initial = "new" }
=> 6:1: x has no states: [states] is missing
Title = { type = "text" }
=> 6:1: “Title” is not a name: lower case words joined by _, at most 40 characters
created_at = { type = "datetime" }
=> 6:1: every record has created_at without declaring it
labels = { type = "tags" }
=> 6:1: labels has a meaning of its own on every record
title_key = { type = "text" }
=> 6:1: title_key is the name of a column of title
sort = { type = "text" }
=> 6:1: warning: sort is also a parameter of lists: it is filtered as sort[eq]=
x = { type = "link", to = "user", required = true }
=> 6:46: warning: x is required, but deleting its target empties it — on_delete = "cascade" or "refuse"
"#;

#[test]
fn mistakes_in_fields() {
    for (field, wanted) in cases(IN_FIELDS) {
        assert_eq!(check(&field), [wanted], "{field}");
    }
}
