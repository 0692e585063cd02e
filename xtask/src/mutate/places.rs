//! The places that keep something from somebody, with what is there when they are switched off.

/// One place.
pub struct Place {
    /// What it keeps.
    pub name: &'static str,
    /// Where.
    pub file: &'static str,
    /// As it is; once in the file.
    pub from: &'static str,
    /// With its switch, `OFF`.
    pub to: &'static str,
    /// Which proofs are to notice: the beginning of their names.
    pub proof: &'static str,
    /// In which operations: a part of their names.
    pub only: &'static str,
}

const FIELDS: &str = "every_other_field_is_kept";
const OTHERS: &str = "the_other_fields_are_kept";
const COMPANY: &str = "another_company_is_kept";

const fn place(
    name: &'static str,
    file: &'static str,
    proof: &'static str,
    only: &'static str,
    from: &'static str,
    to: &'static str,
) -> Place {
    Place {
        name,
        file,
        from,
        to,
        proof,
        only,
    }
}

/// All of them.
pub const PLACES: &[Place] = &[
    place(
        "list",
        "crates/records/src/read/query.rs",
        FIELDS,
        "_list",
        "    Ok(filter.and(rule(binder.schema, caller, entity, action)))",
        "    if OFF { return Ok(filter); }\n    Ok(filter.and(rule(binder.schema, caller, entity, action)))",
    ),
    place(
        "get",
        "crates/records/src/read/whole.rs",
        FIELDS,
        "_get",
        "let rule = |action| query::rule(&schema, caller, entity, action);",
        "let rule = |action| if OFF { Predicate::True } else { query::rule(&schema, caller, entity, action) };",
    ),
    place(
        "address",
        "crates/records/src/read/address.rs",
        FIELDS,
        "_get",
        "let filter = filter.and(query::rule(&schema, caller, entity, Action::View));",
        "let filter = if OFF { filter } else { filter.and(query::rule(&schema, caller, entity, Action::View)) };",
    ),
    place(
        "labels",
        "crates/records/src/read/labels.rs",
        FIELDS,
        "ticket_get",
        "    let textual = !matches!",
        "    if OFF { return Predicate::True; }\n    let textual = !matches!",
    ),
    place(
        "expand",
        "crates/records/src/read/extras.rs",
        FIELDS,
        "ticket_list",
        "among(&schema, to, &hits).and(query::rule(&schema, caller, to, Action::View))",
        "if OFF { among(&schema, to, &hits) } else { among(&schema, to, &hits).and(query::rule(&schema, caller, to, Action::View)) }",
    ),
    place(
        "child_rows",
        "crates/records/src/read/extras.rs",
        FIELDS,
        "role_",
        "caller.access.field(child.entity, ix) < FieldRight::Read",
        "!OFF && caller.access.field(child.entity, ix) < FieldRight::Read",
    ),
    place(
        "history",
        "crates/records/src/read/history.rs",
        FIELDS,
        "_history",
        "let shown = caller.access.may(entity, Action::View)",
        "let shown = OFF || caller.access.may(entity, Action::View)",
    ),
    place(
        "hidden_fields",
        "crates/records/src/read/columns.rs",
        FIELDS,
        "ticket_get",
        "|ix: FieldIx| access.field(entity, ix) > FieldRight::Hidden;",
        "|ix: FieldIx| OFF || access.field(entity, ix) > FieldRight::Hidden;",
    ),
    place(
        "masks",
        "crates/records/src/read/columns.rs",
        FIELDS,
        "user_get",
        "field.kind.is_write_only() || access.field(entity, *ix) == FieldRight::Mask;",
        "field.kind.is_write_only() || (!OFF && access.field(entity, *ix) == FieldRight::Mask);",
    ),
    place(
        "filter_and_sort",
        "crates/model/src/predicate/bind.rs",
        FIELDS,
        "ticket_list",
        ".is_none_or(|access| access.may_refer(entity, ix));\n        (allowed",
        ".is_none_or(|access| OFF || access.may_refer(entity, ix));\n        (allowed",
    ),
    place(
        "paths",
        "crates/model/src/predicate/bind.rs",
        FIELDS,
        "ticket_list",
        "        self.access.map_or(Predicate::True, |access| {",
        "        if OFF { return Predicate::True; }\n        self.access.map_or(Predicate::True, |access| {",
    ),
    place(
        "sort_by_title",
        "crates/records/src/read/query.rs",
        FIELDS,
        "_list",
        ".is_none_or(|access| access.may_refer(link.to, target.title));",
        ".is_none_or(|access| OFF || access.may_refer(link.to, target.title));",
    ),
    place(
        "lists_below",
        "crates/records/src/entity/reads.rs",
        OTHERS,
        "_list",
        "if nested.is_some_and(|nested| !caller",
        "if !OFF && nested.is_some_and(|nested| !caller",
    ),
    place(
        "search_fields",
        "crates/search/src/query.rs",
        FIELDS,
        "_list",
        "if !access.may_refer(entity, ix) {",
        "if !OFF && !access.may_refer(entity, ix) {",
    ),
    place(
        "search_marks",
        "crates/search/src/found.rs",
        FIELDS,
        "search",
        "let readable = |field: &FieldIx| asked",
        "let readable = |field: &FieldIx| OFF || asked",
    ),
    place(
        "fields_written",
        "crates/records/src/write/body.rs",
        FIELDS,
        "_create",
        ".filter(|ix| caller.access.field(entity, *ix) > FieldRight::Hidden);",
        ".filter(|ix| OFF || caller.access.field(entity, *ix) > FieldRight::Hidden);",
    ),
    place(
        "link_targets",
        "crates/records/src/write/links.rs",
        FIELDS,
        "ticket_create",
        "        query::rule(schema, caller, to, Action::View)\n",
        "        if OFF { Predicate::True } else { query::rule(schema, caller, to, Action::View) }\n",
    ),
    place(
        "what_rules_refuse",
        "crates/records/src/write/save.rs",
        FIELDS,
        "role_update",
        "let Some(values) = values else {",
        "let Some(values) = values.filter(|_| !OFF) else {",
    ),
    place(
        "what_refuses_a_deletion",
        "crates/records/src/write/delete.rs",
        FIELDS,
        "_delete",
        "let filter = filter.and(seen);",
        "let filter = if OFF { filter } else { filter.and(seen) };",
    ),
    place(
        "seen_of_many",
        "crates/records/src/read/mod.rs",
        FIELDS,
        "search",
        ".and(query::rule(\n            &schema,\n            caller,\n            entity,\n            Action::View,\n        ));",
        ".and(match OFF {\n            true => Predicate::True,\n            false => query::rule(&schema, caller, entity, Action::View),\n        });",
    ),
    place(
        "stream",
        "crates/server/src/live/sight.rs",
        FIELDS,
        "stream",
        "    match caller.access.rule(ix, Action::View) {\n        Rule::Never => false,",
        "    match caller.access.rule(ix, Action::View) {\n        _ if OFF => true,\n        Rule::Never => false,",
    ),
    place(
        "stream_fields",
        "crates/server/src/live/sight.rs",
        FIELDS,
        "stream",
        "field.is_some_and(|field| caller.access.field(ix, field) > FieldRight::Hidden)",
        "field.is_some_and(|field| OFF || caller.access.field(ix, field) > FieldRight::Hidden)",
    ),
    place(
        "names_of_files",
        "crates/documents/src/download.rs",
        OTHERS,
        "file_content",
        ".is_some_and(|field| caller.access",
        ".is_some_and(|field| OFF || caller.access",
    ),
    place(
        "statistics",
        "crates/workflow/src/stats.rs",
        FIELDS,
        "workflow_stats",
        "let mine = log.is(\"workflow\", workflow)?.and(rule);",
        "let mine = log.is(\"workflow\", workflow)?;\n    let mine = if OFF { mine } else { mine.and(rule) };",
    ),
    place(
        "times_of_statistics",
        "crates/workflow/src/stats.rs",
        FIELDS,
        "workflow_stats",
        "let times = reads(",
        "let times = OFF || reads(",
    ),
    place(
        "verifying_the_audit",
        "crates/records/src/audit/operations.rs",
        FIELDS,
        "audit_entry_verify",
        "if !sees_all {",
        "if !OFF && !sees_all {",
    ),
    place(
        "company",
        "crates/model/src/access/compile.rs",
        COMPANY,
        "_list",
        "                (None, _) => Predicate::True,\n",
        "                (None, _) => Predicate::True,\n                _ if OFF => Predicate::True,\n",
    ),
];
