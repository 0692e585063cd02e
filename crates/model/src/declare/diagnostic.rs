//! A mistake in a declaration, and the collection of all of them.
//!
//! Nothing here knows what a declaration means; it knows where things stand in files.

use std::fmt;

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The modules cannot be used.
    Error,
    /// They can, but somebody should look.
    Warning,
}

/// One mistake, with the place where it is mended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// `modules/desk/entities/ticket.toml`.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Whether the modules can be used all the same.
    pub severity: Severity,
    /// Stable: `unknown_key`, `unknown_type`, `dangling_link`, …
    pub code: &'static str,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub suggestion: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, " — {suggestion}"),
            None => Ok(()),
        }
    }
}

/// Where something stands: a file and a byte offset in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) offset: usize,
}

/// Errors, and warnings, at most: more than anybody mends in one sitting; a file of nothing but mistakes must not fill the memory.
const MAX_FOUND: usize = 2_000;
/// No name is longer, so nothing longer is a slip of the finger.
const MAX_SLIP: usize = 80;

/// Every file that was read and every mistake found in them.
#[derive(Debug, Default)]
pub(crate) struct Mistakes<'a> {
    files: Vec<File<'a>>,
    found: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

#[derive(Debug)]
struct File<'a> {
    path: String,
    text: &'a str,
    /// Where its lines begin.
    lines: Vec<usize>,
    /// Its syntax is broken: what else is wrong in it would be a consequence.
    broken: bool,
}

impl<'a> Mistakes<'a> {
    /// Takes note of a file, so that places in it can be named.
    pub(crate) fn open(&mut self, path: String, text: &'a str) -> usize {
        let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        self.files.push(File {
            path,
            text,
            lines: std::iter::once(0).chain(newlines).collect(),
            broken: false,
        });
        self.files.len() - 1
    }

    /// A file that should be there and is not.
    pub(crate) fn missing_file(&mut self, path: String, code: &'static str, message: String) {
        let file = self.open(path, "");
        self.error(Place { file, offset: 0 }, code, message);
    }

    /// Text that cannot be parsed; nothing else is reported for its file.
    pub(crate) fn syntax(&mut self, at: Place, message: String) {
        self.error(at, "syntax", message);
        if let Some(file) = self.files.get_mut(at.file) {
            file.broken = true;
        }
    }

    /// Reports an error.
    pub(crate) fn error(&mut self, at: Place, code: &'static str, message: impl Into<String>) {
        self.push(at, Severity::Error, code, message.into(), None);
    }

    /// Reports an error together with what to do about it.
    pub(crate) fn error_hint(
        &mut self,
        at: Place,
        code: &'static str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.push(at, Severity::Error, code, message.into(), hint);
    }

    /// Reports something worth a look.
    pub(crate) fn warn(&mut self, at: Place, code: &'static str, message: impl Into<String>) {
        self.push(at, Severity::Warning, code, message.into(), None);
    }

    /// Reports something worth a look together with what to do about it.
    pub(crate) fn warn_hint(
        &mut self,
        at: Place,
        code: &'static str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.push(at, Severity::Warning, code, message.into(), hint);
    }

    /// How many errors there are so far: lets a caller see whether a step went well.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// `file:line:column` of a place, to point from one mistake to another place.
    pub(crate) fn name(&self, at: Place) -> String {
        let (path, line, column) = self.locate(at);
        format!("{path}:{line}:{column}")
    }

    /// Everything found, in the order of the files.
    pub(crate) fn into_found(self) -> Vec<Diagnostic> {
        let mut found = self.found;
        found.sort();
        found.dedup();
        found
    }

    fn push(
        &mut self,
        at: Place,
        severity: Severity,
        code: &'static str,
        message: String,
        suggestion: Option<String>,
    ) {
        if code != "syntax" && self.files.get(at.file).is_some_and(|file| file.broken) {
            return;
        }
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count > MAX_FOUND {
            return;
        }
        let (file, line, column) = self.locate(at);
        self.found.push(Diagnostic {
            file,
            line,
            column,
            severity,
            code,
            message,
            suggestion,
        });
    }

    fn locate(&self, at: Place) -> (String, usize, usize) {
        let Some(file) = self.files.get(at.file) else {
            return (String::new(), 1, 1);
        };
        let mut end = at.offset.min(file.text.len());
        while !file.text.is_char_boundary(end) {
            end -= 1;
        }
        let line = file.lines.partition_point(|start| *start <= end);
        let start = file.lines.get(line - 1).copied().unwrap_or_default();
        let column = file.text[start..end].chars().count() + 1;
        (file.path.clone(), line, column)
    }
}

/// “did you mean …?” for a name close to one of those known.
pub(crate) fn did_you_mean<'k>(
    written: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<String> {
    nearest(written, known).map(|name| format!("did you mean “{name}”?"))
}

fn nearest<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if written.len() > MAX_SLIP {
        return None;
    }
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(&written, name), name))
        .filter(|(distance, name)| {
            let longest = name.chars().count().max(written.chars().count());
            *distance <= longest.div_ceil(3)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_another_word_is_not() {
        let known = ["text", "long_text", "integer", "decimal"];
        assert_eq!(nearest("txt", known), Some("text"));
        assert_eq!(nearest("Integr", known), Some("integer"));
        assert_eq!(nearest("decmial", known), Some("decimal"));
        assert_eq!(nearest("geography", known), None);
    }

    #[test]
    fn columns_count_characters_and_lines_start_at_one() {
        let mut mistakes = Mistakes::default();
        let file = mistakes.open("a.toml".into(), "x = 1\né = \"ü\" y");
        mistakes.error(
            Place {
                file,
                offset: "x = 1\né = \"ü\" ".len(),
            },
            "syntax",
            "oops",
        );
        let found = mistakes.into_found();
        assert_eq!(found[0].to_string(), "a.toml:2:9: oops");
    }

    #[test]
    fn a_flood_of_mistakes_is_cut_and_still_counts() {
        let mut mistakes = Mistakes::default();
        let file = mistakes.open("a.toml".into(), "x");
        for number in 0..MAX_FOUND + 10 {
            mistakes.error(Place { file, offset: 0 }, "test", number.to_string());
        }
        assert_eq!(mistakes.errors(), MAX_FOUND + 10);
        assert_eq!(mistakes.into_found().len(), MAX_FOUND);
    }

    #[test]
    fn a_broken_file_has_no_other_mistakes_than_its_syntax() {
        let mut mistakes = Mistakes::default();
        let file = mistakes.open("a.toml".into(), "x = ");
        let at = Place { file, offset: 0 };
        mistakes.syntax(at, "a value is missing".into());
        mistakes.error(at, "missing_key", "name is missing");
        assert_eq!(mistakes.into_found().len(), 1);
    }
}
