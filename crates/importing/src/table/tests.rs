//! Files as people and programs write them.

use std::io::Write;

use futures::stream;
use rust_xlsxwriter::{ExcelDateTime, Format as Style, Formula, Workbook as Writer};
use uuid::Uuid;

use super::*;
use crate::spool::Spool;

/// A file in a folder that goes with it.
fn spooled(content: &[u8]) -> (Spooled, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), None).unwrap();
    let id = Uuid::new_v4();
    let chunk: Result<_, String> = Ok(bytes::Bytes::copy_from_slice(content));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let keep = spool.keep(id, stream::iter([chunk]), u64::MAX);
    runtime.block_on(keep).unwrap();
    (spool.read(id).unwrap(), folder)
}

fn opened(content: &[u8], sheet: Option<&str>) -> Result<(Table, tempfile::TempDir), TableError> {
    let (file, folder) = spooled(content);
    Ok((Table::open(file, sheet, false)?, folder))
}

/// Lines with their places.
type Lines = Vec<(u64, Vec<String>)>;

fn all(content: &[u8]) -> (Format, Vec<String>, Lines) {
    let (mut table, _folder) = opened(content, None).unwrap();
    let mut rows = Vec::new();
    table
        .each(|row| {
            rows.push((row.line, row.cells.iter().map(Cell::shown).collect()));
            Ok(())
        })
        .unwrap();
    (table.format, table.headers, rows)
}

fn texts(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

#[test]
fn separators_and_encodings_are_found_out() {
    let cases: [(&[u8], char, &str); 6] = [
        ("nom;ville\nÉté;Moanda, Gabon\n".as_bytes(), ';', "UTF-8"),
        ("\u{feff}nom,ville\nÉté,Moanda\n".as_bytes(), ',', "UTF-8"),
        ("nom\tville\nÉté\tMoanda\n".as_bytes(), '\t', "UTF-8"),
        (b"nom;ville\n\xC9t\xE9;Moanda\n", ';', "windows-1252"),
        (b"nom|ville\n\xC9t\xE9|Moanda\n", '|', "windows-1252"),
        (
            b"\xFF\xFEn\0o\0m\0;\0v\0i\0l\0l\0e\0\n\0\xC9\0t\0\xE9\0;\0M\0\n\0",
            ';',
            "UTF-16LE",
        ),
    ];
    for (content, separator, encoding) in cases {
        let (format, headers, rows) = all(content);
        let encoding = encoding.to_owned();
        assert_eq!(
            format,
            Format::Csv {
                separator,
                encoding
            }
        );
        assert_eq!(headers, ["nom", "ville"]);
        assert_eq!(rows[0].1[0], "Été");
        assert_eq!(rows[0].0, 2);
    }
}

#[test]
fn a_quoted_line_end_belongs_to_its_cell_and_lines_are_counted_as_in_the_file() {
    let (_, _, rows) = all(b"a;b\n\"one\ntwo\";2\n\n;\nx;\"a \"\"quote\"\"\"\n");
    assert_eq!(rows[0], (2, texts(&["one\ntwo", "2"])));
    assert_eq!(rows[1], (6, texts(&["x", "a \"quote\""])));
    assert_eq!(rows.len(), 2, "empty lines are none");
}

#[test]
fn an_open_quotation_mark_does_not_swallow_the_file() {
    let mut content = b"a;b\n\"never closed;1\n".to_vec();
    content.extend(std::iter::repeat_n(b"x;1\n", 3_000_000).flatten());
    let (mut table, _folder) = opened(&content, None).unwrap();
    let read = table.each(|_| Ok(()));
    assert!(matches!(read, Err(TableError::Unreadable(_))), "{read:?}");
}

#[test]
fn nonsense_is_told_as_such() {
    let mut noise = vec![0_u8; 500];
    noise
        .iter_mut()
        .enumerate()
        .for_each(|(n, b)| *b = (n * 37 % 251) as u8);
    assert!(matches!(
        opened(&noise, None),
        Err(TableError::Unreadable(_))
    ));
    assert!(matches!(opened(b"", None), Err(TableError::NoHeader)));
    assert!(matches!(
        opened(b"PK\x03\x04 no archive", None),
        Err(TableError::Unreadable(_))
    ));
    assert!(matches!(
        opened(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", None),
        Err(TableError::Unreadable(_))
    ));
}

/// A workbook with all that people leave in one.
fn workbook() -> Writer {
    let mut book = Writer::new();
    let hidden = book.add_worksheet().set_name("Calculs").unwrap();
    hidden.set_hidden(true).write(0, 0, "secret").unwrap();
    let sheet = book.add_worksheet().set_name("Valeurs").unwrap();
    sheet.set_active(true).set_first_tab(true);
    let plain = Style::new();
    let day = Style::new().set_num_format("dd/mm/yyyy");
    sheet.write(1, 0, "Indicateur").unwrap();
    sheet.write(1, 1, "Début").unwrap();
    sheet.write(1, 2, "Valeur").unwrap();
    sheet
        .merge_range(2, 0, 3, 0, "Taux de service", &plain)
        .unwrap();
    let date = ExcelDateTime::from_ymd(2026, 12, 31).unwrap();
    sheet.write_with_format(2, 1, &date, &day).unwrap();
    sheet
        .write(2, 2, Formula::new("=1/8").set_result("0.125"))
        .unwrap();
    sheet.write(3, 1, "01/02/2026").unwrap();
    sheet
        .write(3, 2, Formula::new("=1/0").set_result("#DIV/0!"))
        .unwrap();
    sheet.write(9, 0, "Après un vide").unwrap();
    sheet.write(9, 2, 1234.5).unwrap();
    sheet.write(10, 2, true).unwrap();
    book
}

#[test]
fn a_workbook_is_read_as_people_see_it() {
    let (format, headers, rows) = all(&workbook().save_to_buffer().unwrap());
    assert_eq!(
        format,
        Format::Xlsx {
            sheet: "Valeurs".to_owned(),
            sheets: vec!["Valeurs".to_owned()],
            from_1904: false,
        }
    );
    assert_eq!(headers, ["Indicateur", "Début", "Valeur"]);
    let expected = [
        (3, texts(&["Taux de service", "2026-12-31", "0.125"])),
        (4, texts(&["Taux de service", "01/02/2026", "#DIV/0!"])),
        (10, texts(&["Après un vide", "", "1234.5"])),
        (11, texts(&["", "", "true"])),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_hidden_sheet_is_not_read_even_by_name() {
    let content = workbook().save_to_buffer().unwrap();
    assert!(matches!(
        opened(&content, Some("Calculs")),
        Err(TableError::NoSheet(_))
    ));
    assert!(opened(&content, Some("Valeurs")).is_ok());
}

/// An archive with these parts.
fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut written = std::io::Cursor::new(Vec::new());
    let mut archive = zip::ZipWriter::new(&mut written);
    for (name, content) in parts {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(*name, options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap();
    written.into_inner()
}

/// What LibreOffice writes: texts in the cells, the days of 1904, a prefix on every name.
const SHEET_1904: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>Jour</t></is></c><c r="B1" t="inlineStr"><is><t>Valeur</t></is></c></row>
<row r="2"><c r="A2" s="1"><v>44925</v></c><c r="B2"><f>B3*2</f><v>2.5</v></c></row>
<row r="4"><c r="A4" t="inlineStr"><is><t>31/12/2026</t></is></c><c r="B4" t="str"><f>"1"</f><v>1 234,56</v></c></row>
</sheetData></worksheet>"#;

fn by_hand(shared: &[u8]) -> Vec<u8> {
    archive(&[
        ("[Content_Types].xml", br#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#),
        ("_rels/.rels", br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#),
        ("xl/workbook.xml", br#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr date1904="true"/><sheets><sheet name="Feuille1" sheetId="1" state="visible" r:id="rId1"/></sheets></workbook>"#),
        ("xl/_rels/workbook.xml.rels", br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#),
        ("xl/styles.xml", br#"<?xml version="1.0"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>"#),
        ("xl/worksheets/sheet1.xml", SHEET_1904.as_bytes()),
        ("xl/sharedStrings.xml", shared),
    ])
}

#[test]
fn the_days_of_1904_and_texts_in_cells_are_understood() {
    let shared = br#"<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="0" uniqueCount="0"></sst>"#;
    let (format, headers, rows) = all(&by_hand(shared));
    assert!(matches!(
        format,
        Format::Xlsx {
            from_1904: true,
            ..
        }
    ));
    assert_eq!(headers, ["Jour", "Valeur"]);
    assert_eq!(rows[0], (2, texts(&["2026-12-31", "2.5"])));
    assert_eq!(rows[1], (4, texts(&["31/12/2026", "1 234,56"])));
}

#[test]
fn what_swells_when_opened_is_refused_before_it_is() {
    let zeros = vec![b' '; 12 * 1024 * 1024];
    let bomb = archive(&[("xl/worksheets/sheet1.xml", &zeros)]);
    assert!(bomb.len() < 200_000);
    assert!(matches!(
        opened(&bomb, None),
        Err(TableError::Suspicious(_))
    ));
    let parts: Vec<(String, Vec<u8>)> = (0..5_001)
        .map(|n| (format!("xl/{n}.xml"), Vec::new()))
        .collect();
    let parts: Vec<(&str, &[u8])> = parts
        .iter()
        .map(|(name, content)| (name.as_str(), content.as_slice()))
        .collect();
    let many = archive(&parts);
    assert!(matches!(
        opened(&many, None),
        Err(TableError::Suspicious(_))
    ));
    let lies = br#"<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" uniqueCount="99999999999999"></sst>"#;
    assert!(matches!(
        opened(&by_hand(lies), None),
        Err(TableError::Suspicious(_))
    ));
}
