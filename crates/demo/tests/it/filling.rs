//! What is made, for whom, and when not.

use std::collections::{BTreeMap, BTreeSet};

use opsflux_demo::{Error, MOST_TICKETS};
use opsflux_model::Value;
use opsflux_model::fold::fold;
use opsflux_model::schema::{FieldType, system};
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, ListRequest, Origin, Uuid};

use crate::instance::{Instance, TENANT, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_company_is_made_on_sqlite() {
    whole(Instance::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_company_is_made_on_postgresql() {
    whole(Instance::postgres().await).await;
}

async fn whole(instance: Instance) {
    let summary = instance.fill(400, 1).await.unwrap();
    let counted = |entity: &str| summary.rows.get(entity).copied().unwrap_or_default();
    assert_eq!(summary.company, "Gabon Énergie Services");
    assert_eq!(counted("user"), 120);
    assert_eq!(counted("ticket"), 400);
    assert_eq!(counted("organisation"), 200);
    assert_eq!(counted("person"), 350);
    assert_eq!(counted("deal"), 120);
    customers_are_consistent(&instance).await;
    assert!(
        (400..550).contains(&counted("asset")),
        "{}",
        counted("asset")
    );
    assert!(counted("comment") > 800, "{}", counted("comment"));
    for (entity, count) in &summary.rows {
        // Whoever set the instance up is there too, with a membership.
        let set_up = u64::from(matches!(entity.as_str(), "user" | "membership"));
        assert_eq!(
            instance.all(entity).await.len() as u64,
            count + set_up,
            "{entity}"
        );
    }
    links_live(&instance).await;
    names_sign_in(&instance).await;
    the_feed_tells_all(&instance, summary.rows.values().sum()).await;
    let schema = instance.schema();
    let companies = instance.all("company").await;
    assert_eq!(companies.len(), 1);
    assert_eq!(text(&schema, &companies[0], "code"), "ges");
    assert_eq!(
        instance
            .records
            .store()
            .log_name("company:ges")
            .await
            .unwrap()
            .unwrap()
            .0,
        TENANT
    );
}

/// What the rules of deals would have seen to.
async fn customers_are_consistent(instance: &Instance) {
    let schema = instance.schema();
    let moves = instance.all("deal_stage_change").await;
    for deal in instance.all("deal").await {
        let get = |name: &str| deal.get(&schema, name);
        let mut last = moves
            .iter()
            .filter(|row| row.get(&schema, "deal").as_id() == Some(deal.id))
            .collect::<Vec<_>>();
        last.sort_by_key(|row| format!("{:?}", row.get(&schema, "created_at")));
        let last = last.last().expect("a deal has come to its first stage");
        assert_eq!(last.get(&schema, "to"), get("stage"), "{}", deal.id);
        assert_eq!(last.get(&schema, "created_at"), get("stage_since"));
        let stage = get("stage").as_text().expect("a stage");
        let decided = ["signe", "perdu"].contains(&stage);
        assert_eq!(!get("closed_on").is_empty(), decided, "{stage}");
        assert_eq!(!get("lost_reason").is_empty(), stage == "perdu");
        assert!(!get("weighted").is_empty() && !get("organisation").is_empty());
    }
    for organisation in instance.all("organisation").await {
        let main = organisation.get(&schema, "main_contact");
        assert!(!main.is_empty(), "somebody is to be called first");
    }
}

/// Every link of every record points at a living one, and no record is above itself.
async fn links_live(instance: &Instance) {
    let schema = instance.schema();
    let mut living: BTreeMap<String, BTreeSet<Uuid>> = BTreeMap::new();
    let mut records: Vec<Snapshot> = Vec::new();
    for (_, entity) in schema.iter().filter(|(_, e)| e.kind == Default::default()) {
        let all = instance.all(&entity.name).await;
        living.insert(
            entity.name.clone(),
            all.iter().map(|record| record.id).collect(),
        );
        records.extend(all);
    }
    let mut above: BTreeMap<Uuid, Uuid> = BTreeMap::new();
    let mut links = 0;
    for record in &records {
        let entity = schema.entity(record.entity);
        for (ix, field) in entity.iter() {
            let value = record.value(ix);
            let (to, ids): (&str, Vec<Uuid>) = match (&field.kind, value) {
                (_, Value::Null) => continue,
                (FieldType::Link(link), value) => {
                    if link.acyclic {
                        above.insert(record.id, value.as_id().unwrap());
                    }
                    (&schema.entity(link.to).name, vec![value.as_id().unwrap()])
                }
                (FieldType::Links(link), Value::Set(items)) => (
                    &schema.entity(link.to).name,
                    items.iter().map(|id| id.as_id().unwrap()).collect(),
                ),
                (FieldType::AnyLink { .. }, Value::Ref { entity, id }) => (entity, vec![*id]),
                _ => continue,
            };
            for id in ids {
                assert!(
                    living[to].contains(&id),
                    "{}.{} → {to} {id}",
                    entity.name,
                    field.name
                );
                links += 1;
            }
        }
    }
    assert!(links > 5_000, "{links}");
    for record in &records {
        let (mut at, mut steps) = (record.id, 0);
        while let Some(next) = above.get(&at) {
            (at, steps) = (*next, steps + 1);
            assert!(steps < 20, "{} is above itself", record.id);
        }
    }
}

/// E-mail and username of everybody lead to him, whatever their case.
async fn names_sign_in(instance: &Instance) {
    let schema = instance.schema();
    for user in instance.all("user").await {
        for field in ["email", "username"] {
            let name = fold(&text(&schema, &user, field).to_uppercase());
            let found = instance.records.store().log_name(&name).await.unwrap();
            assert_eq!(found, Some((TENANT, user.id)), "{name}");
        }
    }
}

async fn the_feed_tells_all(instance: &Instance, rows: u64) {
    let (mut told, mut after) = (BTreeSet::new(), 0);
    loop {
        let entries = instance
            .records
            .store()
            .feed_after(after, 1_000)
            .await
            .unwrap();
        let Some(last) = entries.last() else { break };
        after = last.pos;
        let demo = entries
            .iter()
            .filter(|entry| entry.entry.body.source == "demo");
        told.extend(demo.map(|entry| (entry.entry.entity.clone(), entry.entry.record)));
    }
    // And that the first company has got its name.
    assert_eq!(told.len() as u64, rows + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_makes_the_same_company_and_another_seed_another() {
    let titles = async |seed| {
        let instance = Instance::sqlite().await;
        instance.fill(150, seed).await.unwrap();
        let mut made: Vec<Vec<Value>> = Vec::new();
        for entity in [
            "site",
            "department",
            "group",
            "asset",
            "ticket",
            "comment",
            "file",
        ] {
            let schema = instance.schema();
            let company = schema
                .entity(schema.find(entity).unwrap())
                .find(system::COMPANY);
            for mut record in instance.all(entity).await {
                // The company itself was there before.
                if let Some(company) = company {
                    record.values[usize::from(company.0)] = Value::Null;
                }
                made.push(record.values);
            }
        }
        made
    };
    let (first, again, other) = (titles(5).await, titles(5).await, titles(6).await);
    assert!(first == again, "the same seed made something else");
    assert!(first != other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_use_is_left_alone() {
    let instance = Instance::sqlite().await;
    let schema = instance.schema();
    let house = Caller::house(&schema, TENANT, Uuid::nil(), Origin::default());
    let site = schema.find("site").unwrap();
    let body = serde_json::from_str(r#"{"name": "Ours"}"#).unwrap();
    let written = instance
        .records
        .create(&house, site, body, &Default::default())
        .await
        .unwrap();
    // Even what was deleted may be missed.
    let id = written.id.to_string();
    instance
        .records
        .delete(&house, site, &id, &Default::default())
        .await
        .unwrap();
    match instance.fill(10, 1).await {
        Err(Error::NotEmpty { entity }) => assert_eq!(entity, "site"),
        other => panic!("{other:?}"),
    }
    assert!(instance.all("ticket").await.is_empty());
    assert_eq!(instance.all("user").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_demo_is_refused_and_so_is_too_much() {
    let instance = Instance::sqlite().await;
    assert!(matches!(
        instance.fill(MOST_TICKETS + 1, 1).await,
        Err(Error::TooMany)
    ));
    instance.fill(10, 1).await.unwrap();
    assert!(matches!(
        instance.fill(10, 1).await,
        Err(Error::NotEmpty { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_batch_leaves_one_audit_entry_with_what_it_was() {
    let instance = Instance::sqlite().await;
    instance.fill(50, 1).await.unwrap();
    let schema = instance.schema();
    let imports: Vec<_> = instance
        .all("audit_entry")
        .await
        .into_iter()
        .filter(|entry| text(&schema, entry, "action") == "import")
        .collect();
    // The company, its assets, its views, what it is steered by, its customers, its tickets.
    assert_eq!(imports.len(), 6);
    let mut tickets = 0;
    for entry in &imports {
        let Value::Json(after) = entry.get(&schema, "after") else {
            panic!("{entry:?}")
        };
        assert_eq!(after["sha256"].as_str().unwrap().len(), 64);
        let counts = after["rows"].as_object().unwrap().values();
        assert_eq!(
            counts.map(|n| n.as_u64().unwrap()).sum::<u64>(),
            after["count"].as_u64().unwrap()
        );
        tickets += after["rows"]["ticket"].as_u64().unwrap_or_default();
        assert_eq!(text(&schema, entry, "source"), "demo");
    }
    assert_eq!(tickets, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_can_be_read() {
    let instance = Instance::sqlite().await;
    instance.fill(400, 3).await.unwrap();
    let schema = instance.schema();
    let files = instance.all("file").await;
    assert!(!files.is_empty());
    for file in files {
        let sha256 = text(&schema, &file, "sha256");
        let size = instance.blobs.read(TENANT, sha256).await.unwrap().size();
        assert_eq!(
            *file.get(&schema, "size"),
            Value::Int(size.try_into().unwrap())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_views_can_be_opened() {
    let instance = Instance::sqlite().await;
    instance.fill(200, 1).await.unwrap();
    let schema = instance.schema();
    let house = Caller::house(&schema, TENANT, Uuid::nil(), Origin::default());
    let views = instance.all("saved_view").await;
    assert!(views.len() > 5);
    for view in views {
        let name = text(&schema, &view, "name");
        let entity = schema.find(text(&schema, &view, "entity")).unwrap();
        let Value::Json(definition) = view.get(&schema, "definition") else {
            panic!("{name}")
        };
        for column in definition["columns"].as_array().unwrap() {
            let column = column.as_str().unwrap();
            assert!(
                schema.entity(entity).find(column).is_some(),
                "{name}: {column}"
            );
        }
        let sort = definition["sort"].as_array().unwrap();
        let sort: Vec<&str> = sort.iter().map(|key| key.as_str().unwrap()).collect();
        let query = [
            ("filter".to_owned(), definition["filter"].to_string()),
            ("sort".to_owned(), sort.join(",")),
        ];
        let request = ListRequest::from_query(schema.entity(entity), &query).unwrap();
        let page = instance.records.list(&house, entity, &request).await;
        assert!(page.is_ok(), "{name}: {page:?}");
        let by = view.get(&schema, system::CREATED_BY).as_id();
        assert!(by.is_some(), "{name} is nobody's");
    }
}
