//! What the crate says about the files of this repository.

mod shipped;
