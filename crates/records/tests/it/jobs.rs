//! Deletions and restorations that go on as jobs, and what happens to jobs when processes die.

use std::time::Duration;

use opsflux_records::write::seed::{Announce, Seed, SeedRecord};
use opsflux_records::{Deletion, Error, Uuid};
use serde_json::{Value as Json, json};

use crate::world::{World, both, id_of};

both!(
    a_large_deletion_goes_on_as_a_job_and_comes_back_as_one,
    a_thousand_records_still_go_at_once,
    a_deep_chain_goes_to_its_end,
    who_joins_meanwhile_goes_too,
    what_refuses_brings_everything_back,
    a_stopped_deletion_brings_everything_back,
    another_process_goes_on_where_one_died,
    a_person_sees_his_own_jobs_only,
    a_job_nobody_knows_fails_and_says_so,
);

/// So many lines of one order, written as a batch.
async fn lines(world: &World, order: Uuid, count: i64) {
    let schema = world.records.schema();
    let entity = world.entity("line");
    let declared = schema.entity(entity);
    let now = world.records.now();
    let records = (0..count).map(|number| SeedRecord {
        entity,
        id: world.records.new_id(),
        company: Some(world.company),
        created: (now, None),
        updated: (now, None),
        values: vec![
            (declared.find("order").unwrap(), order.into()),
            (declared.find("quantity").unwrap(), number.into()),
        ],
    });
    let seed = Seed {
        records: records.collect(),
        system: Vec::new(),
        announce: Announce::Once,
    };
    world.records.seed(&world.admin, seed).await.unwrap();
}

async fn large_order(world: &World, count: i64) -> Uuid {
    let order = world.make("order", json!({"name": "A"})).await;
    lines(world, order, count).await;
    order
}

async fn living(world: &World) -> Json {
    let page = world.list(&world.admin, "line", "total=true&limit=1").await;
    page.unwrap()["total"].clone()
}

async fn work(world: &World) {
    while world.records.work_next_job().await.unwrap() {}
}

async fn job(world: &World, deletion: Deletion) -> Json {
    let id = deletion.job.expect("a job");
    world.get(&world.admin, "job", id).await.unwrap()
}

async fn a_large_deletion_goes_on_as_a_job_and_comes_back_as_one(world: World) {
    let order = large_order(&world, 1_800).await;
    let deletion = world.delete(&world.admin, "order", order).await.unwrap();
    let queued = job(&world, deletion).await;
    assert_eq!(
        (&queued["status"], &queued["done"]),
        (&json!("queued"), &json!(1))
    );
    assert_eq!(queued["record"]["id"], order.to_string());
    // The record is gone at once, what hangs on it when the job has been there.
    let gone = world.get(&world.admin, "order", order).await;
    assert!(matches!(gone, Err(Error::NotFound)));
    work(&world).await;
    let done = job(&world, deletion).await;
    assert_eq!(
        (&done["status"], &done["done"]),
        (&json!("done"), &json!(1_801))
    );
    assert_eq!(done["result"]["deletion"], deletion.id.to_string());
    assert_eq!(living(&world).await, 0);
    let audit = "action=delete&entity=line&limit=1&total=true";
    let audited = world
        .list(&world.admin, "audit_entry", audit)
        .await
        .unwrap();
    assert_eq!(audited["total"], 1_800);
    assert_eq!(audited["items"][0]["actor"], world.admin.user().to_string());

    let options = Default::default();
    let entity = world.entity("order");
    let restored = world
        .records
        .restore(&world.admin, entity, &order.to_string(), &options)
        .await;
    let (written, job) = restored.unwrap();
    assert_eq!(written.id, order);
    work(&world).await;
    let done = world.get(&world.admin, "job", job.unwrap()).await.unwrap();
    assert_eq!(
        (&done["status"], &done["done"]),
        (&json!("done"), &json!(1_801))
    );
    assert_eq!(living(&world).await, 1_800);
    let order = world.get(&world.admin, "order", order).await.unwrap();
    assert_eq!(order["line_count"], 1_800);
}

async fn a_thousand_records_still_go_at_once(world: World) {
    let order = large_order(&world, 999).await;
    let deletion = world.delete(&world.admin, "order", order).await.unwrap();
    assert_eq!(deletion.job, None);
    assert_eq!(living(&world).await, 0);
    world.restore(&world.admin, "order", order).await.unwrap();
    assert_eq!(living(&world).await, 999);
}

async fn a_deep_chain_goes_to_its_end(world: World) {
    // A ticket with a chain of sub-tickets below it, the deepest made first: its id is smaller.
    let mut ids: Vec<Uuid> = (0..30).map(|_| world.records.new_id()).collect();
    ids.reverse();
    for (place, id) in ids.iter().enumerate() {
        let mut body = json!({"id": id.to_string(), "title": format!("{place}")});
        if place > 0 {
            body["parent"] = ids[place - 1].to_string().into();
        }
        world.make("ticket", body).await;
    }
    let schema = world.records.schema();
    let entity = world.entity("ticket");
    let declared = schema.entity(entity);
    let now = world.records.now();
    let records = (0..1_001).map(|_| SeedRecord {
        entity,
        id: world.records.new_id(),
        company: Some(world.company),
        created: (now, None),
        updated: (now, None),
        values: vec![
            (declared.find("title").unwrap(), "leaf".into()),
            (declared.find("parent").unwrap(), ids[29].into()),
        ],
    });
    let seed = Seed {
        records: records.collect(),
        system: Vec::new(),
        announce: Announce::Once,
    };
    world.records.seed(&world.admin, seed).await.unwrap();
    let deletion = world.delete(&world.admin, "ticket", ids[0]).await.unwrap();
    work(&world).await;
    assert_eq!(job(&world, deletion).await["done"], 1_031);
    let left = world
        .list(&world.admin, "ticket", "total=true")
        .await
        .unwrap();
    assert_eq!(left["total"], 0);
}

async fn who_joins_meanwhile_goes_too(world: World) {
    let order = large_order(&world, 1_200).await;
    let ticket = world.make("ticket", json!({"title": "stays"})).await;
    world.delete(&world.admin, "order", order).await.unwrap();
    let late = json!({"order": order.to_string()});
    let refused = world.create(&world.admin, "line", late).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    work(&world).await;
    assert_eq!(living(&world).await, 0);
    world.get(&world.admin, "ticket", ticket).await.unwrap();
}

async fn what_refuses_brings_everything_back(world: World) {
    let order = large_order(&world, 1_500).await;
    let line = world.column(&world.admin, "line", "limit=1", "id").await;
    let claim = json!({"name": "broken", "line": line[0]});
    world.make("claim", claim).await;
    let deletion = world.delete(&world.admin, "order", order).await.unwrap();
    work(&world).await;
    let failed = job(&world, deletion).await;
    assert_eq!(failed["status"], "failed");
    assert!(
        failed["error"].as_str().unwrap().contains("claims"),
        "{failed}"
    );
    assert_eq!(living(&world).await, 1_500);
    let order = world.get(&world.admin, "order", order).await.unwrap();
    assert_eq!(order["line_count"], 1_500);
}

async fn a_stopped_deletion_brings_everything_back(world: World) {
    let order = large_order(&world, 1_500).await;
    let deletion = world.delete(&world.admin, "order", order).await.unwrap();
    let id = deletion.job.unwrap();
    world
        .records
        .cancel_job(&world.admin, &id.to_string())
        .await
        .unwrap();
    work(&world).await;
    assert_eq!(job(&world, deletion).await["status"], "cancelled");
    assert_eq!(living(&world).await, 1_500);
    world.get(&world.admin, "order", order).await.unwrap();
    let again = world
        .records
        .cancel_job(&world.admin, &id.to_string())
        .await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
}

async fn another_process_goes_on_where_one_died(world: World) {
    let order = large_order(&world, 3_000).await;
    let deletion = world.delete(&world.admin, "order", order).await.unwrap();
    // The first process is killed in the middle of the work: its future is simply dropped.
    let dying = world.another_process().await;
    let worked = tokio::time::timeout(Duration::from_millis(150), dying.work_next_job()).await;
    let before = job(&world, deletion).await;
    if worked.is_err() {
        assert_eq!(before["status"], "running");
        assert!(
            !world.records.work_next_job().await.unwrap(),
            "the lease still holds"
        );
    }
    world.clock.pass(Duration::from_secs(120));
    work(&world).await;
    let done = job(&world, deletion).await;
    assert_eq!(
        (&done["status"], &done["done"]),
        (&json!("done"), &json!(3_001))
    );
    assert_eq!(living(&world).await, 0);
    let audit = "action=delete&entity=line&limit=1&total=true";
    let audited = world
        .list(&world.admin, "audit_entry", audit)
        .await
        .unwrap();
    assert_eq!(audited["total"], 3_000, "nothing was done twice");
}

async fn a_person_sees_his_own_jobs_only(world: World) {
    let awa = world.caller("Awa Ndong", "user", Some(world.north)).await;
    let order = large_order(&world, 1_001).await;
    let entity = world.entity("order");
    let options = Default::default();
    let deletion = world
        .records
        .delete(&awa, entity, &order.to_string(), &options)
        .await
        .unwrap();
    let own = world.get(&awa, "job", deletion.job.unwrap()).await.unwrap();
    assert_eq!(own["kind"], "delete");
    assert_eq!(
        own["state"],
        Json::Null,
        "the inside of a job is nobody's business"
    );
    let other = world.caller("Ben Obame", "user", Some(world.north)).await;
    let hidden = world.get(&other, "job", deletion.job.unwrap()).await;
    assert!(matches!(hidden, Err(Error::NotFound)));
    let refused = world
        .records
        .cancel_job(&other, &deletion.job.unwrap().to_string())
        .await;
    assert!(matches!(refused, Err(Error::NotFound)));
}

async fn a_job_nobody_knows_fails_and_says_so(world: World) {
    use opsflux_model::schema::system;
    let schema = world.records.schema();
    let entity = world.entity("job");
    let declared = schema.entity(entity);
    let id = world.records.new_id();
    let values = [
        (system::ID, id.into()),
        (system::CREATED_AT, world.records.now().into()),
        ("kind", "dance".into()),
        ("status", "queued".into()),
    ];
    let values = values
        .into_iter()
        .map(|(name, value)| (declared.find(name).unwrap(), value))
        .collect();
    let commit = opsflux_store::Commit {
        tenant: crate::world::TENANT,
        writes: vec![opsflux_store::Write::Insert { entity, values }],
        ..Default::default()
    };
    world.records.store().commit(commit).await.unwrap();
    work(&world).await;
    let failed = world.get(&world.admin, "job", id).await.unwrap();
    assert_eq!(failed["status"], "failed");
    assert!(failed["error"].as_str().unwrap().contains("dance"));
    let _ = id_of(&failed);
}
