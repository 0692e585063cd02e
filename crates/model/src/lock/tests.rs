//! What becomes of ids when declarations change.

use super::*;

fn thing(kind: Kind, path: &str, was: Option<&str>) -> Declared {
    Declared {
        kind,
        path: path.to_owned(),
        was: was.map(str::to_owned),
    }
}

fn entity(path: &str) -> Declared {
    thing(Kind::Entity, path, None)
}

fn field(path: &str, was: Option<&str>) -> Declared {
    thing(Kind::Field, path, was)
}

/// Assigns with the ids 1, 2, 3 …, continuing above those of the lock.
fn next(declared: &[Declared], lock: &Lock) -> (Lock, bool) {
    let mut count = lock.ids.len();
    assign(declared, lock, &mut || {
        count += 1;
        count.to_string()
    })
}

fn ticket() -> Lock {
    let declared = [
        entity("ticket"),
        field("ticket.a", None),
        field("ticket.b", None),
        thing(Kind::Option, "ticket.a.low", None),
        thing(Kind::State, "ticket.new", None),
    ];
    next(&declared, &Lock::default()).0
}

#[test]
fn a_lock_is_written_sorted_and_read_back() {
    let lock = ticket();
    assert_eq!(Lock::parse(&lock.render()).unwrap(), lock);
    insta::assert_snapshot!(lock.render(), @r#"
    # Immutable ids, minted by `opsflux module check --fix` and never edited by hand.
    # When two branches meet here, keep the lines of both.

    [entities]
    "ticket" = "e_1"

    [fields]
    "ticket.a" = "f_2"
    "ticket.b" = "f_3"

    [options]
    "ticket.a.low" = "o_4"

    [states]
    "ticket.new" = "s_5"
    "#);
}

#[test]
fn nothing_new_changes_nothing() {
    let declared = [
        entity("ticket"),
        field("ticket.a", None),
        field("ticket.b", None),
        thing(Kind::Option, "ticket.a.low", None),
        thing(Kind::State, "ticket.new", None),
    ];
    assert_eq!(next(&declared, &ticket()), (ticket(), false));
}

#[test]
fn a_rename_keeps_the_id_and_counts_once() {
    let declared = [
        entity("ticket"),
        field("ticket.title", Some("a")),
        field("ticket.b", None),
    ];
    let (lock, changed) = next(&declared, &ticket());
    assert!(changed);
    assert_eq!(lock.get(Kind::Field, "ticket.title"), Some("f_2"));
    assert_eq!(lock.get(Kind::Field, "ticket.a"), None);
    // The options of a renamed field move with it.
    assert_eq!(lock.get(Kind::Option, "ticket.title.low"), Some("o_4"));
    assert_eq!(next(&declared, &lock), (lock.clone(), false));
    // Once `was` is removed, so is its note.
    let (lock, _) = next(&[entity("ticket"), field("ticket.title", None)], &lock);
    assert!(!lock.render().contains("renamed"));
    assert_eq!(lock.get(Kind::Field, "ticket.title"), Some("f_2"));
}

#[test]
fn two_fields_may_swap_their_names() {
    let declared = [
        entity("ticket"),
        field("ticket.a", Some("b")),
        field("ticket.b", Some("a")),
    ];
    let (lock, _) = next(&declared, &ticket());
    assert_eq!(lock.get(Kind::Field, "ticket.a"), Some("f_3"));
    assert_eq!(lock.get(Kind::Field, "ticket.b"), Some("f_2"));
    assert_eq!(next(&declared, &lock).0, lock);
}

#[test]
fn a_new_field_under_a_name_given_up_gets_a_new_id() {
    let declared = [
        entity("ticket"),
        field("ticket.a", None),
        field("ticket.c", Some("a")),
    ];
    let (lock, _) = next(&declared, &ticket());
    assert_eq!(lock.get(Kind::Field, "ticket.c"), Some("f_2"));
    assert_eq!(lock.get(Kind::Field, "ticket.a"), Some("f_6"));
}

#[test]
fn an_entity_takes_everything_along_when_renamed() {
    let declared = [
        thing(Kind::Entity, "request", Some("ticket")),
        field("request.a", None),
        field("request.c", Some("b")),
    ];
    let (lock, _) = next(&declared, &ticket());
    let found: Vec<_> = lock
        .iter()
        .map(|(_, path, id)| format!("{path} {id}"))
        .collect();
    assert_eq!(
        found,
        [
            "request e_1",
            "request.a f_2",
            "request.c f_3",
            "request.a.low o_4",
            "request.new s_5"
        ]
    );
}

#[test]
fn what_is_no_longer_declared_keeps_its_id() {
    let (lock, _) = next(&[entity("ticket"), field("ticket.b", None)], &ticket());
    assert_eq!(lock.get(Kind::Field, "ticket.a"), Some("f_2"));
}

#[test]
fn a_lock_edited_by_hand_is_refused_where_it_is_wrong() {
    let error = Lock::parse("[fields]\n\"t.a\" = \"f_1\"\n\"t.b\" = \"f_1\"").unwrap_err();
    assert_eq!(error.at, "/fields/t.b");
    assert!(Lock::parse("[fields]\n\"t.a\" = \"x\"").is_err());
    assert!(Lock::parse("[things]\n").is_err());
    assert!(Lock::parse("[renamed.things]\n\"a\" = \"b\"").is_err());
}
