//! Checks the modules in a folder: `cargo run -p opsflux-model --example check -- modules [--fix]`.

use std::path::Path;
use std::{env, fs, io};

use opsflux_model::declare::{self, ModuleSource, Options};

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let root = args.next().unwrap_or_else(|| "modules".to_owned());
    let root = Path::new(&root);
    let mut modules = Vec::new();
    for folder in fs::read_dir(root)? {
        let folder = folder?;
        let name = folder.file_name().to_string_lossy().into_owned();
        let mut source = ModuleSource::new(name);
        for part in ["", "entities", "views", "locales"] {
            for file in fs::read_dir(folder.path().join(part)).into_iter().flatten() {
                let path = file?.path();
                let relative = path.strip_prefix(folder.path()).map(Path::to_path_buf);
                if let (true, Ok(relative)) = (path.is_file(), relative) {
                    let text = fs::read_to_string(&path)?;
                    source = source.with(relative.to_string_lossy(), text);
                }
            }
        }
        modules.push(source);
    }
    if args.any(|arg| arg == "--fix") {
        match declare::fix(&modules, &mut random_id) {
            Ok(locks) => {
                for (name, text) in locks {
                    fs::write(root.join(&name).join("schema.lock"), text)?;
                    println!("wrote {name}/schema.lock");
                }
            }
            Err(found) => found.iter().for_each(|mistake| println!("{mistake}")),
        }
        return Ok(());
    }
    match declare::declare(&modules, Options::STRICT) {
        Ok(accepted) => accepted.warnings.iter().for_each(|w| println!("{w}")),
        Err(found) => found.iter().for_each(|mistake| println!("{mistake}")),
    }
    Ok(())
}

/// Eight characters of base 32.
fn random_id() -> String {
    let random = uuid::Uuid::new_v4().into_bytes();
    let digit = |byte: &u8| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte % 32)]);
    random.iter().take(8).map(digit).collect()
}
