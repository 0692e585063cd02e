//! Identity on real databases: SQLite and PostgreSQL, through the operations the server mounts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests fail by panicking

mod accounts;
mod bootstrap;
mod calls;
mod deleting;
mod house;
mod login;
mod resolve;
mod sessions;
mod signup;
