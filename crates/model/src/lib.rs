//! What things are, and nothing of how they are stored or served.
//!
//! Declarations ([`schema`]), the values of fields ([`value`]), the one condition language
//! ([`condition`], bound and typed in [`predicate`]), who may do what ([`access`]), which move a
//! state allows ([`state`]) and which tables follow from it all ([`layout`]).
//!
//! What must never be here: I/O, clocks, randomness, SQL, HTTP. Everything in this crate is a
//! function of its arguments, so that it can be tested by enumeration and used on a server, in a
//! checker and in a browser alike.
//!
//! Start reading at [`schema::Schema`].

pub mod access;
pub mod condition;
pub mod declare;
pub mod expr;
pub mod fold;
pub mod layout;
pub mod lock;
pub mod migrate;
pub mod predicate;
pub mod schema;
pub mod state;
pub mod value;
pub mod wire;

#[cfg(test)]
mod world;

pub use access::{Access, Action, FieldRight, Rule};
pub use condition::{Condition, ConditionError, Op};
pub use predicate::{Operand, Path, Predicate, Step, Test};
pub use schema::{Entity, EntityIx, Field, FieldIx, FieldType, Schema};
pub use value::Value;
pub use wire::Invalid;
