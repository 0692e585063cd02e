//! One field as the interface draws it.

use opsflux_model::Action;
use opsflux_model::access::FieldRight;
use opsflux_model::predicate::operators;
use opsflux_model::schema::{
    ChoiceOption, DefaultValue, Entity, EntityIx, EntityKind, Field, FieldIx, FieldType, LinkSpec,
};
use opsflux_records::read::json::to_json;
use opsflux_records::read::query::is_ordered;
use serde_json::{Map, Value as Json, json};

use super::Reader;

/// The document of one field.
pub fn document(reader: &Reader<'_>, entity: EntityIx, ix: FieldIx) -> Json {
    let declared = reader.schema.entity(entity);
    let field = declared.field(ix);
    let refers = reader.caller.access.may_refer(entity, ix);
    let comparisons = if refers { operators(&field.kind) } else { &[] };
    let names: Vec<&str> = comparisons.iter().map(|op| op.name()).collect();
    let mut document = Map::from_iter([
        ("name".to_owned(), json!(field.name)),
        ("type".to_owned(), json!(field.kind.name())),
        ("label".to_owned(), label(reader, declared, field).into()),
        ("help".to_owned(), help(reader, declared, field)),
        ("required".to_owned(), field.required.into()),
        (
            "writable".to_owned(),
            is_writable(reader, entity, ix).into(),
        ),
        ("system".to_owned(), field.system.into()),
        ("default".to_owned(), default(reader, field)),
        (
            "sortable".to_owned(),
            (refers && is_ordered(&field.kind)).into(),
        ),
        ("operators".to_owned(), names.into()),
    ]);
    document.extend(particulars(reader, declared, field));
    Json::Object(document)
}

fn label(reader: &Reader<'_>, entity: &Entity, field: &Field) -> String {
    let own = ["entities", &entity.name, "fields", &field.name];
    if let Some(text) = reader.words.text(reader.language, &own) {
        return text.to_owned();
    }
    reader.word(&["system", &field.name])
}

fn help(reader: &Reader<'_>, entity: &Entity, field: &Field) -> Json {
    let path = ["entities", &entity.name, "help", &field.name];
    reader.words.text(reader.language, &path).into()
}

/// Whether a request of the caller may set it on some record.
fn is_writable(reader: &Reader<'_>, entity: EntityIx, ix: FieldIx) -> bool {
    let declared = reader.schema.entity(entity);
    let field = declared.field(ix);
    let access = &reader.caller.access;
    declared.kind == EntityKind::Record
        && !field.readonly
        && !matches!(
            field.kind,
            FieldType::Computed { .. } | FieldType::Rollup { .. } | FieldType::Id
        )
        && access.field(entity, ix) == FieldRight::Write
        && (access.may(entity, Action::Edit) || access.may(entity, Action::Create))
}

/// What a form begins with. Moments are left to the server: a form may stay open for days.
fn default(reader: &Reader<'_>, field: &Field) -> Json {
    match (&field.default, &field.kind) {
        (DefaultValue::Constant(value), _) => to_json(value),
        (DefaultValue::Me, _) => reader.caller.user().to_string().into(),
        (DefaultValue::None, FieldType::State { initial }) => initial.as_str().into(),
        (DefaultValue::None | DefaultValue::Now | DefaultValue::Today, _) => Json::Null,
    }
}

/// What only some types have.
fn particulars(reader: &Reader<'_>, entity: &Entity, field: &Field) -> Map<String, Json> {
    let described = match &field.kind {
        FieldType::Text { min, max, pattern } => json!({
            "min": min, "max": max, "pattern": pattern.as_ref().map(|pattern| pattern.0.as_str()),
        }),
        FieldType::LongText { max } | FieldType::RichText { max } => json!({"max": max}),
        FieldType::Integer { min, max } | FieldType::Duration { min, max } => {
            json!({"min": min, "max": max})
        }
        FieldType::Decimal {
            precision,
            scale,
            min,
            max,
            unit,
        } => json!({
            "precision": precision, "scale": scale, "unit": unit,
            "min": min.map(|min| min.to_string()), "max": max.map(|max| max.to_string()),
        }),
        FieldType::Money {
            precision,
            scale,
            currency,
        } => {
            json!({"precision": precision, "scale": scale, "currency": currency})
        }
        FieldType::Choice { options } | FieldType::Choices { options } => {
            json!({"options": choices(reader, entity, field, options)})
        }
        FieldType::Tags { max } => json!({"max": max}),
        FieldType::State { initial } => json!({"initial": initial}),
        FieldType::Link(link) | FieldType::Links(link) => target(reader, link),
        FieldType::AnyLink { to } => json!({"to": any_target(reader, to)}),
        FieldType::Children { of, via } => child_table(reader, *of, *via),
        FieldType::File { max_size } | FieldType::Image { max_size } => {
            json!({"max_size": max_size})
        }
        FieldType::Computed { returns, .. } => returned(returns),
        FieldType::Rollup { op, returns, .. } => {
            let mut described = returned(returns);
            described["op"] = op.name().into();
            if let FieldType::Choice { options } = &**returns {
                described["options"] = picked(reader, entity, field, options).into();
            }
            described
        }
        FieldType::Id
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Color
        | FieldType::Boolean
        | FieldType::Date
        | FieldType::DateTime
        | FieldType::Geo
        | FieldType::Json
        | FieldType::Secret
        | FieldType::Password => Json::Null,
    };
    match described {
        Json::Object(described) => described,
        _ => Map::new(),
    }
}

fn choices(
    reader: &Reader<'_>,
    entity: &Entity,
    field: &Field,
    options: &[ChoiceOption],
) -> Vec<Json> {
    let described = options.iter().map(|option| {
        let path = [
            "entities",
            &entity.name,
            "options",
            &field.name,
            &option.value,
        ];
        json!({"value": option.value, "label": reader.word(&path), "color": option.color})
    });
    described.collect()
}

/// The options of the field a roll-up picks its value from, in the words of that field.
fn picked(
    reader: &Reader<'_>,
    entity: &Entity,
    field: &Field,
    options: &[ChoiceOption],
) -> Vec<Json> {
    let schema = &reader.schema;
    let mut rollups = schema.rollups.iter();
    let source = rollups.find_map(|rollup| {
        let owner = schema.entity(rollup.entity);
        let is_it = owner.name == entity.name && owner.field(rollup.field).name == field.name;
        let rows = schema.entity(rollup.rows);
        is_it.then(|| Some((rows, rows.field(rollup.value?))))?
    });
    source.map_or_else(Vec::new, |(rows, value)| {
        choices(reader, rows, value, options)
    })
}

fn target(reader: &Reader<'_>, link: &LinkSpec) -> Json {
    let to = reader.schema.entity(link.to);
    let condition = (!link.condition.is_trivial()).then(|| link.condition.to_json());
    json!({"to": to.name, "to_collection": to.collection, "where": condition})
}

fn any_target(reader: &Reader<'_>, to: &[EntityIx]) -> Json {
    if to.is_empty() {
        return "*".into();
    }
    to.iter()
        .map(|ix| reader.schema.entity(*ix).name.as_str())
        .collect::<Vec<_>>()
        .into()
}

/// The columns of a child table: all but the link back to the owner and what the engine keeps.
fn child_table(reader: &Reader<'_>, of: EntityIx, via: FieldIx) -> Json {
    let child = reader.schema.entity(of);
    let shown = child.iter().filter(|(ix, field)| {
        *ix != via && !field.system && reader.caller.access.field(of, *ix) > FieldRight::Hidden
    });
    let fields: Vec<Json> = shown.map(|(ix, _)| document(reader, of, ix)).collect();
    json!({"of": child.name, "via": child.field(via).name, "fields": fields})
}

fn returned(returns: &FieldType) -> Json {
    let mut described = json!({"returns": returns.name()});
    if let FieldType::Decimal {
        precision,
        scale,
        unit,
        ..
    } = returns
    {
        described["precision"] = (*precision).into();
        described["scale"] = (*scale).into();
        described["unit"] = json!(unit);
    }
    described
}
