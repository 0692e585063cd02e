//! Tables of records: made, and changed when their declarations change.
//!
//! What lives here: DDL for both databases ([`ddl`]).
//!
//! What must never be here: queries and changes of records, see [`crate::sql`].

pub(crate) mod ddl;
