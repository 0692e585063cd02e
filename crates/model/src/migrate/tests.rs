//! Plans between versions of declarations, with the ids a lock keeps.

use super::*;
use crate::declare::{ModuleSource, Options, declare, fix};
use crate::layout::Table;

/// One module that changes over time.
#[derive(Default)]
struct Module {
    lock: String,
    minted: usize,
}

impl Module {
    /// The schema of the next version, with the lock carried on.
    fn next(&mut self, entities: &[&str]) -> Schema {
        let source = |lock: &str| {
            let start = ModuleSource::new("test")
                .with("module.toml", "name = \"test\"\nversion = \"1.0.0\"")
                .with("schema.lock", lock);
            entities
                .iter()
                .enumerate()
                .fold(start, |source, (place, text)| {
                    source.with(format!("entities/{place}.toml"), *text)
                })
        };
        let minted = &mut self.minted;
        let locks = fix(&[source(&self.lock)], &mut || {
            *minted += 1;
            format!("{minted:03}")
        });
        if let Some((_, lock)) = locks.unwrap().pop() {
            self.lock = lock;
        }
        let options = Options {
            words: false,
            ..Options::STRICT
        };
        declare(&[source(&self.lock)], options).unwrap().schema
    }
}

/// A ticket with these fields and further keys.
fn ticket(fields: &str, more: &str) -> String {
    format!(
        "name = \"ticket\"\ncollection = \"tickets\"\ntitle = \"title\"\n{more}\n[fields]\n{fields}"
    )
}

/// Compares two versions; whatever the plan, its steps must lead to the new layout.
fn compare(before: &[&str], after: &[&str], drop: &[&str]) -> Result<Plan, Vec<Refusal>> {
    let mut module = Module::default();
    let (before, after) = (module.next(before), module.next(after));
    let wishes = Wishes {
        drop: drop.iter().map(|name| (*name).to_owned()).collect(),
        ..Wishes::of(&after)
    };
    let (old, new) = (Layout::of(&before), Layout::of(&after));
    let plan = plan(&old, &new, &wishes)?;
    arrives(&plan, &old, &new);
    Ok(plan)
}

/// Every step finds what it names and leaves names unique; afterwards everything declared is
/// there.
fn arrives(plan: &Plan, old: &Layout, new: &Layout) {
    let mut layout = old.clone();
    for step in plan.expand.iter().chain(&plan.contract) {
        let before = layout.clone();
        step.apply(&mut layout);
        assert_ne!(layout, before, "{step:?} does nothing");
        let mut names: Vec<&str> = layout.tables.iter().map(|t| t.name.as_str()).collect();
        assert_unique(&mut names, step);
        for table in &layout.tables {
            let mut names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
            assert_unique(&mut names, step);
        }
    }
    assert_eq!(layout, plan.layout);
    for wanted in &new.tables {
        let found = layout.table(&wanted.name).unwrap();
        assert_eq!((&found.id, &found.kind), (&wanted.id, &wanted.kind));
        for column in &wanted.columns {
            assert!(found.columns.contains(column), "{column:?} of {found:?}");
        }
        let sorted = |table: &Table| {
            let mut indexes = table.indexes.clone();
            indexes.sort_by(|a, b| a.name.cmp(&b.name));
            indexes
        };
        assert_eq!(sorted(found), sorted(wanted));
    }
    // What was reached needs no further step.
    assert!(
        super::plan(&layout, new, &Wishes::default())
            .unwrap()
            .is_empty()
    );
}

fn assert_unique(names: &mut [&str], step: &Step) {
    names.sort_unstable();
    assert!(
        names.windows(2).all(|pair| pair[0] != pair[1]),
        "{step:?}: {names:?}"
    );
}

fn one_line(step: &Step) -> String {
    match step {
        Step::DropIndex { name, .. } => format!("drop index {name}"),
        Step::RenameTable { from, to } => format!("rename table {from} to {to}"),
        Step::RenameColumn { table, from, to } => format!("rename {table}.{from} to {to}"),
        Step::CreateTable(table) => format!("create table {}", table.name),
        Step::AddColumn { table, column } => format!("add {table}.{}", column.name),
        Step::ChangeKind {
            table, column, to, ..
        } => {
            format!("change {table}.{column} to {}", kind_name(*to))
        }
        Step::CreateIndex { index, .. } => format!("create index {}", index.name),
        Step::DropColumn { table, column } => format!("drop {table}.{column}"),
        Step::DropTable { table } => format!("drop table {table}"),
    }
}

fn lines(steps: &[Step]) -> Vec<String> {
    steps.iter().map(one_line).collect()
}

const TITLE: &str = "title = { type = \"text\" }\n";

#[test]
fn an_empty_database_gets_every_table() {
    let schema = Module::default().next(&[&ticket(TITLE, "number = \"TIC-{seq:4}\"")]);
    let new = Layout::of(&schema);
    let plan = plan(&Layout::default(), &new, &Wishes::of(&schema)).unwrap();
    arrives(&plan, &Layout::default(), &new);
    assert_eq!(
        lines(&plan.expand),
        [
            "create table r_ticket",
            "create index r_ticket__u__number_key",
            "create index r_ticket__i__created_at_desc__id_desc",
            "create index r_ticket__i__deletion_id",
        ]
    );
    assert!(plan.fill.is_empty() && plan.contract.is_empty());
}

#[test]
fn a_renamed_field_is_never_dropped_and_added() {
    let after = "title = { type = \"text\" }\nbudget = { type = \"money\", was = \"cost\" }";
    let plan = compare(
        &[&ticket(
            &format!("{TITLE}cost = {{ type = \"money\" }}"),
            "",
        )],
        &[&ticket(after, "")],
        &[],
    )
    .unwrap();
    assert_eq!(
        lines(&plan.expand),
        [
            "rename r_ticket.cost to budget",
            "rename r_ticket.cost_currency to budget_currency"
        ]
    );
    assert!(plan.fill.is_empty() && plan.contract.is_empty() && plan.kept.is_empty());
}

#[test]
fn fields_that_swap_their_names_pass_through_a_third() {
    let before =
        format!("{TITLE}a = {{ type = \"date\", index = true }}\nb = {{ type = \"date\" }}");
    let after = format!(
        "{TITLE}a = {{ type = \"date\", was = \"b\" }}\nb = {{ type = \"date\", was = \"a\", index = true }}"
    );
    let plan = compare(&[&ticket(&before, "")], &[&ticket(&after, "")], &[]).unwrap();
    assert_eq!(
        lines(&plan.expand),
        [
            "drop index r_ticket__i__a__created_at_desc__id_desc",
            "rename r_ticket.a to passing_0",
            "rename r_ticket.b to a",
            "rename r_ticket.passing_0 to b",
            "create index r_ticket__i__b__created_at_desc__id_desc",
        ]
    );
}

#[test]
fn an_index_whose_columns_changed_hands_is_made_again() {
    let more = "index = [[\"a\"], [\"b\"]]";
    let before = format!("{TITLE}a = {{ type = \"date\" }}\nb = {{ type = \"date\" }}");
    let after = format!(
        "{TITLE}a = {{ type = \"date\", was = \"b\" }}\nb = {{ type = \"date\", was = \"a\" }}"
    );
    let plan = compare(&[&ticket(&before, more)], &[&ticket(&after, more)], &[]).unwrap();
    let lines = lines(&plan.expand);
    assert!(
        lines.contains(&"drop index r_ticket__i__a__id".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"create index r_ticket__i__a__id".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn a_renamed_entity_takes_its_sets_and_the_links_to_it_along() {
    let fields = "title = { type = \"text\" }
        tags = { type = \"tags\" }
        parent = { type = \"link\", to = \"ENTITY\" }";
    let other = "name = \"note\"\ncollection = \"notes\"\ntitle = \"id\"\n[fields]
        about = { type = \"link\", to = \"ENTITY\" }";
    let before = ticket(&fields.replace("ENTITY", "ticket"), "");
    let after = before
        .replace("name = \"ticket\"", "name = \"request\"\nwas = \"ticket\"")
        .replace("to = \"ticket\"", "to = \"request\"");
    let (note, new_note) = (
        other.replace("ENTITY", "ticket"),
        other.replace("ENTITY", "request"),
    );
    let plan = compare(&[&before, &note], &[&after, &new_note], &[]).unwrap();
    let lines = lines(&plan.expand);
    assert!(lines.contains(&"rename table r_ticket to r_request".to_owned()));
    assert!(lines.contains(&"rename table s_ticket__tags to s_request__tags".to_owned()));
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("table r_note") || line.starts_with("create table"))
    );
    assert!(plan.contract.is_empty());
}

#[test]
fn a_new_field_is_nullable_and_filled_with_its_default() {
    let after = format!(
        "{TITLE}channel = {{ type = \"text\", default = \"Téléphone\", unique = true }}
        asked_at = {{ type = \"datetime\", default = \"now\" }}"
    );
    let plan = compare(&[&ticket(TITLE, "")], &[&ticket(&after, "")], &[]).unwrap();
    assert_eq!(
        lines(&plan.expand),
        [
            "add r_ticket.channel",
            "add r_ticket.channel_key",
            "add r_ticket.asked_at"
        ]
    );
    let fill = |column: &str, text: &str| Fill {
        table: "r_ticket".into(),
        column: column.into(),
        with: Filling::Constant(Value::from(text)),
    };
    assert_eq!(
        plan.fill,
        [
            fill("channel", "Téléphone"),
            fill("channel_key", "telephone")
        ]
    );
    // The rows decide whether it can be unique, so it waits for them.
    assert_eq!(
        lines(&plan.contract),
        ["create index r_ticket__u__channel_key"]
    );
}

#[test]
fn a_link_brings_its_foreign_key() {
    let after = format!("{TITLE}parent = {{ type = \"link\", to = \"ticket\" }}");
    let plan = compare(&[&ticket(TITLE, "")], &[&ticket(&after, "")], &[]).unwrap();
    let Some(Step::AddColumn { column, .. }) = plan.expand.first() else {
        unreachable!("{:?}", plan.expand)
    };
    assert_eq!(column.references.as_deref(), Some("r_ticket"));
}

#[test]
fn prose_that_becomes_a_short_text_gets_its_folded_key_and_back() {
    let prose = "title = { type = \"long_text\" }";
    let plan = compare(&[&ticket(prose, "")], &[&ticket(TITLE, "")], &[]).unwrap();
    assert_eq!(lines(&plan.expand), ["add r_ticket.title_key"]);
    assert_eq!(plan.fill[0].with, Filling::FoldOf("title".into()));
    let plan = compare(&[&ticket(TITLE, "")], &[&ticket(prose, "")], &[]).unwrap();
    assert_eq!(lines(&plan.contract), ["drop r_ticket.title_key"]);
    assert!(plan.kept.is_empty());
}

#[test]
fn what_is_no_longer_declared_is_kept_and_found_again() {
    let with = ticket(
        &format!("{TITLE}cost = {{ type = \"money\" }}\ntags = {{ type = \"tags\" }}"),
        "",
    );
    let without = ticket(TITLE, "");
    let mut module = Module::default();
    let first = Layout::of(&module.next(&[&with]));
    let second = Layout::of(&module.next(&[&without]));
    let hidden = plan(&first, &second, &Wishes::default()).unwrap();
    assert_eq!(hidden.kept, ["ticket.tags", "ticket.cost"]);
    assert!(hidden.contract.is_empty());
    let back = Layout::of(&module.next(&[&with]));
    let shown = plan(&hidden.layout, &back, &Wishes::default()).unwrap();
    arrives(&shown, &hidden.layout, &back);
    assert_eq!(lines(&shown.expand), ["create index s_ticket__tags__value"]);
}

#[test]
fn a_new_field_under_the_name_of_a_hidden_one_moves_that_aside() {
    let before = format!("{TITLE}cost = {{ type = \"integer\" }}");
    let after = format!(
        "{TITLE}price = {{ type = \"integer\", was = \"cost\" }}\ncost = {{ type = \"date\" }}"
    );
    // Renamed, and the old name given to something new: nothing is hidden.
    let plan = compare(&[&ticket(&before, "")], &[&ticket(&after, "")], &[]).unwrap();
    assert_eq!(
        lines(&plan.expand),
        ["rename r_ticket.cost to price", "add r_ticket.cost"]
    );

    // Forgotten by the lock: another field of the same name.
    let old = Layout::of(&Module::default().next(&[&ticket(&before, "")]));
    let mut new = Layout::of(&Module::default().next(&[&ticket(&before, "")]));
    let column = new.tables[0]
        .columns
        .iter_mut()
        .find(|c| c.name == "cost")
        .unwrap();
    column.id = "f_other".into();
    let plan = super::plan(&old, &new, &Wishes::default()).unwrap();
    arrives(&plan, &old, &new);
    assert_eq!(
        lines(&plan.expand),
        ["rename r_ticket.cost to gone_f_002", "add r_ticket.cost"]
    );
}

#[test]
fn only_what_is_named_is_dropped() {
    let note = "name = \"note\"\ncollection = \"notes\"\ntitle = \"id\"\n[fields]
        tags = { type = \"tags\" }
        about = { type = \"link\", to = \"ticket\" }";
    let with = ticket(
        &format!(
            "{TITLE}cost = {{ type = \"money\" }}\nnote = {{ type = \"link\", to = \"note\" }}"
        ),
        "",
    );
    let without = ticket(TITLE, "");
    let both = [with.as_str(), note];
    let plan = compare(&both, &[&without], &["ticket.cost", "ticket.note", "note"]).unwrap();
    assert_eq!(
        lines(&plan.contract),
        [
            "drop r_ticket.cost",
            "drop r_ticket.cost_currency",
            "drop r_ticket.note",
            "drop table s_note__tags",
            "drop table r_note",
        ]
    );
    let plan = compare(&both, &[&without], &["ticket.cost"]).unwrap();
    assert_eq!(plan.kept, ["note", "note.tags", "ticket.note"]);

    let refused = compare(&both, &[&without], &["note"]).unwrap_err();
    assert_eq!(
        refused[0].to_string(),
        "note cannot be dropped while ticket.note leads to it: name ticket.note too"
    );
    let refused = compare(&both, &[&without], &["ticket.title", "ticket.cots"]).unwrap_err();
    let refused: Vec<_> = refused.iter().map(ToString::to_string).collect();
    assert_eq!(
        refused,
        [
            "ticket.cots cannot be dropped: there is nothing of that name",
            "ticket.title cannot be dropped: it is declared",
        ]
    );
}

#[test]
fn entities_that_point_at_each_other_can_be_dropped_together() {
    let one = "name = \"one\"\ncollection = \"ones\"\ntitle = \"id\"\n[fields]\nx = { type = \"link\", to = \"two\" }";
    let two = "name = \"two\"\ncollection = \"twos\"\ntitle = \"id\"\n[fields]\nx = { type = \"link\", to = \"one\" }";
    let base = ticket(TITLE, "");
    let plan = compare(&[&base, one, two], &[&base], &["one", "two"]).unwrap();
    assert_eq!(
        lines(&plan.contract),
        ["drop r_one.x", "drop table r_two", "drop table r_one"]
    );
}

#[test]
fn a_decimal_may_grow_and_not_shrink() {
    let decimal = |precision, scale| {
        ticket(
            &format!(
                "{TITLE}size = {{ type = \"decimal\", precision = {precision}, scale = {scale} }}"
            ),
            "",
        )
    };
    let integer = ticket(&format!("{TITLE}size = {{ type = \"integer\" }}"), "");
    for (before, after, change) in [
        (
            decimal(18, 6),
            decimal(20, 6),
            Some("change r_ticket.size to decimal(20,6)"),
        ),
        (
            decimal(18, 6),
            decimal(20, 8),
            Some("change r_ticket.size to decimal(20,8)"),
        ),
        (
            integer.clone(),
            decimal(18, 0),
            Some("change r_ticket.size to decimal(18,0)"),
        ),
        // More digits after the point leave fewer before it.
        (decimal(18, 6), decimal(18, 8), None),
        (decimal(18, 6), decimal(18, 2), None),
        (decimal(18, 0), integer, None),
    ] {
        let plan = compare(&[&before], &[&after], &[]);
        match change {
            Some(change) => assert_eq!(lines(&plan.unwrap().expand), [change]),
            None => assert!(plan.is_err(), "{before} {after}"),
        }
    }
}

#[test]
fn what_would_change_the_meaning_of_values_is_refused() {
    let field = |kind: &str| ticket(&format!("{TITLE}x = {kind}"), "");
    let note = "name = \"note\"\ncollection = \"notes\"\ntitle = \"id\"\n[fields]\ny = { type = \"date\" }";
    for (before, after, reason) in [
        (
            "{ type = \"date\" }",
            "{ type = \"text\" }",
            "changes from date to text",
        ),
        (
            "{ type = \"text\" }",
            "{ type = \"integer\" }",
            "changes from text to integer",
        ),
        (
            "{ type = \"tags\" }",
            "{ type = \"text\" }",
            "changes from several values to text",
        ),
        (
            "{ type = \"text\" }",
            "{ type = \"tags\" }",
            "changes from text to several values",
        ),
        (
            "{ type = \"link\", to = \"note\" }",
            "{ type = \"link\", to = \"ticket\" }",
            "leads to note, not to ticket",
        ),
        (
            "{ type = \"links\", to = \"note\" }",
            "{ type = \"links\", to = \"ticket\" }",
            "leads to note, not to ticket",
        ),
        (
            "{ type = \"file\" }",
            "{ type = \"link\", to = \"note\" }",
            "leads to no entity",
        ),
    ] {
        let refused = compare(&[&field(before), note], &[&field(after), note], &[]).unwrap_err();
        let text = refused[0].to_string();
        assert!(
            text.starts_with("ticket.x") && text.contains(reason),
            "{text}"
        );
    }
    let log = ticket(TITLE, "kind = \"log\"");
    let refused = compare(&[&ticket(TITLE, "")], &[&log], &[]).unwrap_err();
    assert!(refused[0].to_string().contains("from a log into a record"));
}

#[test]
fn a_text_never_turns_into_a_secret() {
    let field = |kind: &str| ticket(&format!("{TITLE}pin = {{ type = \"{kind}\" }}"), "");
    let plan = compare(&[&field("long_text")], &[&field("secret")], &[]).unwrap();
    assert_eq!(
        lines(&plan.expand),
        ["rename r_ticket.pin to gone_f_002", "add r_ticket.pin"]
    );
    assert_eq!(plan.kept, ["ticket.pin"]);
}

#[test]
fn an_option_added_to_a_sorted_choice_makes_its_index_again() {
    let choice = |options: &str| {
        ticket(
            &format!("{TITLE}level = {{ type = \"choice\", options = [{options}] }}"),
            "index = [[\"-level\"]]",
        )
    };
    let plan = compare(
        &[&choice("\"low\", \"high\"")],
        &[&choice("\"low\", \"medium\", \"high\"")],
        &[],
    )
    .unwrap();
    assert_eq!(
        lines(&plan.expand),
        [
            "drop index r_ticket__i__level_desc__id_desc",
            "create index r_ticket__i__level_desc__id_desc"
        ]
    );
}

#[test]
fn free_text_does_not_become_a_choice_but_a_choice_becomes_text() {
    let text = ticket(
        "title = { type = \"text\" }\nplace = { type = \"text\" }",
        "",
    );
    let choice = ticket(
        "title = { type = \"text\" }\nplace = { type = \"choice\", options = [\"north\"] }",
        "",
    );
    let refused = compare(&[&text], &[&choice], &[]).unwrap_err();
    assert_eq!(refused.len(), 1);
    let told = refused[0].to_string();
    assert!(
        told.contains("ticket.place changes from text to choice"),
        "{told}"
    );
    let plan = compare(&[&choice], &[&text], &[]).unwrap();
    assert_eq!(lines(&plan.expand), ["add r_ticket.place_key"]);
    assert_eq!(plan.fill.len(), 1, "the key of each text is made");
}
