//! A file as rows: what stands in the cells, whatever the form of the file.
//!
//! Rows come one after the other, however many there are; nothing of a file is kept in memory but
//! the row that is read (and, of a workbook, its table of texts). What must never be here: what the
//! cells mean.

mod csv;
mod rows;
mod xlsx;

use std::io;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use crate::spool::Spooled;

/// Most columns.
pub const MAX_COLUMNS: usize = 1_000;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// A text, as written.
    Text(String),
    /// A number of a program: exact, with a point.
    Number(String),
    /// Yes or no.
    Bool(bool),
    /// A day or a moment, as a clock on the wall shows it.
    Moment(DateTime),
    /// A formula that failed, by its name: `#DIV/0!`.
    Error(String),
    /// Something of a program that no file has.
    Json(serde_json::Value),
}

impl Cell {
    /// A text without what surrounds it; nothing when nothing is left.
    pub(crate) fn of_text(text: &str) -> Cell {
        match text.trim() {
            "" => Cell::Empty,
            text => Cell::Text(text.to_owned()),
        }
    }

    /// As people would read it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Text(text) | Cell::Number(text) | Cell::Error(text) => text.clone(),
            Cell::Bool(value) => value.to_string(),
            Cell::Moment(at) if at.time() == jiff::civil::Time::midnight() => at.date().to_string(),
            Cell::Moment(at) => at.to_string(),
            Cell::Json(value) => value.to_string(),
        }
    }
}

/// One line of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// As a spreadsheet counts: the headers usually stand in line 1.
    pub line: u64,
    /// From the first column on.
    pub cells: Vec<Cell>,
}

/// The form of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "format")]
pub enum Format {
    /// Separated values.
    Csv {
        /// What stands between them.
        separator: char,
        /// `UTF-8`, `windows-1252`, …
        encoding: String,
    },
    /// A workbook of Excel.
    Xlsx {
        /// The sheet that is read.
        sheet: String,
        /// Every visible sheet.
        sheets: Vec<String>,
        /// Whether its days are counted from 1904 on.
        from_1904: bool,
    },
    /// Rows of a program.
    Rows,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is not what it says, or damaged.
    #[error("{0}")]
    Unreadable(String),
    /// It would become far larger when opened.
    #[error("{0}")]
    Suspicious(String),
    /// No visible sheet of this name.
    #[error("no sheet {0}")]
    NoSheet(String),
    /// Nothing in it.
    #[error("no headers")]
    NoHeader,
    /// Too wide.
    #[error("too many columns")]
    TooManyColumns,
    /// The disk.
    #[error(transparent)]
    Disk(#[from] io::Error),
    /// Whoever reads has seen enough.
    #[error("stopped")]
    Stopped,
}

/// A file that is being read.
pub struct Table {
    /// Its form.
    pub format: Format,
    /// The first line in which something stands.
    pub headers: Vec<String>,
    inner: Inner,
}

enum Inner {
    Csv(Box<csv::Separated>),
    Xlsx(Box<xlsx::Workbook>),
    Rows(rows::Rows),
}

impl Table {
    /// Opens a file: a workbook by its first bytes, rows of a request by what the job says, else
    /// separated values. `sheet` names one of a workbook.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn open(file: Spooled, sheet: Option<&str>, is_rows: bool) -> Result<Table, TableError> {
        let (mut file, mut head) = (file, [0; 8]);
        let read = {
            use io::{Read, Seek};
            let read = file.read(&mut head)?;
            file.rewind()?;
            read
        };
        let head = head.get(..read).unwrap_or_default();
        let mut table = if is_rows {
            let (rows, headers) = rows::Rows::open(file)?;
            return Table::checked(Format::Rows, headers, Inner::Rows(rows));
        } else if head.starts_with(b"PK\x03\x04") {
            let book = xlsx::Workbook::open(file, sheet)?;
            let format = book.format();
            Table {
                format,
                headers: Vec::new(),
                inner: Inner::Xlsx(Box::new(book)),
            }
        } else if head.starts_with(b"\xD0\xCF\x11\xE0") {
            // The form of Excel before 2007, and of workbooks with a password.
            return Err(TableError::Unreadable("xls".to_owned()));
        } else {
            let separated = csv::Separated::open(file)?;
            let format = separated.format();
            Table {
                format,
                headers: Vec::new(),
                inner: Inner::Csv(Box::new(separated)),
            }
        };
        let mut headers = None;
        table.each(|row| {
            headers = Some(row.cells.iter().map(Cell::shown).collect::<Vec<_>>());
            Err(TableError::Stopped)
        })?;
        let headers = headers.ok_or(TableError::NoHeader)?;
        Table::checked(table.format, headers, table.inner)
    }

    fn checked(format: Format, headers: Vec<String>, inner: Inner) -> Result<Table, TableError> {
        if headers.len() > MAX_COLUMNS {
            return Err(TableError::TooManyColumns);
        }
        let headers = headers.iter().map(|name| name.trim().to_owned()).collect();
        Ok(Table {
            format,
            headers,
            inner,
        })
    }

    /// Hands every line in which something stands to `take`, those after the headers, until it
    /// says [`TableError::Stopped`]. Goes on where it stopped when called again.
    ///
    /// # Errors
    /// What `take` says; [`TableError`].
    pub fn each(
        &mut self,
        mut take: impl FnMut(Row) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        let filled = |row: Row| {
            let is_empty = row.cells.iter().all(|cell| *cell == Cell::Empty);
            if is_empty { Ok(()) } else { take(row) }
        };
        let done = match &mut self.inner {
            Inner::Csv(separated) => separated.each(filled),
            Inner::Xlsx(book) => book.each(filled),
            Inner::Rows(rows) => rows.each(filled),
        };
        match done {
            Err(TableError::Stopped) => Ok(()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests;
