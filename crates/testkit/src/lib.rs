//! What tests need around the program. For `[dev-dependencies]` only.
//!
//! What lives here: a private PostgreSQL cluster per test run ([`postgres`]), a mail server that
//! writes down what it got ([`smtp`]).
//!
//! What must never be here: assertions about the program, and anything the program itself uses.

pub mod postgres;
pub mod smtp;
