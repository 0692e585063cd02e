//! Who sees what: scopes, inheritance, owners, and that taking rights away never gives any.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::Value;
use crate::world::{World, variables};

const ME: Uuid = Uuid::from_u128(1);
const HERE: Uuid = Uuid::from_u128(2);
const THERE: Uuid = Uuid::from_u128(3);
const OURS: Uuid = Uuid::from_u128(4);
const THEIRS: Uuid = Uuid::from_u128(5);

fn held(role: &str, company: Option<Uuid>, departments: &[Uuid]) -> Membership {
    Membership::of(role, company, departments.to_vec())
}

fn access(world: &World, memberships: Vec<Membership>) -> Access {
    shared(world, memberships, Vec::new())
}

fn shared(world: &World, memberships: Vec<Membership>, shares: Vec<Share>) -> Access {
    let principal = Principal {
        tenant: 1,
        user: ME,
        home_company: Some(HERE),
        memberships,
        groups: Vec::new(),
        shares,
        instance_admin: false,
    };
    Access::compile(world.schema, principal, &variables(ME))
}

/// Whether the rule for `action` lets the record through.
fn may(world: &World, access: &Access, action: Action, entity: &str, id: Uuid) -> bool {
    let rule = access.rule(world.entity(entity), action).to_predicate();
    rule.holds(world.schema, &world.record(id))
}

fn link(id: Uuid) -> Value {
    Value::Id(id)
}

#[test]
fn scopes_reach_from_ones_own_to_everything() {
    let mut world = World::new();
    let mine = world.add(
        "ticket",
        &[("requester", link(ME)), ("company", link(THERE))],
    );
    let watched = world.add("ticket", &[("watchers", Value::Set(vec![link(ME)]))]);
    let ours = world.add(
        "ticket",
        &[("department", link(OURS)), ("company", link(HERE))],
    );
    let theirs = world.add(
        "ticket",
        &[("department", link(THEIRS)), ("company", link(HERE))],
    );
    let abroad = world.add(
        "ticket",
        &[("department", link(OURS)), ("company", link(THERE))],
    );
    let all = [mine, watched, ours, theirs, abroad];
    let seen = |memberships| {
        let access = access(&world, memberships);
        let see = |id: &Uuid| may(&world, &access, Action::View, "ticket", *id);
        all.map(|id| see(&id))
    };
    assert_eq!(seen(vec![]), [false; 5]);
    assert_eq!(
        seen(vec![held("guest", Some(HERE), &[])]),
        [true, true, false, false, false]
    );
    // A technician is also a guest, and department means the department, in any company.
    assert_eq!(
        seen(vec![held("technician", Some(HERE), &[OURS])]),
        [true, true, true, false, true]
    );
    assert_eq!(
        seen(vec![held("clerk", Some(HERE), &[])]),
        [true, true, true, true, false]
    );
    // Held in every company of the tenant.
    assert_eq!(seen(vec![held("clerk", None, &[])]), [true; 5]);
    // Named by the role rather than by the entity.
    assert_eq!(seen(vec![held("auditor", Some(HERE), &[])]), [true; 5]);
}

#[test]
fn a_technician_without_department_has_only_what_he_inherits() {
    let mut world = World::new();
    let nowhere = world.add("ticket", &[("title", Value::from("x"))]);
    let access = access(&world, vec![held("technician", None, &[])]);
    assert!(!may(&world, &access, Action::View, "ticket", nowhere));
    assert!(!may(&world, &access, Action::Edit, "ticket", nowhere));
}

#[test]
fn a_condition_narrows_the_action_it_stands_with_and_no_other() {
    let mut world = World::new();
    let open = world.add(
        "ticket",
        &[("company", link(HERE)), ("status", Value::from("open"))],
    );
    let closed = world.add(
        "ticket",
        &[("company", link(HERE)), ("status", Value::from("closed"))],
    );
    let access = access(&world, vec![held("clerk", Some(HERE), &[])]);
    let may = |action, id| may(&world, &access, action, "ticket", id);
    assert_eq!(
        (may(Action::View, closed), may(Action::Edit, closed)),
        (true, false)
    );
    assert!(may(Action::Edit, open));
    assert!(!may(Action::Delete, open));
}

#[test]
fn who_sees_the_owner_sees_what_belongs_to_it() {
    let mut world = World::new();
    let mine = world.add("ticket", &[("requester", link(ME))]);
    let other = world.add("ticket", &[("department", link(THEIRS))]);
    let target = |entity: &str, id| {
        let entity = entity.to_owned();
        ("target", Value::Ref { entity, id })
    };
    let public = ("internal", Value::Bool(false));
    let said = world.add("comment", &[target("ticket", mine), public.clone()]);
    let whispered = world.add(
        "comment",
        &[target("ticket", mine), ("internal", Value::Bool(true))],
    );
    let elsewhere = world.add("comment", &[target("ticket", other), public]);
    let attached = world.add("file", &[target("comment", said)]);
    let hidden = world.add("file", &[target("comment", whispered)]);
    let beside = world.add("file", &[target("ticket", mine)]);
    let lost = world.add("file", &[]);

    let guest = access(&world, vec![held("guest", None, &[])]);
    let sees = |entity, id| may(&world, &guest, Action::View, entity, id);
    assert_eq!(
        (
            sees("comment", said),
            sees("comment", whispered),
            sees("comment", elsewhere)
        ),
        (true, false, false)
    );
    // A file follows the comment it is attached to, which follows the ticket.
    assert_eq!(
        (
            sees("file", attached),
            sees("file", hidden),
            sees("file", beside),
            sees("file", lost)
        ),
        (true, false, true, false)
    );
    let technician = access(&world, vec![held("technician", None, &[THEIRS])]);
    let sees = |entity, id| may(&world, &technician, Action::View, entity, id);
    assert!(sees("comment", whispered) && sees("comment", elsewhere) && sees("file", hidden));
}

#[test]
fn entities_that_own_each_other_give_nothing_rather_than_no_answer() {
    let entity = |name: &str| {
        format!(
            "name = \"{name}\"\ncollection = \"{name}s\"\ntitle = \"id\"\nfiles = true\n[fields]\n\
             x = {{ type = \"any_link\", to = \"*\" }}\n[scope]\nowner = \"x\"\n\
             [permissions.guest]\nview = \"all\""
        )
    };
    let schema = Schema::from_declarations(&[&entity("one"), &entity("two")], "").unwrap();
    let principal = Principal {
        tenant: 1,
        user: ME,
        home_company: None,
        memberships: vec![held("guest", None, &[])],
        groups: Vec::new(),
        shares: Vec::new(),
        instance_admin: false,
    };
    let access = Access::compile(&schema, principal, &variables(ME));
    assert!(!access.may(EntityIx(0), Action::View));
    assert!(!access.may(EntityIx(1), Action::View));
}

#[test]
fn rights_on_fields_are_the_strongest_any_role_gives() {
    let world = World::new();
    let ix = world.entity("ticket");
    let right = |memberships: Vec<Membership>, field: &str| {
        let field = world.schema.entity(ix).find(field).unwrap();
        access(&world, memberships).field(ix, field)
    };
    let guest = || held("guest", None, &[]);
    let clerk = || held("clerk", Some(HERE), &[]);
    assert_eq!(right(vec![], "title"), FieldRight::Hidden);
    assert_eq!(right(vec![guest()], "title"), FieldRight::Write);
    assert_eq!(right(vec![guest()], "cost"), FieldRight::Hidden);
    assert_eq!(right(vec![guest()], "effort"), FieldRight::Mask);
    assert_eq!(right(vec![guest()], "priority"), FieldRight::Read);
    assert_eq!(right(vec![guest(), clerk()], "cost"), FieldRight::Write);
}

#[test]
fn an_administrator_may_do_everything_and_his_roles_are_known() {
    let world = World::new();
    let access = access(&world, vec![held("admin", Some(HERE), &[])]);
    for (ix, _) in world.schema.iter() {
        for (_, action) in Action::NAMES {
            assert_eq!(*access.rule(ix, action), Rule::Always);
        }
    }
    assert!(access.is_admin());
}

#[test]
fn roles_that_inherit_each_other_end() {
    let roles = BTreeMap::from([
        ("a".to_owned(), role_above("b")),
        ("b".to_owned(), role_above("a")),
    ]);
    let schema = Schema::new(Vec::new(), Vec::new(), roles);
    let held: Vec<_> = inherited(&schema, "a").into_iter().collect();
    assert_eq!(held, ["a", "b"]);
}

fn role_above(code: &str) -> crate::schema::RoleSpec {
    crate::schema::RoleSpec {
        inherits: vec![code.to_owned()],
        permissions: Vec::new(),
    }
}

fn some_membership() -> impl Strategy<Value = Membership> {
    let role = prop::sample::select(vec!["guest", "clerk", "technician", "auditor", "user"])
        .prop_map(str::to_owned);
    let company = option::of(prop_oneof![Just(HERE), Just(THERE)]);
    let departments = vec(prop_oneof![Just(OURS), Just(THEIRS)], 0..3);
    // Sometimes with what a role of the tenant gives besides.
    let scopes = vec![Scope::Own, Scope::Department, Scope::Company];
    let granted = option::of(prop::sample::select(scopes));
    let ticket = World::new().schema.find("ticket").unwrap();
    (role, company, departments, granted).prop_map(move |(role, company, departments, granted)| {
        let granted = granted.map(|scope| {
            Arc::new(Granted {
                role: "made_here".to_owned(),
                permissions: vec![GrantedPermission {
                    entity: ticket,
                    action: Action::View,
                    scope,
                    condition: Condition::default(),
                }],
                fields: Vec::new(),
            })
        });
        Membership {
            granted: granted.into_iter().collect(),
            ..Membership::of(&role, company, departments)
        }
    })
}

fn some_share() -> impl Strategy<Value = (prop::sample::Index, bool)> {
    (any::<prop::sample::Index>(), any::<bool>())
}

/// A ticket: requester, department, company, whether it is closed.
type Sketch = (Option<Uuid>, Option<Uuid>, Option<Uuid>, bool);

fn some_ticket() -> impl Strategy<Value = Sketch> {
    (
        option::of(prop_oneof![Just(ME), Just(Uuid::from_u128(99))]),
        option::of(prop_oneof![Just(OURS), Just(THEIRS)]),
        option::of(prop_oneof![Just(HERE), Just(THERE)]),
        any::<bool>(),
    )
}

fn fill(world: &mut World, tickets: &[Sketch]) -> Vec<Uuid> {
    let mut made = Vec::new();
    for (requester, department, company, closed) in tickets {
        let status = if *closed { "closed" } else { "open" };
        let id = world.add(
            "ticket",
            &[
                ("requester", Value::from(*requester)),
                ("department", Value::from(*department)),
                ("company", Value::from(*company)),
                ("status", Value::from(status)),
            ],
        );
        made.push(id);
        let entity = "ticket".to_owned();
        let target = ("target", Value::Ref { entity, id });
        world.add("comment", &[target, ("internal", Value::Bool(*closed))]);
    }
    made
}

#[test]
fn a_share_shows_one_record_with_what_hangs_on_it_and_what_every_role_sees_of_it() {
    let mut world = World::new();
    let ticket = world.entity("ticket");
    let mine = world.add("ticket", &[("company", link(THERE))]);
    let other = world.add("ticket", &[("company", link(THERE))]);
    let said = |id: Uuid| {
        let entity = "ticket".to_owned();
        [
            ("target", Value::Ref { entity, id }),
            ("internal", Value::Bool(false)),
        ]
    };
    let on_mine = world.add("comment", &said(mine));
    let on_other = world.add("comment", &said(other));
    let share = |edit| Share {
        entity: ticket,
        record: mine,
        edit,
        through: None,
    };
    let guest = || vec![held("guest", Some(HERE), &[])];
    let nobody = access(&world, guest());
    assert!(!may(&world, &nobody, Action::View, "ticket", mine));
    let shown = shared(&world, guest(), vec![share(false)]);
    assert!(may(&world, &shown, Action::View, "ticket", mine));
    assert!(may(&world, &shown, Action::View, "comment", on_mine));
    assert!(!may(&world, &shown, Action::Edit, "ticket", mine));
    for (entity, id) in [("ticket", other), ("comment", on_other)] {
        assert!(!may(&world, &shown, Action::View, entity, id), "{entity}");
    }
    let trusted = shared(&world, guest(), vec![share(true)]);
    assert!(may(&world, &trusted, Action::Edit, "ticket", mine));
    assert!(!may(&world, &trusted, Action::Delete, "ticket", mine));
    // Without any role: no field that one of the roles does not see.
    let stranger = shared(&world, Vec::new(), vec![share(true)]);
    assert!(may(&world, &stranger, Action::View, "ticket", mine));
    let declared = world.schema.entity(ticket);
    for (field, spec) in declared.iter() {
        for (role, rights) in &declared.permissions {
            let right = rights.fields.get(&field).copied();
            let right = right.unwrap_or(FieldRight::Write);
            assert!(
                stranger.field(ticket, field) <= right,
                "{role} {}",
                spec.name
            );
        }
    }
}

#[test]
fn what_groups_hand_down_is_held_like_a_membership_and_tells_its_group() {
    let mut world = World::new();
    let here = world.add("ticket", &[("company", link(HERE))]);
    let there = world.add("ticket", &[("company", link(THERE))]);
    let group = Uuid::from_u128(77);
    let of_group = held("clerk", Some(HERE), &[]).through(Some(group));
    // Two hundred groups that hand the same down are one rule.
    let access = access(&world, vec![of_group.clone(); 200]);
    let alone = shared(&world, vec![of_group.clone()], Vec::new());
    let ticket = world.entity("ticket");
    assert_eq!(
        access.rule(ticket, Action::View),
        alone.rule(ticket, Action::View)
    );
    assert!(may(&world, &access, Action::View, "ticket", here));
    assert!(!may(&world, &access, Action::View, "ticket", there));
    let variables = variables(ME);
    let explained = Access::explain(
        world.schema,
        &alone.principal,
        &variables,
        ticket,
        Action::View,
    );
    let through = explained.reasons.iter().filter_map(|reason| {
        let membership = alone.principal.memberships.get(reason.membership?)?;
        Some(membership.through)
    });
    assert!(through.clone().count() > 0);
    assert!(through.into_iter().all(|through| through == Some(group)));
}

proptest! {
    /// Decisions §2: taking a role away never shows a record or a field more.
    #[test]
    fn taking_a_role_or_a_share_away_never_widens(
        memberships in vec(some_membership(), 0..5),
        shares in vec(some_share(), 0..4),
        tickets in vec(some_ticket(), 1..8),
        taken in any::<prop::sample::Index>(),
    ) {
        prop_assume!(memberships.len() + shares.len() > 0);
        let mut world = World::new();
        let made = fill(&mut world, &tickets);
        let ticket = world.entity("ticket");
        let share = |(which, edit): &(prop::sample::Index, bool)| Share {
            entity: ticket,
            record: *which.get(&made),
            edit: *edit,
            through: None,
        };
        let shares: Vec<Share> = shares.iter().map(share).collect();
        let (mut fewer, mut fewer_shares) = (memberships.clone(), shares.clone());
        // A role, held oneself or through a group, or something shared.
        match taken.index(memberships.len() + shares.len()) {
            place if place < memberships.len() => drop(fewer.remove(place)),
            place => drop(fewer_shares.remove(place - memberships.len())),
        }
        let before = shared(&world, memberships, shares);
        let after = shared(&world, fewer, fewer_shares);
        for (ix, entity) in world.schema.iter() {
            for (_, action) in Action::NAMES {
                let (more, less) = (before.rule(ix, action), after.rule(ix, action));
                let (more, less) = (more.to_predicate(), less.to_predicate());
                for record in world.of(ix) {
                    let widened = less.holds(world.schema, &record)
                        && !more.holds(world.schema, &record);
                    prop_assert!(!widened, "{} {action:?} {}", entity.name, record.id);
                }
            }
            for (field, _) in entity.iter() {
                prop_assert!(after.field(ix, field) <= before.field(ix, field));
            }
        }
    }

    /// A rule is a union: what several memberships show is what each of them shows.
    #[test]
    fn memberships_add_up(
        memberships in vec(some_membership(), 0..4),
        tickets in vec(some_ticket(), 1..8),
    ) {
        let mut world = World::new();
        fill(&mut world, &tickets);
        let ticket = world.entity("ticket");
        let together = access(&world, memberships.clone());
        let apart: Vec<Access> = memberships
            .into_iter()
            .map(|membership| access(&world, vec![membership]))
            .collect();
        for record in world.of(ticket) {
            let shows = |access: &Access| {
                let rule = access.rule(ticket, Action::View).to_predicate();
                rule.holds(world.schema, &record)
            };
            prop_assert_eq!(shows(&together), apart.iter().any(shows));


        }
    }
}
