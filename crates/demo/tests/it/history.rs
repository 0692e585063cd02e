//! Two years of tickets look as if they had happened.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use opsflux_model::Value;
use opsflux_model::schema::system;
use opsflux_records::Uuid;
use opsflux_records::rule::Snapshot;

use crate::instance::{Instance, NOW, text, time};

/// Everything that is asked about, read once.
struct History {
    instance: Instance,
    tickets: Vec<Snapshot>,
    comments: BTreeMap<Uuid, Vec<Snapshot>>,
    now: Timestamp,
}

impl History {
    async fn of(tickets: u32, seed: u64) -> History {
        let instance = Instance::sqlite().await;
        instance.fill(tickets, seed).await.unwrap();
        let schema = instance.schema();
        let mut comments: BTreeMap<Uuid, Vec<Snapshot>> = BTreeMap::new();
        for comment in instance.all("comment").await {
            let Value::Ref { id, .. } = comment.get(&schema, "target") else {
                panic!()
            };
            comments.entry(*id).or_default().push(comment);
        }
        for said in comments.values_mut() {
            said.sort_by_key(|comment| time(&schema, comment, system::CREATED_AT));
        }
        let tickets = instance.all("ticket").await;
        History {
            instance,
            tickets,
            comments,
            now: NOW.parse().unwrap(),
        }
    }

    fn said(&self, ticket: &Snapshot) -> &[Snapshot] {
        self.comments.get(&ticket.id).map_or(&[], Vec::as_slice)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_happened_in_order() {
    let history = History::of(800, 1).await;
    let schema = history.instance.schema();
    let mut last_number = String::new();
    for ticket in &history.tickets {
        let at = |field: &str| time(&schema, ticket, field);
        let created = at(system::CREATED_AT).unwrap();
        let updated = at(system::UPDATED_AT).unwrap();
        let (answered, resolved, closed) =
            (at("first_response_at"), at("resolved_at"), at("closed_at"));
        let number = text(&schema, ticket, system::NUMBER);
        assert!(created <= updated && updated <= history.now, "{number}");
        for later in [answered, resolved, closed].into_iter().flatten() {
            assert!(created < later && later <= history.now, "{number}");
        }
        assert!(resolved.is_none_or(|resolved| closed.is_none_or(|closed| resolved <= closed)));
        assert!(
            answered.is_none_or(|answered| resolved.is_none_or(|resolved| answered < resolved))
        );
        let status = text(&schema, ticket, "status");
        assert_eq!(closed.is_some(), status == "closed", "{number}");
        assert_eq!(
            resolved.is_some(),
            matches!(status, "done" | "closed"),
            "{number}"
        );
        let mut previous = created;
        for comment in history.said(ticket) {
            let said = time(&schema, comment, system::CREATED_AT).unwrap();
            assert!(previous < said && said <= history.now, "{number}");
            assert!(resolved.is_none_or(|resolved| said < resolved), "{number}");
            previous = said;
        }
        // Ids carry the time, numbers count in its order.
        assert!(*number > *last_number || number.len() > last_number.len());
        last_number = number.to_owned();
    }
    assert_eq!(last_number, "TIC-000800");
}

/// What the rules of the desk would have made of the same acts.
#[tokio::test(flavor = "multi_thread")]
async fn rules_would_have_done_the_same() {
    let history = History::of(500, 2).await;
    let (instance, schema) = (&history.instance, history.instance.schema());
    let (users, groups) = (instance.by_id("user").await, instance.by_id("group").await);
    let of = |ticket: &Snapshot, field: &str| ticket.get(&schema, field).as_id();
    for ticket in &history.tickets {
        let requester = &users[&of(ticket, "requester").unwrap()];
        assert_eq!(of(ticket, "department"), of(requester, "department"));
        assert_eq!(of(ticket, "site"), of(requester, "site"));
        let first = history.said(ticket).iter().find(|comment| {
            let internal = comment.get(&schema, "internal").as_bool() == Some(true);
            !internal && of(comment, system::CREATED_BY) != Some(requester.id)
        });
        let answered = first.and_then(|first| time(&schema, first, system::CREATED_AT));
        assert_eq!(time(&schema, ticket, "first_response_at"), answered);
        let group = &groups[&of(ticket, "assigned_group").unwrap()];
        assert_eq!(text(&schema, group, "kind"), "support");
        let Value::Set(members) = group.get(&schema, "members") else {
            panic!()
        };
        match of(ticket, "assignee") {
            Some(assignee) => {
                assert!(members.contains(&Value::Id(assignee)));
                assert_eq!(text(&schema, &users[&assignee], "status"), "active");
            }
            None => assert_eq!(text(&schema, ticket, "status"), "new"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sub_tickets_live_inside_of_their_parents() {
    let history = History::of(800, 3).await;
    let schema = history.instance.schema();
    let by_id: BTreeMap<Uuid, &Snapshot> = history
        .tickets
        .iter()
        .map(|ticket| (ticket.id, ticket))
        .collect();
    let mut parts = 0;
    for ticket in &history.tickets {
        let Some(parent) = ticket.get(&schema, "parent").as_id() else {
            continue;
        };
        let parent = by_id[&parent];
        let created = |ticket| time(&schema, ticket, system::CREATED_AT).unwrap();
        assert!(created(parent) < created(ticket));
        assert_eq!(
            parent.get(&schema, "category"),
            ticket.get(&schema, "category")
        );
        if matches!(text(&schema, parent, "status"), "done" | "closed") {
            assert!(matches!(text(&schema, ticket, "status"), "done" | "closed"));
            assert!(time(&schema, ticket, "resolved_at") < time(&schema, parent, "resolved_at"));
        }
        parts += 1;
    }
    assert!(parts > 30, "{parts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shape_is_that_of_a_service_desk() {
    let history = History::of(2_000, 4).await;
    let (instance, schema) = (&history.instance, history.instance.schema());
    let count = |wanted: &dyn Fn(&Snapshot) -> bool| {
        history
            .tickets
            .iter()
            .filter(|ticket| wanted(ticket))
            .count()
    };
    let with = |field: &str, value: &str| count(&|ticket| text(&schema, ticket, field) == value);
    let open = 2_000 - with("status", "closed") - with("status", "done");
    assert!((25..200).contains(&open), "{open} open");
    assert!(
        with("status", "new") > 0 && with("status", "in_progress") > 5,
        "{open} open"
    );
    let (medium, critical) = (with("priority", "medium"), with("priority", "critical"));
    assert!(
        medium > 800 && critical > 20 && critical < 250,
        "{medium} {critical}"
    );
    assert!(with("kind", "request") > 200 && with("kind", "problem") > 20);
    // Offices sleep at night, each by its own clock.
    let sites = instance.by_id("site").await;
    let mut nights = 0;
    for ticket in history
        .tickets
        .iter()
        .filter(|t| t.get(&schema, "parent").is_empty())
    {
        let site = &sites[&ticket.get(&schema, "site").as_id().unwrap()];
        let zone = TimeZone::get(text(&schema, site, "time_zone")).unwrap();
        let at = time(&schema, ticket, system::CREATED_AT)
            .unwrap()
            .to_zoned(zone);
        if text(&schema, site, "kind") == "platform" {
            nights += u32::from(at.hour() < 5);
        } else {
            assert!((5..=21).contains(&at.hour()), "{at}");
        }
    }
    assert!(nights > 5, "{nights}");
    // English is heard, French is spoken.
    let english: BTreeSet<Uuid> = instance
        .all("user")
        .await
        .iter()
        .filter(|user| text(&schema, user, "language") == "en")
        .map(|user| user.id)
        .collect();
    let heard = count(&|ticket| {
        let requester = ticket.get(&schema, "requester").as_id().unwrap();
        english.contains(&requester)
    });
    assert!((60..500).contains(&heard), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_to_fill_in() {
    let history = History::of(3_000, 5).await;
    let schema = history.instance.schema();
    let mut texts = 0;
    let mut look = |record: &Snapshot, fields: &[&str]| {
        for field in fields {
            let said = text(&schema, record, field);
            assert!(!said.contains(['{', '}', '#']), "{said}");
            let begins = said.chars().next();
            assert!(begins.is_none_or(|letter| !letter.is_lowercase()), "{said}");
            texts += u32::from(!said.is_empty());
        }
    };
    for ticket in &history.tickets {
        look(ticket, &["title", "description", "resolution"]);
        history
            .said(ticket)
            .iter()
            .for_each(|comment| look(comment, &["body"]));
    }
    assert!(texts > 10_000, "{texts}");
}
