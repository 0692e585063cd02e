//! Where a page begins: cursors bound to their list, and sorts that no index serves.

use opsflux_model::Value;
use opsflux_model::schema::EntityIx;
use opsflux_store::{Select, Sort};

use super::query::ListRequest;
use crate::caller::Caller;
use crate::cursor::Binding;
use crate::error::Error;
use crate::records::Records;

/// A sort without an index is refused above so many rows.
const UNINDEXED_SORT: u64 = 50_000;

impl Records {
    /// What a cursor of this list is bound to: person, tenant, entity, filter and sort.
    pub(super) fn binding(
        &self,
        caller: &Caller,
        entity: EntityIx,
        request: &ListRequest,
        purpose: &str,
    ) -> Binding {
        let mut binding = Binding::new(purpose)
            .with(caller.tenant().to_be_bytes())
            .with(caller.user())
            .with(&self.schema().entity(entity).name)
            .with([u8::from(request.deleted)])
            .with(request.q.as_deref().unwrap_or_default());
        if let Some(nested) = request.nested {
            binding = binding.with(nested.via.0.to_be_bytes()).with(nested.id);
        }
        for company in &caller.companies {
            binding = binding.with(company);
        }
        for key in &request.sort {
            binding = binding.with(key);
        }
        for (parameter, condition) in &request.conditions {
            binding = binding
                .with(parameter)
                .with(condition.to_json().to_string());
        }
        binding
    }

    pub(super) fn sealed(
        &self,
        caller: &Caller,
        entity: EntityIx,
        request: &ListRequest,
        values: &[Value],
    ) -> Result<String, Error> {
        let payload =
            serde_json::to_vec(values).map_err(|error| Error::Internal(error.to_string()))?;
        self.inner
            .cursors
            .seal(&payload, self.binding(caller, entity, request, "list"))
    }

    pub(super) fn opened(
        &self,
        caller: &Caller,
        entity: EntityIx,
        request: &ListRequest,
        sort: &[Sort],
    ) -> Result<Option<Vec<Value>>, Error> {
        let Some(cursor) = &request.cursor else {
            return Ok(None);
        };
        let payload = self
            .inner
            .cursors
            .open(cursor, self.binding(caller, entity, request, "list"));
        let values: Option<Vec<Value>> =
            payload.and_then(|payload| serde_json::from_slice(&payload).ok());
        match values {
            Some(values) if values.len() == sort.len() => Ok(Some(values)),
            _ => Err(invalid_cursor()),
        }
    }

    pub(super) fn opened_rank(
        &self,
        caller: &Caller,
        entity: EntityIx,
        request: &ListRequest,
        cursor: &str,
    ) -> Result<usize, Error> {
        let binding = self.binding(caller, entity, request, "rank");
        let payload = self
            .inner
            .cursors
            .open(cursor, binding)
            .ok_or_else(invalid_cursor)?;
        let text = std::str::from_utf8(&payload).map_err(|_| invalid_cursor())?;
        text.parse().map_err(|_| invalid_cursor())
    }

    /// A sort no index serves is fine in a small table and a trap in a large one.
    pub(super) async fn refuse_slow_sort(
        &self,
        select: &Select,
        request: &ListRequest,
    ) -> Result<(), Error> {
        if request.sort.is_empty() || select.after.is_some() {
            return Ok(());
        }
        let Some(first) = select.sort.first() else {
            return Ok(());
        };
        if self.inner.store.is_indexed(select.entity, first) {
            return Ok(());
        }
        let rows = self
            .inner
            .store
            .count_up_to(select, UNINDEXED_SORT + 1, self.inner.budget)
            .await?;
        if rows > UNINDEXED_SORT {
            let declare = request
                .sort
                .iter()
                .map(|key| format!("\"{key}\""))
                .collect::<Vec<_>>();
            return Err(Error::query(
                "sort",
                "needs_index",
                format!(
                    "declare index = [[{}]], or narrow the filter",
                    declare.join(", ")
                ),
            ));
        }
        Ok(())
    }
}

fn invalid_cursor() -> Error {
    Error::query(
        "cursor",
        "invalid_cursor",
        "a cursor belongs to one list, filter and sort",
    )
}
