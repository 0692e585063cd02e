//! Operations that do nothing, for tests of what stands around them.

use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_records::{Needs, Operation, Reply};

/// An operation that answers 204.
pub fn operation(name: &str, method: Method, path: &str) -> Operation {
    Operation {
        name: name.to_owned(),
        method,
        path: path.to_owned(),
        summary: name.to_owned(),
        tag: "tests".to_owned(),
        needs: Needs::Nothing,
        query: Vec::new(),
        input: None,
        output: (StatusCode::NO_CONTENT, None),
        problems: Vec::new(),
        handler: Arc::new(|_| Box::pin(async { Ok(Reply::empty()) })),
    }
}
