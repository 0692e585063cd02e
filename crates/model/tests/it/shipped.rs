//! The modules that come with the program have no mistake.

use std::path::Path;
use std::{fs, io};

use opsflux_model::declare::{ModuleSource, Options, declare, fix};
use proptest::prelude::*;

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

/// What a hand may do to a file: cut a piece out, put a piece in, or write one character over.
fn spoil(text: &str, at: usize, length: usize, piece: &str) -> String {
    let edge = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = edge(at);
    let end = edge(start + length).max(start);
    format!("{}{piece}{}", &text[..start], &text[end..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever is written, the answer is a list of mistakes or a schema, never a fall.
    #[test]
    fn no_slip_makes_the_checker_fall(
        slips in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..40_usize,
             prop::sample::select(vec!["", "\"", "[", "]", "{", "}", "=", "-1", "true", "\n", "é", ".", "_", "x", "99999999999999999999", "[fields]\n"])),
            1..6,
        ),
    ) {
        let mut modules = shipped().unwrap();
        for (module, file, at, length, piece) in slips {
            let module = module.index(modules.len());
            let files = &mut modules[module].files;
            let file = file.index(files.len());
            let text = &mut files[file].1;
            *text = spoil(text, at.index(text.len() + 1), length, piece);
        }
        if let Ok(accepted) = declare(&modules, Options::STRICT) {
            prop_assert!(!accepted.schema.entities.is_empty());
        }
        let mut count = 0;
        let _ = fix(&modules, &mut || {
            count += 1;
            count.to_string()
        });
    }
}
