//! Who people are to what acts in their names: identity answers.

use futures::future::BoxFuture;
use opsflux_identity::Identity;
use opsflux_kpi::Owners;
use opsflux_records::{Caller, Error, Origin};
use opsflux_workflow::Acting;
use uuid::Uuid;

/// People, as identity knows them.
pub struct People(pub Identity);

impl Acting for People {
    fn caller<'a>(
        &'a self,
        tenant: i64,
        user: Uuid,
        origin: Origin,
    ) -> BoxFuture<'a, Result<Option<Caller>, Error>> {
        Box::pin(self.0.in_the_name_of(tenant, user, origin))
    }
}

impl Owners for People {
    fn caller<'a>(
        &'a self,
        tenant: i64,
        user: Uuid,
        origin: Origin,
    ) -> BoxFuture<'a, Result<Option<Caller>, Error>> {
        Box::pin(self.0.in_the_name_of(tenant, user, origin))
    }
}
