//! The store through its public face, on both databases.
//!
//! Every test is written once, for a [`bench::Bench`], and run on SQLite and on PostgreSQL by
//! [`bench::on_both`]. Start reading at `fixture`, which declares what the tests store.

// A test that cannot go on has failed; only functions marked as tests are allowed this by default.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod copying;
mod dump;
mod feed;
mod fills;
mod filters;
mod fixture;
mod group;
mod guards;
mod leaving;
mod migrations;
mod paging;
mod plans;
mod processes;
mod random;
mod schemas;
mod system;
mod unique;
mod values;
mod versions;
