//! Whoever tampers with the audit in the database is found, and nobody else.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use opsflux_records::audit::{Anchor, Bad, Erasure, Finding, Head, Walk, Wrong};
use opsflux_records::{ConflictKind, Error, Records, Uuid};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::watch;

use crate::world::{TENANT, World, both};

both!(
    every_entry_gets_its_seal_and_the_chain_is_whole,
    whatever_is_tampered_with_is_named,
    a_cut_or_exchanged_end_is_seen_by_the_heads,
    many_writers_and_two_processes_make_one_chain,
    what_a_dead_process_left_unsealed_is_sealed_by_the_next,
    entries_from_before_there_were_seals_are_sealed,
    what_is_removed_before_its_seal_is_missed,
    a_person_can_be_erased_and_the_chain_holds,
    another_secret_cannot_make_a_chain,
    old_entries_go_behind_a_signed_cut_and_young_ones_stay,
);

/// What keeps heads outside, in memory.
#[derive(Default)]
struct Outside(Mutex<Vec<Head>>);

impl Anchor for Outside {
    fn keep<'a>(&'a self, heads: &'a [Head]) -> BoxFuture<'a, Result<(), String>> {
        self.0.lock().extend_from_slice(heads);
        Box::pin(async { Ok(()) })
    }

    fn kept(&self) -> BoxFuture<'_, Result<Vec<Head>, String>> {
        Box::pin(async { Ok(self.0.lock().clone()) })
    }
}

async fn verified(records: &Records, outside: &Outside) -> Finding {
    let mut walk = Walk::of(TENANT);
    loop {
        let heads = outside.kept().await.unwrap();
        if let Some(finding) = walk.advance(records, &heads).await.unwrap() {
            return finding;
        }
    }
}

/// A world with some entries, all sealed, and what is needed to put them back.
async fn sealed(world: &World) -> Outside {
    let outside = Outside::default();
    for title in ["Printer", "Screen", "Keyboard"] {
        let id = world.make("ticket", json!({"title": title})).await;
        let patch = json!({"title": format!("{title} broken")});
        world.set(&world.admin, "ticket", id, patch).await.unwrap();
        world.records.seal_audit_now(&outside).await.unwrap();
    }
    for table in KEPT {
        world.sql(&format!(
            "CREATE TABLE kept_{table} AS SELECT * FROM {table}"
        ));
    }
    outside
}

const KEPT: [&str; 3] = ["r_audit_entry", "sys_audit_seal", "sys_audit_head"];

fn put_back(world: &World) {
    for table in KEPT {
        world.sql(&format!("DELETE FROM {table}"));
        world.sql(&format!("INSERT INTO {table} SELECT * FROM kept_{table}"));
    }
}

/// The entry at a place of the chain.
async fn entry_at(world: &World, seq: i64) -> Uuid {
    let store = world.records.store();
    let seals = store.audit_seals(TENANT, seq - 1, 1).await.unwrap();
    seals[0].entry
}

/// In SQL, the id of the entry at a place.
fn at(seq: i64) -> String {
    format!("(SELECT entry_id FROM kept_sys_audit_seal WHERE tenant_id = 1 AND seq = {seq})")
}

async fn every_entry_gets_its_seal_and_the_chain_is_whole(world: World) {
    let outside = Outside::default();
    let before = verified(&world.records, &outside).await;
    assert!(before.waiting > 0 && before.bad.is_none(), "{before:?}");
    world.records.seal_audit_now(&outside).await.unwrap();
    let count: i64 = world
        .sql("SELECT count(*) FROM r_audit_entry")
        .parse()
        .unwrap();
    let after = verified(&world.records, &outside).await;
    assert_eq!((after.entries, after.waiting), (count, 0));
    assert_eq!((&after.bad, after.outside), (&None, 1));
    // Without anything new there is no new head.
    world.records.seal_audit_now(&outside).await.unwrap();
    assert_eq!(outside.0.lock().len(), 1);
}

async fn whatever_is_tampered_with_is_named(world: World) {
    let outside = sealed(&world).await;
    let (third, fourth) = (entry_at(&world, 3).await, entry_at(&world, 4).await);
    let stranger = if world.on_postgres() {
        "'00000000-0000-7000-8000-000000000001'"
    } else {
        "x'00000000000070008000000000000001'"
    };
    let inserted: Uuid = "00000000-0000-7000-8000-000000000001".parse().unwrap();
    let (e3, e4) = (at(3), at(4));
    let cases: Vec<(&str, String, Bad)> = vec![
        (
            "what happened",
            format!("UPDATE r_audit_entry SET action = 'delete' WHERE id = {e3}"),
            bad(3, third, Wrong::Edited),
        ),
        (
            "the moment",
            format!(
                "UPDATE r_audit_entry SET created_at = (SELECT created_at FROM kept_r_audit_entry \
                 WHERE id = {e4}) WHERE id = {e3}"
            ),
            bad(3, third, Wrong::Edited),
        ),
        (
            "the address",
            format!("UPDATE r_audit_entry SET address = '10.0.0.1' WHERE id = {e3}"),
            bad(3, third, Wrong::WhoEdited),
        ),
        (
            "the values",
            format!("UPDATE r_audit_entry SET \"after\" = '{{}}' WHERE id = {e3}"),
            bad(3, third, Wrong::BodyEdited),
        ),
        (
            "the values, as if they were erased",
            format!(
                "UPDATE r_audit_entry SET \"before\" = NULL, \"after\" = NULL WHERE id = {e3}; \
                 UPDATE sys_audit_seal SET body_salt = NULL, erased_by = 'x', erased_mac = mac \
                 WHERE seq = 3"
            ),
            bad(3, third, Wrong::Erased),
        ),
        (
            "the order",
            "UPDATE sys_audit_seal SET seq = -3 WHERE seq = 3; \
             UPDATE sys_audit_seal SET seq = 3 WHERE seq = 4; \
             UPDATE sys_audit_seal SET seq = 4 WHERE seq = -3"
                .to_owned(),
            bad(3, fourth, Wrong::Reordered),
        ),
        (
            "a hash",
            "UPDATE sys_audit_seal SET meta = chain WHERE seq = 3".to_owned(),
            bad(3, third, Wrong::Reordered),
        ),
        (
            "the signature",
            "UPDATE sys_audit_seal SET mac = chain WHERE seq = 3".to_owned(),
            bad(3, third, Wrong::Reordered),
        ),
        (
            "an entry more",
            format!(
                "CREATE TABLE more AS SELECT * FROM r_audit_entry WHERE id = {e3}; \
                 UPDATE more SET id = {stranger}; INSERT INTO r_audit_entry SELECT * FROM more"
            ),
            Bad {
                seq: None,
                entry: Some(inserted),
                wrong: Wrong::Inserted,
            },
        ),
        (
            "an entry less",
            format!("DELETE FROM r_audit_entry WHERE id = {e4}"),
            bad(4, fourth, Wrong::Removed),
        ),
        (
            "an entry less, with its seal",
            format!(
                "DELETE FROM r_audit_entry WHERE id = {e4}; \
                 DELETE FROM sys_audit_seal WHERE seq = 4"
            ),
            Bad {
                seq: Some(4),
                entry: None,
                wrong: Wrong::SealRemoved,
            },
        ),
        (
            "an entry less, and the seals moved up",
            format!(
                "DELETE FROM r_audit_entry WHERE id = {e4}; \
                 DELETE FROM sys_audit_seal WHERE seq = 4; \
                 UPDATE sys_audit_seal SET seq = 4 WHERE seq = 5"
            ),
            bad(4, entry_at(&world, 5).await, Wrong::Reordered),
        ),
    ];
    for (what, sql, expected) in cases {
        world.sql(&sql);
        let finding = verified(&world.records, &outside).await;
        assert_eq!(finding.bad, Some(expected), "{what}");
        put_back(&world);
        let finding = verified(&world.records, &outside).await;
        assert_eq!(finding.bad, None, "put back after {what}");
    }
}

fn bad(seq: i64, entry: Uuid, wrong: Wrong) -> Bad {
    Bad {
        seq: Some(seq),
        entry: Some(entry),
        wrong,
    }
}

async fn a_cut_or_exchanged_end_is_seen_by_the_heads(world: World) {
    let outside = sealed(&world).await;
    let all = verified(&world.records, &outside).await.entries;
    let cut = format!(
        "DELETE FROM r_audit_entry WHERE id IN \
         (SELECT entry_id FROM sys_audit_seal WHERE seq > {0}); \
         DELETE FROM sys_audit_seal WHERE seq > {0}",
        all - 2
    );
    world.sql(&cut);
    let finding = verified(&world.records, &Outside::default()).await;
    let expected = |wrong| Bad {
        seq: Some(all - 1),
        entry: None,
        wrong,
    };
    assert_eq!(finding.bad, Some(expected(Wrong::CutOff)));

    // What comes after is sealed behind the gap, which stays.
    world.make("ticket", json!({"title": "After"})).await;
    let later = world.another_process().await;
    world.clock.pass(Duration::from_secs(10));
    later.seal_audit_now(&Outside::default()).await.unwrap();
    let finding = verified(&world.records, &Outside::default()).await;
    assert_eq!(finding.bad, Some(expected(Wrong::SealRemoved)));
    put_back(&world);
    world.sql("DELETE FROM sys_audit_new");

    // A head that was signed once, put back with the end it was signed for: the database is in
    // itself as it was then, and only what is outside knows better.
    world.sql(&cut);
    let older = outside
        .0
        .lock()
        .iter()
        .rfind(|head| head.entries == all - 2)
        .cloned();
    let older = older.expect("each turn has its head");
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let (open, close) = if world.on_postgres() {
        ("'\\x", "'")
    } else {
        ("x'", "'")
    };
    let time = if world.on_postgres() {
        format!("'{}'", older.at)
    } else {
        older.at.as_microsecond().to_string()
    };
    world.sql(&format!(
        "UPDATE sys_audit_head SET entries = {}, at = {time}, hash = {open}{}{close}, \
         mac = {open}{}{close}",
        older.entries,
        hex(&older.hash),
        hex(&older.mac),
    ));
    let finding = verified(&world.records, &Outside::default()).await;
    assert_eq!(finding.bad, None, "nothing inside can show it");
    let finding = verified(&world.records, &outside).await;
    assert_eq!(finding.bad, Some(expected(Wrong::CutOffOutside)));
    put_back(&world);

    // A head nobody signed, or none.
    for sql in [
        "UPDATE sys_audit_head SET entries = entries - 1",
        "DELETE FROM sys_audit_head",
    ] {
        world.sql(sql);
        let finding = verified(&world.records, &outside).await;
        assert_eq!(
            finding.bad.map(|bad| bad.wrong),
            Some(Wrong::Unsigned),
            "{sql}"
        );
        put_back(&world);
    }
}

async fn many_writers_and_two_processes_make_one_chain(world: World) {
    let outside = Arc::new(Outside::default());
    let (stop, stopped) = watch::channel(false);
    // Nobody opens a file twice; on PostgreSQL two processes would both like to seal.
    let mut sealing = vec![tokio::spawn(world.records.clone().seal_audit(
        outside.clone(),
        7,
        stopped.clone(),
    ))];
    if world.on_postgres() {
        let other = world.another_process().await;
        sealing.push(tokio::spawn(other.seal_audit(outside.clone(), 7, stopped)));
    }
    let writers = (0..8).map(|writer| {
        let world = &world;
        async move {
            for number in 0..25 {
                let title = format!("Ticket {writer}-{number}");
                world.make("ticket", json!({"title": title})).await;
            }
        }
    });
    futures::future::join_all(writers).await;
    stop.send(true).unwrap();
    for sealer in sealing {
        sealer.await.unwrap();
    }
    world.clock.pass(Duration::from_secs(10));
    world.records.seal_audit_now(&*outside).await.unwrap();
    let count: i64 = world
        .sql("SELECT count(*) FROM r_audit_entry")
        .parse()
        .unwrap();
    let finding = verified(&world.records, &outside).await;
    assert_eq!((finding.entries, finding.waiting), (count, 0));
    assert!(count > 200);
    assert_eq!(finding.bad, None);
}

async fn what_a_dead_process_left_unsealed_is_sealed_by_the_next(world: World) {
    let outside = Outside::default();
    world.records.seal_audit_now(&outside).await.unwrap();
    world.make("ticket", json!({"title": "Just before"})).await;
    let finding = verified(&world.records, &outside).await;
    assert_eq!(
        (finding.waiting, finding.bad),
        (1, None),
        "shown, not failed"
    );
    let next = world.another_process().await;
    world.clock.pass(Duration::from_secs(10));
    next.seal_audit_now(&outside).await.unwrap();
    let finding = verified(&next, &outside).await;
    assert_eq!((finding.waiting, finding.bad), (0, None));
}

async fn entries_from_before_there_were_seals_are_sealed(world: World) {
    world.sql("DELETE FROM sys_audit_new");
    let outside = Outside::default();
    let finding = verified(&world.records, &outside).await;
    assert_eq!(finding.bad.map(|bad| bad.wrong), Some(Wrong::Inserted));
    world.records.seal_audit_now(&outside).await.unwrap();
    let count: i64 = world
        .sql("SELECT count(*) FROM r_audit_entry")
        .parse()
        .unwrap();
    let finding = verified(&world.records, &outside).await;
    assert_eq!((finding.entries, finding.bad), (count, None));
}

async fn what_is_removed_before_its_seal_is_missed(world: World) {
    let outside = Outside::default();
    world.records.seal_audit_now(&outside).await.unwrap();
    let before = verified(&world.records, &outside).await.entries;
    world.make("ticket", json!({"title": "Gone"})).await;
    world.sql("DELETE FROM r_audit_entry WHERE id IN (SELECT entry_id FROM sys_audit_new)");
    world.records.seal_audit_now(&outside).await.unwrap();
    let finding = verified(&world.records, &outside).await;
    let bad = finding.bad.expect("somebody removed it");
    assert_eq!((bad.seq, bad.wrong), (Some(before + 1), Wrong::Removed));
}

async fn a_person_can_be_erased_and_the_chain_holds(world: World) {
    let outside = Outside::default();
    let person = world
        .caller("Eve Former", "technician", Some(world.north))
        .await;
    let ticket = world
        .create(&person, "ticket", json!({"title": "Hers"}))
        .await;
    ticket.unwrap();
    let erase = |what| {
        let (records, admin) = (world.records.clone(), world.admin.clone());
        async move { records.erase_from_audit(&admin, what, "request 7").await }
    };
    let busy = erase(Erasure::Record(person.user())).await;
    assert!(
        matches!(busy, Err(Error::Conflict(ConflictKind::Busy))),
        "what has no seal yet waits: {busy:?}"
    );
    world.records.seal_audit_now(&outside).await.unwrap();
    let named = "SELECT count(*) FROM r_audit_entry WHERE \"after\" LIKE '%Eve Former%'";
    assert_ne!(world.sql(named), "0");

    let refused = world
        .records
        .erase_from_audit(&person, Erasure::Acts(person.user()), "mine")
        .await;
    assert!(
        matches!(refused, Err(Error::Forbidden { .. })),
        "{refused:?}"
    );
    assert!(erase(Erasure::Record(person.user())).await.unwrap() >= 1);
    assert!(erase(Erasure::Acts(person.user())).await.unwrap() >= 1);
    world.records.seal_audit_now(&outside).await.unwrap();

    assert_eq!(world.sql(named), "0");
    let finding = verified(&world.records, &outside).await;
    assert_eq!(finding.bad, None);
    let told = "SELECT count(*) FROM r_audit_entry WHERE action = 'erase' AND reason = 'request 7'";
    assert_eq!(world.sql(told), "2");
    let salts = "SELECT count(*) FROM sys_audit_seal WHERE erased_by = 'request 7' \
                 AND (who_salt IS NULL OR body_salt IS NULL)";
    assert_ne!(world.sql(salts), "0");

    // What was erased stays empty: nobody may put other words there.
    world.sql(
        "UPDATE r_audit_entry SET \"after\" = '{\"full_name\": \"Somebody\"}' WHERE id IN \
         (SELECT entry_id FROM sys_audit_seal WHERE body_salt IS NULL)",
    );
    let finding = verified(&world.records, &outside).await;
    assert_eq!(finding.bad.map(|bad| bad.wrong), Some(Wrong::BodyEdited));
}

async fn another_secret_cannot_make_a_chain(world: World) {
    let outside = Outside::default();
    world.records.seal_audit_now(&outside).await.unwrap();
    let other = world.with_secret([8; 32]).await;
    let finding = verified(&other, &outside).await;
    let bad = finding.bad.expect("not signed by this one");
    assert_eq!((bad.seq, bad.wrong), (Some(1), Wrong::Reordered));
}

async fn old_entries_go_behind_a_signed_cut_and_young_ones_stay(world: World) {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let outside = Outside::default();
    world.records.seal_audit_now(&outside).await.unwrap();
    let old = verified(&world.records, &outside).await.entries;
    world.clock.pass(DAY * 60);
    world.make("ticket", json!({"title": "Young"})).await;
    world.records.seal_audit_now(&outside).await.unwrap();
    // Six years and eleven months after the old ones nothing goes.
    world.clock.pass(DAY * (6 * 365 + 275));
    assert_eq!(world.records.purge_audit(7).await.unwrap(), 0);
    world.clock.pass(DAY * 60);

    // Beyond an entry that is not as it was sealed nothing goes either.
    let second = "(SELECT entry_id FROM sys_audit_seal WHERE seq = 2)";
    world.sql(&format!(
        "UPDATE r_audit_entry SET source = 'else' WHERE id = {second}"
    ));
    assert_eq!(world.records.purge_audit(7).await.unwrap(), 1);
    assert_eq!(world.records.purge_audit(7).await.unwrap(), 0);
    world.sql(&format!(
        "UPDATE r_audit_entry SET source = 'test' WHERE id = {second}"
    ));
    let gone = world.records.purge_audit(7).await.unwrap();
    assert_eq!(i64::try_from(gone).unwrap(), old - 1);
    world.records.seal_audit_now(&outside).await.unwrap();

    let finding = verified(&world.records, &outside).await;
    assert_eq!((finding.purged, finding.bad), (old, None));
    let left = "SELECT count(*) FROM r_audit_entry WHERE action = 'create'";
    assert_eq!(world.sql(left), "1", "the young one");
    let told = "SELECT count(*) FROM r_audit_entry WHERE action = 'purge'";
    assert_eq!(world.sql(told), "2");
    world.sql("UPDATE sys_audit_head SET entries = entries + 1 WHERE place = 'cut'");
    let finding = verified(&world.records, &outside).await;
    assert_eq!(finding.bad.map(|bad| bad.wrong), Some(Wrong::Unsigned));
}

/// A transaction that began earlier and commits later is sealed all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_commits_late_is_sealed_late_on_postgres() {
    let world = World::postgres().await;
    let outside = Outside::default();
    world.records.seal_audit_now(&outside).await.unwrap();
    let (begun, has_begun) = std::sync::mpsc::channel();
    std::thread::scope(|threads| {
        let world = &world;
        let late = threads.spawn(move || {
            begun.send(()).unwrap();
            // As a change writes it, with an id older than all that follow.
            world.sql(
                "BEGIN; CREATE TEMP TABLE late AS SELECT * FROM r_audit_entry ORDER BY id LIMIT 1; \
                 UPDATE late SET id = '00000000-0000-7000-8000-000000000002'; \
                 INSERT INTO r_audit_entry SELECT * FROM late; \
                 INSERT INTO sys_audit_new SELECT tenant_id, id FROM late; \
                 SELECT pg_sleep(2); COMMIT",
            );
        });
        has_begun.recv().unwrap();
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                while !late.is_finished() {
                    world.make("ticket", json!({"title": "Meanwhile"})).await;
                    world.records.seal_audit_now(&outside).await.unwrap();
                }
            });
        });
        late.join().unwrap();
    });
    world.records.seal_audit_now(&outside).await.unwrap();
    let finding = verified(&world.records, &outside).await;
    assert_eq!((finding.waiting, finding.bad), (0, None));
    let late = "00000000-0000-7000-8000-000000000002".parse().unwrap();
    let seal = world.records.store().audit_seals_of(TENANT, &[late]).await;
    let seal = seal.unwrap().pop().expect("it has its seal");
    assert!(
        seal.seq > 6 && seal.seq >= finding.entries - 1,
        "{}",
        seal.seq
    );
}

/// One process seals; when it dies, another one takes over.
#[tokio::test(flavor = "multi_thread")]
async fn one_process_seals_at_a_time_on_postgres() {
    let world = World::postgres().await;
    let outside = Outside::default();
    world.records.seal_audit_now(&outside).await.unwrap();
    world.make("ticket", json!({"title": "One"})).await;
    let other = world.another_process().await;
    other.seal_audit_now(&outside).await.unwrap();
    let finding = verified(&other, &outside).await;
    assert_eq!(finding.waiting, 1, "the first one holds the lease");
    world.clock.pass(Duration::from_secs(7));
    other.seal_audit_now(&outside).await.unwrap();
    let finding = verified(&other, &outside).await;
    assert_eq!((finding.waiting, finding.bad), (0, None));
}
