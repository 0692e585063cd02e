//! Every mistake is found, named at its place, and alone.

mod fields;
mod modules;
mod parts;
mod resolved;
mod words;

use super::*;

const MODULE: &str = "name = \"test\"\nversion = \"0.1.0\"\n";
const USER: &str = "name = \"user\"\ncollection = \"users\"\ntitle = \"name\"\n[fields]\nname = { type = \"text\" }\n";
const COMPANY: &str = "name = \"company\"\ncollection = \"companies\"\ntitle = \"name\"\n[fields]\nname = { type = \"text\" }\n";
const START: &str = "name = \"ticket\"\ncollection = \"tickets\"\ntitle = \"title\"\n";
const TITLE: &str = "[fields]\ntitle = { type = \"text\" }\n";

/// A module with a user, a company and these files.
fn module(files: &[(&str, &str)]) -> ModuleSource {
    let start = ModuleSource::new("test")
        .with("module.toml", MODULE)
        .with("entities/company.toml", COMPANY)
        .with("entities/user.toml", USER);
    files
        .iter()
        .fold(start, |source, (path, text)| source.with(*path, *text))
}

fn found(modules: &[ModuleSource], options: Options) -> Vec<String> {
    let found = match declare(modules, options) {
        Ok(accepted) => accepted.warnings,
        Err(found) => found,
    };
    found.iter().map(ToString::to_string).collect()
}

/// What is found in a ticket whose lines after the title field are these.
fn check(lines: &str) -> Vec<String> {
    let text = format!("{START}{TITLE}{lines}");
    let found = found(
        &[module(&[("entities/ticket.toml", &text)])],
        Options::DRAFT,
    );
    let path = "modules/test/entities/ticket.toml:";
    found.iter().map(|line| line.replace(path, "")).collect()
}

/// What is found in a ticket with these lines before its fields.
fn check_head(lines: &str) -> Vec<String> {
    let text = format!("{START}{lines}\n{TITLE}");
    let found = found(
        &[module(&[("entities/ticket.toml", &text)])],
        Options::DRAFT,
    );
    let path = "modules/test/entities/ticket.toml:";
    found.iter().map(|line| line.replace(path, "")).collect()
}

fn schema(entities: &[&str], roles: &str) -> Schema {
    Schema::from_declarations(entities, roles).unwrap()
}

/// Cases of text: what is declared, then `=>` and what is found.
fn cases(text: &'static str) -> impl Iterator<Item = (String, &'static str)> {
    let mut declared = String::new();
    text.trim()
        .lines()
        .filter_map(move |line| match line.strip_prefix("=> ") {
            Some(wanted) => Some((std::mem::take(&mut declared), wanted)),
            None => {
                declared.push_str(line);
                declared.push('\n');
                None
            }
        })
}
