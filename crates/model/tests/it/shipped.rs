//! The modules that come with the program have no mistake.

use std::path::Path;
use std::{fs, io};

use opsflux_model::declare::{MintIds, ModuleSource, Options, declare};

/// Every module of the repository, as the server reads them from disk.
fn shipped() -> io::Result<Vec<ModuleSource>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../modules");
    let mut modules = Vec::new();
    for folder in fs::read_dir(&root)? {
        let folder = folder?;
        let mut source = ModuleSource::new(folder.file_name().to_string_lossy());
        for part in ["", "entities", "views", "locales"] {
            for file in fs::read_dir(folder.path().join(part)).into_iter().flatten() {
                let file = file?;
                if file.file_type()?.is_file() {
                    let name = file.file_name();
                    let relative = format!("{part}/{}", name.to_string_lossy());
                    let text = fs::read_to_string(file.path())?;
                    source = source.with(relative.trim_start_matches('/'), text);
                }
            }
        }
        modules.push(source);
    }
    Ok(modules)
}

#[test]
fn shipped_modules_have_no_mistake() {
    let options = Options {
        ids: MintIds::Deterministic,
        ..Options::STRICT
    };
    let found = match declare(&shipped().unwrap(), options) {
        Ok(accepted) => accepted.warnings,
        Err(found) => found,
    };
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}
