//! Mistakes between files and between modules, and the ids of the lock.

use super::*;

#[test]
fn mistakes_between_files() {
    let ticket = format!("{START}{TITLE}");
    let again = ticket.replace("\"tickets\"", "\"imports\"");
    let view = "name = \"open\"\nentity = \"ticket\"\nsort = [\"-title\"]\nfilter = { field = \"titel\", op = \"eq\", value = 1 }\ncolumn = []";
    let roles = "[boss]\ninherits = [\"bos\"]\npermissions = [\"tickets.veiw.own\", \"tickets.view\", \"tickts.view.own\", \"tickets.view.department\"]\n[a]\ninherits = [\"b\"]\n[b]\ninherits = [\"a\"]";
    let source = module(&[
        ("entities/ticket.toml", &ticket),
        ("entities/ticket2.toml", &again),
        ("entity/lost.toml", ""),
        ("roles.toml", roles),
        ("views/a.toml", view),
        ("views/b.toml", "name = \"open\"\nentity = \"ticket\""),
    ]);
    insta::assert_snapshot!(found(&[source], Options::DRAFT).join("\n"));
}

#[test]
fn mistakes_between_modules() {
    let other = ModuleSource::new("other")
        .with(
            "module.toml",
            "name = \"othr\"\nversion = \"1\"\ndepends = [\"tset\"]\n[[menu]]\nentity = \"user\"\npage = \"x\"\n[[menu]]\nentity = \"user\"\nicon = \"x\"\n[settings.limit]\ntype = \"integer\"\nmax = 3\ndefault = 4\n[settings.rights]\ntype = \"link\"\ndefault = 1",
        )
        .with("entities/note.toml", "name = \"note\"\ncollection = \"notes\"\ntitle = \"about\"\n[fields]\nabout = { type = \"link\", to = \"user\", inverse = \"notes\" }")
        .with("roles.toml", "[clerk]\n");
    let first = module(&[("roles.toml", "[clerk]")]);
    insta::assert_snapshot!(found(&[other, first], Options::DRAFT).join("\n"));
}

#[test]
fn modules_that_depend_on_each_other_are_named() {
    let one = ModuleSource::new("one").with(
        "module.toml",
        "name = \"one\"\nversion = \"1.0.0\"\ndepends = [\"two\"]",
    );
    let two = ModuleSource::new("two").with(
        "module.toml",
        "name = \"two\"\nversion = \"1.0.0\"\ndepends = [\"one\"]",
    );
    assert_eq!(
        found(&[one, two], Options::DRAFT),
        ["modules/one/module.toml:3:11: modules depend on each other: one, two"]
    );
}

#[test]
fn a_module_that_needs_another_may_use_what_that_needs() {
    let entity = |name: &str, to: &str| {
        format!(
            "name = \"{name}\"\ncollection = \"{}\"\ntitle = \"id\"\n[fields]\nx = {{ type = \"link\", to = \"{to}\" }}",
            name.replace('_', "-")
        )
    };
    let start = |name: &str, depends: &str, to: &str| {
        ModuleSource::new(name)
            .with(
                "module.toml",
                format!("name = \"{name}\"\nversion = \"1.0.0\"\ndepends = [{depends}]"),
            )
            .with("entities/a.toml", entity(&format!("{name}_thing"), to))
    };
    let (top, middle) = (
        start("top", "\"middle\"", "base_thing"),
        start("middle", "\"base\"", "base_thing"),
    );
    let base = start("base", "", "base_thing");
    let accepted = declare(&[top, middle, base], Options::DRAFT).unwrap();
    let order: Vec<_> = accepted
        .schema
        .modules
        .iter()
        .map(|m| m.name.as_str())
        .collect();
    assert_eq!(order, ["base", "middle", "top"]);
    let order: Vec<_> = accepted
        .schema
        .entities
        .iter()
        .map(|e| e.name.as_str())
        .collect();
    assert_eq!(order, ["base_thing", "middle_thing", "top_thing"]);
}

#[test]
fn broken_syntax_is_reported_and_hides_nothing_elsewhere() {
    let broken = format!("{START}{TITLE}x = {{ type = \n[list\nsort = [\"x\"]");
    let other = "name = \"note\"\ncollection = \"notes\"\ntitle = \"about\"\n[fields]\nabout = { type = \"link\", to = \"ticket\" }\nbad = { type = \"txt\" }";
    let source = module(&[
        ("entities/note.toml", other),
        ("entities/ticket.toml", &broken),
    ]);
    let lines = found(&[source], Options::DRAFT);
    // The link to the broken entity is not dangling.
    assert_eq!(
        lines[0],
        "modules/test/entities/note.toml:6:16: unknown type “txt” — did you mean “text”?"
    );
    assert!(
        lines.len() > 1 && lines[1..].iter().all(|line| line.contains("ticket.toml")),
        "{lines:?}"
    );
}

#[test]
fn ids_come_from_the_lock_or_are_asked_for() {
    let ticket = format!("{START}{TITLE}level = {{ type = \"choice\", options = [\"low\"] }}");
    let source = |lock: &str| {
        ModuleSource::new("test")
            .with("module.toml", MODULE)
            .with("entities/ticket.toml", ticket.as_str())
            .with("schema.lock", lock)
    };
    let strict = Options {
        words: false,
        ..Options::STRICT
    };
    assert_eq!(
        found(&[source("")], strict),
        [
            "modules/test/entities/ticket.toml:1:8: ticket has no id in schema.lock yet — run opsflux module check --fix"
        ]
    );
    let mut count = 0;
    let mut mint = || {
        count += 1;
        format!("id{count}")
    };
    let (name, lock) = fix(&[source("")], &mut mint).unwrap().remove(0);
    assert_eq!(name, "test");
    let accepted = declare(&[source(&lock)], strict).unwrap();
    assert_eq!(accepted.schema.entities[0].id, "e_id1");
    assert_eq!(fix(&[source(&lock)], &mut mint), Ok(Vec::new()));
    // One line less: only what it was for is asked for.
    let without = lock.replace("\"ticket.title\" = \"f_id3\"\n", "");
    assert_eq!(
        found(&[source(&without)], strict),
        [
            "modules/test/entities/ticket.toml:5:1: ticket.title has no id in schema.lock yet — run opsflux module check --fix"
        ]
    );
    let twice = lock.replace("f_id3", "f_id2");
    assert!(found(&[source(&twice)], strict)[0].contains("have the same id"));
    let renamed = ticket
        .replace("title = {", "subject = { was = \"title\",")
        .replace("\"title\"\n", "\"subject\"\n");
    let renamed = ModuleSource::new("test")
        .with("module.toml", MODULE)
        .with("entities/ticket.toml", renamed)
        .with("schema.lock", lock);
    assert!(found(&[renamed], strict)[0].contains("does not know of the rename to ticket.subject"));
}
