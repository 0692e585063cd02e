//! What the crate says about the files of this repository.

// A test that cannot go on fails by panicking; that is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod shipped;
