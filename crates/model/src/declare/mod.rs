//! From the files of modules to a [`Schema`], with every mistake of every file at once.
//!
//! The files come as texts: reading disks, archives and embedded files is the server's. The way:
//! [`tree`] (what is written where), [`shape`], [`keys`] and [`types`] (what may be written), [`collect`]
//! (who declares what), [`ids`] (immutable ids from the locks), [`resolve`] and its neighbours
//! (what names refer to), [`words`] (what people read). Start reading at [`declare`].
//!
//! What must never be here: I/O, and rules about values (they are in [`crate::wire`]).

mod collect;
mod conditions;
mod derived;
mod diagnostic;
pub mod editor;
mod fields;
mod ids;
mod keys;
mod links;
mod modules;
mod number;
mod parts;
mod resolve;
mod rights;
mod shape;
mod sorts;
mod tree;
mod types;
mod words;

#[cfg(test)]
mod tests;

pub use diagnostic::{Diagnostic, Severity};
pub use keys::{COLORS, LANGUAGES};

use crate::lock;
use crate::schema::Schema;
use diagnostic::Mistakes;

/// The files of one module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleSource {
    /// Name of its folder.
    pub name: String,
    /// Path below the folder (`entities/ticket.toml`) and contents.
    pub files: Vec<(String, String)>,
}

impl ModuleSource {
    /// A module without files.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        ModuleSource {
            name: name.into(),
            files: Vec::new(),
        }
    }

    /// The same with one more file.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, text: impl Into<String>) -> Self {
        self.files.push((path.into(), text.into()));
        self
    }

    /// How a file of it is called in diagnostics.
    fn path(&self, relative: &str) -> String {
        format!("modules/{}/{relative}", self.name)
    }
}

/// Where the ids of things come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MintIds {
    /// From `schema.lock`; what is not in it is an error.
    #[default]
    FromLock,
    /// From `schema.lock`, else made of the names: for tests, which have no lock.
    Deterministic,
}

/// What is asked of the declarations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Where ids come from.
    pub ids: MintIds,
    /// Whether every label must be there in every language.
    pub words: bool,
}

impl Options {
    /// What an installation asks: ids from the locks, all words.
    pub const STRICT: Options = Options {
        ids: MintIds::FromLock,
        words: true,
    };
    /// What a test asks: ids made of names, words not looked at.
    pub const DRAFT: Options = Options {
        ids: MintIds::Deterministic,
        words: false,
    };
}

/// Modules that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// What they declare.
    pub schema: Schema,
    /// What somebody should look at all the same.
    pub warnings: Vec<Diagnostic>,
}

/// Reads modules and resolves everything they declare.
///
/// # Errors
/// Every mistake of every file, in the order of the files; warnings among them.
pub fn declare(modules: &[ModuleSource], options: Options) -> Result<Accepted, Vec<Diagnostic>> {
    let mut mistakes = Mistakes::default();
    let all = collect::collect(modules, &options, &mut mistakes);
    let ids = ids::find(&all, options.ids, &mut mistakes);
    let schema = resolve::resolve(&all, ids, &mut mistakes);
    if options.words {
        words::check(&all, &schema, &mut mistakes);
    }
    let is_usable = mistakes.errors() == 0;
    let found = mistakes.into_found();
    if is_usable {
        Ok(Accepted {
            schema,
            warnings: found,
        })
    } else {
        Err(found)
    }
}

/// The `schema.lock` of each module that needs a new one: what `module check --fix` writes.
/// `mint` returns the random part of an id, eight characters of base 32.
///
/// # Errors
/// When the declarations cannot be read; ids are not given to what may be a slip.
pub fn fix(
    modules: &[ModuleSource],
    mint: &mut dyn FnMut() -> String,
) -> Result<Vec<(String, String)>, Vec<Diagnostic>> {
    let mut mistakes = Mistakes::default();
    let all = collect::collect(modules, &Options::DRAFT, &mut mistakes);
    if mistakes.errors() > 0 {
        return Err(mistakes.into_found());
    }
    let mut locks = Vec::new();
    for (place, module) in all.modules.iter().enumerate() {
        let things = ids::things(&all, place);
        let declared: Vec<_> = things.into_iter().map(|(thing, _)| thing).collect();
        let known = module.lock.clone().unwrap_or_default();
        let (lock, changed) = lock::assign(&declared, &known, mint);
        if changed {
            locks.push((module.name.clone(), lock.render()));
        }
    }
    Ok(locks)
}

impl Schema {
    /// A schema from the texts of a few entities and of `roles.toml`, for tests: one module
    /// without words, ids made of names.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn from_declarations(entities: &[&str], roles: &str) -> Result<Schema, Vec<Diagnostic>> {
        let module = "name = \"test\"\nversion = \"0.1.0\"";
        let mut source = ModuleSource::new("test")
            .with("module.toml", module)
            .with("roles.toml", roles);
        for (place, text) in entities.iter().enumerate() {
            source = source.with(format!("entities/{place:03}.toml"), *text);
        }
        declare(&[source], Options::DRAFT).map(|accepted| accepted.schema)
    }
}
