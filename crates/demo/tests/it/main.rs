//! The demo company, made on both databases and looked over.

mod filling;
mod history;
mod instance;
