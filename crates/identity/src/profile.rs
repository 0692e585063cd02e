//! The caller's own account as `/auth/me` tells it, and the changes he makes to it himself.

use std::sync::Arc;

use opsflux_model::{Access, Value};
use opsflux_records::{Caller, Error, WriteOptions, Written};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::{ACTIVE, Inner};
use opsflux_records::table::{Query, Table, at, text_at, time_at};

/// An account as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The user.
    pub id: Uuid,
    /// The tenant's outside id.
    pub organization_id: Option<Uuid>,
    /// `@prenom.nom.entreprise`.
    pub username: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Whole name.
    pub full_name: Option<String>,
    /// Whether the person is an administrator of the tenant.
    pub is_admin: bool,
    /// Whether the account may be used.
    pub is_active: bool,
    /// Id at the identity provider.
    pub sso_id: Option<String>,
    /// `fr`, `en`, `es`, `pt`; absent: the browser's.
    pub language: Option<String>,
    /// `system`, `light`, `dark`.
    pub theme: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// Where the person sits.
    pub department: Option<Uuid>,
    /// The company a new record belongs to.
    pub company: Option<Uuid>,
    /// Codes of the roles held, those inherited left out.
    pub roles: Vec<String>,
    /// Companies the person may work in: id and name, by name.
    pub companies: Vec<(Uuid, String)>,
    /// The administrator who sees with these eyes: id and name.
    pub viewed_by: Option<(Uuid, Option<String>)>,
    /// When the account was made.
    pub created_at: Option<jiff::Timestamp>,
    /// When it last changed.
    pub updated_at: Option<jiff::Timestamp>,
}

impl Profile {
    /// As `/auth/me` answers.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let companies = self.companies.iter();
        let companies: Vec<Json> = companies
            .map(|(id, name)| json!({"id": id.to_string(), "name": name}))
            .collect();
        let id = |id: Option<Uuid>| id.map(|id| id.to_string());
        json!({
            "id": self.id.to_string(),
            "organization_id": id(self.organization_id),
            "username": self.username,
            "email": self.email,
            "full_name": self.full_name,
            "role": if self.is_admin { "ADMIN" } else { "USER" },
            "is_active": self.is_active,
            "sso_id": self.sso_id,
            "language": self.language,
            "theme": self.theme,
            "time_zone": self.time_zone,
            "department": id(self.department),
            "company": id(self.company),
            "roles": self.roles,
            "companies": companies,
            "viewed_by": self.viewed_by.as_ref().map(|(viewer, name)| {
                json!({"id": viewer.to_string(), "full_name": name})
            }),
            "created_at": self.created_at.map(|at| at.to_string()),
            "updated_at": self.updated_at.map(|at| at.to_string()),
        })
    }
}

const FIELDS: [&str; 11] = [
    "username",
    "email",
    "full_name",
    "status",
    "sso_id",
    "language",
    "theme",
    "time_zone",
    "department",
    "created_at",
    "updated_at",
];

impl Inner {
    /// The caller's own account.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it is gone; when the database does not answer.
    pub(crate) async fn profile(&self, caller: &Caller) -> Result<Profile, Error> {
        let (tenant, user) = (caller.tenant(), caller.user());
        let person = self.people.find(tenant, user, self.records.now()).await?;
        let person = person.ok_or(Error::Unauthenticated)?;
        let schema = self.records.schema();
        let table = Table::of(&schema, "user")?;
        let query = Query {
            fields: &FIELDS,
            filter: table.is("id", user)?,
            sort: &[],
            limit: 1,
        };
        let rows = table.rows(self.records.store(), tenant, query).await?;
        let row = rows.first().ok_or(Error::Unauthenticated)?;
        let viewed_by = match caller.viewer {
            Some(viewer) => {
                let query = Query {
                    fields: &["full_name"],
                    filter: table.is("id", viewer)?,
                    sort: &[],
                    limit: 1,
                };
                let rows = table.rows(self.records.store(), tenant, query).await?;
                Some((viewer, rows.first().and_then(|row| text_at(row, 0))))
            }
            None => None,
        };
        let principal = &person.access.principal;
        let held = principal.memberships.iter();
        let mut roles: Vec<String> = held
            .flat_map(|held| {
                let made = held.granted.iter().map(|granted| &granted.role);
                held.role.iter().chain(made).cloned()
            })
            .collect();
        roles.sort_unstable();
        roles.dedup();
        Ok(Profile {
            id: user,
            organization_id: self.tenant_id(tenant).await?,
            username: text_at(row, 0),
            email: text_at(row, 1),
            full_name: text_at(row, 2),
            is_admin: person.access.is_admin(),
            is_active: at(row, 3) == &Value::from(ACTIVE),
            sso_id: text_at(row, 4),
            language: text_at(row, 5),
            theme: text_at(row, 6),
            time_zone: text_at(row, 7),
            department: at(row, 8).as_id(),
            company: principal.home_company,
            roles,
            companies: person.companies.clone(),
            viewed_by,
            created_at: time_at(row, 9),
            updated_at: time_at(row, 10),
        })
    }

    /// The outside id of a tenant. It never changes.
    async fn tenant_id(&self, tenant: i64) -> Result<Option<Uuid>, Error> {
        if let Some(known) = self.tenant_ids.get(&tenant) {
            return Ok(Some(known));
        }
        let all = self.records.store().tenants().await?;
        let found = all
            .iter()
            .find(|known| known.number == tenant)
            .map(|known| known.id);
        if let Some(id) = found {
            self.tenant_ids.insert(tenant, id);
        }
        Ok(found)
    }

    /// Changes the caller's own account in his name. His roles need not let him edit users: what
    /// he may change of his own is decided by the operation that calls this.
    ///
    /// # Errors
    /// As the pipeline.
    pub(crate) async fn change_user(
        &self,
        caller: &Caller,
        patch: Map<String, Json>,
        options: &WriteOptions,
    ) -> Result<Written, Error> {
        let schema = self.records.schema();
        let users = Table::of(&schema, "user")?.ix;
        let principal = caller.access.principal.clone();
        let access = Arc::new(Access::everything(&schema, principal));
        let own = Caller {
            access,
            companies: Vec::new(),
            ..caller.clone()
        };
        let user = caller.user().to_string();
        let written = self
            .records
            .update(&own, users, &user, patch, options)
            .await?;
        self.freshness
            .person_changed(caller.tenant(), caller.user());
        Ok(written)
    }
}
