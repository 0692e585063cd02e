//! The pipeline, proved on both databases.
//!
//! Every test is a function of a [`World`]: the built-in modules on an empty database with one
//! company and a few people. `both!` runs it on SQLite and on PostgreSQL.

// A test that cannot go on fails by panicking; that is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod ground;
mod shop;
mod world;

mod audit;
mod deleting;
mod derived;
mod idempotency;
mod jobs;
mod reading;
mod rights;
mod rules;
mod upkeep;
mod writing;
