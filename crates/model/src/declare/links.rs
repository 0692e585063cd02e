//! Fields that lead to other records: links, child tables, roll-ups, and the inverse sides that
//! links leave on their targets.

use super::diagnostic::did_you_mean;
use super::fields::Site;
use super::resolve::{Resolver, index};
use super::tree::Node;
use crate::schema::{EntityIx, FieldIx, FieldType, LinkSpec, OnDelete, Related, RollupOp};

/// Names below a record that are not inverse sides.
const SUB_PATHS: &[&str] = &["comments", "files", "history", "restore"];

impl Resolver<'_, '_> {
    pub(crate) fn link(&mut self, site: Site<'_>, node: &Node) -> Option<LinkSpec> {
        let target = node.get("to")?;
        let to = self.entity_ref(site.module, target.text()?, target.at)?;
        let acyclic = node.is_true("acyclic");
        if acyclic && site.entity.map(index) != Some(to) {
            let message = "acyclic is for a link of an entity to itself";
            self.mistakes
                .error(node.place_of("acyclic"), "bad_acyclic", message);
        }
        let nested = node.is_true("nested");
        if nested && node.text_of("inverse").is_none() {
            let message = "nested needs an inverse, under which its records are addressed";
            self.mistakes
                .error(node.place_of("nested"), "bad_nested", message);
        }
        Some(LinkSpec {
            to,
            condition: self.condition(node.get("where")),
            on_delete: match node.text_of("on_delete") {
                Some("cascade") => OnDelete::Cascade,
                Some("refuse") => OnDelete::Refuse,
                _ => OnDelete::Clear,
            },
            inverse: node.text_of("inverse").map(str::to_owned),
            acyclic,
            nested,
        })
    }

    /// A required link that is emptied when its target goes contradicts itself.
    pub(crate) fn check_link_wishes(&mut self, name: &str, node: &Node) {
        let clears = matches!(node.text_of("on_delete"), None | Some("clear"));
        if node.text_of("type") == Some("link") && node.is_true("required") && clears {
            let message = format!("{name} is required, but deleting its target empties it");
            let hint = Some("on_delete = \"cascade\" or \"refuse\"".to_owned());
            let at = node
                .get("on_delete")
                .map_or(node.place_of("required"), |node| node.at);
            self.mistakes
                .warn_hint(at, "required_cleared", message, hint);
        }
    }

    pub(crate) fn any_link(&mut self, site: Site<'_>, node: &Node) -> Option<FieldType> {
        let target = node.get("to")?;
        if let Some(text) = target.text() {
            if text != "*" {
                let message = format!("to is a list of entities or \"*\", not “{text}”");
                let hint = Some(format!("to = [\"{text}\"]"));
                self.mistakes
                    .error_hint(target.at, "wrong_type", message, hint);
                return None;
            }
            return Some(FieldType::AnyLink { to: Vec::new() });
        }
        let mut to: Vec<EntityIx> = Vec::new();
        for (name, at) in target.text_items() {
            match self.entity_ref(site.module, name, at) {
                Some(ix) if to.contains(&ix) => {
                    self.mistakes
                        .error(at, "duplicate", format!("{name} is there twice"));
                }
                Some(ix) => to.push(ix),
                None => {}
            }
        }
        if to.is_empty() {
            // An empty list would mean any entity.
            let message = "there must be at least one entity; \"*\" means any";
            self.mistakes.error(target.at, "no_options", message);
            return None;
        }
        Some(FieldType::AnyLink { to })
    }

    pub(crate) fn children(&mut self, site: Site<'_>, node: &Node) -> Option<FieldType> {
        let (of_node, via_node) = (node.get("of")?, node.get("via")?);
        let of = self.entity_ref(site.module, of_node.text()?, of_node.at)?;
        let rows = usize::from(of.0);
        let via_name = via_node.text()?;
        let via = self.field_ref(rows, via_name, via_node.at)?;
        let owner = self.all.entities[site.entity?].name.as_str();
        let written = self
            .node(rows)
            .get("fields")
            .and_then(|node| node.get(via_name));
        let is_link = written.is_some_and(|node| {
            node.text_of("type") == Some("link") && node.text_of("to") == Some(owner)
        });
        if !is_link {
            let entity = &self.entities[rows].name;
            let message = format!("{entity}.{via_name} is not a link to {owner}");
            self.mistakes.error(via_node.at, "bad_via", message);
            return None;
        }
        Some(FieldType::Children { of, via })
    }

    /// A roll-up as written; what it returns is known when the inverse sides are.
    pub(crate) fn rollup_outline(&mut self, node: &Node) -> Option<FieldType> {
        let wanted = node.text_of("op")?;
        let (_, op) = *RollupOp::NAMES.iter().find(|(name, _)| *name == wanted)?;
        Some(FieldType::Rollup {
            of: node.text_of("of")?.to_owned(),
            op,
            field: node.text_of("field").map(str::to_owned),
            by: node.text_of("by").map(str::to_owned),
            condition: self.condition(node.get("where")),
            returns: Box::new(FieldType::Integer {
                min: None,
                max: None,
            }),
        })
    }

    /// Puts the other end of every link on its target.
    pub(crate) fn inverses(&mut self) {
        for place in 0..self.entities.len() {
            let links: Vec<(FieldIx, EntityIx, String, bool)> = self.entities[place]
                .iter()
                .filter_map(|(via, field)| match &field.kind {
                    FieldType::Link(link) => Some((via, link.to, link.inverse.clone()?, false)),
                    FieldType::Links(link) => Some((via, link.to, link.inverse.clone()?, true)),
                    _ => None,
                })
                .collect();
            for (via, to, name, many_to_many) in links {
                let related = Related {
                    name,
                    entity: index(place),
                    via,
                    many_to_many,
                };
                self.add_inverse(place, usize::from(to.0), related);
            }
        }
    }

    fn add_inverse(&mut self, from: usize, to: usize, related: Related) {
        let field = &self.entities[from].field(related.via).name;
        let node = self
            .node(from)
            .get("fields")
            .and_then(|node| node.get(field));
        let at = node.map_or(self.node(from).at, |node| node.place_of("inverse"));
        let target = &self.entities[to];
        let name = &related.name;
        let taken = if target.find(name).is_some() {
            Some(format!("{} has a field “{name}”", target.name))
        } else if let Some(other) = target.find_related(name) {
            let entity = &self.entities[usize::from(other.entity.0)];
            let link = &entity.field(other.via).name;
            Some(format!(
                "{}.{name} is the other end of {}.{link}",
                target.name, entity.name
            ))
        } else if SUB_PATHS.contains(&name.as_str()) {
            Some(format!("/{name} below a record is not free"))
        } else {
            None
        };
        match taken {
            Some(why) => self.mistakes.error(at, "inverse_taken", why),
            None => self.entities[to].related.push(related),
        }
    }

    /// Finds what the roll-ups of an entity roll up, and so what they return.
    pub(crate) fn rollups(&mut self, place: usize) {
        let all = self.all;
        for entry in all.entities[place]
            .node
            .get("fields")
            .map_or(&[][..], Node::table)
        {
            let Some(ix) = self.entities[place].find(&entry.key) else {
                continue;
            };
            let FieldType::Rollup { of, op, field, .. } =
                self.entities[place].field(ix).kind.clone()
            else {
                continue;
            };
            match self.rolled_up(place, &entry.node, &of, op, field.as_deref()) {
                Some(found) => {
                    let kind = &mut self.entities[place].fields[usize::from(ix.0)].kind;
                    if let FieldType::Rollup { returns, .. } = kind {
                        **returns = found;
                    }
                }
                None => self.break_field(place, &entry.key),
            }
        }
    }

    fn rolled_up(
        &mut self,
        place: usize,
        node: &Node,
        of: &str,
        op: RollupOp,
        field: Option<&str>,
    ) -> Option<FieldType> {
        let Some((rows, _)) = self.entities[place].rows_of(of) else {
            let entity = &self.entities[place];
            let message = format!("{} has no inverse or child table “{of}”", entity.name);
            let hint = did_you_mean(
                of,
                entity.related.iter().map(|related| related.name.as_str()),
            );
            self.mistakes
                .error_hint(node.place_of("of"), "unknown_field", message, hint);
            return None;
        };
        let at = node.place_of("field");
        let name = match (op, field) {
            (RollupOp::Count, None) => {
                return Some(FieldType::Integer {
                    min: None,
                    max: None,
                });
            }
            (RollupOp::Count, Some(_)) => {
                self.mistakes
                    .error(at, "unknown_key", "count counts records, it has no field");
                return None;
            }
            (_, None) => {
                self.mistakes
                    .error(node.at, "missing_key", "field of a roll-up is missing");
                return None;
            }
            (_, Some(name)) => name,
        };
        let ix = self.field_ref(usize::from(rows.0), name, at)?;
        if self.is_broken(usize::from(rows.0), ix) {
            return None;
        }
        let kind = &self.entities[usize::from(rows.0)].field(ix).kind;
        let returns = match kind {
            FieldType::Rollup { .. } => None,
            kind if kind.is_set() || kind.is_write_only() => None,
            kind => combined(kind.holds(), op),
        };
        if returns.is_none() {
            let message = format!("{name} of type {} cannot be combined so", kind.name());
            self.mistakes.error(at, "bad_rollup", message);
        }
        self.is_ordered_by(usize::from(rows.0), node, op)
            .and(returns)
    }

    /// Checks what makes a row the latest, if that is said.
    fn is_ordered_by(&mut self, rows: usize, node: &Node, op: RollupOp) -> Option<()> {
        let Some(by) = node.text_of("by") else {
            return Some(());
        };
        let at = node.place_of("by");
        if op != RollupOp::Latest {
            let message = "only the latest is told by a field";
            self.mistakes.error(at, "unknown_key", message);
            return None;
        }
        let ix = self.field_ref(rows, by, at)?;
        let kind = &self.entities[rows].field(ix).kind;
        if !matches!(
            kind,
            FieldType::Date | FieldType::DateTime | FieldType::Integer { .. }
        ) {
            let message = format!("{by} of type {} has no latest", kind.name());
            self.mistakes.error(at, "bad_rollup", message);
            return None;
        }
        Some(())
    }
}

/// Decimals of an average, unless what is averaged has more.
const AVERAGE_SCALE: u8 = 6;

/// What combining values of a type gives; `None` when it means nothing. Limits do not carry over:
/// a sum may pass what each part may not.
fn combined(kind: &FieldType, op: RollupOp) -> Option<FieldType> {
    let (min, max) = (None, None);
    let decimal = |precision: u8, scale: u8, unit: &Option<String>| FieldType::Decimal {
        precision,
        scale,
        min: None,
        max: None,
        unit: unit.clone(),
    };
    let is_picked = matches!(op, RollupOp::Min | RollupOp::Max | RollupOp::Latest);
    Some(match (kind, op) {
        (FieldType::Integer { .. }, RollupOp::Average) => decimal(28, AVERAGE_SCALE, &None),
        (FieldType::Integer { .. }, _) => FieldType::Integer { min, max },
        (FieldType::Duration { .. }, _) => FieldType::Duration { min, max },
        (
            FieldType::Decimal {
                precision,
                scale,
                unit,
                ..
            },
            _,
        ) => match op {
            RollupOp::Sum => decimal(28, *scale, unit),
            RollupOp::Average => decimal(28, (*scale).max(AVERAGE_SCALE), unit),
            _ => decimal(*precision, *scale, unit),
        },
        (FieldType::Date, _) if is_picked => FieldType::Date,
        (FieldType::DateTime, _) if is_picked => FieldType::DateTime,
        (FieldType::Boolean, RollupOp::Latest) => FieldType::Boolean,
        (FieldType::Choice { options }, RollupOp::Latest) => FieldType::Choice {
            options: options.clone(),
        },
        (FieldType::Text { max, .. }, RollupOp::Latest) => FieldType::Text {
            min: 0,
            max: *max,
            pattern: None,
        },
        _ => return None,
    })
}
