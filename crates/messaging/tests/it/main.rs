//! The room, proved on both databases, against a real mail server and a server that is called.
//!
//! Every test is a function of a [`world::World`]; `both!` runs it on SQLite and on PostgreSQL. The
//! clock is the test's own: nothing here waits for time to pass.

// A test that cannot go on fails by panicking; that is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls;
mod deciding;
mod letters;
mod queue;
mod target;
mod telling;
mod world;
