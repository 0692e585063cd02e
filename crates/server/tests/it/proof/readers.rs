//! Who reads: roles made at run time from the schema, and those that modules declare.

use opsflux_model::schema::{Entity, EntityIx, EntityKind, FieldIx, FieldType};
use serde_json::{Value as Json, json};

use super::sample::{self, Spot, Variant};
use super::wire::{Asked, Wire};
use super::world::{Differs, HIDDEN, MORE, PASSING, SHOWN, World};

/// A child table of a role has at most so many rows in one body.
const LINES: usize = 150;

/// What a reader is.
#[derive(Clone, Copy)]
pub struct Reader {
    pub name: &'static str,
    /// The right on the fields that differ; none where whole records do.
    pub right: Option<&'static str>,
    /// A role that a module declares.
    pub declared: Option<&'static str>,
}

/// Fields that rules of modules make from others: a restriction of one is meant for all.
const MADE_TOGETHER: [(&str, &[&str]); 4] = [
    ("action_plan", &["progress", "status", "done_at"]),
    ("kpi_value", &["period_start", "period_end"]),
    (
        "user",
        &["first_name", "last_name", "full_name", "username"],
    ),
    (
        "ticket",
        &["status", "first_response_at", "resolved_at", "closed_at"],
    ),
];

/// Whether values of the field are people's, and can be kept from somebody.
pub fn is_kept(entity: &Entity, field: FieldIx) -> bool {
    let declared = entity.field(field);
    !declared.system && !matches!(declared.kind, FieldType::Children { .. })
}

fn place(entity: &Entity, field: FieldIx) -> u16 {
    let name = &entity.field(field).name;
    let together = MADE_TOGETHER
        .iter()
        .find(|(of, names)| *of == entity.name && names.contains(&name.as_str()));
    let first = together.and_then(|(_, names)| names.first());
    first
        .and_then(|name| entity.find(name))
        .map_or(field.0, |first| first.0)
}

/// What is never a matter of one field: the audit and the versions of a workflow tell the values of
/// all of them.
fn tells_all(entity: &Entity, field: FieldIx) -> bool {
    let name = entity.field(field).name.as_str();
    matches!(
        (entity.name.as_str(), name),
        ("audit_entry", "before" | "after" | "reason") | ("workflow_version", "content")
    )
}

pub fn even_fields(entity: &Entity, field: FieldIx) -> bool {
    is_kept(entity, field) && (place(entity, field).is_multiple_of(2) || tells_all(entity, field))
}

pub fn odd_fields(entity: &Entity, field: FieldIx) -> bool {
    is_kept(entity, field) && (place(entity, field) % 2 == 1 || tells_all(entity, field))
}

impl Reader {
    /// Signs this reader in to a world, with his roles.
    pub async fn enter(self, server: &crate::support::Server, world: &mut World) -> Wire {
        let roles = match self.declared {
            Some(role) => vec![role.to_owned()],
            None => self.roles(world).await,
        };
        world.reader(server, self.name, &roles).await
    }

    /// Makes his roles; several when one would have too many lines.
    async fn roles(self, world: &mut World) -> Vec<String> {
        let mut roles: Vec<(Vec<Json>, Vec<Json>)> = vec![Default::default()];
        let schema = world.schema.clone();
        for (ix, entity) in schema.iter() {
            let permissions = self.permissions(world, ix, entity);
            let rights = self.rights(world, entity);
            if let Some((held, named)) = roles.last()
                && (held.len() + permissions.len() > LINES || named.len() + rights.len() > LINES)
            {
                roles.push(Default::default());
            }
            if let Some((held, named)) = roles.last_mut() {
                held.extend(permissions);
                named.extend(rights);
            }
        }
        let mut names = Vec::new();
        for (place, (permissions, rights)) in roles.into_iter().enumerate() {
            let name = format!("{}_{place}", self.name);
            let body = json!({
                "name": name, "label": name, "permissions": permissions, "field_rights": rights,
            });
            world.done(&Asked::post("/roles", &body)).await;
            names.push(name);
        }
        names
    }

    fn permissions(self, world: &World, ix: EntityIx, entity: &Entity) -> Vec<Json> {
        let condition = match (entity.name.as_str(), entity.scope.owner) {
            // The audit tells of everything: here, of what all may know of.
            ("audit_entry", _) => {
                let shown: Vec<String> = world
                    .schema
                    .iter()
                    .flat_map(|(ix, _)| SHOWN.map(|record| sample::id(ix, record).to_string()))
                    .collect();
                Some(json!({"field": "record", "op": "in", "value": shown}))
            }
            // What has its owner's readers is hidden with its owner.
            (_, Some(_)) => None,
            _ => {
                let hidden = [HIDDEN, MORE].map(|record| sample::id(ix, record).to_string());
                let seen = json!({"field": "id", "op": "not_in", "value": hidden});
                // Nor the roles of the readers, whose lines are in no order.
                match entity.name.as_str() {
                    "role" => {
                        let ours = json!({"field": "name", "op": "starts_with", "value": "zq"});
                        Some(json!({"all": [seen, ours]}))
                    }
                    _ => Some(seen),
                }
            }
        };
        let actions: &[&str] = match entity.kind {
            EntityKind::Log => &["view"],
            EntityKind::Record => &["view", "create", "edit", "delete"],
        };
        let line = |action: &&str| {
            let mut line = json!({"app": entity.collection, "action": action, "scope": "all"});
            if let Some(condition) = &condition
                && *action != "create"
            {
                line["condition"] = condition.clone();
            }
            line
        };
        actions.iter().map(line).collect()
    }

    fn rights(self, world: &World, entity: &Entity) -> Vec<Json> {
        let (Differs::Fields(picked), Some(right)) = (world.differs, self.right) else {
            return Vec::new();
        };
        let fields = entity.iter().filter(|(field, _)| picked(entity, *field));
        fields
            .map(|(_, f)| json!({"app": entity.collection, "field": f.name, "right": right}))
            .collect()
    }

    /// What must be in no answer: the field it comes from, and how it looks.
    pub async fn forbidden(self, world: &World, wire: &Wire) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let schema = world.schema.clone();
        for (ix, entity) in schema.iter() {
            let shown = match self.declared {
                Some(_) => Some(fields_shown(wire, &entity.name).await),
                None => None,
            };
            for (field, declared) in entity.iter() {
                let records: &[u32] = match world.keeps(ix, field) {
                    true => &[0, 1, 2, HIDDEN, MORE, PASSING, PASSING + 1],
                    false => &[HIDDEN, MORE, PASSING, PASSING + 1],
                };
                let kept = shown
                    .as_ref()
                    .is_some_and(|shown| !shown.contains(&declared.name));
                let more: &[u32] = if kept { &SHOWN } else { &[] };
                for record in records.iter().chain(more) {
                    let spot = world.spot(ix, field, *record);
                    let found = match *record >= PASSING {
                        true => Some(sample::word(spot)),
                        false => sample::canary(spot),
                    };
                    let name = format!("{}.{} of record {record}", entity.name, declared.name);
                    all.extend(found.map(|canary| (name, canary)));
                }
            }
        }
        if let Some(file) = schema.find("file") {
            let name = schema.entity(file).find("name").expect("a name");
            for (ix, _) in schema.iter().filter(|(_, entity)| entity.files) {
                for place in [HIDDEN, HIDDEN + 1, MORE, MORE + 1] {
                    let spot = Spot {
                        record: u32::from(ix.0) * 16 + place,
                        variant: world.side,
                        ..world.spot(file, name, HIDDEN)
                    };
                    all.push(("a file of a hidden record".to_owned(), sample::word(spot)));
                }
            }
        }
        all.retain(|(_, canary)| !canary.is_empty());
        all
    }
}

async fn fields_shown(wire: &Wire, entity: &str) -> Vec<String> {
    let document = wire
        .ask(&Asked::get(format!("/meta/entities/{entity}")))
        .await
        .json();
    let fields = document["fields"].as_array().cloned().unwrap_or_default();
    let names = fields.iter().filter_map(|field| field["name"].as_str());
    names.map(str::to_owned).collect()
}

/// Both sides of a value that differs, as they stand in a filter.
pub fn both(world: &World, ix: EntityIx, field: FieldIx, record: u32) -> [Option<Json>; 2] {
    [Variant::One, Variant::Other].map(|variant| {
        sample::value(Spot {
            variant,
            ..world.spot(ix, field, record)
        })
    })
}
