//! What reads that come again and again take, worked out once and kept.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Weak};

use opsflux_model::{Access, Schema};
use parking_lot::Mutex;

/// Plans kept at most; those of accesses that are gone make room first.
const KEPT: usize = 4_096;

/// Plans `P` by what they read, `K`, and whose rights they were made with. They hold for one
/// schema.
pub(crate) struct Plans<K, P>(Mutex<HashMap<(usize, K), Kept<P>>>);

struct Kept<P> {
    schema: Arc<Schema>,
    /// Holds the place in memory by which the access is known; none for the house.
    access: Option<Weak<Access>>,
    plan: Arc<P>,
}

impl<K, P> Default for Plans<K, P> {
    fn default() -> Self {
        Plans(Mutex::default())
    }
}

impl<K: Copy + Eq + Hash, P> Plans<K, P> {
    /// The plan for `key`; made when there is none for this schema and access. `None` stands for
    /// the rights of the house.
    ///
    /// # Errors
    /// What `make` fails with.
    pub fn get<E>(
        &self,
        schema: &Arc<Schema>,
        access: Option<&Arc<Access>>,
        key: K,
        make: impl FnOnce() -> Result<P, E>,
    ) -> Result<Arc<P>, E> {
        let place = (access.map_or(0, |access| Arc::as_ptr(access).addr()), key);
        if let Some(kept) = self.0.lock().get(&place)
            && Arc::ptr_eq(&kept.schema, schema)
        {
            return Ok(kept.plan.clone());
        }
        let plan = Arc::new(make()?);
        self.keep(
            place,
            Kept {
                schema: schema.clone(),
                access: access.map(Arc::downgrade),
                plan: plan.clone(),
            },
        );
        Ok(plan)
    }

    fn keep(&self, place: (usize, K), one: Kept<P>) {
        let mut kept = self.0.lock();
        if kept.len() >= KEPT {
            let lives = |access: &Weak<Access>| access.strong_count() > 0;
            kept.retain(|_, kept| kept.access.as_ref().is_none_or(lives));
        }
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(place, one);
    }
}
