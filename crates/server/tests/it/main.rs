//! The server as the outside sees it: started for real, asked over a socket, on SQLite and on
//! PostgreSQL where what is asked reaches the database.

// A test that cannot go on fails by panicking; that is what it is for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity
)]

mod accounts;
mod administering;
mod assets;
mod audit;
mod backup;
mod bad_input;
mod calculating;
mod copying;
mod crash;
mod crm;
mod degraded;
mod dispatch;
mod doctor;
mod document;
mod encryption;
mod entity;
mod files;
mod handing;
mod imports;
mod jobs;
mod live;
mod messages;
mod metadata;
mod outbound;
mod probes;
mod process;
mod proof;
mod records;
mod roles;
mod sharing;
mod start;
mod steering;
mod support;
mod viewing;
mod withheld;
mod words;
mod workflows;
