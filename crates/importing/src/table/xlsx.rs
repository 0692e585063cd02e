//! Workbooks of Excel, row by row.
//!
//! The first visible sheet, or the one that is named. A formula counts as the value it had when the
//! workbook was saved; a cell that was merged out of several stands in each of them. What would
//! swell when opened is refused before it is.

use std::io::{BufReader, Read, Seek};

use calamine::{
    Cell as Found, CellErrorType, DataRef, Dimensions, Reader, SheetType, SheetVisible, Xlsx,
    XlsxError,
};
use jiff::civil::DateTime;

use super::{Cell, Format, MAX_COLUMNS, Row, TableError};
use crate::spool::Spooled;

/// Most parts of a workbook.
const MAX_PARTS: usize = 5_000;
/// Largest part, opened: a full sheet of numbers has some hundred megabytes.
const MAX_PART: u64 = 2 * 1024 * 1024 * 1024;
/// What all parts may have together.
const MAX_ALL: u64 = 3 * 1024 * 1024 * 1024;
/// How much larger a part may become than it lies in the file. What repeats itself packs well, but
/// not that well.
const MAX_RATIO: u64 = 200;
/// Parts below this size are never suspicious.
const SMALL: u64 = 10 * 1024 * 1024;
/// What may be kept of the texts in a workbook.
const MAX_TEXTS: u64 = 512 * 1024 * 1024;
/// Most merged cells.
const MAX_MERGED: usize = 100_000;

type Book = Xlsx<BufReader<Spooled>>;

/// A workbook that is being read.
pub struct Workbook {
    book: Book,
    sheet: String,
    sheets: Vec<String>,
    merged: Vec<Dimensions>,
    /// The last line handed on.
    done: Option<u32>,
}

impl Workbook {
    /// Opens a sheet.
    pub fn open(mut file: Spooled, sheet: Option<&str>) -> Result<Workbook, TableError> {
        judge(&mut file)?;
        file.rewind()?;
        let mut book: Book =
            Xlsx::new(BufReader::with_capacity(64 * 1024, file)).map_err(unreadable)?;
        let visible: Vec<String> = book
            .sheets_metadata()
            .iter()
            .filter(|sheet| {
                sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet
            })
            .map(|sheet| sheet.name.clone())
            .collect();
        let name = match sheet {
            Some(name) => visible.iter().find(|known| known.as_str() == name),
            None => visible.first(),
        };
        let name = name
            .cloned()
            .ok_or_else(|| TableError::NoSheet(sheet.unwrap_or_default().to_owned()))?;
        let mut merged = book.merge_cells_by_sheet_name(&name).map_err(unreadable)?;
        if merged.len() > MAX_MERGED {
            return Err(TableError::Suspicious(format!(
                "{} merged cells",
                merged.len()
            )));
        }
        merged.sort_by_key(|one| one.start);
        Ok(Workbook {
            book,
            sheet: name,
            sheets: visible,
            merged,
            done: None,
        })
    }

    pub fn format(&self) -> Format {
        Format::Xlsx {
            sheet: self.sheet.clone(),
            sheets: self.sheets.clone(),
            from_1904: self.book.has_1904_epoch(),
        }
    }

    /// Hands on one line after the other. A sheet is read from its begin each time; what was handed
    /// on is passed over.
    pub fn each(
        &mut self,
        mut take: impl FnMut(Row) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        let mut merging = Merging::new(&self.merged);
        let mut reader = self
            .book
            .worksheet_cells_reader(&self.sheet)
            .map_err(unreadable)?;
        let mut row: Option<(u32, Vec<Cell>)> = None;
        let mut done = self.done;
        loop {
            let next = reader.next_cell().map_err(unreadable)?;
            let at = next.as_ref().map(|cell| cell.get_position());
            let ends = match (&row, at) {
                (Some((line, _)), Some((next, _))) => next != *line,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if ends && let Some((line, mut cells)) = row.take() {
                merging.fill(line, &mut cells);
                if done.is_none_or(|done| line > done) {
                    done = Some(line);
                    let line = u64::from(line) + 1;
                    if let Err(stop) = take(Row { line, cells }) {
                        self.done = done;
                        return Err(stop);
                    }
                }
            }
            let Some(cell) = next else {
                self.done = done;
                return Ok(());
            };
            let (line, column) = cell.get_position();
            let value = read(&cell);
            let column = column as usize;
            if value == Cell::Empty && !merging.may_touch(line) {
                continue;
            }
            let (_, cells) = row.get_or_insert_with(|| (line, Vec::new()));
            if column >= MAX_COLUMNS {
                if value == Cell::Empty {
                    continue;
                }
                return Err(TableError::TooManyColumns);
            }
            if cells.len() <= column {
                cells.resize(column + 1, Cell::Empty);
            }
            if let Some(place) = cells.get_mut(column) {
                *place = value;
            }
        }
    }
}

fn read(cell: &Found<DataRef<'_>>) -> Cell {
    match cell.get_value() {
        DataRef::Empty => Cell::Empty,
        DataRef::Int(number) => Cell::Number(number.to_string()),
        DataRef::Float(number) => Cell::Number(plain(*number)),
        DataRef::String(text) => Cell::of_text(text),
        DataRef::SharedString(text) => Cell::of_text(text),
        DataRef::Bool(value) => Cell::Bool(*value),
        DataRef::DateTime(at) if at.is_datetime() => {
            let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
            let small = |part: u8| i8::try_from(part).unwrap_or(-1);
            let moment = i16::try_from(year).ok().and_then(|year| {
                let nanos = i32::from(milli) * 1_000_000;
                let (hour, minute) = (small(hour), small(minute));
                DateTime::new(
                    year,
                    small(month),
                    small(day),
                    hour,
                    minute,
                    small(second),
                    nanos,
                )
                .ok()
            });
            moment.map_or_else(|| Cell::Number(plain(at.as_f64())), Cell::Moment)
        }
        DataRef::DateTime(span) => Cell::Number(plain(span.as_f64())),
        DataRef::DateTimeIso(text) => match text.parse::<DateTime>() {
            Ok(at) => Cell::Moment(at),
            Err(_) => Cell::of_text(text),
        },
        DataRef::DurationIso(text) => Cell::of_text(text),
        DataRef::Error(error) => Cell::Error(named(error).to_owned()),
    }
}

fn named(error: &CellErrorType) -> String {
    error.to_string()
}

/// The shortest decimal that is this number, without an exponent.
fn plain(number: f64) -> String {
    format!("{number}")
}

/// Cells that were made out of several.
struct Merging<'a> {
    /// Those whose first line is still to come, in its order.
    to_come: std::slice::Iter<'a, Dimensions>,
    next: Option<&'a Dimensions>,
    open: Vec<(&'a Dimensions, Cell)>,
}

impl<'a> Merging<'a> {
    fn new(merged: &'a [Dimensions]) -> Merging<'a> {
        let mut to_come = merged.iter();
        Merging {
            next: to_come.next(),
            to_come,
            open: Vec::new(),
        }
    }

    /// Whether some cell of the line may belong to a merged one.
    fn may_touch(&self, line: u32) -> bool {
        !self.open.is_empty() || self.next.is_some_and(|next| next.start.0 <= line)
    }

    fn fill(&mut self, line: u32, cells: &mut Vec<Cell>) {
        self.open.retain(|(place, _)| place.end.0 >= line);
        while let Some(next) = self.next.filter(|next| next.start.0 <= line) {
            if next.start.0 == line {
                let value = cells
                    .get(next.start.1 as usize)
                    .cloned()
                    .unwrap_or_default();
                self.open.push((next, value));
            }
            self.next = self.to_come.next();
        }
        for (place, value) in &self.open {
            let last = (place.end.1 as usize).min(MAX_COLUMNS - 1);
            for column in place.start.1 as usize..=last {
                if cells.len() <= column {
                    cells.resize(column + 1, Cell::Empty);
                }
                if let Some(cell) = cells.get_mut(column)
                    && *cell == Cell::Empty
                {
                    *cell = value.clone();
                }
            }
        }
    }
}

fn unreadable(error: XlsxError) -> TableError {
    match error {
        XlsxError::Io(error) => TableError::Disk(error),
        XlsxError::WorksheetNotFound(name) => TableError::NoSheet(name),
        other => TableError::Unreadable(other.to_string()),
    }
}

/// Refuses what swells, by what its parts say of themselves; what they say falsely, the reader of
/// the archive refuses.
fn judge(file: &mut Spooled) -> Result<(), TableError> {
    let no_archive = |error: zip::result::ZipError| TableError::Unreadable(error.to_string());
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(no_archive)?;
    if archive.len() > MAX_PARTS {
        return Err(TableError::Suspicious(format!("{} parts", archive.len())));
    }
    let mut all = 0_u64;
    let mut texts = None;
    for place in 0..archive.len() {
        let part = archive.by_index_raw(place).map_err(no_archive)?;
        let (size, packed) = (part.size(), part.compressed_size());
        all = all.saturating_add(size);
        let swells = size > SMALL && size / packed.max(1) > MAX_RATIO;
        if swells || size > MAX_PART || all > MAX_ALL {
            return Err(TableError::Suspicious(format!(
                "{size} bytes out of {packed}"
            )));
        }
        if part
            .name()
            .map_err(no_archive)?
            .ends_with("sharedStrings.xml")
        {
            if size > MAX_TEXTS {
                return Err(TableError::Suspicious(format!("{size} bytes of texts")));
            }
            texts = Some((place, size));
        }
    }
    // Memory is set aside for as many texts as the part says it has.
    if let Some((place, size)) = texts {
        let mut head = Vec::new();
        let part = archive.by_index(place).map_err(no_archive)?;
        part.take(8 * 1024).read_to_end(&mut head)?;
        let head = String::from_utf8_lossy(&head);
        let said = head.split("uniqueCount=").nth(1).and_then(|rest| {
            let digits = rest.trim_start_matches(['"', '\'']);
            let end = digits.find(|c: char| !c.is_ascii_digit())?;
            digits.get(..end)
        });
        // The shortest text takes more bytes than this.
        if let Some(said) = said
            && said
                .parse::<u64>()
                .map_or(true, |count| count > size / 5 + 1)
        {
            return Err(TableError::Suspicious(format!("{said} texts")));
        }
    }
    Ok(())
}
