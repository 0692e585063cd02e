//! The pipeline, proved on both databases.
//!
//! Every test is a function of a [`World`]: the built-in modules on an empty database with one
//! company and a few people. `both!` runs it on SQLite and on PostgreSQL.

mod world;

mod deleting;
mod idempotency;
mod reading;
mod rights;
mod rules;
mod writing;
