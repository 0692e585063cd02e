//! The server as the outside sees it: started for real, asked over a socket, on SQLite and on
//! PostgreSQL where what is asked reaches the database.

mod assets;
mod dispatch;
mod document;
mod live;
mod metadata;
mod probes;
mod records;
mod start;
mod support;
