//! What may exist once, and links that must point at something.

use opsflux_model::Value;
use opsflux_store::{Commit, CommitError, Set, SystemWrite, Write};
use uuid::Uuid;

use crate::bench::{Bench, on_both};
use crate::fixture::{at, id, insert};

on_both!(
    letter_case_and_accents_do_not_make_a_value_another,
    deleted_rows_do_not_keep_their_values,
    several_fields_are_unique_together,
    an_id_exists_once,
    what_is_written_again_by_its_id_is_there_once,
    a_link_points_at_a_row_of_the_tenant,
    what_is_pointed_at_is_not_removed,
    a_log_in_name_is_anybodys_once,
);

fn user(bench: &Bench, number: u128, email: &str) -> Write {
    let email = Value::from(email);
    insert(&bench.schema, "user", id(number), &[("email", email)])
}

fn taken(entity: &str, fields: &[&str], error: CommitError) {
    match error {
        CommitError::Unique {
            entity: of,
            fields: found,
        } => {
            assert_eq!(of, entity);
            assert_eq!(found, fields);
        }
        other => panic!("{other:?}"),
    }
}

async fn letter_case_and_accents_do_not_make_a_value_another(bench: Bench) {
    bench
        .commit(vec![user(&bench, 1, "Zoé@example.org")])
        .await
        .unwrap();
    let again = bench.commit(vec![user(&bench, 2, "ZOE@Example.org")]).await;
    taken("user", &["email"], again.unwrap_err());
    // Nothing is no value: any number of rows may have it.
    for number in [3, 4] {
        let nobody = insert(&bench.schema, "user", id(number), &[]);
        bench.commit(vec![nobody]).await.unwrap();
    }
}

fn mark(bench: &Bench, number: u128, version: i64, deletion: Option<Uuid>) -> Write {
    Write::Mark {
        entity: bench.entity("user"),
        id: id(number),
        expected_version: Some(version),
        deletion: deletion.map(|deletion| (at(1), deletion)),
    }
}

async fn deleted_rows_do_not_keep_their_values(bench: Bench) {
    bench
        .commit(vec![user(&bench, 1, "a@example.org")])
        .await
        .unwrap();
    bench
        .commit(vec![mark(&bench, 1, 1, Some(id(50)))])
        .await
        .unwrap();
    bench
        .commit(vec![user(&bench, 2, "A@example.org")])
        .await
        .unwrap();
    let restored = bench.commit(vec![mark(&bench, 1, 2, None)]).await;
    taken("user", &["email"], restored.unwrap_err());
}

async fn several_fields_are_unique_together(bench: Bench) {
    let department = insert(&bench.schema, "department", id(1), &[]);
    bench.commit(vec![department]).await.unwrap();
    let ticket = |number, code: &str| {
        let values = [
            ("department", Value::Id(id(1))),
            ("priority", Value::from("high")),
            ("code", Value::from(code)),
        ];
        insert(&bench.schema, "ticket", id(number), &values)
    };
    bench.commit(vec![ticket(10, "A")]).await.unwrap();
    bench.commit(vec![ticket(11, "B")]).await.unwrap();
    let again = bench.commit(vec![ticket(12, "a")]).await;
    taken(
        "ticket",
        &["department", "priority", "code"],
        again.unwrap_err(),
    );
}

async fn what_is_written_again_by_its_id_is_there_once(bench: Bench) {
    let once = |email: &str| match user(&bench, 1, email) {
        Write::Insert { entity, values } => Write::Once { entity, values },
        other => panic!("{other:?}"),
    };
    bench.commit(vec![once("a@example.org")]).await.unwrap();
    let other = user(&bench, 2, "b@example.org");
    bench
        .commit(vec![once("c@example.org"), other])
        .await
        .unwrap();
    // The first one stands: its value is taken, the second's is free.
    let again = bench.commit(vec![user(&bench, 3, "a@example.org")]).await;
    taken("user", &["email"], again.unwrap_err());
    let free = bench.commit(vec![user(&bench, 3, "c@example.org")]).await;
    free.unwrap();
    // Only the id makes it the same: another one's value is still his.
    let clash = bench.commit(vec![match user(&bench, 4, "b@example.org") {
        Write::Insert { entity, values } => Write::Once { entity, values },
        other => panic!("{other:?}"),
    }]);
    taken("user", &["email"], clash.await.unwrap_err());
}

async fn an_id_exists_once(bench: Bench) {
    bench
        .commit(vec![user(&bench, 1, "a@example.org")])
        .await
        .unwrap();
    let again = bench.commit(vec![user(&bench, 1, "b@example.org")]).await;
    taken("user", &["id"], again.unwrap_err());
}

async fn a_link_points_at_a_row_of_the_tenant(mut bench: Bench) {
    bench
        .commit(vec![user(&bench, 1, "a@example.org")])
        .await
        .unwrap();
    bench.tenant = 2;
    bench
        .commit(vec![user(&bench, 2, "b@example.org")])
        .await
        .unwrap();
    let dangles = |result: Result<_, CommitError>, name: &str| match result {
        Err(CommitError::Link { entity, field }) => {
            assert_eq!((entity.as_str(), field.as_deref()), ("thing", Some(name)));
        }
        other => panic!("{other:?}"),
    };
    let values = [("owner", Value::Id(id(1)))];
    let foreign = insert(&bench.schema, "thing", id(10), &values);
    dangles(bench.commit(vec![foreign]).await, "owner");
    let watchers = Value::Set(vec![Value::Id(id(2)), Value::Id(id(1))]);
    let foreign = insert(&bench.schema, "thing", id(10), &[("watchers", watchers)]);
    dangles(bench.commit(vec![foreign]).await, "watchers");
    let own = insert(
        &bench.schema,
        "thing",
        id(10),
        &[("owner", Value::Id(id(2)))],
    );
    bench.commit(vec![own]).await.unwrap();
    let update = Write::Update {
        entity: bench.entity("thing"),
        id: id(10),
        expected_version: None,
        set: vec![(bench.field("thing", "owner"), Set::To(Value::Id(id(1))))],
    };
    dangles(bench.commit(vec![update]).await, "owner");
}

async fn what_is_pointed_at_is_not_removed(bench: Bench) {
    let thing = insert(
        &bench.schema,
        "thing",
        id(10),
        &[("owner", Value::Id(id(1)))],
    );
    bench
        .commit(vec![user(&bench, 1, "a@example.org"), thing])
        .await
        .unwrap();
    let remove = Write::Remove {
        entity: bench.entity("user"),
        id: id(1),
    };
    match bench.commit(vec![remove]).await {
        Err(CommitError::Link { entity, field }) => {
            assert_eq!(
                (entity.as_str(), field.as_deref()),
                ("thing", Some("owner"))
            );
        }
        other => panic!("{other:?}"),
    }
}

async fn a_log_in_name_is_anybodys_once(bench: Bench) {
    let claim = |tenant, user| {
        let name = "awa@example.org".to_owned();
        let system = vec![SystemWrite::ClaimName { name, user }];
        bench.store.commit(Commit {
            tenant,
            system,
            ..Commit::default()
        })
    };
    claim(1, id(1)).await.unwrap();
    let found = bench.store.log_name("awa@example.org").await.unwrap();
    assert_eq!(found, Some((1, id(1))));
    assert!(matches!(claim(2, id(2)).await, Err(CommitError::NameTaken)));
    let release = vec![SystemWrite::ReleaseName {
        name: "awa@example.org".to_owned(),
    }];
    let commit = Commit {
        tenant: 1,
        system: release,
        ..Commit::default()
    };
    bench.store.commit(commit).await.unwrap();
    claim(2, id(2)).await.unwrap();
}
