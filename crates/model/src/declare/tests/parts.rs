//! Mistakes in what an entity says about its fields.

use super::*;

const ABOUT_FIELDS: &str = r#"
title_ = 1
=> 4:1: an entity has no key “title_” — did you mean “title”?
unique = [["titel"]]
=> 4:12: ticket has no field “titel” — did you mean “title”?
unique = [["title", "title"]]
=> 4:21: title is there twice
index = [["-titel"]]
=> 4:11: ticket has no field “titel” — did you mean “title”?
index = [[]]
=> 4:10: an index has fields
number = "TIC-{sq:6}"
=> 4:10: there is no {sq:6}; there are {seq:N}, {yyyy}, {yy}, {mm}
icon = "Life Buoy"
=> 4:8: “Life Buoy” is not a name: lower case words joined by -, at most 40 characters
comments = "yes"
=> 4:12: comments must be true or false, not a text
[list]
columns = ["titel"]
=> 5:12: ticket has no field “titel” — did you mean “title”?
[list]
sort = ["id"]
=> 5:9: id of type id has no order to sort by
[list]
sort = ["title", "-title"]
=> 5:18: title is there twice
[form]
sections = [{ name = "a", fields = ["title"] }, { name = "a", fields = [] }]
=> 5:58: the section “a” is there twice
[form]
sections = [{ name = "a", fields = ["title"] }, { name = "b", fields = ["title"] }]
=> 5:73: title is in two sections
[form]
quick = ["version"]
=> 5:10: version is read only, nobody can fill it
[scope]
own = ["title"]
=> 5:8: title is not a link to user
[scope]
department = "company"
=> 5:14: company is not a link to department
[scope]
owner = "title"
=> 5:9: title is not a link to a record that could own this one
[permissions.usr]
view = "own"
=> 4:14: there is no role “usr” — did you mean “user”?
[permissions.user]
view = "department"
=> 5:8: ticket has nothing that makes a record belong to the scope department — say department in [scope]
[permissions.user]
view = "everything"
=> 5:8: view cannot be “everything” — one of own, department, company, all
[permissions.user]
veiw = "own"
=> 5:1: user has no key “veiw” — did you mean “view”?
[permissions.user]
view = { scope = "own", where = { field = "x", op = "eq" } }
=> 5:43: there is no field “x”
[permissions.user]
view = { scope = "own", where = { field = "company", op = "eq", value = "@us" } }
=> 5:73: the value of “company” is not valid: invalid_id: a UUID
[permissions.user]
view = { scope = "all", where = { field = "created_by", op = "not_in", value = "@my_groups" } }
=> 5:33: a permission cannot ask for not being in @my_groups
[permissions.user]
view = "own"
fields = { titel = "read" }
=> 6:12: ticket has no field “titel” — did you mean “title”?
[permissions.user]
view = "own"
fields = { title = "write" }
=> 6:20: title cannot be “write” — one of read, hidden, mask
[permissions.user.fields]
title = "read"
=> 4:19: warning: rights on fields give nothing to a role without any action here
[states]
new = {}
=> 4:2: no field is of type state
"#;

#[test]
fn mistakes_about_fields() {
    for (lines, wanted) in cases(ABOUT_FIELDS) {
        assert_eq!(check_head(&lines), [wanted], "{lines}");
    }
}

#[test]
fn mistakes_in_states() {
    let machine = |initial: &str, states: &str| {
        check(&format!(
            "status = {{ type = \"state\", initial = \"{initial}\" }}\n[states]\n{states}"
        ))
    };
    assert!(machine("new", "new = { to = [\"done\"] }\ndone = {}").is_empty());
    for (initial, states, wanted) in [
        (
            "nwe",
            "new = {}",
            "6:38: there is no state “nwe” — did you mean “new”?",
        ),
        (
            "new",
            "new = { to = [\"doen\"] }\ndone = {}",
            "8:15: there is no state “doen” — did you mean “done”?",
        ),
        (
            "new",
            "new = {}\nlost = { to = [\"new\"] }",
            "9:1: warning: no way leads from new to lost",
        ),
        (
            "new",
            "new = { requires = [\"titel\"] }",
            "8:21: ticket has no field “titel” — did you mean “title”?",
        ),
        (
            "new",
            "new = { category = \"opn\" }",
            "8:20: category cannot be “opn” — did you mean “open”?",
        ),
    ] {
        let lines = machine(initial, states);
        assert!(lines.contains(&wanted.to_owned()), "{lines:?}");
    }
    let two = "a = { type = \"state\", initial = \"x\" }\nb = { type = \"state\", initial = \"x\" }\n[states]\nx = {}";
    assert_eq!(check(two), ["7:1: an entity has one field of type state"]);
}

#[test]
fn a_field_that_is_wrong_is_reported_once() {
    let lines = check(
        "x = { type = \"txt\" }
[list]
columns = [\"x\"]
sort = [\"x\"]
[permissions.user]
view = { scope = \"own\", where = { field = \"x\", op = \"gt\", value = 3 } }
[permissions.user.fields]
x = \"hidden\"",
    );
    assert_eq!(lines, ["6:14: unknown type “txt” — did you mean “text”?"]);
}

#[test]
fn a_view_must_come_sorted_from_an_index() {
    let ticket = |more: &str| {
        format!(
            "{START}{more}\n[fields]\ntitle = {{ type = \"text\" }}\nlevel = {{ type = \"choice\", options = [\"low\", \"high\"] }}
            who = {{ type = \"link\", to = \"user\" }}\ndue = {{ type = \"date\", index = true }}"
        )
    };
    let served = |more: &str, view: &str| {
        let view = format!("name = \"v\"\nentity = \"ticket\"\n{view}");
        let source = module(&[
            ("entities/ticket.toml", &ticket(more)),
            ("views/v.toml", &view),
        ]);
        found(&[source], Options::DRAFT)
    };
    let mine = "filter = { field = \"who\", op = \"eq\", value = \"@me\" }\n";
    for (more, view) in [
        ("", String::new()),
        ("", "sort = [\"-created_at\"]".to_owned()),
        // Every link comes with its newest first.
        ("", format!("{mine}sort = [\"-created_at\"]")),
        ("index = [[\"-level\"]]", format!("{mine}sort = [\"-level\"]")),
        ("index = [[\"who\", \"-level\", \"due\"]]", format!("{mine}sort = [\"-level\", \"due\"]")),
        ("[list]\nsort = [\"title\"]", "sort = [\"title\"]".to_owned()),
        ("index = [[\"who\", \"title\"]]", "filter = { all = [{ field = \"who\", op = \"in\", value = [\"@me\"] }, { field = \"due\", op = \"gt\", value = \"@today\" }] }\nsort = [\"title\"]".to_owned()),
    ] {
        assert_eq!(served(more, &view), [""; 0], "{more} {view}");
    }
    for (more, view, hint) in [
        ("", "sort = [\"title\"]".to_owned(), "[\"title\"]"),
        ("index = [[\"title\"]]", "sort = [\"-title\"]".to_owned(), "[\"-title\"]"),
        ("index = [[\"who\", \"title\"]]", "sort = [\"title\"]".to_owned(), "[\"title\"]"),
        ("index = [[\"-level\", \"due\"]]", format!("{mine}sort = [\"-level\"]"), "[\"who\", \"-level\"]"),
        // Either way round, the rows of one are not those of the other.
        ("index = [[\"who\", \"title\"]]", "filter = { any = [{ field = \"who\", op = \"eq\", value = \"@me\" }, { field = \"title\", op = \"eq\", value = \"x\" }] }\nsort = [\"title\"]".to_owned(), "[\"title\"]"),
    ] {
        let lines = served(more, &view);
        assert_eq!(lines.len(), 1, "{more} {view} {lines:?}");
        let wanted = format!("sort without index — add {hint} to index of ticket");
        assert!(lines[0].ends_with(&wanted), "{}", lines[0]);
    }
}

#[test]
fn owners_bound_what_they_own() {
    let ticket = format!("{START}comments = true\n{TITLE}");
    let comment = |scope: &str, view: &str| {
        let text = format!(
            "name = \"comment\"\ncollection = \"comments\"\ntitle = \"id\"\n[fields]\ntarget = {{ type = \"link\", to = \"ticket\" }}\n[scope]\n{scope}\n[permissions.user]\nview = \"{view}\""
        );
        found(
            &[module(&[
                ("entities/ticket.toml", &ticket),
                ("entities/comment.toml", &text),
            ])],
            Options::DRAFT,
        )
    };
    assert!(comment("owner = \"target\"", "all").is_empty());
    assert!(comment("owner = \"target\"", "company").is_empty());
    let lines = comment("owner = \"target\"", "own");
    assert!(
        lines[0].contains("scope own — its owner bounds it"),
        "{lines:?}"
    );
    let lines = comment("owner = \"target\"\nown = [\"created_by\"]", "all");
    assert!(lines[0].contains("own adds nothing"), "{lines:?}");
    let ring = ticket.replace(
        "[fields]\n",
        "[fields]\nx = { type = \"link\", to = \"comment\" }\n",
    ) + "[scope]\nowner = \"x\"";
    let text = "name = \"comment\"\ncollection = \"comments\"\ntitle = \"id\"\n[fields]\ntarget = { type = \"link\", to = \"ticket\" }\n[scope]\nowner = \"target\"";
    let lines = found(
        &[module(&[
            ("entities/ticket.toml", &ring),
            ("entities/comment.toml", text),
        ])],
        Options::DRAFT,
    );
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("comment would own itself"), "{lines:?}");
}

#[test]
fn logs_are_written_by_their_engine_only() {
    let log = "name = \"visit\"\ncollection = \"visits\"\ntitle = \"id\"\nkind = \"log\"\nfiles = true\nnumber = \"V-{seq:4}\"\n[fields]\nat = { type = \"date\" }\n[permissions.user]\nview = \"all\"\nedit = \"all\"";
    let found = Schema::from_declarations(&[log], "").unwrap_err();
    let lines: Vec<_> = found.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(
        lines,
        [
            "a log has no files",
            "a log has no number",
            "a log is written by its engine only"
        ]
    );
}
