//! Every code the program can answer has words in every language.
//!
//! The codes are read from the sources of the rooms: a new one without words fails here, not in
//! front of somebody who cannot read English.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use opsflux_records::Language;
use opsflux_server::modules;
use opsflux_server::words::Words;

/// The sources of everything that can refuse, without their tests.
fn sources() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rooms = [
        "crates/model/src",
        "crates/records/src",
        "crates/identity/src",
        "crates/documents/src",
        "crates/search/src",
        "crates/workflow/src",
        "crates/server/src/http",
        "crates/server/src/problem",
        "modules/desk/src",
    ];
    let mut todo: Vec<PathBuf> = rooms.iter().map(|room| root.join(room)).collect();
    todo.push(root.join("crates/server/src/problem.rs"));
    let mut sources = Vec::new();
    while let Some(path) = todo.pop() {
        let name = path.file_name().and_then(|name| name.to_str());
        if path.is_dir() {
            if name != Some("tests") {
                let entries = std::fs::read_dir(&path).expect("a folder");
                todo.extend(entries.map(|entry| entry.expect("an entry").path()));
            }
        } else if name.is_some_and(|name| name.ends_with(".rs") && name != "tests.rs") {
            let text = std::fs::read_to_string(&path).expect("a file");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            sources.push(code.to_owned());
        }
    }
    sources
}

/// The arguments of the call that begins with the parenthesis `text` begins with.
fn arguments(text: &str) -> Vec<String> {
    let mut arguments = vec![String::new()];
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for letter in text.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => {
                depth += 1;
                if depth == 1 {
                    continue;
                }
            }
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 1 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
        arguments.last_mut().expect("one").push(letter);
    }
    arguments
        .iter()
        .map(|text| text.trim().to_owned())
        .collect()
}

/// A literal without its quotation marks; `None` for what is no literal.
fn literal(argument: &str) -> Option<String> {
    let inside = argument.strip_suffix(".to_owned()").unwrap_or(argument);
    let inside = inside.strip_prefix('"')?.strip_suffix('"')?;
    Some(inside.replace("\\\"", "\""))
}

/// The `place`-th argument of every call of `function`, where it is a literal.
fn literals(function: &str, place: usize) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for source in sources() {
        for (at, _) in source.match_indices(function) {
            let call = &source[at + function.len() - 1..];
            found.extend(arguments(call).get(place).and_then(|text| literal(text)));
        }
    }
    found.retain(|text| !text.is_empty());
    found
}

fn words() -> Words {
    Words::new(&modules::schema(None).expect("the modules")).expect("words")
}

/// Demands words of its own in each language, not those of English lent to another one.
fn demand(paths: impl Fn(&str) -> Vec<String>, codes: &BTreeSet<String>) {
    let words = words();
    let mut missing = Vec::new();
    for code in codes {
        for language in Language::ALL {
            let known = paths(code).iter().any(|path| {
                let path: Vec<&str> = path.split('/').collect();
                words.own(language, &path).is_some()
            });
            if !known {
                missing.push(format!("{code} ({})", language.code()));
            }
        }
    }
    assert!(missing.is_empty(), "no words for {missing:?}");
}

#[test]
fn every_code_of_a_field_has_words() {
    let mut codes = BTreeSet::new();
    for (function, place) in [
        ("FieldError::new(", 1),
        ("Error::field(", 1),
        ("Invalid::new(", 0),
        (".mistake(", 1),
        ("Mistake::new(", 1),
        (".wrong(", 1),
    ] {
        codes.extend(literals(function, place));
    }
    // Told by code() of the reasons against a password.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../identity/src/password.rs");
    let passwords = std::fs::read_to_string(path).expect("a file");
    let reasons = passwords.split("=> \"password_").skip(1);
    codes.extend(reasons.map(|rest| {
        let end = rest.find('"').expect("an end");
        format!("password_{}", &rest[..end])
    }));
    for known in [
        "password_too_weak",
        "wrong_password",
        "required",
        "too_long",
    ] {
        assert!(codes.contains(known), "{known} is not found any more");
    }
    demand(|code| vec![format!("fields/{code}")], &codes);
}

#[test]
fn every_problem_has_a_title_and_a_detail() {
    let mut codes = literals("Problem::new(", 1);
    codes.extend(literals("new(", 0).into_iter().filter(|code| {
        // Conflicts are made by a closure of that name in one file.
        words()
            .own(Language::En, &["problems", code, "title"])
            .is_some()
    }));
    for known in ["csrf", "not_found", "edit_conflict", "busy", "internal"] {
        assert!(codes.contains(known), "{known} is not found any more");
    }
    demand(|code| vec![format!("problems/{code}/title")], &codes);
    let detail = |code: &str| {
        ["detail", "detail_one", "detail_other"]
            .map(|part| format!("problems/{code}/{part}"))
            .to_vec()
    };
    demand(detail, &codes);
}

#[test]
fn every_conflict_is_a_problem_with_words() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/problem/refusals.rs");
    let source = std::fs::read_to_string(path).expect("a file");
    let conflicts = source.split("fn conflict(").nth(1).expect("conflicts");
    let made = conflicts.split("new(\"").skip(1);
    let codes: BTreeSet<String> = made
        .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
        .filter(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        .collect();
    assert!(codes.len() > 9, "{codes:?}");
    demand(|code| vec![format!("problems/{code}/title")], &codes);
}

#[test]
fn every_reason_against_a_query_has_words() {
    let mut codes = literals("Error::query(", 1);
    // What a condition can be refused for.
    codes.extend(["unknown_field", "unknown_operator", "invalid_value"].map(str::to_owned));
    assert!(
        codes.contains("needs_index") && codes.len() > 6,
        "{codes:?}"
    );
    demand(|code| vec![format!("query/{code}")], &codes);
}

#[test]
fn every_refusal_of_a_module_and_every_guard_has_words() {
    let mut codes = BTreeSet::new();
    for source in sources() {
        for (at, _) in source.match_indices('"') {
            let text = source[at + 1..].split('"').next().unwrap_or_default();
            let is_code = |module: &str| {
                text.strip_prefix(module).is_some_and(|name| {
                    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                })
            };
            // Rules and settings are named alike; a code stands where codes stand.
            let before = source[..at].trim_end();
            let stands = ["code:", "refusal(", "&str ="]
                .iter()
                .any(|end| before.ends_with(end));
            if stands
                && !before.ends_with("SETTING: &str =")
                && (is_code("base.") || is_code("desk."))
            {
                codes.insert(text.to_owned());
            }
        }
    }
    for known in [
        "base.own_account",
        "base.last_administrator",
        "base.several_administrators",
    ] {
        assert!(codes.contains(known), "{known} is not found any more");
    }
    let counted = |code: &str| {
        ["", "_one", "_other"]
            .map(|form| format!("errors/{code}{form}"))
            .to_vec()
    };
    demand(counted, &codes);
    let guards = BTreeSet::from(["acyclic", "deleted", "referenced"].map(str::to_owned));
    demand(|guard| vec![format!("guards/{guard}")], &guards);
}

#[test]
fn every_phrase_has_words() {
    let mut phrases = BTreeSet::new();
    for (function, place) in [
        ("FieldError::new(", 2),
        ("Error::field(", 2),
        ("Invalid::new(", 1),
        (".mistake(", 2),
        ("Error::query(", 2),
        ("Error::BadBody(", 0),
    ] {
        phrases.extend(literals(function, place));
    }
    assert!(phrases.contains("a text"), "{phrases:?}");
    // Formats and names are the same in every language.
    phrases.retain(|text| {
        let words: Vec<&str> = text.split(' ').collect();
        let word = |text: &str| text.len() > 1 && text.bytes().all(|b| b.is_ascii_alphabetic());
        words.windows(2).any(|pair| word(pair[0]) && word(pair[1]))
    });
    let words = words();
    for phrase in &phrases {
        for language in Language::ALL {
            assert!(
                words.own(language, &["expected", phrase]).is_some(),
                "“{phrase}” in {}",
                language.code()
            );
        }
    }
}
