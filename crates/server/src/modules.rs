//! The modules: those in the binary, and folders being written.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use opsflux_model::declare::{Diagnostic, ModuleSource, Options, declare};
use opsflux_model::{Schema, declare};
use opsflux_records::rule::Rule;
use rust_embed::Embed;

/// Everything the built-in modules declare; their code is compiled, their demo data is the demo's.
#[derive(Embed)]
#[folder = "../../modules"]
#[include = "*/module.toml"]
#[include = "*/schema.lock"]
#[include = "*/roles.toml"]
#[include = "*/entities/*.toml"]
#[include = "*/views/*.toml"]
#[include = "*/workflows/*.json"]
#[include = "*/locales/*.json"]
struct BuiltIn;

/// Where declarations of a module lie, below its folder.
const FOLDERS: [(&str, &str); 4] = [
    ("entities", "toml"),
    ("views", "toml"),
    ("locales", "json"),
    ("workflows", "json"),
];
const FILES: [&str; 3] = ["module.toml", "schema.lock", "roles.toml"];

/// Declarations that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Mistakes(pub Vec<Diagnostic>);

/// Modules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Their declarations are wrong.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// Their folder cannot be read.
    #[error("the modules in {} cannot be read: {}", .0.display(), .1)]
    Folder(PathBuf, io::Error),
}

/// The modules in the binary.
#[must_use]
pub fn built_in() -> Vec<ModuleSource> {
    let mut modules: BTreeMap<String, ModuleSource> = BTreeMap::new();
    for path in BuiltIn::iter() {
        let Some((module, below)) = path.split_once('/') else {
            continue;
        };
        let Some(file) = BuiltIn::get(&path) else {
            continue;
        };
        let source = modules
            .entry(module.to_owned())
            .or_insert_with(|| ModuleSource::new(module));
        source.files.push((
            below.to_owned(),
            String::from_utf8_lossy(&file.data).into_owned(),
        ));
    }
    modules.into_values().collect()
}

/// What the modules declare: the built-in ones, and those in the folders below `place`, beside
/// them or in the stead of one of the same name.
///
/// # Errors
/// Every mistake in them; a folder that cannot be read.
pub fn schema(place: Option<&Path>) -> Result<Schema, Unusable> {
    let mut modules = built_in();
    for module in folders(place)? {
        modules.retain(|other| other.name != module.name);
        modules.push(module);
    }
    let accepted = declare(&modules, Options::STRICT).map_err(Mistakes)?;
    let wrong = wrong_workflows(&accepted.schema);
    if !wrong.is_empty() {
        return Err(Mistakes(wrong).into());
    }
    Ok(accepted.schema)
}

/// The modules in the folders below `place`.
fn folders(place: Option<&Path>) -> Result<Vec<ModuleSource>, Unusable> {
    let Some(place) = place else {
        return Ok(Vec::new());
    };
    let unreadable = |error| Unusable::Folder(place.to_owned(), error);
    let entries = std::fs::read_dir(place).map_err(unreadable)?;
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()
        .map_err(unreadable)?;
    found.retain(|path| path.join("module.toml").is_file());
    found.sort();
    found
        .iter()
        .map(|path| read(path).map_err(unreadable))
        .collect()
}

/// The rules of the built-in modules that are written in Rust, in the order of the modules.
#[must_use]
pub fn rules() -> Vec<std::sync::Arc<dyn Rule>> {
    let mut rules = opsflux_identity::rules();
    rules.extend(opsflux_desk::rules());
    rules.extend(opsflux_kpi::rules());
    rules.extend(opsflux_crm::rules());
    rules.push(std::sync::Arc::new(opsflux_workflow::Deputing));
    rules.push(std::sync::Arc::new(opsflux_workflow::Publishing {
        actions: actions(),
    }));
    rules
}

/// What workflows may do.
fn actions() -> Vec<opsflux_workflow::action::Signature> {
    let mut actions = opsflux_workflow::action::signatures();
    actions.extend(crate::acts::signatures());
    actions.extend(opsflux_crm::acts::signatures());
    actions
}

/// What is wrong with the workflows that modules bring.
fn wrong_workflows(schema: &Schema) -> Vec<Diagnostic> {
    let found = opsflux_workflow::ready::check(schema, &actions());
    let told = found.into_iter().map(|wrong| {
        let opsflux_workflow::ready::Wrong {
            module,
            file,
            mistake,
        } = wrong;
        let detail = match mistake.detail.as_str() {
            "" => String::new(),
            detail => format!(" ({detail})"),
        };
        Diagnostic {
            file: format!("modules/{module}/workflows/{file}.json"),
            line: 1,
            column: 1,
            severity: declare::Severity::Error,
            code: mistake.code,
            message: format!("{}: {}{detail}", mistake.at, mistake.code),
            suggestion: None,
        }
    });
    told.collect()
}

/// The module in a folder.
///
/// # Errors
/// When the folder is none of a module, or cannot be read as text.
pub fn read(folder: &Path) -> io::Result<ModuleSource> {
    let name = folder.canonicalize()?;
    let name = name
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    if !folder.join("module.toml").is_file() {
        let message = format!("{} has no module.toml", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    let mut source = ModuleSource::new(name);
    for file in FILES {
        if folder.join(file).is_file() {
            source
                .files
                .push((file.to_owned(), std::fs::read_to_string(folder.join(file))?));
        }
    }
    for (below, extension) in FOLDERS {
        let inside = folder.join(below);
        if !inside.is_dir() {
            continue;
        }
        let mut paths: Vec<_> = std::fs::read_dir(&inside)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()?;
        paths.sort();
        for path in paths {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if path.extension().is_some_and(|found| found == extension) {
                source
                    .files
                    .push((format!("{below}/{name}"), std::fs::read_to_string(&path)?));
            }
        }
    }
    Ok(source)
}

/// What checking a module found.
#[derive(Debug)]
pub struct Checked {
    /// Errors and warnings about it, in the order of its files.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether it can be used.
    pub usable: bool,
}

/// Checks `module` together with the built-in ones it may depend on.
#[must_use]
pub fn check(module: &ModuleSource) -> Checked {
    match declare(&with_built_in(module), Options::STRICT) {
        Ok(accepted) => {
            let wrong = wrong_workflows(&accepted.schema);
            Checked {
                usable: wrong.is_empty(),
                diagnostics: accepted.warnings.into_iter().chain(wrong).collect(),
            }
        }
        Err(diagnostics) => Checked {
            diagnostics,
            usable: false,
        },
    }
}

/// The `schema.lock` `module` should have, when it should have another one.
///
/// # Errors
/// When the declarations cannot be read; ids are not given to what may be a slip.
pub fn new_lock(module: &ModuleSource) -> Result<Option<String>, Mistakes> {
    let mut mint = mint;
    let locks = declare::fix(&with_built_in(module), &mut mint).map_err(Mistakes)?;
    Ok(locks
        .into_iter()
        .find(|(name, _)| *name == module.name)
        .map(|(_, lock)| lock))
}

fn with_built_in(module: &ModuleSource) -> Vec<ModuleSource> {
    let others = built_in()
        .into_iter()
        .filter(|other| other.name != module.name);
    others.chain([module.clone()]).collect()
}

/// The random part of an id: eight characters of base 32, as `schema.lock` wants them.
fn mint() -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let random = uuid::Uuid::new_v4();
    random
        .as_bytes()
        .iter()
        // Bytes 6 and 8 hold the version and variant: they are not all random.
        .enumerate()
        .filter(|(place, _)| !matches!(place, 6 | 8))
        .take(8)
        .filter_map(|(_, byte)| DIGITS.get(usize::from(byte % 32)).copied().map(char::from))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modules_in_the_binary_declare_the_service_desk() {
        let names: Vec<String> = built_in().into_iter().map(|module| module.name).collect();
        assert_eq!(
            names,
            ["assets", "automation", "base", "crm", "desk", "kpi"]
        );
        let schema = schema(None).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert!(schema.find_collection("tickets").is_some());
        assert!(schema.roles.contains_key("technician"));
    }

    #[test]
    fn a_folder_reads_like_the_same_module_in_the_binary() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../modules/desk");
        let mut from_disk = read(Path::new(folder)).expect("the folder").files;
        let desk = built_in().into_iter().find(|module| module.name == "desk");
        let mut embedded = desk.expect("desk").files;
        from_disk.sort();
        embedded.sort();
        assert!(from_disk == embedded);
    }

    #[test]
    fn a_new_module_gets_its_ids_and_is_usable_then() {
        let module = ModuleSource::new("tools")
            .with("module.toml", "name = \"tools\"\nversion = \"0.1.0\"\ndepends = [\"base\"]\nicon = \"box\"\norder = 50\n")
            .with("entities/tool.toml", "name = \"tool\"\ncollection = \"tools\"\nkind = \"record\"\ntitle = \"name\"\nicon = \"box\"\n[fields]\nname = { type = \"text\", required = true }\n");
        let without = check(&module);
        assert!(!without.usable, "no ids yet");
        let lock = new_lock(&module)
            .expect("declarations can be read")
            .expect("a new lock");
        assert!(lock.contains("tool"));
        let again = new_lock(&module.clone().with("schema.lock", lock)).expect("readable");
        assert_eq!(again, None, "ids are given once");
    }

    #[test]
    fn minted_parts_are_eight_digits_of_base_32() {
        let minted: Vec<String> = (0..50).map(|_| mint()).collect();
        assert!(
            minted
                .iter()
                .all(|part| part.len() == 8 && part.bytes().all(|b| b.is_ascii_alphanumeric()))
        );
        let different: std::collections::HashSet<&String> = minted.iter().collect();
        assert_eq!(different.len(), minted.len());
    }
}
