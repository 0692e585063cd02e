//! Every shape of a workflow, walked; and random ones, by whatever order things happen in.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::{Course, End, Happened, Leaf};
use crate::flow::{self, Flow};

fn flow(steps: Json) -> Flow {
    let written = json!({
        "format": "opsflux.flow/1",
        "definition": {"triggers": [{"type": "manual"}], "steps": steps},
    });
    let Json::Object(written) = written else {
        unreachable!("an object")
    };
    flow::read(&written).expect("a workflow")
}

fn act(id: &str) -> Json {
    json!({"id": id, "type": "action", "use": "note"})
}

fn places(course: &Course, flow: &Flow) -> Vec<String> {
    course
        .open(flow)
        .into_iter()
        .map(|open| open.place)
        .collect()
}

#[track_caller]
fn done(course: &mut Course, flow: &Flow, place: &str) {
    assert!(
        course.advance(flow, place, Happened::Done(Json::Null)),
        "{place} is not open: {:?}",
        places(course, flow)
    );
}

#[test]
fn steps_follow_each_other_and_what_they_gave_is_kept() {
    let flow = flow(json!([act("a"), act("b")]));
    let mut course = Course::begin(&flow);
    assert_eq!(places(&course, &flow), ["a"]);
    assert!(course.advance(&flow, "a", Happened::Done(json!({"id": 7}))));
    assert_eq!(places(&course, &flow), ["b"]);
    assert_eq!(course.outputs["a"], json!({"id": 7}));
    assert!(
        !course.advance(&flow, "a", Happened::Done(json!({"id": 8}))),
        "told twice"
    );
    assert_eq!(course.outputs["a"], json!({"id": 7}));
    done(&mut course, &flow, "b");
    assert_eq!(course.end, Some(End::Success));
    assert_eq!(places(&course, &flow), [""; 0]);
}

#[test]
fn a_branch_takes_one_way_and_goes_on_behind_it() {
    let steps = json!([
        {"id": "which", "type": "branch", "cases": [
            {"when": {"field": "a", "op": "eq", "value": 1}, "steps": [act("one")]},
            {"when": {"field": "a", "op": "eq", "value": 2}, "steps": []},
        ], "else": [act("other")]},
        act("last"),
    ]);
    let flow = flow(steps);
    for (case, within) in [
        (Some(0), "which.one"),
        (Some(1), "last"),
        (None, "which.other"),
    ] {
        let mut course = Course::begin(&flow);
        assert!(course.advance(&flow, "which", Happened::Case(case)));
        assert_eq!(places(&course, &flow), [within]);
        if within != "last" {
            done(&mut course, &flow, within);
        }
        done(&mut course, &flow, "last");
        assert_eq!(course.end, Some(End::Success));
    }
}

#[test]
fn a_step_that_repeats_rests_between_its_rounds_and_ends_after_the_last() {
    let flow = flow(json!([
        {"id": "nag", "type": "repeat", "every": "24h", "max": 2, "steps": [act("mail")]},
        act("last"),
    ]));
    let mut course = Course::begin(&flow);
    let rounds = |course: &Course| course.open(&flow)[0].rounds;
    assert_eq!(
        (places(&course, &flow), rounds(&course)),
        (vec!["nag".to_owned()], 0)
    );
    assert!(course.advance(&flow, "nag", Happened::Case(Some(0))));
    done(&mut course, &flow, "nag[0].mail");
    assert_eq!(
        (places(&course, &flow), rounds(&course)),
        (vec!["nag".to_owned()], 1)
    );
    let tomorrow = jiff::Timestamp::UNIX_EPOCH;
    assert!(course.advance(&flow, "nag", Happened::Waits(Leaf::Waiting(tomorrow))));
    assert_eq!(course.due(&flow, jiff::Timestamp::MAX), Some(tomorrow));
    assert!(course.advance(&flow, "nag", Happened::Case(Some(0))));
    done(&mut course, &flow, "nag[1].mail");
    assert_eq!(places(&course, &flow), ["last"], "two rounds at most");

    let mut course = Course::begin(&flow);
    assert!(course.advance(&flow, "nag", Happened::Case(None)));
    assert_eq!(places(&course, &flow), ["last"], "it does not hold");
}

#[test]
fn what_is_done_when_a_wait_is_over_comes_before_what_follows() {
    let flow = flow(json!([
        {"id": "paid", "type": "wait", "when": {"field": "a", "op": "eq", "value": 1},
         "timeout": "1h", "on_timeout": [act("nag")]},
        act("last"),
    ]));
    let mut course = Course::begin(&flow);
    assert!(course.advance(&flow, "paid", Happened::Expired(json!({"timed_out": true}))));
    assert_eq!(places(&course, &flow), ["paid.nag"]);
    done(&mut course, &flow, "paid.nag");
    assert_eq!(places(&course, &flow), ["last"]);
    let mut course = Course::begin(&flow);
    done(&mut course, &flow, "paid");
    assert_eq!(places(&course, &flow), ["last"]);
}

#[test]
fn branches_run_at_once_and_join_as_they_say() {
    let steps = |join: Json| {
        json!([
            {"id": "p", "type": "parallel", "join": join, "branches": [
                {"id": "x", "steps": [act("a"), act("b")]},
                {"id": "y", "steps": [act("c")]},
                {"id": "z", "steps": [act("d")]},
            ]},
            act("last"),
        ])
    };
    let all = flow(steps(json!("all")));
    let mut course = Course::begin(&all);
    assert_eq!(places(&course, &all), ["p.x.a", "p.y.c", "p.z.d"]);
    done(&mut course, &all, "p.y.c");
    done(&mut course, &all, "p.x.a");
    done(&mut course, &all, "p.z.d");
    assert_eq!(places(&course, &all), ["p.x.b"]);
    done(&mut course, &all, "p.x.b");
    assert_eq!(places(&course, &all), ["last"]);

    let any = flow(steps(json!("any")));
    let mut course = Course::begin(&any);
    done(&mut course, &any, "p.z.d");
    assert_eq!(places(&course, &any), ["last"], "the others are cancelled");
    assert!(!course.advance(&any, "p.x.a", Happened::Done(Json::Null)));

    let two = flow(steps(json!(2)));
    let mut course = Course::begin(&two);
    done(&mut course, &two, "p.z.d");
    done(&mut course, &two, "p.y.c");
    assert_eq!(places(&course, &two), ["last"]);
}

#[test]
fn a_list_is_worked_off_element_by_element() {
    let steps = json!([
        {"id": "each", "type": "foreach", "in": "{{ lines }}", "as": "line", "steps": [act("a"), act("b")]},
    ]);
    let flow = flow(steps);
    let mut course = Course::begin(&flow);
    assert!(course.advance(&flow, "each", Happened::Items(vec![json!("p"), json!("q")])));
    for (place, item) in [
        ("each[0].a", "p"),
        ("each[0].b", "p"),
        ("each[1].a", "q"),
        ("each[1].b", "q"),
    ] {
        let open = course.open(&flow);
        assert_eq!((open[0].place.as_str(), open.len()), (place, 1));
        assert_eq!(open[0].items, [("line", &json!(item))]);
        done(&mut course, &flow, place);
    }
    assert_eq!(course.end, Some(End::Success));
    let mut course = Course::begin(&flow);
    assert!(course.advance(&flow, "each", Happened::Items(Vec::new())));
    assert_eq!(course.end, Some(End::Success), "nothing is a list too");
}

#[test]
fn a_refusal_ends_it_after_what_is_done_then() {
    let ask =
        json!({"id": "ask", "type": "approval", "approvers": ["x"], "on_reject": [act("tell")]});
    let flow = flow(json!([
        {"id": "p", "type": "parallel", "branches": [
            {"id": "x", "steps": [ask]},
            {"id": "y", "steps": [act("c")]},
        ]},
        act("last"),
    ]));
    let mut course = Course::begin(&flow);
    assert!(course.advance(
        &flow,
        "p.x.ask",
        Happened::Refused(json!({"decision": "reject"}))
    ));
    assert_eq!(places(&course, &flow), ["p.x.ask.tell", "p.y.c"]);
    done(&mut course, &flow, "p.x.ask.tell");
    assert_eq!(
        course.end,
        Some(End::Success),
        "nothing comes after a refusal"
    );
}

#[test]
fn a_failure_ends_it_unless_the_step_says_to_go_on() {
    let steps = json!([
        {"id": "a", "type": "action", "use": "note", "on_failure": "continue"},
        act("b"),
    ]);
    let flow = flow(steps);
    let mut course = Course::begin(&flow);
    assert!(course.advance(&flow, "a", Happened::Failed("gone".to_owned())));
    assert_eq!(course.outputs["a"], json!({"error": "gone"}));
    assert!(course.advance(&flow, "b", Happened::Failed("too".to_owned())));
    assert_eq!(course.end, Some(End::Failed("too".to_owned())));
}

#[test]
fn it_is_due_when_its_first_step_is() {
    let flow = flow(json!([
        {"id": "p", "type": "parallel", "branches": [
            {"id": "x", "steps": [act("a")]},
            {"id": "y", "steps": [act("b")]},
        ]},
    ]));
    let now = "2026-03-01T10:00:00Z".parse().expect("a moment");
    let (soon, later) = (
        "2026-03-01T11:00:00Z".parse().expect("a moment"),
        "2026-06-01T10:00:00Z".parse().expect("a moment"),
    );
    let mut course = Course::begin(&flow);
    assert_eq!(course.due(&flow, now), Some(now));
    course.advance(&flow, "p.x.a", Happened::Waits(Leaf::Waiting(later)));
    let retry = Leaf::Due {
        attempt: 2,
        at: Some(soon),
    };
    course.advance(&flow, "p.y.b", Happened::Waits(retry));
    assert_eq!(course.due(&flow, now), Some(soon));
    let sent = Leaf::Sent(vec![uuid::Uuid::nil()], 1);
    course.advance(&flow, "p.y.b", Happened::Waits(sent));
    assert_eq!(course.due(&flow, now), Some(later));
    let text = serde_json::to_string(&course).expect("JSON");
    assert_eq!(
        serde_json::from_str::<Course>(&text).expect("a course"),
        course,
        "it is the same after a night in the database"
    );
}

/// Random trees with unique names.
fn trees() -> impl Strategy<Value = Json> {
    let leaf = Just(json!({"type": "action", "use": "note"}));
    let tree = leaf.prop_recursive(4, 24, 3, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            (list(), list()).prop_map(|(a, b)| json!({
                "type": "branch",
                "cases": [{"when": {}, "steps": a}],
                "else": b,
            })),
            (prop::collection::vec(list(), 1..4), 0..4usize).prop_map(|(blocks, join)| {
                let count = blocks.len();
                let branches: Vec<Json> = blocks.into_iter().map(|b| json!({"steps": b})).collect();
                let join = if join == 0 || join > count {
                    json!("all")
                } else {
                    json!(join)
                };
                json!({"type": "parallel", "join": join, "branches": branches})
            }),
            list().prop_map(|steps| json!({"type": "foreach", "in": "{{ x }}", "steps": steps})),
            (list(), 1..4u32).prop_map(|(steps, max)| json!({
                "type": "repeat", "every": "1h", "max": max, "steps": steps,
            })),
            list().prop_map(|steps| json!({
                "type": "wait", "when": {"field": "a", "op": "eq", "value": 1},
                "timeout": "1h", "on_timeout": steps,
            })),
            list().prop_map(|steps| json!({
                "type": "approval", "approvers": ["x"], "on_reject": steps,
            })),
        ]
    });
    prop::collection::vec(tree, 1..4).prop_map(|steps| {
        let mut json = Json::Array(steps);
        let mut next = 0;
        name(&mut json, &mut next);
        json
    })
}

fn name(json: &mut Json, next: &mut usize) {
    match json {
        Json::Array(list) => list.iter_mut().for_each(|json| name(json, next)),
        Json::Object(map) => {
            if map.get("type").is_some_and(|kind| kind.is_string()) {
                *next += 1;
                map.insert("id".to_owned(), json!(format!("s{next}")));
            }
            map.values_mut().for_each(|json| name(json, next));
        }
        _ => {}
    }
}

proptest! {
    /// Whatever happens in whatever order, it comes to an end, no place is open twice, and what is
    /// stored in between goes on as if it had not been.
    #[test]
    fn every_course_ends_and_no_place_comes_twice(
        steps in trees(),
        choices in prop::collection::vec((any::<u16>(), any::<u16>()), 1..400),
    ) {
        let flow = flow(steps);
        let mut course = Course::begin(&flow);
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let mut choices = choices.into_iter().cycle();
        let mut turns = 0;
        while course.end.is_none() {
            turns += 1;
            prop_assert!(turns < 5_000, "it never ends");
            let text = serde_json::to_string(&course).expect("JSON");
            course = serde_json::from_str(&text).expect("a course");
            let (which, what) = choices.next().unwrap_or((0, 0));
            let open = course.open(&flow);
            prop_assert!(!open.is_empty(), "nothing is open and it has not ended");
            let chosen = &open[usize::from(which) % open.len()];
            let happened = match &chosen.step.kind {
                crate::flow::StepKind::Branch { .. } => Happened::Case((what % 2 == 0).then_some(0)),
                crate::flow::StepKind::ForEach { .. } => {
                    Happened::Items((0..what % 3).map(|n| json!(n)).collect())
                }
                crate::flow::StepKind::Repeat(_) => Happened::Case((what % 3 > 0).then_some(0)),
                crate::flow::StepKind::Listen(_) if what % 2 == 0 => Happened::Expired(json!({})),
                crate::flow::StepKind::Approval(_) if what % 3 == 0 => Happened::Refused(json!({})),
                _ => Happened::Done(Json::Null),
            };
            let place = chosen.place.clone();
            let repeats = matches!(chosen.step.kind, crate::flow::StepKind::Repeat(_));
            // Before each round a step that repeats is asked again.
            let rounds = chosen.rounds;
            let times = seen.entry(format!("{place}#{rounds}")).or_default();
            *times += 1;
            prop_assert_eq!(*times, 1, "{} came twice", &place);
            prop_assert!(course.advance(&flow, &place, happened.clone()));
            // A round without steps is over at once, and the same step is asked again.
            if !repeats {
                prop_assert!(!course.advance(&flow, &place, happened), "{} was told twice", &place);
            }
        }
        prop_assert_eq!(course.open(&flow).len(), 0);
        let _: &Map<String, Json> = &course.outputs;
    }
}
