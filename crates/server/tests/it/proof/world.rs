//! A tenant with three records of every entity that everybody may know of and some that not
//! everybody may, made from the schema alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use http::StatusCode;
use opsflux_model::access::{Action, Scope};
use opsflux_model::schema::{Entity, EntityIx, EntityKind, FieldIx, FieldType, Schema};
use serde_json::{Value as Json, json};

use super::readers::is_kept;
use super::sample::{self, Spot, Variant};
use super::wire::{Asked, Said, Wire};
use crate::support::{PASSWORD, Server};

/// Records that are the same in both worlds, but for the fields that differ.
pub const SHOWN: [u32; 3] = [0, 1, 2];
/// The record that differs, and the one that only the second world has.
pub const HIDDEN: u32 = 3;
pub const MORE: u32 = 4;
/// Not a record: values that fields had for a while.
pub const PASSING: u32 = 9;

/// Declared roles that are held in a company. An administrator and an auditor read all of them.
pub const READS_BY_COMPANY: [&str; 4] = ["guest", "user", "technician", "manager"];

/// What differs between two worlds.
#[derive(Clone, Copy)]
pub enum Differs {
    /// These fields of what all may know of, and whole records, which a condition of the role
    /// leaves out.
    Fields(fn(&Entity, FieldIx) -> bool),
    /// Whole records, which belong to another company.
    Company,
}

/// One tenant.
pub struct World {
    pub schema: Arc<Schema>,
    pub tag: String,
    /// Its number in the database.
    pub tenant: i64,
    pub differs: Differs,
    pub side: Variant,
    pub admin: Wire,
    pub home: String,
    /// Ids by entity and record.
    pub made: BTreeMap<(EntityIx, u32), String>,
    /// Fields that a module's rule did not let be set, by entity.
    pub unset: BTreeMap<EntityIx, Vec<String>>,
}

impl World {
    pub async fn make(server: &Server, tag: &str, differs: Differs, side: Variant) -> World {
        let body = json!({
            "organization_name": format!("House {tag}"), "full_name": "The Founder",
            "email": format!("founder@{tag}.example"), "password": PASSWORD,
        });
        let made = server.anybody().post("/auth/signup", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let mut client = server.anybody();
        client.token = made.json()["access_token"].as_str().map(str::to_owned);
        let admin = Wire::of(server, &client);
        let companies = admin.ask(&Asked::get("/companies")).await.json();
        let home = companies["items"][0]["id"].as_str().expect("a company");
        let mut world = World {
            schema: server.running.app.served().schema.clone(),
            tag: tag.to_owned(),
            tenant: tenant_of(&client.token.unwrap_or_default()),
            differs,
            side,
            home: home.to_owned(),
            admin,
            made: BTreeMap::new(),
            unset: BTreeMap::new(),
        };
        world.fill(server).await;
        world
    }

    /// Entities whose records people make, those that others need first.
    pub fn entities(&self) -> Vec<EntityIx> {
        self.ordered(EntityKind::Record, Vec::new())
    }

    /// Entities of `kind`, those that others of them need first.
    pub fn ordered(&self, kind: EntityKind, mut ordered: Vec<EntityIx>) -> Vec<EntityIx> {
        let needs = |ix: EntityIx| -> Vec<EntityIx> {
            let fields = self.schema.entity(ix).fields.iter();
            let links = fields
                .filter(|field| field.required)
                .filter_map(|f| match &f.kind {
                    FieldType::Link(link) => Some(link.to),
                    FieldType::AnyLink { to } => to.first().copied().or_else(|| self.holder(ix)),
                    _ => None,
                });
            links.filter(|to| *to != ix).collect()
        };
        let all = self.schema.iter().filter(|(_, e)| e.kind == kind);
        let mut waiting: Vec<EntityIx> = all.map(|(ix, _)| ix).collect();
        // Companies first: what belongs to one names it.
        waiting.sort_by_key(|ix| self.schema.entity(*ix).name != "company");
        while !waiting.is_empty() {
            let ready = waiting
                .iter()
                .position(|ix| needs(*ix).iter().all(|n| ordered.contains(n)));
            ordered.push(waiting.remove(ready.expect("entities that need each other")));
        }
        ordered
    }

    /// What an open link of `ix` points at: an entity that carries comments and files.
    pub fn holder(&self, ix: EntityIx) -> Option<EntityIx> {
        let mut all = self.schema.iter();
        all.find(|(other, e)| *other != ix && e.comments && e.files)
            .map(|(other, _)| other)
    }

    /// Whether this world has such a record.
    pub fn has(&self, ix: EntityIx, record: u32) -> bool {
        let entity = self.schema.entity(ix);
        // Files come with what holds them; the audit writes itself, in a chain.
        if matches!(entity.name.as_str(), "file" | "audit_entry") {
            return false;
        }
        let of_a_company = entity.name == "company" || entity.scope.company.is_some();
        match (record, self.differs) {
            (0..=2, _) => true,
            (_, Differs::Company) if !of_a_company || self.is_of_the_tenant(entity) => false,
            (MORE, _) => self.side == Variant::Other,
            _ => true,
        }
    }

    /// Whether a role that reads by company reads all of this entity: tags, roles.
    fn is_of_the_tenant(&self, entity: &Entity) -> bool {
        let all = |role: &&str| {
            let declared = entity.permissions.get(*role);
            let view = declared.and_then(|declared| declared.actions.get(&Action::View));
            view.is_some_and(|view| view.scope == Scope::All)
        };
        match entity.scope.owner.map(|owner| &entity.field(owner).kind) {
            Some(FieldType::Link(owner)) => self.is_of_the_tenant(self.schema.entity(owner.to)),
            Some(_) => false,
            None => READS_BY_COMPANY.iter().any(all),
        }
    }

    pub fn spot(&self, entity: EntityIx, field: FieldIx, record: u32) -> Spot<'_> {
        Spot {
            schema: &self.schema,
            entity,
            field,
            record,
            variant: self.variant(entity, field, record),
            tag: &self.tag,
        }
    }

    pub fn variant(&self, ix: EntityIx, field: FieldIx, record: u32) -> Variant {
        // What readers write themselves is the same in both.
        let hidden = (HIDDEN..=PASSING + 2).contains(&record);
        let differs = hidden
            || match self.differs {
                Differs::Fields(picked) => picked(self.schema.entity(ix), field),
                Differs::Company => false,
            };
        if differs { self.side } else { Variant::Shared }
    }

    /// Whether the readers of this world may not read the field, in any record.
    pub fn keeps(&self, ix: EntityIx, field: FieldIx) -> bool {
        match self.differs {
            Differs::Fields(picked) => picked(self.schema.entity(ix), field),
            Differs::Company => false,
        }
    }

    pub fn path(&self, ix: EntityIx, record: u32) -> String {
        let collection = &self.schema.entity(ix).collection;
        let id = self.made.get(&(ix, record));
        let id = id
            .cloned()
            .unwrap_or_else(|| sample::id(ix, record).to_string());
        format!("/{collection}/{id}")
    }

    /// A person of the first company with these roles.
    pub async fn reader(&mut self, server: &Server, name: &str, roles: &[String]) -> Wire {
        let mut memberships = Vec::new();
        for role in roles {
            let asked = Asked::get(format!("/roles?name={role}"));
            let found = self.admin.ask(&asked).await.json();
            memberships.push(json!({"role": found["items"][0]["id"], "company": self.home}));
        }
        let email = format!("{name}@{}.example", self.tag);
        let body = json!({
            "full_name": format!("Reader {name}"), "email": email, "password": PASSWORD,
            "company": self.home, "memberships": memberships,
        });
        self.done(&Asked::post("/users", &body)).await;
        let client = server.anybody().signed_in(&email, PASSWORD).await;
        Wire::of(server, &client)
    }

    /// Asks as the administrator for what must succeed.
    pub async fn done(&self, asked: &Asked) -> Said {
        let said = self.admin.ask(asked).await;
        assert!(said.status.is_success(), "{asked:?}: {}", said.raw);
        said
    }

    /// Changes a record that the reader sees, and says which.
    pub async fn marker(&self, name: &str, reader: &Wire) -> String {
        for ix in self.entities() {
            let entity = self.schema.entity(ix);
            let field = entity.iter().find(|(field, declared)| {
                let text = match &declared.kind {
                    FieldType::LongText { .. } | FieldType::RichText { .. } => true,
                    FieldType::Text { max, pattern, .. } => *max > 20 && pattern.is_none(),
                    _ => false,
                };
                text && is_kept(entity, *field) && !declared.readonly
            });
            let Some((_, declared)) = field.filter(|_| self.has(ix, 0)) else {
                continue;
            };
            let path = self.path(ix, 0);
            if !reader.ask(&Asked::get(&path)).await.status.is_success() {
                continue;
            }
            let asked = Asked::patch(
                &path,
                &json!({&declared.name: format!("Marked for {name}")}),
            );
            if self.admin.ask(&asked).await.status.is_success() {
                return sample::id(ix, 0).to_string();
            }
        }
        panic!("a reader who sees nothing");
    }

    /// Waits until search knows all that was written: the index follows in the order of writing.
    pub async fn indexed(&self) {
        self.done(&Asked::post("/tags", &json!({"name": "zqqindexed"})))
            .await;
        for _ in 0..400 {
            let asked = Asked::get("/search?q=zqqindexed");
            let found = self.admin.ask(&asked).await.json();
            if !found["items"][0].is_null() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the index does not follow");
    }
}

/// The tenant that an access token names.
fn tenant_of(token: &str) -> i64 {
    let claims = token.split('.').nth(1).expect("claims");
    let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(claims);
    let claims: Json = serde_json::from_slice(&claims.expect("base64")).expect("JSON");
    claims["tenant"].as_i64().expect("a tenant")
}
