//! The server: command line, configuration, wiring, HTTP, OpenAPI, streams, web assets.
//!
//! What lives here: everything between the outside and the rooms. [`config`] is what the person
//! who installs it decides, [`problem`] how refusals look, [`words`] in which language.
//!
//! What must never be here: business rules, rights, SQL. Rooms and modules declare operations;
//! this crate mounts, documents and guards them, and knows no entity by name.

pub mod acting;
mod acts;
pub mod app;
pub mod audit_heads;
pub mod backup;
pub mod cli;
mod commands;
pub mod config;
pub mod data_folder;
pub mod encryption;
pub mod health;
pub mod http;
mod imports;
pub mod live;
pub mod logging;
pub mod messages;
pub mod meta;
mod metrics;
pub mod modules;
pub mod openapi;
pub mod pipeline;
pub mod problem;
pub mod run;
pub mod secret;
pub mod words;
