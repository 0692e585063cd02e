//! `opsflux module …`

use std::path::Path;
use std::process::ExitCode;

use opsflux_model::declare::Severity;

use super::{Done, say};
use crate::modules;

/// Reports every mistake in a module.
pub fn check(folder: &Path, fix: bool) -> Done {
    let mut module = modules::read(folder)?;
    if fix && let Some(lock) = modules::new_lock(&module)? {
        let path = folder.join("schema.lock");
        std::fs::write(&path, &lock)?;
        say(&format!("{} written\n", path.display()))?;
        module = modules::read(folder)?;
    }
    let checked = modules::check(&module);
    for diagnostic in &checked.diagnostics {
        say(&format!("{diagnostic}\n"))?;
    }
    let count = |severity| {
        checked
            .diagnostics
            .iter()
            .filter(|d| d.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    say(&format!(
        "{}: {errors} errors, {warnings} warnings\n",
        module.name
    ))?;
    Ok(if checked.usable {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The modules in the program.
pub fn list() -> Done {
    let schema = modules::schema(None)?;
    for module in &schema.modules {
        let entities: Vec<&str> = schema
            .entities
            .iter()
            .filter(|entity| entity.module == module.name)
            .map(|entity| entity.name.as_str())
            .collect();
        say(&format!(
            "{} {}  {}\n",
            module.name,
            module.version,
            entities.join(" ")
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
