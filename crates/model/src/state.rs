//! Moves between states: a pure question, answered the same for a request, an import, a workflow.

use crate::schema::{Entity, FieldIx, State};
use crate::value::Value;

/// Why a move is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveRefused {
    /// There is no such state.
    #[error("there is no state “{0}”")]
    Unknown(String),
    /// The state exists but cannot be reached from here.
    #[error("“{to}” cannot follow “{from}”; allowed: {}", allowed.join(", "))]
    NotAllowed {
        /// The state it is in.
        from: String,
        /// The state asked for.
        to: String,
        /// The states it may move to.
        allowed: Vec<String>,
    },
    /// Entering the state needs these fields filled.
    #[error("“{to}” needs more fields")]
    Requires {
        /// The state asked for.
        to: String,
        /// Fields that are empty.
        missing: Vec<FieldIx>,
    },
}

/// Checks the move `from` → `to`. `from` is `None` for a new record, which may enter any state by
/// `import_state` only: the caller passes the initial state otherwise. `value` answers what a
/// field holds after the change.
///
/// # Errors
/// [`MoveRefused`]; staying in a state is never refused.
pub fn check_move<'a>(
    entity: &'a Entity,
    from: Option<&str>,
    to: &str,
    value: impl Fn(FieldIx) -> &'a Value,
) -> Result<(), MoveRefused> {
    if from == Some(to) {
        return Ok(());
    }
    let target = find(entity, to).ok_or_else(|| MoveRefused::Unknown(to.to_owned()))?;
    if let Some(current) = from.and_then(|name| find(entity, name))
        && !current.to.iter().any(|name| name == to)
    {
        return Err(MoveRefused::NotAllowed {
            from: current.name.clone(),
            to: to.to_owned(),
            allowed: current.to.clone(),
        });
    }
    let missing: Vec<_> = target
        .requires
        .iter()
        .copied()
        .filter(|field| value(*field).is_empty())
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(MoveRefused::Requires {
            to: to.to_owned(),
            missing,
        })
    }
}

fn find<'a>(entity: &'a Entity, name: &str) -> Option<&'a State> {
    entity.states.iter().find(|state| state.name == name)
}
