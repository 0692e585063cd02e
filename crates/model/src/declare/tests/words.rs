//! Words people read, in four languages.

use super::*;

const TICKET: &str = r#"
name = "ticket"
collection = "tickets"
title = "title"
[form]
sections = [{ name = "main", fields = ["title"] }]
[fields]
title = { type = "text" }
level = { type = "choice", options = ["low"] }
status = { type = "state", initial = "new" }
parent = { type = "link", to = "ticket", inverse = "children" }
[states]
new = {}
"#;

const HEAD: &str = r#"
name = "test"
version = "1.0.0"
[[menu]]
page = "start"
[settings.limit]
type = "choice"
options = ["one"]
default = "one"
"#;

const WORDS: &str = r#"{
  "module": "Test",
  "pages": { "start": "Start" },
  "roles": { "clerk": "Clerk" },
  "settings": { "limit": "Limit" },
  "setting_help": { "limit": "How many" },
  "setting_options": { "limit": { "one": "One" } },
  "entities": {
    "ticket": {
      "one": "Ticket",
      "other": "Tickets",
      "fields": { "title": "Title", "level": "Level", "status": "Status", "parent": "Parent" },
      "help": { "title": "In one line" },
      "options": { "level": { "low": "Low" } },
      "states": { "new": "New" },
      "related": { "children": "Children" },
      "sections": { "main": "Main" },
      "views": { "mine": "Mine" }
    }
  },
  "errors": { "test.open_one": "{{count}} open", "test.open_other": "{{count}} open" }
}"#;

/// What is found when English differs from the other languages.
fn english(change: impl Fn(&str) -> String) -> Vec<String> {
    let source = ModuleSource::new("test")
        .with("module.toml", HEAD)
        .with("entities/ticket.toml", TICKET)
        .with("roles.toml", "[clerk]")
        .with("views/mine.toml", "name = \"mine\"\nentity = \"ticket\"");
    let source = ["fr", "es", "pt"].iter().fold(source, |source, language| {
        source.with(format!("locales/{language}.json"), WORDS)
    });
    let source = source.with("locales/en.json", change(WORDS));
    let options = Options {
        words: true,
        ..Options::DRAFT
    };
    let lines = found(&[source], options);
    let short = lines
        .iter()
        .map(|line| line.replace("modules/test/locales/", ""));
    short.collect()
}

#[test]
fn nothing_is_missing_when_all_is_said() {
    assert_eq!(english(str::to_owned), [""; 0]);
}

#[test]
fn every_label_is_asked_for_where_it_belongs() {
    for (said, place, path) in [
        ("\"module\": \"Test\",", "en.json:1:1", "module"),
        ("\"start\": \"Start\"", "en.json:3:12", "pages.start"),
        ("\"clerk\": \"Clerk\"", "en.json:4:12", "roles.clerk"),
        ("\"limit\": \"Limit\"", "en.json:5:15", "settings.limit"),
        (
            "\"limit\": \"How many\"",
            "en.json:6:19",
            "setting_help.limit",
        ),
        (
            "\"one\": \"One\"",
            "en.json:7:33",
            "setting_options.limit.one",
        ),
        (
            "\"one\": \"Ticket\",",
            "en.json:9:15",
            "entities.ticket.one",
        ),
        (
            "\"level\": \"Level\", ",
            "en.json:12:17",
            "entities.ticket.fields.level",
        ),
        (
            "\"title\": \"In one line\"",
            "en.json:13:15",
            "entities.ticket.help.title",
        ),
        (
            "\"low\": \"Low\"",
            "en.json:14:29",
            "entities.ticket.options.level.low",
        ),
        (
            "\"new\": \"New\"",
            "en.json:15:17",
            "entities.ticket.states.new",
        ),
        (
            "\"children\": \"Children\"",
            "en.json:16:18",
            "entities.ticket.related.children",
        ),
        (
            "\"main\": \"Main\"",
            "en.json:17:19",
            "entities.ticket.sections.main",
        ),
        (
            "\"mine\": \"Mine\"",
            "en.json:18:16",
            "entities.ticket.views.mine",
        ),
    ] {
        let lines = english(|words| words.replace(said, ""));
        assert_eq!(lines, [format!("{place}: {path} is missing")]);
    }
}

#[test]
fn a_whole_group_or_file_is_asked_for_once() {
    let lines = english(|words| words.replace("\"fields\":", "\"fileds\":"));
    assert_eq!(
        lines,
        [
            "en.json:9:15: entities.ticket.fields is missing, with 4 labels",
            "en.json:12:17: warning: nothing is called entities.ticket.fileds — did you mean “fields”?"
        ]
    );
    let source =
        ModuleSource::new("test").with("module.toml", "name = \"test\"\nversion = \"1.0.0\"");
    let lines = found(&[source], Options::STRICT);
    assert_eq!(lines.len(), 4);
    assert_eq!(
        lines[0],
        "modules/test/locales/en.json:1:1: the file is missing, with 1 labels"
    );
}

#[test]
fn labels_are_texts_that_say_something_and_stand_once() {
    let lines = english(|words| words.replace("\"Title\"", "\" \""));
    assert_eq!(
        lines,
        ["en.json:12:28: entities.ticket.fields.title is empty"]
    );
    let lines = english(|words| words.replace("\"Title\"", "3"));
    assert_eq!(
        lines,
        ["en.json:12:28: entities.ticket.fields.title must be a text"]
    );
    let lines = english(|words| words.replace("{ \"main\": \"Main\" }", "\"Main\""));
    assert_eq!(
        lines,
        ["en.json:17:19: entities.ticket.sections must be an object"]
    );
    let lines = english(|words| words.replace("{ \"start\":", "{ \"start\": \"a\", \"start\":"));
    assert_eq!(lines, ["en.json:3:37: pages.start is there twice"]);
}

#[test]
fn plurals_need_the_forms_all_languages_have() {
    let lines = english(|words| words.replace("\"test.open_one\": \"{{count}} open\", ", ""));
    assert_eq!(lines, ["en.json:21:13: errors.test.open_one is missing"]);
    let lines = english(|words| {
        words.replace(
            "\"test.open_one\"",
            "\"test.open_many\": \"{{count}} open\", \"test.open_one\"",
        )
    });
    assert_eq!(lines, [""; 0]);
    // One more message in English is missing in the others.
    let lines = english(|words| {
        words.replace(
            "\"errors\": {",
            "\"errors\": { \"test.closed\": \"Closed\",",
        )
    });
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("es.json") && lines[0].ends_with("errors.test.closed is missing"));
}

#[test]
fn a_placeholder_is_the_same_in_every_language() {
    let lines = english(|words| {
        words.replace(
            "\"test.open_one\": \"{{count}}",
            "\"test.open_one\": \"{{number}}",
        )
    });
    assert_eq!(
        lines,
        ["en.json:21:32: errors.test.open_one has other {{…}} than in fr"]
    );
}
