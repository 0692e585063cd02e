//! The modules that come with the program have no mistake.

use std::path::Path;
use std::{fs, io};

use opsflux_model::declare::{ModuleSource, Options, declare};

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
    let found = match declare(&shipped().unwrap(), Options::STRICT) {
        Ok(accepted) => accepted.warnings,
        Err(found) => found,
    };
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}

/// What the first person to open the desk relies on.
#[test]
fn the_desk_is_there_as_its_files_say() {
    let schema = declare(&shipped().unwrap(), Options::STRICT)
        .unwrap()
        .schema;
    let desk = schema.modules.iter().find(|module| module.name == "desk");
    assert_eq!(desk.unwrap().page_icons["self-service"], "hand-helping");
    let ticket = schema.entity(schema.find_collection("tickets").unwrap());
    assert_eq!(ticket.states[0].name, "new");
    assert!(
        ticket
            .related
            .iter()
            .any(|related| related.name == "children")
    );
    let asset = schema.entity(schema.find("asset").unwrap());
    assert!(
        asset
            .find_related("tickets")
            .is_some_and(|related| related.many_to_many)
    );
    for entity in &schema.entities {
        assert!(
            entity.id.starts_with("e_") && entity.id.len() == 10,
            "{}",
            entity.id
        );
    }
}
