//! The demo company, made on both databases and looked over.

// A test that cannot go on fails by panicking; that is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod filling;
mod history;
mod instance;
